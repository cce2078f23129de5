//! Writes the section about streams.

use super::{
    comparison::{Column, comparison},
    measured::Measured,
};
use crate::harness::streams::{PENDING, READY};

// The titles of the measured tables begin with `stream,`, so the option `--only stream,` of the bench `ratios` selects them.
const TEXT: &str = "\
## Streams

A consumer reads items behind `dyn`, one at a time (`--only stream,`). The items are ready, or each item is completed while the consumer
is pending. `ours, a method` is a method that returns a value future of the next item. A `ValueStream` converts such a method into a
stream. A `ValueNext` adds such a method to a stream.
";

pub(super) fn section(measured: &Measured) -> String {
    let columns = [Column::new("ready", READY), Column::new("pending", PENDING)];
    format!("{TEXT}\n{}", comparison(measured, "an item", &columns))
}
