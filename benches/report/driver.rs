//! Writes the section about a method whose future is large, and is mostly not initialised when it is created.

use std::fmt::Write as _;

use super::{
    comparison::{Column, comparison},
    measured::Measured,
    numbers::grouped,
};
use crate::harness::awaited::{PENDING, READY, STATES, driver_title};

const TEXT: &str = "\
## A driver

The method of a driver is called behind `dyn` (`--only driver,`). Its future is large, because it contains a state that is used while the
future is pending. Creating the future writes only a few words. The result is an enum of 48 bytes. The columns are the sizes of the state
in bytes.
";

const NOTES: &str = "\
With `pooled`, `eager` and `boxed`, the compiler moves only the initialised bytes into the slot or box. `Box::pin` moves the whole future.
So a ready call with `pooled` or `eager` takes about the same time for each state that fits into a slot. The largest state does not fit into a
slot, so its future is boxed.
";

pub(super) fn section(measured: &Measured) -> String {
    let mut text = format!("{TEXT}\n");
    for (what, caption) in [(READY, "Ready at the first poll:"), (PENDING, "Pending once:")] {
        let column = |bytes: usize| {
            #[expect(clippy::cast_precision_loss, reason = "the states have at most 5,000 bytes")]
            let label = grouped(bytes as f64);
            Column::new(label, driver_title(what, bytes))
        };
        let table = comparison(measured, "a call", &STATES.map(column));
        let _ = write!(text, "{caption}\n\n{table}");
    }
    text + NOTES + "\n"
}
