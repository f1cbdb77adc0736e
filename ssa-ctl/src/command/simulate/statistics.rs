//! Counts in; how even they are, how likely that is by chance, and what the largest of many should be, out. Pure.

use serde::Serialize;

use super::random::Random;

/// Draws of a prediction: its mean is then good to a twentieth of its standard deviation.
const DRAWS: u64 = 400;

/// A count as a number with a point.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub const fn real(count: u64) -> f64 {
    count as f64
}

/// How well counts agree with what was expected (Pearson).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evenness {
    /// The sum of squared differences, each over what was expected.
    pub chi_square: f64,
    /// How many counts could differ freely.
    pub degrees_of_freedom: u64,
    /// In standard deviations of a normal distribution; above 0: less even than chance.
    pub z: f64,
    /// How often chance alone is less even.
    pub p_value: f64,
}

/// Compares counts with the parts of their sum that are expected. None where there is nothing to compare.
///
/// Places where nothing is expected are left out.
pub fn chi_square(counts: impl IntoIterator<Item = (u64, f64)>, total: u64) -> Option<Evenness> {
    let (mut sum, mut places) = (0.0, 0u64);
    for (count, part) in counts {
        if part > 0.0 {
            let expected = part * real(total);
            sum += (real(count) - expected).powi(2) / expected;
            places += 1;
        }
    }
    let degrees_of_freedom = places.checked_sub(1).filter(|degrees| *degrees > 0 && total > 0)?;
    let z = wilson_hilferty(sum, real(degrees_of_freedom));
    Some(Evenness { chi_square: sum, degrees_of_freedom, z, p_value: above(z) })
}

/// A chi-square as a deviation of the normal distribution: its cube root is nearly normal (Wilson, Hilferty 1931).
fn wilson_hilferty(chi_square: f64, degrees: f64) -> f64 {
    let variance = 2.0 / (9.0 * degrees);
    ((chi_square / degrees).cbrt() - (1.0 - variance)) / variance.sqrt()
}

/// How much of the normal distribution lies above `z` (Abramowitz, Stegun 7.1.26; good to 1e-7).
fn above(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / 0.327_591_1f64.mul_add(x, 1.0);
    let factors = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let tail = 0.5 * t * factors.into_iter().fold(0.0, |sum: f64, factor| sum.mul_add(t, factor)) * (-x * x).exp();
    if z < 0.0 { 1.0 - tail } else { tail }
}

/// Of `cells` equally likely ones, the part that `balls` thrown at random are expected to hit.
pub fn occupied(cells: f64, balls: f64) -> f64 {
    // 1 − (1 − 1/cells)^balls, without loss where the cells are many.
    if cells <= 1.0 { if balls > 0.0 { 1.0 } else { 0.0 } } else { -(balls * (-1.0 / cells).ln_1p()).exp_m1() }
}

/// The natural logarithm of n!.
pub fn ln_factorial(n: u64) -> f64 {
    if n < 20 {
        return (2..=n).map(real).product::<f64>().ln();
    }
    let x = real(n) + 1.0;
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    (x - 0.5).mul_add(x.ln(), -x) + 0.5 * std::f64::consts::TAU.ln() + series
}

/// Mean and standard deviation.
pub fn mean_and_sigma(values: &[f64]) -> (f64, f64) {
    let count = real(values.len().max(1) as u64);
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}

/// So many that fall on places at random, each on one with these chances.
#[derive(Clone, Debug, PartialEq)]
pub struct Throw {
    /// How many.
    pub balls: u64,
    /// The chance of each place; together 1.
    pub chances: Vec<f64>,
}

impl Throw {
    /// Where they fall, added to what is there.
    fn add_to(&self, places: &mut [u64], random: &mut Random) {
        let (mut balls, mut chance_left) = (self.balls, 1.0);
        let last = self.chances.iter().rposition(|chance| *chance > 0.0);
        for (index, (place, chance)) in places.iter_mut().zip(&self.chances).enumerate() {
            if balls == 0 {
                break;
            }
            let part = if Some(index) == last { 1.0 } else { chance / chance_left };
            let here = random.successes(balls, part);
            *place += here;
            balls -= here;
            chance_left -= chance;
        }
    }

    /// Mean and standard deviation of each place.
    pub fn expected(&self) -> impl Iterator<Item = (f64, f64)> {
        let balls = real(self.balls);
        self.chances.iter().map(move |chance| (balls * chance, (balls * chance * (1.0 - chance)).max(0.0).sqrt()))
    }
}

