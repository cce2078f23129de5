//! Writes the section about shared futures.

use super::{
    comparison::{Column, comparison},
    measured::Measured,
};
use crate::harness::shared::{PENDING, READY, title};

const TEXT: &str = "\
## Shared futures

A shared future has one or more awaiters. (`--only shared,` measures only this table.) The columns are the numbers of awaiters. In the
column `1, ready`, the future is ready at the first poll. In the other columns, all awaiters poll the pending future. Then the future
becomes ready, and all awaiters poll it again:
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
