//! Writes the section about objects that serve one operation after the other.

use super::{
    comparison::{Column, comparison},
    measured::Measured,
};
use crate::harness::reusable_source::TITLE;

const TEXT: &str = "\
## Reusable sources

One object serves one operation after the other (`--only reusable`). Each operation is begun, polled while it is pending, completed, and
polled again. In the rows with `boxed`, the future is boxed, so that a method behind `dyn` can return it. The futures of this crate need
no box for this purpose.
";

pub(super) fn section(measured: &Measured) -> String {
    format!("{TEXT}\n{}", comparison(measured, "an operation", &[Column::new("time", TITLE)]))
}
