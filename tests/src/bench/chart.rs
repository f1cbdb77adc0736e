//! A run in; its nanoseconds above an empty program as a picture (SVG) out: ours and the peers', with the goals.

use anyhow::{Result, anyhow, ensure};
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{
    figure::{Figure, Goal, NANOSECONDS_ABOVE},
    number,
    report::Report,
};

const WIDTH: u32 = 1000;
const ROW: u32 = 24;
/// Where the bars begin and end.
const LEFT: u32 = 380;
const RIGHT: u32 = WIDTH - 80;
const TOP: u32 = 84;
const BOTTOM: u32 = 60;
/// The ends of the axis, in nanoseconds. Each decade is as long as the other: the figures span three.
const AXIS: [f64; 2] = [1.0, 2000.0];
const TICKS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];

const FONT: &str = "Helvetica, Arial, sans-serif";
const INK: RGBColor = RGBColor(34, 34, 34);
const FAINT: RGBColor = RGBColor(221, 221, 221);
const OURS: RGBColor = RGBColor(43, 108, 176);
const PEER: RGBColor = RGBColor(150, 150, 150);
const GOAL: RGBColor = RGBColor(200, 60, 30);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws it.
///
/// # Errors
/// Where the run has none of these figures.
pub fn chart(report: &Report) -> Result<String> {
    let figures: Vec<&Figure> = report.figures.iter().filter(|figure| figure.unit == NANOSECONDS_ABOVE).collect();
    ensure!(!figures.is_empty(), "this run has no nanoseconds to draw: they are of the section micro");
    let mut svg = String::new();
    draw(report, &figures, &mut svg).map_err(|error| anyhow!("{error:#}").context("the chart cannot be drawn"))?;
    Ok(svg)
}

fn draw(report: &Report, figures: &[&Figure], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let height = TOP + ROW * u32::try_from(figures.len())? + BOTTOM;
    let area = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let end = px(height - BOTTOM);
    head(&area, report)?;
    axis(&area, end)?;
    for (number, figure) in (0..).zip(figures) {
        bar(&area, figure, px(TOP + ROW * number))?;
    }
    area.present()?;
    Ok(())
}

fn head(area: &Area<'_>, report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    let brief = if report.brief { " (brief: worth nothing)" } else { "" };
    let title = format!("What a frame costs, in nanoseconds above an empty program{brief}");
    area.draw(&Text::new(title, (16, 16), (FONT, 18).into_font().color(&INK)))?;
    area.draw(&Text::new(report.machine.words(), (16, 40), (FONT, 12).into_font().color(&INK)))?;
    let mut x = px(LEFT);
    for (color, words, width) in [(OURS, "SSA", 70), (PEER, "xdp-filter", 110)] {
        area.draw(&Rectangle::new([(x, 61), (x + 12, 71)], color.filled()))?;
        area.draw(&Text::new(words, (x + 18, 61), (FONT, 12).into_font().color(&INK)))?;
        x += width;
    }
    goal_mark(area, x + 6, 56)?;
    area.draw(&Text::new("goal", (x + 16, 61), (FONT, 12).into_font().color(&INK)))?;
    Ok(())
}

fn axis(area: &Area<'_>, end: i32) -> Result<(), Box<dyn std::error::Error>> {
    let style = (FONT, 11).into_font().color(&INK).pos(Pos::new(HPos::Center, VPos::Top));
    for tick in TICKS {
        let x = place(tick);
        area.draw(&PathElement::new([(x, px(TOP) - 4), (x, end)], FAINT))?;
        area.draw(&Text::new(format!("{tick}"), (x, end + 6), style.clone()))?;
    }
    let words = "Each step of the axis is a multiple. Bars end at the lower quartile of the rounds, their pale parts at the \
                 upper one.";
    area.draw(&Text::new(words, (px(LEFT), end + 32), (FONT, 12).into_font().color(&INK)))?;
    Ok(())
}

fn bar(area: &Area<'_>, figure: &Figure, y: i32) -> Result<(), Box<dyn std::error::Error>> {
    let color = if figure.id.starts_with("micro/xdp-filter/") { PEER } else { OURS };
    let (end, upper) = (place(figure.quoted()), place(figure.spread.p75));
    let middle = y + px(ROW) / 2;
    let name = (FONT, 12).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(figure.name.clone(), (px(LEFT) - 10, middle), name))?;
    area.draw(&Rectangle::new([(end, middle - 6), (upper, middle + 6)], color.mix(0.35).filled()))?;
    area.draw(&Rectangle::new([(px(LEFT), middle - 6), (end, middle + 6)], color.filled()))?;
    let mut right = upper;
    if let Some(Goal::AtMost(most)) = figure.goal {
        goal_mark(area, place(most), y + 2)?;
        right = right.max(place(most));
    }
    let value = (FONT, 12).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    area.draw(&Text::new(number(figure.quoted()), (right + 8, middle), value))?;
    Ok(())
}

/// A line that stands out from a bar that it crosses.
fn goal_mark(area: &Area<'_>, x: i32, y: i32) -> Result<(), Box<dyn std::error::Error>> {
    area.draw(&Rectangle::new([(x - 3, y), (x + 3, y + px(ROW) - 4)], WHITE.filled()))?;
    area.draw(&Rectangle::new([(x - 1, y), (x + 1, y + px(ROW) - 4)], GOAL.filled()))?;
    Ok(())
}

/// Where on the axis a figure is.
fn place(nanos: f64) -> i32 {
    let [from, to] = AXIS;
    let part = (nanos.clamp(from, to) / from).ln() / (to / from).ln();
    #[expect(clippy::cast_possible_truncation, reason = "a place on the axis")]
    let right = (part * f64::from(RIGHT - LEFT)).round() as i32;
    px(LEFT) + right
}

const fn px(length: u32) -> i32 {
    length.cast_signed()
}
