//! What an issuer has answered, kept for a while: no more than there is room for.

use std::net::Ipv6Addr;

use super::{Issued, Question};

/// Answers that are kept: who calls for more objects than that asks again.
const ROOM: usize = 256;

/// Answers to questions from sources.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<(Ipv6Addr, Question, Issued)>);

impl Kept {
    /// What was answered last.
    pub(super) fn get(&self, source: Ipv6Addr, question: &Question) -> Option<&Issued> {
        self.0.iter().find(|(of, to, _)| *of == source && to == question).map(|(.., issued)| issued)
    }

    /// Keeps an answer. What is over goes, and where there is no room what is over first.
    pub(super) fn put(&mut self, source: Ipv6Addr, question: Question, issued: Issued, now: u64) {
        let is_over = |issued: &Issued| issued.again <= now && issued.valid_until.is_none_or(|end| end <= now);
        self.0.retain(|(of, to, issued)| !(*of == source && *to == question || is_over(issued)));
        if self.0.len() >= ROOM
            && let Some(first) = (0..self.0.len()).min_by_key(|place| self.0[*place].2.again)
        {
            self.0.swap_remove(first);
        }
        self.0.push((source, question, issued));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Ipv6Addr = Ipv6Addr::LOCALHOST;

    fn question(object: u128) -> Question {
        Question { service: "web".into(), object: Some(object), replica: 0, count: 1 }
    }

    fn issued(again: u64, valid_until: Option<u64>) -> Issued {
        Issued { addresses: vec![HERE], since: 0, again, valid_until }
    }

    #[test]
    fn an_answer_is_for_one_source_and_question() {
        let mut kept = Kept::default();
        kept.put(HERE, question(1), issued(10, None), 0);
        kept.put(HERE, question(1), issued(20, None), 0);
        assert_eq!(kept.get(HERE, &question(1)), Some(&issued(20, None)));
        assert_eq!(kept.get(HERE, &question(2)), None);
        assert_eq!(kept.get(Ipv6Addr::UNSPECIFIED, &question(1)), None);
        assert_eq!(kept.0.len(), 1);
    }

    #[test]
    fn what_is_over_makes_room_and_what_is_still_good_stays() {
        let mut kept = Kept::default();
        kept.put(HERE, question(1), issued(10, Some(15)), 0);
        kept.put(HERE, question(2), issued(10, None), 0);
        kept.put(HERE, question(3), issued(30, None), 12);
        assert!(kept.get(HERE, &question(1)).is_some() && kept.get(HERE, &question(2)).is_none());
        for object in 0..1000 {
            kept.put(HERE, question(object), issued(1000 + u64::try_from(object).unwrap(), None), 20);
        }
        assert_eq!(kept.0.len(), ROOM);
        assert!(kept.get(HERE, &question(999)).is_some() && kept.get(HERE, &question(700)).is_none());
    }
}
