//! A spread in; a picture of it (SVG) out: the slices, the endpoints, and what bots do to them.

use anyhow::{Result, anyhow};
use plotters::{coord::Shift, prelude::*};

use super::{bots::Bots, plot, spread::Spread, statistics::real};

const WIDTH: u32 = 900;
/// Where the bars begin and end.
const LEFT: u32 = 20;
const PANEL: u32 = 220;
const BARS: u32 = 130;
/// Bars of a panel, at most.
const BINS: usize = 256;

const FONT: &str = "Helvetica, Arial, sans-serif";
const INK: RGBColor = RGBColor(34, 34, 34);
const LOAD: RGBColor = RGBColor(43, 108, 176);
const ATTACK: RGBColor = RGBColor(200, 60, 30);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Bars side by side, with words above them.
struct Panel {
    title: String,
    words: String,
    color: RGBColor,
    bars: Vec<f64>,
    /// Where a line is drawn across.
    mean: f64,
}

/// Draws it, below a title.
pub fn chart(title: &str, spread: &Spread, bots: Option<&Bots>) -> Result<String> {
    let mut panels = vec![slices(spread)];
    panels.extend(spread.endpoints.as_ref().map(|endpoints| {
        let count = real(endpoints.list.len() as u64);
        Panel {
            title: format!(
                "Clients of every endpoint of {}, the busiest first; the line is the mean",
                endpoints.list.len()
            ),
            words: format!("most over what the weight asks for: {:.3}", endpoints.max_over_mean),
            color: LOAD,
            bars: endpoints.list.iter().map(|endpoint| real(endpoint.load)).collect(),
            mean: real(spread.total) / count,
        }
    }));
    panels.extend(bots.map(|bots| {
        let mut bars: Vec<f64> = bots.list.iter().map(|attacked| attacked.load).collect();
        bars.sort_by(|one, other| other.total_cmp(one));
        Panel {
            title: "Attack expected on each endpoint, in clients".to_owned(),
            words: format!(
                "the busiest: {:.0} ± {:.0}; gathered on one: {:.0}",
                bots.forced.load, bots.forced.sigma, bots.gathered.load
            ),
            color: ATTACK,
            bars,
            mean: bots.mean,
        }
    }));
    let mut svg = String::new();
    draw(title, &panels, &mut svg).map_err(|error| anyhow!("{error:#}").context("the chart cannot be drawn"))?;
    Ok(svg)
}

fn slices(spread: &Spread) -> Panel {
    let bins = plot::binned(&spread.counts, BINS);
    let each = spread.counts.len() / bins.len();
    let unit = if each == 1 { "every slice".to_owned() } else { format!("every {each} slices") };
    let p_value = spread.slices.test.map_or_else(String::new, |test| format!(", p {:.3}", test.p_value));
    Panel {
        title: format!("Clients of {unit}"),
        words: format!(
            "{} of {} slices used, max/mean {:.2}{p_value}",
            spread.slices.occupied,
            spread.counts.len(),
            spread.slices.max_over_mean
        ),
        color: LOAD,
        mean: real(spread.total) / real(bins.len() as u64),
        bars: bins.into_iter().map(real).collect(),
    }
}

fn draw(title: &str, panels: &[Panel], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let height = 50 + PANEL * u32::try_from(panels.len())?;
    let area = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    text(&area, title, 16, 18)?;
    for (number, panel) in (0..).zip(panels) {
        bars(&area, panel, px(50 + PANEL * number))?;
    }
    area.present()?;
    Ok(())
}

fn bars(area: &Area<'_>, panel: &Panel, top: i32) -> Result<(), Box<dyn std::error::Error>> {
    text(area, &panel.title, top, 14)?;
    text(area, &panel.words, top + 20, 12)?;
    let most = panel.bars.iter().copied().fold(panel.mean, f64::max).max(f64::MIN_POSITIVE);
    let (first, bottom) = (px(LEFT), top + 46 + px(BARS));
    let width = f64::from(WIDTH - 2 * LEFT);
    let step = width / real(panel.bars.len().max(1) as u64);
    let gap = if step >= 4.0 { 1.0 } else { 0.0 };
    let up = |number: f64| bottom - rounded(number / most * f64::from(BARS));
    for (place, bar) in panel.bars.iter().enumerate() {
        let left = step * real(place as u64);
        let corners = [(first + rounded(left), up(*bar)), (first + rounded(left + step - gap), bottom)];
        area.draw(&Rectangle::new(corners, panel.color.filled()))?;
    }
    area.draw(&PathElement::new([(first, bottom), (px(WIDTH - LEFT), bottom)], INK))?;
    area.draw(&PathElement::new([(first, up(panel.mean)), (px(WIDTH - LEFT), up(panel.mean))], INK))?;
    Ok(())
}

fn text(area: &Area<'_>, words: &str, y: i32, size: u32) -> Result<(), Box<dyn std::error::Error>> {
    area.draw(&Text::new(words.to_owned(), (px(LEFT), y), (FONT, size).into_font().color(&INK)))?;
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "a place in the picture")]
fn rounded(length: f64) -> i32 {
    length.round() as i32
}

const fn px(length: u32) -> i32 {
    length.cast_signed()
}
