//! Line plots in a PNG file, for examples.
#![allow(dead_code, reason = "each example uses a part")]

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

/// Colours that remain distinct in greyscale.
pub(crate) const BLUE: RGBColor = RGBColor(0x1f, 0x4e, 0x9c);
pub(crate) const ORANGE: RGBColor = RGBColor(0xe0, 0x7b, 0x1a);
pub(crate) const GREY: RGBColor = RGBColor(0x8a, 0x8a, 0x8a);

/// Size of a panel, in pixels.
const PANEL: (u32, u32) = (760, 560);

/// One line, with its name in the legend.
pub(crate) struct Curve {
    pub(crate) label: String,
    pub(crate) color: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Axes with some lines. On a logarithmic axis only positive values are drawn.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) log_y: bool,
    pub(crate) curves: Vec<Curve>,
}

impl Panel {
    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        let points = self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        points.filter(|&(x, y)| x.is_finite() && y.is_finite() && (!self.log_y || y > 0.0))
    }

    /// The smallest range with all values of one coordinate; `0..1` without any.
    fn range(&self, coordinate: fn((f64, f64)) -> f64) -> Range<f64> {
        let values = || self.points().map(coordinate);
        match (values().reduce(f64::min), values().reduce(f64::max)) {
            (Some(low), Some(high)) if low < high => low..high,
            (Some(low), _) if low != 0.0 => low * 0.9..low * 1.1,
            _ => 0.0..1.0,
        }
    }
}

/// Draws panels beside each other and writes the picture; folders that are missing are made.
pub(crate) fn save(path: &Path, panels: &[Panel]) -> Result<(), Box<dyn Error>> {
    register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| "the font cannot be read")?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let root = BitMapBackend::new(path, (PANEL.0 * panels.len().max(1) as u32, PANEL.1)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, panel) in root.split_evenly((1, panels.len().max(1))).iter().zip(panels) {
        let (x, y) = (panel.range(|(x, _)| x), panel.range(|(_, y)| y));
        if panel.log_y {
            let decades = 10f64.powf(y.start.log10().floor())..10f64.powf(y.end.log10().ceil());
            draw(area, panel, x, decades.log_scale())?;
        } else {
            let margin = 0.08 * (y.end - y.start);
            draw(area, panel, x, y.start - margin..y.end + margin)?;
        }
    }
    root.present()?;
    Ok(())
}

fn draw<Y>(
    area: &DrawingArea<BitMapBackend<'_>, plotters::coord::Shift>,
    panel: &Panel,
    x: Range<f64>,
    y: Y,
) -> Result<(), Box<dyn Error>>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 26))
        .margin(20)
        .x_label_area_size(60)
        .y_label_area_size(80)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(&panel.x_label)
        .y_desc(&panel.y_label)
        .axis_desc_style(("sans-serif", 22))
        .label_style(("sans-serif", 18))
        .x_label_formatter(&|x| short(*x))
        .y_label_formatter(&|y| match panel.log_y {
            true => format!("{y:.0e}"),
            false => short(*y),
        })
        .light_line_style(WHITE)
        .draw()?;
    for curve in &panel.curves {
        let style = curve.color.stroke_width(3);
        let shown = curve.points.iter().copied().filter(|&(_, y)| y.is_finite() && (!panel.log_y || y > 0.0));
        chart
            .draw_series(LineSeries::new(shown, style))?
            .label(&curve.label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 28, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .legend_area_size(36)
        .margin(12)
        .label_font(("sans-serif", 19))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.4))
        .draw()?;
    Ok(())
}

/// A number with as many decimals as it needs, at most three.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".into(),
        short => short.into(),
    }
}
