//! Writes the section about shared futures.

use super::{
    comparison::{Column, comparison},
    measured::Measured,
};
use crate::harness::shared::{PENDING, READY, title};

const TEXT: &str = "\
## Shared futures

All awaiters poll a shared future. Then the future becomes ready, and all awaiters poll it again (`--only shared,`). The columns
are the numbers of awaiters. In the first column, the result is ready at the first poll:
";

pub(super) fn section(measured: &Measured) -> String {
    let columns = [
        Column::new("1, ready", title(READY, 1)),
        Column::new("1", title(PENDING, 1)),
        Column::new("2", title(PENDING, 2)),
        Column::new("16", title(PENDING, 16)),
        Column::new("1,000", title(PENDING, 1000)),
    ];
    format!("{TEXT}\n{}", comparison(measured, "a future", &columns))
}
