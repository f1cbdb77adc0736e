//! What moved, look by look, in; the last minutes as bars out.

use std::{collections::VecDeque, time::Duration};

use super::counted::{Line, Moved};

/// What is kept, and shown over the width of a line.
pub(super) const SPAN: Duration = Duration::from_mins(2);
/// Looks that are kept, at most, however often somebody pauses.
const LOOKS: usize = 240;
/// From little to the most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A time in which nothing came.
const NONE: char = '·';

/// The rates of a service in the last minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct History(VecDeque<Look>);

#[derive(Clone, Debug)]
struct Look {
    /// It is of the time from `start` to `end`, in seconds.
    start: f64,
    end: f64,
    /// Packets a second, by the place of the line.
    rates: [f32; Line::COUNT],
}

impl History {
    /// Keeps what moved up to this moment.
    #[expect(clippy::cast_possible_truncation, reason = "a bar has eight heights")]
    pub(super) fn keep(&mut self, at: Duration, moved: &Moved) {
        let end = at.as_secs_f64();
        let mut rates = [0.0; Line::COUNT];
        Line::all().for_each(|line| rates[line.place()] = moved.packets(line) as f32);
        self.0.push_back(Look { start: end - moved.seconds, end, rates });
        let old = end - SPAN.as_secs_f64();
        while self.0.len() > LOOKS || self.0.front().is_some_and(|look| look.end < old) {
            self.0.pop_front();
        }
    }

    /// The rates of a line as bars, the last at the right; a blank for a time without a look.
    pub(super) fn bars(&self, line: Line, now: Duration, columns: usize) -> String {
        let rates = self.rates(line, now, columns);
        let most = rates.iter().flatten().copied().fold(0.0, f64::max);
        rates.into_iter().map(|rate| rate.map_or(' ', |rate| bar(rate, most))).collect()
    }

    /// The mean of each column's time. Columns begin at whole multiples of their time, so that bars walk and do not change.
    fn rates(&self, line: Line, now: Duration, columns: usize) -> Vec<Option<f64>> {
        let count = u32::try_from(columns).unwrap_or(u32::MAX).max(1);
        let width = SPAN.as_secs_f64() / f64::from(count);
        let end = (now.as_secs_f64() / width).ceil() * width;
        let column = |index: u32| {
            let from = end - width * f64::from(count - index);
            let (mut seconds, mut packets) = (0.0, 0.0);
            for look in &self.0 {
                let both = look.end.min(from + width) - look.start.max(from);
                if both > 0.0 {
                    seconds += both;
                    packets += both * f64::from(look.rates[line.place()]);
                }
            }
            (seconds > 0.0).then(|| packets / seconds)
        };
        (0..count).take(columns).map(column).collect()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 1 to 8")]
fn bar(rate: f64, most: f64) -> char {
    if rate <= 0.0 {
        return NONE;
    }
    let height = (rate / most * 8.0).ceil().clamp(1.0, 8.0) as usize;
    BARS[height - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::counters::{Count, ServiceCounts};

    fn moved(packets: u64, seconds: f64) -> Moved {
        let received = Count { packets, bytes: 0 };
        Moved { counts: ServiceCounts { received, ..ServiceCounts::default() }, seconds }
    }

    #[test]
    fn bars_are_shares_of_the_highest_over_two_minutes() {
        let mut history = History::default();
        let at = Duration::from_secs;
        history.keep(at(20), &moved(200, 20.0));
        history.keep(at(40), &moved(0, 20.0));
        // Nobody looked for twenty seconds.
        history.keep(at(80), &moved(1600, 20.0));
        history.keep(at(100), &moved(1, 20.0));
        assert_eq!(history.bars(Line::Received, at(120), 6), "▁· █▁ ");
        assert_eq!(history.bars(Line::Received, at(120), 3), "▁█▁");
        assert_eq!(history.bars(Line::WouldDrop, at(120), 6), "·· ·· ");
        assert_eq!(history.bars(Line::Received, at(120), 0), "");
        assert_eq!(History::default().bars(Line::Received, at(1), 4), "    ");
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut history = History::default();
        for second in 1..1000 {
            history.keep(Duration::from_secs(second), &moved(1, 1.0));
        }
        assert!(history.0.len() <= 122, "{}", history.0.len());
        for _ in 0..1000 {
            history.keep(Duration::from_secs(1000), &moved(1, 0.001));
        }
        assert_eq!(history.0.len(), LOOKS);
    }
}
