//! Members and the owners of slices in; how evenly and in how many runs they lie, out. For people to read.

use super::{Member, Owner, runs};

/// What one member has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Held {
    /// Its slices.
    pub slices: u32,
    /// The slices it would have by weight, if they could be cut; 0 while it is draining.
    pub share: f64,
    /// Runs of neighbouring slices.
    pub runs: u32,
}

/// How slices lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Member by member.
    pub members: Vec<Held>,
    /// Runs of all members.
    pub runs: u32,
    /// The highest load a weight has, against the mean; of members that are not draining. 0 where there are none.
    pub max_over_mean: f64,
}

impl Summary {
    /// Counts what each of `members` has. An owner that is not among them counts for the runs alone.
    pub fn new(members: &[Member], owners: &[Owner]) -> Self {
        let weight = |member: &Member| if member.draining { 0.0 } else { f64::from(member.weight.max(1)) };
        let weights: f64 = members.iter().map(weight).sum();
        let total = f64::from(count(owners.len()));
        let share = |member: &Member| if member.draining { 0.0 } else { total * weight(member) / weights };
        let mut held: Vec<Held> =
            members.iter().map(|member| Held { share: share(member), ..Held::default() }).collect();
        let mut all = 0;
        for (first, last, owner) in runs(owners) {
            all += 1;
            if let Some(held) = held.get_mut(usize::from(owner)) {
                held.slices += count(last - first + 1);
                held.runs += 1;
            }
        }
        let load = |held: &Held| if held.share > 0.0 { f64::from(held.slices) / held.share } else { 0.0 };
        let max_over_mean = held.iter().map(load).fold(0.0, f64::max);
        Self { members: held, runs: all, max_over_mean }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
