//! The section of a method whose future is large, and mostly not initialised.

use std::fmt::Write as _;

use super::{
    comparison::{Column, comparison},
    measured::Measured,
    numbers::grouped,
};
use crate::harness::awaited::{PENDING, READY, STATES, driver_title};

const TEXT: &str = "\
## A driver

A method of a driver (`--only driver,`). Its future is large because of the state that it holds while it is pending. Creating the
future writes only a few words of that state. The result is an enum of 48 bytes. The columns are the bytes of state.
";

const NOTES: &str = "\
With `pooled`, `eager` and `boxed`, the compiler moves only the initialised bytes into the slot or box. So the time of a ready call
does not grow with the size of the state, which `Box::pin` moves. The largest state is too large for a slot, and is boxed.
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
