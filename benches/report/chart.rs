//! Draws the chart of the README. It shows the time and the allocations of a call, for three ways of writing a method.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

use super::{
    measured::Measured,
    numbers::{count, nanoseconds},
    style::{Area, BLUE, GREY, ORANGE, PINK, Result, text},
};
use crate::{
    contenders::attribute::{ASYNC_TRAIT, ATTRIBUTE, BOX_FUTURE},
    harness::{
        Row,
        attribute::{BEFORE_THE_BODY, IN_THE_BODY, PENDING, title},
        find,
    },
};

/// The contenders in the chart: the name in the measured tables, the name in the chart, and the colour.
const ROWS: [(&str, &str, RGBColor); 3] = [
    (ASYNC_TRAIT, "async-trait", PINK),
    (BOX_FUTURE, "BoxFuture", ORANGE),
    (ATTRIBUTE, "value-future", BLUE),
];

/// The panels of the chart: the measured table that a panel shows, and its caption.
const PANELS: [(&str, &str); 3] = [
    (BEFORE_THE_BODY, "ready, by #[ready]"),
    (IN_THE_BODY, "ready, in the body"),
    (PENDING, "pending once"),
];

/// The height of the title.
const TITLE: u32 = 30;
/// The width of the column with the names of the contenders.
const NAMES: u32 = 100;
/// The width and the height of a panel.
const PANEL: (u32, u32) = (250, 112);
/// The width of the text to the right of the longest bar.
const AFTER: f64 = 105.0;
/// The height of the caption of a panel.
const CAPTION: i32 = 26;
/// The height of a row.
const ROW: i32 = 28;
/// The height of a bar.
const BAR: i32 = 18;

/// Draws the chart. Returns the text of the SVG file.
pub(crate) fn draw(measured: &Measured) -> Result<String> {
    let size = (NAMES + PANEL.0 * PANELS.len() as u32, TITLE + PANEL.1);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let (above, below) = root.split_vertically(TITLE);
        let (names, panels) = below.split_horizontally(NAMES);
        let what = "time and allocations of a call behind dyn that returns a u64";
        above.draw(&Text::new(what, (8, 6), text(15, GREY, (HPos::Left, VPos::Top))))?;
        for (row, (_, name, colour)) in (0..).zip(ROWS) {
            let style = text(15, colour, (HPos::Right, VPos::Center));
            names.draw(&Text::new(name, (NAMES as i32 - 8, middle(row)), style))?;
        }
        let titles = PANELS.map(|(what, _)| title::<u64>(what));
        let times = titles.iter().flat_map(|it| ROWS.map(|(row, ..)| measured.row(it, row).min));
        let most = times.fold(0.0, f64::max);
        for (index, panel) in panels.split_evenly((1, PANELS.len())).iter().enumerate() {
            draw_panel(panel, PANELS[index].1, measured.rows(&titles[index]), most)?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// Returns the vertical middle of a row.
fn middle(row: i32) -> i32 {
    CAPTION + row * ROW + ROW / 2
}

/// Draws the bars of a table. A bar of the greatest length stands for `most` nanoseconds.
fn draw_panel(area: &Area<'_>, caption: &str, rows: &[Row], most: f64) -> Result<()> {
    area.draw(&Text::new(caption, (0, 4), text(15, GREY, (HPos::Left, VPos::Top))))?;
    for (row, (contender, _, colour)) in (0..).zip(ROWS) {
        let Row { min, allocations, .. } = find(rows, contender);
        let width = (min / most * (f64::from(PANEL.0) - AFTER)).round() as i32;
        let [top, bottom] = [-BAR / 2, BAR / 2].map(|offset| middle(row) + offset);
        area.draw(&Rectangle::new([(0, top), (width.max(1), bottom)], colour.filled()))?;
        let cost = format!("{} ns, {} alloc.", nanoseconds(*min), count(*allocations));
        let style = text(14, colour, (HPos::Left, VPos::Center));
        area.draw(&Text::new(cost, (width + 6, middle(row)), style))?;
    }
    Ok(())
}
