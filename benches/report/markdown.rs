//! Formats tables in Markdown.

/// Returns a table. The first column is aligned to the left, and the other columns to the right.
pub(crate) fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("| --- |{}\n", " ---: |".repeat(header.len() - 1));
    let rows = rows.iter().map(|cells| line(cells)).collect::<String>();
    format!("{}{rule}{rows}\n", line(header))
}
