//! Two figures in each round in; their ratio out.

use super::figure::{Goal, Ratio, Spread};

/// The median of the rounds' own ratios: what lasts longer than a round disturbs both figures of it alike.
pub(super) fn ratio(these: &[f64], others: &[f64], goal: Option<Goal>) -> Ratio {
    let ratios = these.iter().zip(others).map(|(this, other)| this / other).collect();
    Ratio { value: Spread::of(ratios).median, goal }
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn rounds_are_compared_with_themselves() {
        let (these, others) = ([1.0, 20.0, 3.0], [2.0, 40.0, 6.0]);
        assert!((ratio(&these, &others, None).value - 0.5).abs() < f64::EPSILON);
    }
}
