//! The section of objects that serve one operation after the other.

use super::{
    comparison::{Column, comparison},
    measured::Measured,
};
use crate::harness::reusable_source::TITLE;

const TEXT: &str = "\
## Reusable sources

One object serves one operation after the other: begin, pending poll, complete, ready poll (`--only reusable`). A method behind `dyn`
has to box the futures of the other contenders:
";

pub(super) fn section(measured: &Measured) -> String {
    format!("{TEXT}\n{}", comparison(measured, "an operation", &[Column::new("time", TITLE)]))
}
