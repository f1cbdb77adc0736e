//! Numbers in; bars of block characters out.

use super::statistics::real;

/// Characters of a line that has a block for each bin.
pub const BINS: usize = 64;
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Neighbouring counts added up, into `bins` sums or as many as there are counts.
pub fn binned(counts: &[u64], bins: usize) -> Vec<u64> {
    let size = counts.len().div_ceil(bins.max(1)).max(1);
    counts.chunks(size).map(|chunk| chunk.iter().sum()).collect()
}

/// A block for each number, as high as it is against the largest. Only 0 is blank.
pub fn heights(numbers: &[u64]) -> String {
    let most = real(numbers.iter().copied().max().unwrap_or(0).max(1));
    let block = |number: &u64| if *number == 0 { ' ' } else { HEIGHTS[eighths(real(*number) / most, 1).clamp(1, 8)] };
    numbers.iter().map(block).collect()
}

/// A bar for a part of 1, of at most `width` characters.
pub fn bar(part: f64, width: usize) -> String {
    let eighths = eighths(part, width);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(PARTS[eighths % 8]);
    }
    bar
}

fn eighths(part: f64, width: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the width")]
    let eighths = (part.clamp(0.0, 1.0) * real(width as u64) * 8.0).round() as usize;
    eighths
}

/// A name in at most `width` characters.
pub fn cut(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_blocks() {
        assert_eq!(heights(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(heights(&[0, 1, 1000]), " ▁█");
        assert_eq!(
            (bar(1.0, 3), bar(0.5, 3), bar(0.0, 3), bar(7.0, 2)),
            ("███".into(), "█▌".into(), String::new(), "██".into())
        );
    }

    #[test]
    fn counts_are_added_up() {
        assert_eq!(binned(&[1, 2, 3, 4], 2), [3, 7]);
        assert_eq!(binned(&[1, 2], 64), [1, 2]);
        assert_eq!(binned(&vec![1; 16384], BINS), vec![256; 64]);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!((cut("proxy", 5), cut("proxies", 5)), ("proxy".into(), "prox…".into()));
    }
}
