//! The frames of a service's slices in; a map of them for a terminal out.

use std::io;

use crate::{context::Context, observe::slices::ServiceSlices};

/// Columns of the map.
const COLUMNS: usize = 64;
/// Lines of the map, at most.
const LINES: usize = 16;
/// From no frame to as many as the busiest place has.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// Draws where the frames went.
pub(super) fn draw(context: &mut Context<'_>, slices: &ServiceSlices) -> io::Result<()> {
    let Some(frames) = &slices.frames else {
        return writeln!(
            context.out,
            "{}: its slices are not counted: set slice_counters = true for the service",
            slices.service
        );
    };
    let each = frames.len().div_ceil(COLUMNS * LINES);
    let places: Vec<u64> = frames.chunks(each).map(|chunk| chunk.iter().sum()).collect();
    let (most, sum) = (places.iter().copied().max().unwrap_or(0), places.iter().sum::<u64>());
    let plural = if each == 1 { "slice" } else { "slices" };
    writeln!(
        context.out,
        "{}: {sum} frames over {} slices; a place is {each} {plural}",
        slices.service,
        slices.count()
    )?;
    for (line, row) in places.chunks(COLUMNS).enumerate() {
        let text: String = row.iter().map(|&count| shade(count, most)).collect();
        writeln!(context.out, "{:>8} {text}", line * COLUMNS * each)?;
    }
    writeln!(context.out, "         {} none   {} to {} {most} frames", SHADES[0], SHADES[1], SHADES[4])
}

/// The shade of a place, by the share of the busiest place's frames that it has.
pub(in crate::command) fn shade(count: u64, most: u64) -> char {
    if count == 0 {
        return SHADES[0];
    }
    // 1 to 4, as most is not below count.
    let step = (count.saturating_mul(4)).div_ceil(most.max(1));
    SHADES[usize::try_from(step).unwrap_or(1).clamp(1, 4)]
}

#[cfg(test)]
mod tests {
    use super::shade;

    #[test]
    fn shades_go_from_none_to_the_busiest() {
        let shades: String = [0, 1, 25, 26, 50, 75, 76, 100].map(|count| shade(count, 100)).iter().collect();
        assert_eq!(shades, "·░░▒▒▓██");
        assert_eq!(shade(0, 0), '·');
    }
}
