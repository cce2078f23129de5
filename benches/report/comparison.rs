//! A table of the report: a row for each contender, and a column for each table that was measured.

use super::{
    markdown::table,
    measured::Measured,
    numbers::{count, grouped, nanoseconds, range},
};
use crate::{contenders::ready::Value, harness::Row};

/// A column: the table that it shows, and what stands above it.
pub(crate) struct Column {
    label: String,
    title: String,
    /// The end of the contenders' names, which only this table has.
    suffix: String,
}

impl Column {
    pub(crate) fn new(label: impl Into<String>, title: impl Into<String>) -> Self {
        Column { label: label.into(), title: title.into(), suffix: String::new() }
    }

    /// Returns a column for a type of results.
    pub(crate) fn of_type<V: Value>(title: impl Into<String>) -> Self {
        Column::new(format!("`{}`", V::NAME), title)
    }

    pub(crate) fn with_suffix(self, suffix: impl Into<String>) -> Self {
        Column { suffix: suffix.into(), ..self }
    }

    fn row<'m>(&self, measured: &'m Measured, contender: &str) -> Option<&'m Row> {
        let mut rows = measured.rows(&self.title).iter();
        rows.find(|row| row.name.strip_suffix(&self.suffix) == Some(contender))
    }
}

/// Returns the name of a contender as a cell. The contenders of this crate are bold.
pub(crate) fn label(name: &str) -> String {
    if name.starts_with("ours") { format!("**`{name}`**") } else { format!("`{name}`") }
}

/// Returns a table of all contenders: their minima, and the allocations and bytes of an operation.
///
/// If the columns differ in allocations or bytes, the cell has the least and the greatest number.
pub(crate) fn comparison(measured: &Measured, unit: &str, columns: &[Column]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for column in columns {
        let rows = measured.rows(&column.title).iter();
        for name in rows.filter_map(|row| row.name.strip_suffix(&column.suffix)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    rows_of(measured, unit, columns, &names)
}

/// Returns the table of [`comparison`] for some contenders.
pub(crate) fn rows_of(
    measured: &Measured,
    unit: &str,
    columns: &[Column],
    names: &[&str],
) -> String {
    let labels = columns.iter().map(|column| column.label.clone());
    let mut header = vec![format!("min ns of {unit}")];
    header.extend(labels);
    header.extend(["allocations".into(), "bytes".into()]);
    let rows: Vec<_> = names
        .iter()
        .map(|name| {
            let rows: Vec<_> = columns.iter().map(|column| column.row(measured, name)).collect();
            let mut cells = vec![label(name)];
            cells.extend(
                rows.iter().map(|row| row.map_or(String::new(), |row| nanoseconds(row.min))),
            );
            let found = || rows.iter().flatten();
            cells.push(range(found().map(|row| row.allocations), count));
            cells.push(range(found().map(|row| row.bytes), grouped));
            cells
        })
        .collect();
    table(&header, &rows)
}
