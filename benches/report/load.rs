//! The load of the system before the measurement. Figures that were measured under load must not be recorded.

use std::fs;

/// Returns the load average of the last minute, if the system reports it.
pub(crate) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Returns a sentence with the load of the system before the run, or an empty text if the system does not report it.
pub(super) fn sentence(load: Option<f64>) -> String {
    load.map_or(String::new(), |load| {
        format!(" Before the run, the load average of the system was {load:.1}.")
    })
}