/// Throws all of them, many times over, and lets `look` see each time what fell where.
pub fn draw(throws: &[Throw], random: &mut Random, mut look: impl FnMut(&[u64])) {
    let places = throws.iter().map(|throw| throw.chances.len()).max().unwrap_or(0);
    for _ in 0..DRAWS {
        let mut counts = vec![0; places];
        for throw in throws {
            throw.add_to(&mut counts, random);
        }
        look(&counts);
    }
}

/// What the fullest place is expected to have, and the standard deviation of that.
pub fn fullest(throws: &[Throw], random: &mut Random) -> (f64, f64) {
    let mut most = Vec::new();
    draw(throws, random, |counts| most.push(real(counts.iter().copied().max().unwrap_or(0))));
    mean_and_sigma(&most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: f64, other: f64, by: f64) -> bool {
        (one - other).abs() <= by
    }

    #[test]
    fn chi_squares_are_those_of_the_books() {
        // A die thrown 60 times: 5, 8, 9, 8, 10, 20 gives 13.4 with 5 degrees of freedom, p = 0.0199.
        let die = chi_square([5, 8, 9, 8, 10, 20].map(|count| (count, 1.0 / 6.0)), 60).unwrap();
        assert!(near(die.chi_square, 13.4, 1e-9) && die.degrees_of_freedom == 5, "{die:?}");
        assert!(near(die.p_value, 0.0199, 0.001), "{die:?}");
        // The critical values for p = 0.05 of 10 and of 100 degrees of freedom.
        for (critical, degrees) in [(18.307, 10.0), (124.342, 100.0)] {
            assert!(near(above(wilson_hilferty(critical, degrees)), 0.05, 0.0005), "{degrees}");
        }
        assert_eq!(chi_square([(5, 1.0), (0, 0.0)], 5), None);
        assert_eq!(chi_square([(0, 0.5), (0, 0.5)], 0), None);
    }

    #[test]
    fn the_normal_tail_is_that_of_the_books() {
        for (z, tail) in [(0.0, 0.5), (1.0, 0.158_655), (-1.0, 0.841_345), (1.96, 0.024_998), (5.0, 2.867e-7)] {
            assert!(near(above(z), tail, 1e-6), "{z}");
        }
    }

    #[test]
    fn cells_fill_as_the_formula_says() {
        assert!(near(occupied(365.0, 365.0), 1.0 - (364.0f64 / 365.0).powi(365), 1e-12));
        assert!(near(occupied(16384.0, 65536.0), 0.981_69, 1e-5));
        assert!(near(occupied(16384.0, 1.0), 1.0 / 16384.0, 1e-12));
        assert_eq!((occupied(1.0, 1.0), occupied(1.0, 0.0), occupied(2.0, 0.0)), (1.0, 0.0, 0.0));
    }

    #[test]
    fn factorials_go_over_from_one_formula_to_the_other() {
        assert!(near(ln_factorial(0), 0.0, 1e-12) && near(ln_factorial(5), 120f64.ln(), 1e-12));
        assert!(near(ln_factorial(20) - ln_factorial(19), 20f64.ln(), 1e-9));
    }

    #[test]
    fn the_fullest_place_is_above_the_mean() {
        let mut random = Random::new(3, 0);
        // Of two places with N/2 each the fuller one has N/2 + sqrt(N/2π).
        let halves = Throw { balls: 10_000, chances: vec![0.5; 2] };
        let (mean, sigma) = fullest(std::slice::from_ref(&halves), &mut random);
        assert!(near(mean, 5039.9, 8.0) && near(sigma, 30.1, 5.0), "{mean} {sigma}");
        // Two throws of half as many are as one.
        let half = Throw { balls: 5_000, ..halves.clone() };
        assert!(near(fullest(&[half.clone(), half], &mut random).0, mean, 8.0));
        let one = Throw { balls: 100, chances: vec![0.0, 1.0, 0.0] };
        assert_eq!(fullest(&[one], &mut random), (100.0, 0.0));
        let many = Throw { balls: 1600, chances: vec![0.0625; 16] };
        let (mean, sigma) = fullest(&[many], &mut random);
        // 1.766 standard deviations are expected of the largest of sixteen.
        assert!(near(mean, 100.0 + 1.766 * 9.68, 1.5) && sigma > 3.0, "{mean} {sigma}");
    }
}
