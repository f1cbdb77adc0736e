//! Two figures in each round in; their ratio and their difference out.

use super::figure::{Goal, Ratio, Spread};

/// The median of the rounds' own ratios: what lasts longer than a round disturbs both figures of it alike.
pub(super) fn ratio(these: &[f64], others: &[f64], goal: Option<Goal>) -> Ratio {
    let ratios = these.iter().zip(others).map(|(this, other)| this / other).collect();
    Ratio { value: Spread::of(ratios).median, goal, more: None }
}

/// The same of figures that have a base taken off, and so may be near zero, or below it, where noise is as large.
///
/// It is the ratio that misses the rounds by the fewest nanoseconds: a weighted median of their own ratios, in which a
/// round weighs as much as its divisor. The nearer that is to zero, the less its ratio says, and the less it counts. None
/// weighs more than the median divisor: what disturbs only adds, and a disturbed round must not speak for many. No answer
/// where most divisors are not above zero.
pub(super) fn above(these: &[f64], others: &[f64]) -> Option<f64> {
    let most = Spread::of(others.to_vec()).median;
    let positive = these.iter().zip(others).filter(|(_, other)| **other > 0.0);
    let mut rounds: Vec<(f64, f64)> = positive.map(|(this, other)| (this / other, other.min(most))).collect();
    rounds.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let half = rounds.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let middle = rounds.iter().find(|(_, weight)| {
        sum += weight;
        sum >= half
    });
    middle.filter(|_| most > 0.0).map(|(ratio, _)| *ratio)
}

/// The median of the rounds' own differences.
pub(super) fn more(these: &[f64], others: &[f64]) -> f64 {
    Spread::of(these.iter().zip(others).map(|(this, other)| this - other).collect()).median
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn rounds_are_compared_with_themselves() {
        let (these, others) = ([1.0, 20.0, 3.0], [2.0, 40.0, 6.0]);
        assert!(is(ratio(&these, &others, None).value, 0.5));
        assert!(is(above(&these, &others).unwrap(), 0.5));
        assert!(is(more(&[3.0, 22.0, 5.0], &[2.0, 20.0, 4.0]), 1.0));
    }

    #[test]
    fn what_is_near_zero_hardly_counts() {
        // Half of the rounds have next to no divisor, and any ratio at all.
        let (these, others) = ([5.0, 5.1, 4.9, 5.0, 5.0, 5.0], [5.0, 5.1, 4.9, 0.01, 0.001, -0.2]);
        assert!(is(above(&these, &others[..]).unwrap(), 1.0));
        assert!(above(&[5.0; 3], &[0.0, -1.0, 4.0]).is_none());
    }

    #[test]
    fn a_disturbed_round_is_one_round() {
        let (these, others) = ([5.0, 5.0, 5.0, 5.0, 5.0], [5.0, 5.0, 5.0, 5.0, 500.0]);
        assert!(is(above(&these, &others).unwrap(), 1.0));
    }
}
