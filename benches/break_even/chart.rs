//! The chart: a panel for each allocator and type of results, on one thread.

use std::error::Error;

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{
    allocator::ALLOCATORS,
    data::{BOX_FUTURE, CONTENDERS, Cost, Costs, Figures, RESULTS, SHARES, Situation},
    verdict::{CLEAR, NOTICED},
};

const PANEL: (u32, u32) = (280, 230);
/// The height of the legend.
const LEGEND: u32 = 40;

/// These colours and this grey are legible on white and on black.
const COLOURS: [RGBColor; CONTENDERS.len()] = [
    RGBColor(200, 90, 160),
    GREY,
    RGBColor(205, 130, 30),
    RGBColor(80, 140, 230),
    RGBColor(20, 160, 120),
    RGBColor(225, 70, 60),
];
const GREY: RGBColor = RGBColor(128, 128, 128);

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the times relative to those of `BoxFuture`. Returns the text of the SVG file.
pub(crate) fn draw(figures: &Figures) -> Result<String> {
    let costs = figures.costs();
    let (columns, rows) = (RESULTS.len(), ALLOCATORS.len());
    let size = (PANEL.0 * columns as u32, LEGEND + PANEL.1 * rows as u32);
    let mut svg = String::new();
    {
        // The page has a background, so the chart needs none.
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        // The chart shows only the times on one thread.
        let drawn = costs.iter().filter(|(situation, _)| situation.threads == 1);
        let at_shares = drawn.flat_map(|(_, costs)| costs);
        let greatest = at_shares.flat_map(|costs| others().map(|it| relative(costs, it)));
        let top = greatest.fold(1.2, f64::max);
        let (legend, panels) = root.split_vertically(LEGEND);
        draw_legend(&legend)?;
        for (index, panel) in panels.split_evenly((rows, columns)).iter().enumerate() {
            let (allocator, result) = (ALLOCATORS[index / columns], index % columns);
            let (bytes, name) = RESULTS[result];
            let title = format!("{bytes} bytes ({name}), {allocator}");
            let costs = &costs[&Situation { allocator, threads: 1, result }];
            draw_panel(panel, title, top, costs)?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// Returns the contenders that have a line in the chart.
fn others() -> impl Iterator<Item = usize> {
    (0..CONTENDERS.len()).filter(|contender| *contender != BOX_FUTURE)
}

fn relative(costs: &[Cost; CONTENDERS.len()], contender: usize) -> f64 {
    costs[contender].min / costs[BOX_FUTURE].min
}

fn text(size: u32, colour: RGBColor, anchor: (HPos, VPos)) -> TextStyle<'static> {
    TextStyle {
        font: ("system-ui, sans-serif", size).into_font(),
        color: colour.to_backend_color(),
        pos: Pos::new(anchor.0, anchor.1),
    }
}

fn draw_legend(area: &Area<'_>) -> Result<()> {
    let what = format!(
        "time of a call, relative to BoxFuture, by the share of ready results \
         (grey band: nobody notices; dashed line: {CLEAR} times as fast)"
    );
    area.draw(&Text::new(what, (10, 4), text(15, GREY, (HPos::Left, VPos::Top))))?;
    let mut x = 10;
    for contender in others() {
        let (name, colour) = (CONTENDERS[contender], COLOURS[contender]);
        area.draw(&PathElement::new([(x, 32), (x + 18, 32)], colour.stroke_width(2)))?;
        area.draw(&Text::new(name, (x + 23, 32), text(15, colour, (HPos::Left, VPos::Center))))?;
        x += 50 + 7 * name.len() as i32;
    }
    Ok(())
}

fn draw_panel(area: &Area<'_>, title: String, top: f64, costs: &Costs) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(24)
        .x_label_area_size(24)
        .y_label_area_size(30)
        .caption(title, text(15, GREY, (HPos::Center, VPos::Top)))
        .build_cartesian_2d(0.0..100.0, 0.0..top * 1.05)?;
    let label = text(13, GREY, (HPos::Center, VPos::Top));
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.25))
        .axis_style(GREY)
        .label_style(label)
        .x_labels(6)
        .y_labels(7)
        .x_label_formatter(&|share| format!("{share:.0} %"))
        .y_label_formatter(&|ratio| format!("{ratio:.1}"))
        .draw()?;
    // Within the band, nobody notices a difference. Below the line, a contender clearly pays.
    let band = [(0.0, 1.0 / NOTICED), (100.0, NOTICED)];
    chart.draw_series([Rectangle::new(band, GREY.mix(0.3).filled())])?;
    let clear = [(0.0, 1.0 / CLEAR), (100.0, 1.0 / CLEAR)];
    chart.draw_series(DashedLineSeries::new(clear, 6, 6, GREY.stroke_width(1)))?;
    for contender in others() {
        let times = SHARES.into_iter().zip(costs);
        let points = times.map(|(share, costs)| (f64::from(share), relative(costs, contender)));
        chart.draw_series(LineSeries::new(points, COLOURS[contender].stroke_width(2)))?;
    }
    Ok(())
}
