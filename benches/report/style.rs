//! The style of the charts. A chart has no background, so that the background of the page is visible.

use std::error::Error;

use plotters::{
    coord::Shift,
    prelude::{DrawingArea, IntoFont, RGBColor, SVGBackend, TextStyle},
    style::{
        Color,
        text_anchor::{HPos, Pos, VPos},
    },
};

// These colours are legible on a white and on a black background.
pub(crate) const GREY: RGBColor = RGBColor(128, 128, 128);
pub(crate) const PINK: RGBColor = RGBColor(200, 90, 160);
pub(crate) const ORANGE: RGBColor = RGBColor(205, 130, 30);
pub(crate) const BLUE: RGBColor = RGBColor(80, 140, 230);

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Returns the style of a text.
pub(crate) fn text(size: u32, colour: RGBColor, anchor: (HPos, VPos)) -> TextStyle<'static> {
    TextStyle {
        font: ("system-ui, sans-serif", size).into_font(),
        color: colour.to_backend_color(),
        pos: Pos::new(anchor.0, anchor.1),
    }
}
