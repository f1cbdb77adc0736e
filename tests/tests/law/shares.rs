//! docs/slices.md in; that the table in which it compares ways to choose owners holds what they do, out.

use std::fmt::Write as _;

use ssa_ctl::assign::{Member, Owner, Slices, Summary, assign, runs};

const DOCUMENT: &str = include_str!("../../../docs/slices.md");
const BITS: u8 = 14;
const SLICES: usize = 1 << BITS;

/// Who owns what, by whose rule; `before` are the owners so far.
type Choose = fn(present: &[bool], before: Option<&[Owner]>) -> Vec<Owner>;

/// 64 bits that look random (the end of splitmix64).
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn endpoints(present: &[bool]) -> impl Iterator<Item = Owner> {
    (0..).zip(present).filter(|&(_, &present)| present).map(|(owner, _)| owner)
}

fn members(present: &[bool]) -> Vec<Member> {
    present.iter().map(|present| Member { weight: 1, domain: None, draining: !present }).collect()
}

fn ours(present: &[bool], before: Option<&[Owner]>) -> Vec<Owner> {
    let before: Vec<_> = before.unwrap_or_default().iter().copied().map(Some).collect();
    assign(Slices { bits: BITS, replicas: None }, &members(present), &before, &[]).unwrap()
}

/// Each slice goes to the endpoint that has the highest hash with it.
fn rendezvous(present: &[bool], _: Option<&[Owner]>) -> Vec<Owner> {
    let best = |slice| endpoints(present).max_by_key(|&owner| mix(mix(slice) ^ u64::from(owner))).unwrap();
    (0..SLICES as u64).map(best).collect()
}

/// Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016), section 3.4. The table's
/// size is a power of two here, not a prime: the skip is odd, so that it goes round the whole table all the same.
fn maglev(present: &[bool], _: Option<&[Owner]>) -> Vec<Owner> {
    let size = SLICES as u64;
    let mut walks: Vec<_> = endpoints(present)
        .map(|owner| {
            let [offset, skip] = [0, 1].map(|which| mix(u64::from(owner) * 2 + which) % size);
            let skip = skip | 1;
            (owner, (0..size).map(move |step| usize::try_from((offset + step * skip) % size).unwrap()))
        })
        .collect();
    let mut table = vec![None; SLICES];
    let mut left = SLICES;
    while left > 0 {
        for (owner, walk) in walks.iter_mut().take(left) {
            let free = walk.find(|&slice| table[slice].is_none()).unwrap();
            table[free] = Some(*owner);
            left -= 1;
        }
    }
    table.into_iter().map(Option::unwrap).collect()
}

#[test]
fn the_comparison_in_the_document_is_true() {
    let without = |count: usize, gone: fn(usize) -> bool| (0..count).map(|at| !gone(at)).collect::<Vec<_>>();
    let changes = [
        ("10 to 11", without(11, |at| at == 10), vec![true; 11]),
        ("100 to 101", without(101, |at| at == 100), vec![true; 101]),
        ("1000 to 999", vec![true; 1000], without(1000, |at| at == 500)),
        ("100 to 50", vec![true; 100], without(100, |at| at % 2 == 0)),
    ];
    let ways: [(&str, Choose); 3] = [("`ssa-ctl`", ours), ("rendezvous", rendezvous), ("Maglev", maglev)];
    let mut table = String::from(
        "| endpoints | owners by | slices moved | runs before | runs after | max/mean before | max/mean after |\n\
         |---|---|--:|--:|--:|--:|--:|\n",
    );
    for (change, before, after) in &changes {
        for (way, choose) in ways {
            let first = choose(before, None);
            let then = choose(after, Some(&first));
            let moved = first.iter().zip(&then).filter(|(one, other)| one != other).count();
            let [runs_before, runs_after] = [&first, &then].map(|owners| runs(owners).count());
            let load = |present: &[bool], owners: &[Owner]| Summary::new(&members(present), owners).max_over_mean;
            let [load_before, load_after] = [load(before, &first), load(after, &then)];
            writeln!(
                table,
                "| {change} | {way} | {moved} | {runs_before} | {runs_after} | {load_before:.3} | {load_after:.3} |"
            )
            .unwrap();
        }
    }
    assert!(DOCUMENT.contains(&table), "docs/slices.md should have\n\n{table}");
}
