//! The load of the system. Figures that were measured under load are not figures of record.

use std::fs;

/// Returns the load average of the last minute, if the system reports it.
pub(crate) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Says how busy the system was before the run.
pub(super) fn sentence(load: Option<f64>) -> String {
    load.map_or(String::new(), |load| {
        format!(" Before the run, the load average of the system was {load:.1}.")
    })
}
