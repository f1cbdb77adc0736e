//! A table whose members have more than their quotas in; one in which they have given up what is too much, out.
//!
//! What is given up is chosen so that few routes announce what stays and what goes: small runs as a whole, then the end
//! of a run, best where a taker or another gap begins, or where the neighbour gives up its end too.

use std::collections::VecDeque;

use super::Owner;
use super::table::Table;

/// Neighbouring places of one owner, or of none.
struct Run {
    first: usize,
    end: usize,
    owner: Option<Owner>,
    pinned: bool,
}

impl Run {
    fn len(&self) -> usize {
        self.end - self.first
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    First,
    Last,
}

/// What lies beyond the end of a run, the best to cut at first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Beyond {
    /// A gap, or a member that will take more: no run is added.
    Room,
    /// A member that has to cut a run too: one run is added for two cuts.
    Giver,
    Other,
    /// The owner itself, pinned: a cut leaves one run more.
    Pinned,
}

/// Leaves no member with more than its quota, but for what is pinned.
pub(super) fn release(table: &mut Table) {
    let mut runs = runs(table);
    let mut of_giver: Vec<Vec<usize>> = vec![vec![]; table.members.len()];
    for (at, run) in runs.iter().enumerate().filter(|(_, run)| !run.pinned) {
        if let Some(owner) = run.owner.filter(|&owner| table.surplus(owner) > 0) {
            of_giver[usize::from(owner)].push(at);
        }
    }
    for of_giver in &of_giver {
        release_whole(table, &mut runs, of_giver);
    }
    let mut cuts = Cuts { table, runs, of_giver };
    let givers: Vec<Owner> = cuts.runs.iter().filter_map(|run| run.owner).filter(|&owner| cuts.gives(owner)).collect();
    let mut checks: VecDeque<Owner> = givers.iter().copied().collect();
    for worst in [Beyond::Giver, Beyond::Pinned] {
        for &giver in &givers {
            while let Some(owner) = checks.pop_front() {
                checks.extend(cuts.cut(owner, Beyond::Room));
            }
            checks.extend(cuts.cut(giver, worst));
        }
    }
}

fn runs(table: &Table) -> Vec<Run> {
    let mut runs: Vec<Run> = vec![];
    for (place, (&owner, &pinned)) in table.owners.iter().zip(&table.pinned).enumerate() {
        match runs.last_mut() {
            Some(last) if last.owner == owner && last.pinned == pinned => last.end += 1,
            _ => runs.push(Run { first: place, end: place + 1, owner, pinned }),
        }
    }
    runs
}

/// Gives up the smallest runs of one member as long as it has to give up all of one.
fn release_whole(table: &mut Table, runs: &mut [Run], of_giver: &[usize]) {
    let mut by_size: Vec<_> = of_giver
        .iter()
        .map(|&at| {
            let room = [Side::First, Side::Last].map(|side| beyond(table, runs, at, side) != Beyond::Room);
            (runs[at].len(), room.into_iter().filter(|&none| none).count(), at)
        })
        .collect();
    by_size.sort_unstable();
    for (len, _, at) in by_size {
        let run = &mut runs[at];
        let Some(owner) = run.owner.filter(|&owner| table.surplus(owner) >= len as u64) else { break };
        debug_assert!(table.owners[run.first] == Some(owner), "nobody else gave it up");
        for place in run.first..run.end {
            table.set(place, None);
        }
        run.owner = None;
    }
}

fn beyond(table: &Table, runs: &[Run], at: usize, side: Side) -> Beyond {
    let run = &runs[at];
    let (place, neighbour) = match side {
        Side::First => (run.first.checked_sub(1), at.checked_sub(1)),
        Side::Last => (Some(run.end), Some(at + 1)),
    };
    let Some(owner) = place.and_then(|place| table.owners.get(place)) else { return Beyond::Other };
    match *owner {
        None => Beyond::Room,
        owner if owner == run.owner => Beyond::Pinned,
        Some(owner) if table.spare(owner) > 0 => Beyond::Room,
        Some(owner) if table.surplus(owner) > 0 && neighbour.is_some_and(|at| !runs[at].pinned) => Beyond::Giver,
        Some(_) => Beyond::Other,
    }
}

struct Cuts<'a, 'b> {
    table: &'a mut Table<'b>,
    runs: Vec<Run>,
    of_giver: Vec<Vec<usize>>,
}

impl Cuts<'_, '_> {
    fn gives(&self, owner: Owner) -> bool {
        self.table.surplus(owner) > 0 && !self.of_giver[usize::from(owner)].is_empty()
    }

    /// Cuts all that `owner` has to give up off one of its runs, where nothing worse than `worst` lies beyond; who has
    /// got a gap beside it then.
    fn cut(&mut self, owner: Owner, worst: Beyond) -> Option<Owner> {
        let surplus = usize::try_from(self.table.surplus(owner)).expect("no more than there are");
        if surplus == 0 {
            return None;
        }
        let ends = self.of_giver[usize::from(owner)].iter().flat_map(|&at| {
            [Side::First, Side::Last]
                .map(|side| (beyond(self.table, &self.runs, at, side), self.runs[at].len(), at, side))
        });
        let fits = |&(beyond, len, at, _): &(Beyond, usize, usize, Side)| {
            beyond <= worst && len > surplus && self.runs[at].owner == Some(owner)
        };
        let (_, _, at, side) = ends.filter(fits).min()?;
        let run = &mut self.runs[at];
        let (places, neighbour) = match side {
            Side::First => {
                run.first += surplus;
                (run.first - surplus..run.first, at.checked_sub(1))
            }
            Side::Last => {
                run.end -= surplus;
                (run.end..run.end + surplus, Some(at + 1))
            }
        };
        for place in places {
            self.table.set(place, None);
        }
        neighbour.and_then(|at| self.runs.get(at)?.owner)
    }
}
