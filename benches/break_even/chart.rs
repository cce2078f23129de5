//! Draws `docs/break_even.svg`: a panel for each allocator and type of results. It shows the times on one thread.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

use super::{
    allocator::ALLOCATORS,
    data::{BOX_FUTURE, CONTENDERS, Cost, Costs, Figures, RESULTS, SHARES, Situation},
    style::{Area, BLUE, GREY, ORANGE, PINK, Result, text},
    verdict::{CLEAR, NOTICEABLE},
};

const PANEL: (u32, u32) = (280, 230);
/// The height of the legend.
const LEGEND: u32 = 40;

const GREEN: RGBColor = RGBColor(20, 160, 120);
const RED: RGBColor = RGBColor(225, 70, 60);
const COLOURS: [RGBColor; CONTENDERS.len()] = [PINK, GREY, ORANGE, BLUE, GREEN, RED];

/// Draws the times of the contenders, relative to those of `BoxFuture`. Returns the text of the SVG file.
pub(crate) fn draw(figures: &Figures) -> Result<String> {
    let costs = figures.costs();
    let (columns, rows) = (RESULTS.len(), ALLOCATORS.len());
    let size = (PANEL.0 * columns as u32, LEGEND + PANEL.1 * rows as u32);
    let mut svg = String::new();
    {
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

/// Returns the contenders that have a line in the chart: all except `BoxFuture`.
fn others() -> impl Iterator<Item = usize> {
    (0..CONTENDERS.len()).filter(|contender| *contender != BOX_FUTURE)
}

fn relative(costs: &[Cost; CONTENDERS.len()], contender: usize) -> f64 {
    costs[contender].min / costs[BOX_FUTURE].min
}

fn draw_legend(area: &Area<'_>) -> Result<()> {
    let what = format!(
        "time of a call, relative to BoxFuture, by the share of ready results \
         (grey band: within 5 %; dashed line: {CLEAR} times as fast)"
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
    // Within the grey band, a contender is less than 5 % faster or slower than `BoxFuture`. Below the dashed line, a contender clearly
    // pays.
    let band = [(0.0, 1.0 / NOTICEABLE), (100.0, NOTICEABLE)];
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
