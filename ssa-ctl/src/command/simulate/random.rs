//! A seed in; the same random numbers at every run out: bits, addresses of a prefix, and how many of N trials succeed.

use ipnet::Ipv6Net;

use super::statistics::{ln_factorial, real};

/// `SplitMix64` (Steele, Lea, Flood 2014): what it gives is the same in every version of this program.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Numbers that depend on the seed, and on what they are for.
    pub const fn new(seed: u64, purpose: u64) -> Self {
        Self(seed ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 128 random bits.
    pub const fn wide(&mut self) -> u128 {
        (self.bits() as u128) << 64 | self.bits() as u128
    }

    /// A number from 0 up to, and without, 1.
    fn part(&mut self) -> f64 {
        real(self.bits() >> 11) / real(1 << 53)
    }

    /// An address of a prefix.
    pub fn address(&mut self, prefix: Ipv6Net) -> u128 {
        prefix.network().to_bits() | self.wide() & prefix.hostmask().to_bits()
    }

    /// How many of `trials` succeed, if each does with this chance: a number of the binomial distribution.
    ///
    /// Goes from the likeliest number to its neighbours until their chances have used up a random part of 1, which takes
    /// about as many steps as the standard deviation.
    pub fn successes(&mut self, trials: u64, chance: f64) -> u64 {
        if chance <= 0.0 || trials == 0 {
            return 0;
        }
        if chance >= 1.0 {
            return trials;
        }
        let odds = chance / (1.0 - chance);
        let mode = likeliest(trials, chance);
        let at_mode = likelihood(trials, mode, chance);
        let mut left = self.part() - at_mode;
        let (mut low, mut high) = (mode, mode);
        let (mut of_low, mut of_high) = (at_mode, at_mode);
        while left >= 0.0 {
            let before = (of_low, of_high);
            if low > 0 {
                of_low *= real(low) / (real(trials - low + 1) * odds);
                low -= 1;
                left -= of_low;
                if left < 0.0 {
                    return low;
                }
            }
            if high < trials {
                of_high *= real(trials - high) * odds / real(high + 1);
                high += 1;
                left -= of_high;
                if left < 0.0 {
                    return high;
                }
            }
            // What is left is a rounding error.
            if before == (of_low, of_high) || of_low.max(of_high) < 1e-18 {
                break;
            }
        }
        mode
    }
}

fn likeliest(trials: u64, chance: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the trials")]
    let mode = (real(trials + 1) * chance).floor() as u64;
    mode.min(trials)
}

/// How likely exactly this many successes are.
fn likelihood(trials: u64, successes: u64, chance: f64) -> f64 {
    let ways = ln_factorial(trials) - ln_factorial(successes) - ln_factorial(trials - successes);
    (ways + real(successes) * chance.ln() + real(trials - successes) * (-chance).ln_1p()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_numbers_that_it_gave() {
        // The published sequence for the seed 0.
        let mut random = Random::new(0, 0);
        assert_eq!(random.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.bits(), 0x6e78_9e6a_a1b9_65f4);
        assert_ne!(Random::new(0, 1).bits(), Random::new(0, 2).bits());
    }

    #[test]
    fn addresses_are_in_their_prefix() {
        let mut random = Random::new(1, 0);
        for prefix in ["::/0", "2000::/3", "2001:db8::/32", "2001:db8::1/128"] {
            let prefix: Ipv6Net = prefix.parse().unwrap();
            assert!((0..100).all(|_| prefix.contains(&std::net::Ipv6Addr::from(random.address(prefix)))));
        }
    }

    #[test]
    fn likelihoods_are_those_of_the_books() {
        assert!((likelihood(10, 5, 0.5) - 252.0 / 1024.0).abs() < 1e-12);
        assert!((likelihood(3, 0, 0.1) - 0.729).abs() < 1e-12);
        let sum: f64 = (0..=1000).map(|successes| likelihood(1000, successes, 0.037)).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }

    #[test]
    fn successes_have_their_mean_and_spread() {
        let mut random = Random::new(7, 0);
        for (trials, chance) in [(1, 0.5), (20, 0.1), (1000, 0.003), (1_000_000, 0.25), (1_000_000, 0.999)] {
            let draws: Vec<f64> = (0..4000).map(|_| real(random.successes(trials, chance))).collect();
            let (mean, sigma) = super::super::statistics::mean_and_sigma(&draws);
            let expected = real(trials) * chance;
            let spread = (expected * (1.0 - chance)).sqrt();
            assert!((mean - expected).abs() < 5.0 * spread / 4000f64.sqrt(), "{trials} {chance}: {mean}");
            assert!((sigma / spread - 1.0).abs() < 0.06, "{trials} {chance}: {sigma} for {spread}");
        }
        assert_eq!((random.successes(9, 0.0), random.successes(9, 1.0), random.successes(0, 0.5)), (0, 9, 0));
    }
}
