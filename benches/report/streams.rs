//! The section of streams.

use super::{
    comparison::{Column, comparison},
    measured::Measured,
};
use crate::harness::streams::{PENDING, READY};

const TEXT: &str = "\
## Streams

Items behind `dyn`, one at a time (`--only stream,`). They are ready, or are completed while the consumer is pending. `ours, a method`
is a method that returns a value future. A `ValueStream` turns such a method into a stream. A `ValueNext` turns a stream into such a method.
";

pub(super) fn section(measured: &Measured) -> String {
    let columns = [Column::new("ready", READY), Column::new("pending", PENDING)];
    format!("{TEXT}\n{}", comparison(measured, "an item", &columns))
}
