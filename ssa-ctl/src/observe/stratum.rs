//! Frames that were counted, and how many of them were kept as events, in; how many each of these stands for, out.
//!
//! Each CPU keeps events at a pace of its own, so that one of a busy CPU stands for more frames than one of an idle CPU; and
//! one of a busy moment for more than one of a quiet moment. So each CPU is asked by itself, and each look.

/// Looks after which frames of which nothing was kept are given up.
const PATIENCE: u32 = 10;

/// The frames of one service and reason, by CPU.
#[derive(Clone, Debug, Default)]
pub(super) struct Stratum {
    /// As counted at the last look; none before the first.
    counted: Option<Vec<u64>>,
    /// Of each CPU, frames of which nothing was kept yet, and for how many looks.
    waiting: Vec<(u64, u32)>,
}

impl Stratum {
    /// One look: the counts of each CPU, and how many frames of each were kept since the last look. For how many frames
    /// each of these stands, by CPU: one at least.
    pub(super) fn weights(&mut self, counted: Vec<u64>, kept: &[u64]) -> Vec<f64> {
        self.waiting.resize(counted.len(), (0, 0));
        let before = self.counted.as_ref().filter(|before| before.len() == counted.len()).unwrap_or(&counted);
        let weigh = |(cpu, (waiting, looks)): (usize, &mut (u64, u32))| {
            // Other maps begin with zeros.
            *waiting += counted[cpu].checked_sub(before[cpu]).unwrap_or(counted[cpu]);
            match kept.get(cpu).copied().unwrap_or(0) {
                0 if *waiting == 0 => 1.0,
                0 => {
                    *looks += 1;
                    if *looks == PATIENCE {
                        (*waiting, *looks) = (0, 0);
                    }
                    1.0
                }
                kept => {
                    let weight = float(*waiting) / float(kept);
                    (*waiting, *looks) = (0, 0);
                    weight.max(1.0)
                }
            }
        };
        let weights = self.waiting.iter_mut().enumerate().map(weigh).collect();
        self.counted = Some(counted);
        weights
    }
}

/// Exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "more frames than that are never counted between two looks")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cpu_and_each_look_is_weighed_by_itself() {
        let mut stratum = Stratum::default();
        assert_eq!(stratum.weights(vec![500, 7], &[3, 0]), [1.0, 1.0], "what was before nobody knows");
        assert_eq!(stratum.weights(vec![1500, 17], &[10, 10]), [100.0, 1.0]);
        assert_eq!(stratum.weights(vec![1510, 17], &[10, 0]), [1.0, 1.0]);
        // No event stands for less than itself.
        assert_eq!(stratum.weights(vec![1510, 17], &[1, 0]), [1.0, 1.0]);
    }

    #[test]
    fn what_is_kept_later_stands_for_what_came_before_but_not_for_ever() {
        let mut stratum = Stratum::default();
        stratum.weights(vec![0], &[0]);
        stratum.weights(vec![40], &[0]);
        assert_eq!(stratum.weights(vec![60], &[2]), [30.0]);
        stratum.weights(vec![1060], &[0]);
        for _ in 1..PATIENCE {
            stratum.weights(vec![1060], &[0]);
        }
        assert_eq!(stratum.weights(vec![1062], &[1]), [2.0]);
    }

    #[test]
    fn larger_maps_begin_with_zeros() {
        let mut stratum = Stratum::default();
        stratum.weights(vec![1000, 1000], &[0, 0]);
        assert_eq!(stratum.weights(vec![30, 0], &[3, 0]), [10.0, 1.0]);
        // Other CPUs: it begins anew.
        assert_eq!(stratum.weights(vec![30], &[3]), [1.0]);
    }
}
