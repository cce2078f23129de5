//! The rows of all measured tables. A table is found by its title.

use std::collections::BTreeMap;

use crate::harness::Row;

pub(crate) struct Measured(BTreeMap<String, Vec<Row>>);

impl Measured {
    pub(crate) fn new(tables: impl IntoIterator<Item = (String, Vec<Row>)>) -> Self {
        Measured(tables.into_iter().collect())
    }

    pub(super) fn rows(&self, title: &str) -> &[Row] {
        self.0.get(title).unwrap_or_else(|| panic!("no table has the title `{title}`"))
    }

    pub(super) fn row(&self, title: &str, contender: &str) -> &Row {
        crate::harness::find(self.rows(title), contender)
    }

    /// Returns how many times as long `contender` takes as `other`, by their minima.
    pub(super) fn ratio(&self, title: &str, [contender, other]: [&str; 2]) -> f64 {
        self.row(title, contender).min / self.row(title, other).min
    }
}
