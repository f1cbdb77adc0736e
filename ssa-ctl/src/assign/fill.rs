//! A table with gaps in; one in which those who have less than their quotas have filled them, out.
//!
//! First gaps are closed and narrowed by those who lie beside them, which adds no run; the rest is cut up among the others
//! so that each cut ends a gap or fills a quota.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Owner;
use super::table::Table;

/// Fills the gaps. A place stays without owner where another replica of its address is in the way.
pub(super) fn fill(table: &mut Table) {
    fill_loose(table);
    let mut gaps = gaps(table);
    gaps.sort_unstable_by_key(|gap| (gap.len(), gap.start));
    for joined in [true, false] {
        gaps.retain(|gap| !close(table, gap, joined));
    }
    for gap in &mut gaps {
        narrow(table, gap);
    }
    let gaps = gaps.into_iter().filter(|gap| !gap.is_empty()).map(|gap| (gap.len(), gap.start)).collect();
    share_out(table, gaps);
}

/// Lets who will have more places than there are groups of replicas take places that are nobody's replica.
fn fill_loose(table: &mut Table) {
    let takers = table.takers();
    let Some(sites) = table.sites.clone() else { return };
    let mut over = vec![0; sites.count];
    for (&site, &quota) in sites.of_member.iter().zip(&table.quota) {
        over[site] += quota;
    }
    let loose = sites.groups * sites.replicas..table.owners.len();
    let held = table.owners[loose.clone()].iter().flatten();
    let held: Vec<usize> = held.map(|&owner| sites.of(owner)).collect();
    for over in &mut over {
        *over = over.saturating_sub(sites.groups as u64);
    }
    for site in held {
        over[site] = over[site].saturating_sub(1);
    }
    let mut free = loose.filter(|&place| table.owners[place].is_none()).collect::<Vec<_>>().into_iter();
    for owner in takers {
        let over = &mut over[sites.of(owner)];
        let count = table.spare(owner).min(*over);
        *over -= count;
        for place in free.by_ref().take(usize::try_from(count).expect("no more than there are")) {
            table.set(place, Some(owner));
        }
    }
}

fn gaps(table: &Table) -> Vec<Range<usize>> {
    let mut gaps: Vec<Range<usize>> = vec![];
    for (place, _) in table.owners.iter().enumerate().filter(|(_, owner)| owner.is_none()) {
        match gaps.last_mut() {
            Some(last) if last.end == place => last.end += 1,
            _ => gaps.push(place..place + 1),
        }
    }
    gaps
}

/// Those beside a gap.
fn beside(table: &Table, gap: &Range<usize>) -> [Option<Owner>; 2] {
    let before = gap.start.checked_sub(1).and_then(|place| table.owners[place]);
    [before, table.owners.get(gap.end).copied().flatten()]
}

/// Lets one of those beside a gap take all of it, if there is one; where `joined`, only if that makes one run of two.
fn close(table: &mut Table, gap: &Range<usize>, joined: bool) -> bool {
    let beside = beside(table, gap);
    if joined && beside[0] != beside[1] {
        return false;
    }
    let fits = |&owner: &Owner| table.spare(owner) >= gap.len() as u64;
    let taker = beside.into_iter().flatten().filter(fits).min_by_key(|&owner| table.spare(owner));
    if let Some(owner) = taker {
        take(table, gap.clone(), owner);
    }
    taker.is_some()
}

/// Lets those beside a gap take what they can of it.
fn narrow(table: &mut Table, gap: &mut Range<usize>) {
    let [before, after] = beside(table, gap);
    if let Some(owner) = before {
        let end = gap.start + room(table, owner).min(gap.len());
        take(table, gap.start..end, owner);
        gap.start = end;
    }
    if let Some(owner) = after {
        let start = gap.end - room(table, owner).min(gap.len());
        take(table, start..gap.end, owner);
        gap.end = start;
    }
}

/// Cuts up gaps, given by length and first place, among all who have room.
fn share_out(table: &mut Table, mut gaps: BTreeSet<(usize, usize)>) {
    let mut open = 0..0;
    for owner in table.takers() {
        loop {
            let room = room(table, owner);
            if room == 0 {
                break;
            }
            let fitting = gaps.range((room, 0)..).next().copied();
            if let Some((len, first)) = fitting.filter(|&(len, _)| len == room && open.len() != room) {
                gaps.remove(&(len, first));
                take(table, first..first + len, owner);
                continue;
            }
            if open.is_empty() {
                let Some((len, first)) = fitting.or_else(|| gaps.last().copied()) else { return };
                gaps.remove(&(len, first));
                open = first..first + len;
            }
            let end = open.start + room.min(open.len());
            take(table, open.start..end, owner);
            open.start = end;
        }
    }
}

fn room(table: &Table, owner: Owner) -> usize {
    usize::try_from(table.spare(owner)).expect("no more than there are")
}

fn take(table: &mut Table, places: Range<usize>, owner: Owner) {
    for place in places {
        if table.may(owner, place) {
            table.set(place, Some(owner));
        }
    }
}
