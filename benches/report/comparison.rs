//! Composes a table of the report. The table has a row for each contender. Each column with times shows the minima of one measured table.

use super::{
    markdown::table,
    measured::Measured,
    numbers::{count, grouped, nanoseconds, range},
};
use crate::{contenders::ready::Value, harness::Row};

/// A column of the report: its label, and the title of the measured table that it shows.
pub(crate) struct Column {
    label: String,
    title: String,
    /// Only rows whose name has this suffix are shown. The suffix is removed from the name.
    suffix: String,
}

impl Column {
    pub(crate) fn new(label: impl Into<String>, title: impl Into<String>) -> Self {
        Column { label: label.into(), title: title.into(), suffix: String::new() }
    }

    /// Creates a column whose label is a type of results.
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

/// Formats the name of a contender. The names of the contenders of this crate are bold.
pub(crate) fn label(name: &str) -> String {
    if name.starts_with("ours") { format!("**`{name}`**") } else { format!("`{name}`") }
}

/// Returns a table of all contenders with their minima, and with the allocations and the bytes of an operation.
///
/// If the measured tables have different allocations or bytes for a contender, the cell has the least and the greatest number.
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

/// Returns a table like [`comparison`], with only the given contenders.
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
