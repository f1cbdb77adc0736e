//! Weights and bounds in; how many slices each is to have, out. In whole numbers, so that all machines agree.

use super::Member;
use super::sites::Sites;
use super::table::Table;

/// Times that quotas are rounded until they stay the same.
const SETTLE: u32 = 8;

/// What one of those who share may have.
#[derive(Clone, Copy)]
struct Want {
    weight: u64,
    /// It gets at least this many,
    low: u64,
    /// and at most this many.
    high: u64,
    /// It has this many already.
    has: u64,
}

impl Want {
    fn share(&self, total: u64, weights: u64) -> u64 {
        total * self.weight / weights
    }

    /// What the share has beyond a whole number, in parts of all weights.
    fn fraction(&self, total: u64, weights: u64) -> u64 {
        total * self.weight % weights
    }
}

/// How many slices each member is to have: its share by weight, rounded down or up, of what pins leave to share.
///
/// Who has more already is rounded up first, which moves the fewest slices.
pub(super) fn quotas(table: &Table) -> Vec<u64> {
    let mut quotas = quotas_for(table, &table.held);
    if table.sites.is_some() {
        // Rounded once more as who has these quotas would be, so that nothing moves the next time.
        for _ in 0..SETTLE {
            let next = quotas_for(table, &quotas);
            if next == quotas {
                break;
            }
            quotas = next;
        }
    }
    quotas
}

fn quotas_for(table: &Table, held: &[u64]) -> Vec<u64> {
    let members = table.members;
    let mut pinned = vec![0; members.len()];
    for (owner, _) in table.owners.iter().zip(&table.pinned).filter(|&(_, &pinned)| pinned) {
        pinned[usize::from(owner.expect("a pinned slice has an owner"))] += 1;
    }
    let kept: u64 = members.iter().zip(&pinned).filter(|(member, _)| member.draining).map(|(_, pinned)| pinned).sum();
    let total = table.owners.len() as u64 - kept;
    let (takers, wants): (Vec<usize>, Vec<Want>) = (0..members.len())
        .filter(|&owner| !members[owner].draining)
        .map(|owner| (owner, want(&members[owner], pinned[owner], held[owner])))
        .unzip();
    let shares = match &table.sites {
        None => share(total, &wants),
        Some(sites) => share_apart(total, &wants, &takers, sites),
    };
    let mut quotas = pinned;
    for (owner, share) in takers.into_iter().zip(shares) {
        quotas[owner] = share;
    }
    quotas
}

fn want(member: &Member, low: u64, has: u64) -> Want {
    Want { weight: u64::from(member.weight.max(1)), low, high: u64::MAX, has }
}

/// As `share`, but no site gets more than it can take: one replica of each group.
fn share_apart(total: u64, wants: &[Want], takers: &[usize], sites: &Sites) -> Vec<u64> {
    let mut inside: Vec<Vec<usize>> = vec![vec![]; sites.count];
    for (at, &owner) in takers.iter().enumerate() {
        inside[sites.of_member[owner]].push(at);
    }
    inside.retain(|inside| !inside.is_empty());
    let sum = |inside: &[usize], part: fn(&Want) -> u64| inside.iter().map(|&at| part(&wants[at])).sum::<u64>();
    let groups = sites.groups as u64;
    let mut whole: Vec<Want> = inside
        .iter()
        .map(|inside| {
            let [weight, has] = [sum(inside, |want| want.weight), sum(inside, |want| want.has)];
            Want { weight, low: 0, high: groups, has }
        })
        .collect();
    let replicas = total.min(groups * sites.replicas.min(inside.len()) as u64);
    let least = share(replicas, &whole);
    let pinned: Vec<u64> = inside.iter().map(|inside| sum(inside, |want| want.low)).collect();
    let both = || least.iter().zip(&pinned).map(|(&least, &pinned)| least.max(pinned));
    let fits = both().sum::<u64>() <= total;
    let low: Vec<u64> = if fits { both().collect() } else { pinned };
    for (want, low) in whole.iter_mut().zip(low) {
        (want.low, want.high) = (low, u64::MAX);
    }
    let weights = wants.iter().map(|want| want.weight).sum();
    let mut shares = vec![0; wants.len()];
    for (inside, quota) in inside.iter().zip(share(total, &whole)) {
        let loose: Vec<Want> = inside.iter().map(|&at| wants[at]).collect();
        // Rounded as without sites, where that adds up.
        let tight: Vec<Want> = loose
            .iter()
            .map(|want| {
                let low = want.share(total, weights);
                let high = low + u64::from(want.fraction(total, weights) > 0);
                Want { low: low.max(want.low), high, ..*want }
            })
            .collect();
        let adds_up = tight.iter().all(|want| want.low <= want.high)
            && tight.iter().map(|want| want.low).sum::<u64>() <= quota
            && tight.iter().map(|want| want.high).sum::<u64>() >= quota;
        for (&at, share) in inside.iter().zip(share(quota, if adds_up { &tight } else { &loose })) {
            shares[at] = share;
        }
    }
    shares
}

/// Shares `total` by weight and within bounds. The lower bounds add up to no more, the upper ones to no less.
///
/// Who would come out below or above its bounds gets that bound, and the others share what is left (water filling).
fn share(total: u64, wants: &[Want]) -> Vec<u64> {
    let mut shares = vec![0; wants.len()];
    let mut left = total;
    let mut open: Vec<usize> = (0..wants.len()).collect();
    loop {
        let weights: u64 = open.iter().map(|&at| wants[at].weight).sum();
        if open.is_empty() || round(left, weights, wants, &open, &mut shares) {
            return shares;
        }
        // By how much the bounds lift and press, in parts of all weights: the stronger side is right.
        let before = left;
        let off = |at: usize| {
            let want = wants[at];
            let scaled = |bound: u64| i128::from(bound.min(total)) * i128::from(weights);
            let share = i128::from(before) * i128::from(want.weight);
            (scaled(want.low) - share).max(0) - (share - scaled(want.high)).max(0)
        };
        let lifted = open.iter().map(|&at| off(at)).sum::<i128>() >= 0;
        open.retain(|&at| {
            let stays = if lifted { off(at) <= 0 } else { off(at) >= 0 };
            if !stays {
                shares[at] = if lifted { wants[at].low } else { wants[at].high };
                left -= shares[at];
            }
            stays
        });
    }
}

/// Rounds the shares of those who are `open` down or up, within their bounds; whether that can be done.
fn round(left: u64, weights: u64, wants: &[Want], open: &[usize], shares: &mut [u64]) -> bool {
    let mut rest = left;
    let mut musts = 0;
    let mut ups = vec![];
    for &at in open {
        let want = &wants[at];
        let down = want.share(left, weights);
        let fraction = want.fraction(left, weights);
        if want.high < down || want.low > down + u64::from(fraction > 0) {
            return false;
        }
        shares[at] = down;
        rest -= down;
        if fraction > 0 && want.high > down {
            let must = want.low > down;
            musts += u64::from(must);
            ups.push((!must, want.has <= down, weights - fraction, at));
        }
    }
    if rest < musts || rest > ups.len() as u64 {
        return false;
    }
    ups.sort_unstable();
    for (.., at) in ups.into_iter().take(usize::try_from(rest).expect("no more than there are")) {
        shares[at] += 1;
    }
    true
}
