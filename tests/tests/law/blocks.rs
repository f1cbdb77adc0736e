//! Block lists and sources in; what the two-choice table says of each, against a plain reading of the list, out.

use std::{
    collections::{BTreeMap, HashSet},
    net::Ipv6Addr,
    time::Duration,
};

use ipnet::Ipv6Net;
use proptest::prelude::*;
use ssa_common::{
    bits::Words,
    judge::{Tables, judge_block},
    layout::{BLOCK_LENGTHS, BLOCK_REASONS, BLOCKS, SHORTEST_BLOCK},
    rows::{BankRow, BlockBankRow, BlockRow, BucketRow, EndpointRow, PrefixRow, PreviousRow, ServiceRow, SliceWord},
    rule::epoch::Fixed,
};
use ssa_ctl::plan::blocks::{Block, BlockTable, Edit, Entry, Moment, NEVER, Origin, Place, Remove, Time, slots};

use crate::random::Random;

/// A block list by itself.
struct List(BlockTable);

impl Tables for List {
    fn bank(&self) -> Option<&BankRow> {
        None
    }

    fn prefix(&self, _: u32) -> Option<&PrefixRow> {
        None
    }

    fn previous(&self, _: u32) -> Option<&PreviousRow> {
        None
    }

    fn service(&self, _: u32) -> Option<&ServiceRow> {
        None
    }

    fn slice(&self, _: u32) -> SliceWord {
        SliceWord(0)
    }

    fn endpoint(&self, _: u32) -> Option<&EndpointRow> {
        None
    }

    fn block_bank(&self, bank: u32) -> Option<&BlockBankRow> {
        (bank == 0).then_some(&self.0.bank)
    }

    fn sieve(&self, place: u32) -> Option<u64> {
        self.0.sieve.get(place as usize).copied()
    }

    fn bucket(&self, place: u32) -> Option<&BucketRow> {
        self.0.index.get(place as usize)
    }

    fn block(&self, place: u32) -> Option<&BlockRow> {
        self.0.rows.get(place as usize)
    }
}

impl List {
    fn of(blocks: &[Block], seed: u64) -> Self {
        let mut random = Random(seed);
        Self(BlockTable::build(blocks, || random.word()).unwrap())
    }

    fn blocks(&self, source: u128, ticks: u64) -> bool {
        judge_block(self, 1, Words::from_u128(source), &Fixed(ticks))
    }
}

fn net(bits: u128, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(bits.into(), length).trunc()
}

fn block(prefix: Ipv6Net, deadline: u64) -> Block {
    Block { prefix, origin: Origin::Operator, deadline, added: 0, reason: String::new() }
}

/// A full list: prefixes of all lengths, many beside each other, as a list of networks has them.
fn full(random: &mut Random) -> Vec<Block> {
    let mut prefixes = HashSet::new();
    while prefixes.len() < BLOCKS {
        let length = match random.below(4) {
            0 => 64,
            1 => 48,
            2 => random.pick(&[32, 56, 128]),
            _ => SHORTEST_BLOCK + u8::try_from(random.below(BLOCK_LENGTHS)).unwrap(),
        };
        let near = 0x2001_0db8_u128 << 96 | u128::from(random.below(1 << 20)) << 64;
        let bits = if random.chance(2) { near } else { random.wide() };
        prefixes.insert(net(bits, length));
    }
    let mut blocks: Vec<_> = prefixes.into_iter().map(|prefix| block(prefix, NEVER)).collect();
    blocks.sort();
    blocks
}

#[test]
fn a_full_list_blocks_what_a_plain_one_does() {
    let random = &mut Random(1);
    let blocks = full(random);
    let list = List::of(&blocks, 2);
    assert_eq!(list.0.list(), blocks, "rows come back as the list that they are of");
    assert!(list.0.index.len() * 4 <= slots(&blocks) as usize);
    let known: HashSet<Ipv6Net> = blocks.iter().map(|block| block.prefix).collect();
    let plain = |source| (SHORTEST_BLOCK..=128).any(|length| known.contains(&net(source, length)));
    for block in &blocks {
        let first = block.prefix.network().to_bits();
        assert!(list.blocks(first, 0) && list.blocks(block.prefix.broadcast().to_bits(), 0), "{}", block.prefix);
    }
    let mut counts = [0; 2];
    for _ in 0..200_000 {
        let inside = blocks[random.index(blocks.len())].prefix.network().to_bits();
        // A bit of a prefix that is there, or of what is behind it; or anything.
        let source = if random.chance(4) { random.wide() } else { inside ^ 1 << random.below(128) };
        let blocked = list.blocks(source, 0);
        assert_eq!(blocked, plain(source), "{source:032x}");
        counts[usize::from(blocked)] += 1;
    }
    assert!(counts[0] > 20_000 && counts[1] > 20_000, "{counts:?}");
}

#[test]
fn a_prefix_is_its_bits_and_no_more() {
    let random = &mut Random(3);
    for length in SHORTEST_BLOCK..=128 {
        let prefix = net(random.wide(), length);
        let list = List::of(&[block(prefix, NEVER)], 4);
        let source = prefix.network().to_bits() | random.wide() & prefix.hostmask().to_bits();
        assert!(list.blocks(source, 0), "{prefix}");
        for bit in 0..128 {
            assert_eq!(list.blocks(source ^ 1 << (127 - bit), 0), bit >= u32::from(length), "{prefix}, bit {bit}");
        }
    }
}

#[test]
fn one_address_is_blocked_by_all_lengths_and_origins_at_once() {
    let source = 0x2001_0db8_u128 << 96;
    let mut blocks = Vec::new();
    for length in SHORTEST_BLOCK..=128 {
        blocks.extend(Origin::ALL.map(|origin| Block { origin, ..block(net(source, length), 100) }));
    }
    blocks.sort();
    let list = List::of(&blocks, 5);
    assert_eq!(list.0.bank.ends, [81, 97, BLOCK_LENGTHS]);
    assert_eq!([99, 100].map(|ticks| list.blocks(source, ticks)), [true, false]);
}

#[test]
fn a_deadline_is_the_first_tick_that_is_free() {
    let prefixes = [(32, 5), (48, 10), (64, 7)].map(|(length, deadline)| block(net(1 << 100, length), deadline));
    let list = List::of(&prefixes, 6);
    for ticks in 0..12 {
        assert_eq!(list.blocks(1 << 100, ticks), ticks < 10, "the longest time counts, whatever the length: {ticks}");
        assert_eq!(list.blocks(1 << 100 | 1 << 90, ticks), ticks < 5);
    }
    let list = List::of(&[block(net(1 << 100, 32), NEVER)], 7);
    assert!(list.blocks(1 << 100, NEVER - 1));
}

#[test]
fn nothing_is_blocked_by_an_empty_list() {
    for list in [List::of(&[], 8), List(BlockTable::default())] {
        assert!(!list.blocks(0, 0) && !list.blocks(u128::MAX, 0));
    }
    assert!(!judge_block(&List::of(&[], 8), 0, Words::default(), &Fixed(0)), "0 is no bank");
}

#[test]
fn reasons_are_kept_once_and_come_back() {
    let reason = |index: usize| format!("reason {}", index % 100);
    let blocks: Vec<_> = (0..5000)
        .map(|index| Block { reason: reason(index), ..block(net((index as u128) << 64, 64), NEVER) })
        .chain([block(net(1 << 120, 64), NEVER)])
        .collect();
    let list = List::of(&blocks, 9);
    assert_eq!((list.0.texts.len(), list.0.list()), (100, blocks));
}

/// A moment at this tick, of 100 a second.
fn at(ticks: u64) -> Moment {
    Moment { ticks, hertz: 100, unix: Duration::from_secs(1_700_000_000) + Duration::from_millis(ticks * 10) }
}

fn entry(bits: u128, seconds: Option<u64>, origin: Origin) -> Entry {
    let time = seconds.map_or(Time::Ever, Time::For);
    Entry { prefix: net(bits << 64, 64), time, origin, reason: "why".into(), added: None, place: Place::Alone }
}

#[test]
fn an_edit_says_what_it_changes() {
    use Origin::{Agent, Operator};
    let edit = |remove, add: &[Entry]| Edit { remove, add: add.to_vec() };
    let counts = |(list, changes): (Vec<Block>, ssa_ctl::plan::blocks::Changes)| {
        (list, [changes.added, changes.changed, changes.removed, changes.expired, changes.blocked])
    };
    let first = edit(Remove::Nothing, &[entry(1, Some(10), Operator), entry(2, None, Operator), entry(1, None, Agent)]);
    let (list, changes) = counts(first.of(vec![], at(0)).unwrap());
    assert_eq!(changes, [3, 0, 0, 0, 3]);
    assert_eq!(list.iter().map(|block| block.deadline).collect::<Vec<_>>(), [1000, NEVER, NEVER]);
    // Again, later: a time begins anew, and for ever is for ever.
    let (again, changes) = counts(first.of(list.clone(), at(500)).unwrap());
    assert_eq!((changes, again[0].deadline, again[0].added), ([0, 1, 0, 0, 3], 1500, 1_700_000_005));
    assert_eq!(again[1..], list[1..]);
    // At its deadline it is gone, and nobody has asked for that.
    let (rest, changes) = counts(Edit::default().of(list.clone(), at(1000)).unwrap());
    assert_eq!((changes, &rest[..]), ([0, 0, 0, 1, 2], &list[1..]));
    // One origin's are replaced: the others stay.
    let other = edit(Remove::Of(Operator), &[entry(2, None, Operator), entry(3, None, Operator)]);
    let (replaced, changes) = counts(other.of(list.clone(), at(0)).unwrap());
    assert_eq!((changes, replaced.len()), ([1, 0, 1, 0, 3], 3));
    let these = |bits: u128, origin, all| Remove::These { prefixes: vec![net(bits << 64, 64)], origin, all };
    let of = |bits: u128, origin| these(bits, origin, true);
    for (remove, left) in
        [(of(1, None), 1), (of(1, Some(Agent)), 2), (Remove::Of(Agent), 2), (Remove::All, 0), (Remove::Nothing, 3)]
    {
        let (rest, changes) = counts(edit(remove, &[]).of(list.clone(), at(0)).unwrap());
        assert_eq!((rest.len(), changes), (left, [0, 0, 3 - left, 0, left]));
    }
    for missing in [of(3, None), of(2, Some(Agent))] {
        let refusal = edit(missing, &[]).of(list.clone(), at(0)).unwrap_err();
        assert!(refusal.message.contains("is not blocked"), "{refusal}");
    }
    let (rest, changes) = counts(edit(these(3, None, false), &[]).of(list.clone(), at(0)).unwrap());
    assert_eq!((&rest, changes), (&list, [0, 0, 0, 0, 3]), "whoever says so is not told of what is missing");
    // What was there until its time was over is no error either, and spoils nothing.
    let both = Remove::These { prefixes: vec![net(1 << 64, 64), net(2 << 64, 64)], origin: Some(Operator), all: true };
    let (rest, changes) = counts(edit(both, &[]).of(list.clone(), at(1000)).unwrap());
    assert_eq!((&rest[..], changes), (&list[1..2], [0, 0, 1, 1, 1]));
}

#[test]
fn a_list_that_is_kept_ends_when_it_was_to_end() {
    let until = |bits, unix| Entry { time: Time::Until(unix), added: Some(7), ..entry(bits, None, Origin::Operator) };
    let edit = Edit { remove: Remove::Nothing, add: vec![until(1, 1_700_000_010), until(2, 1_700_000_003)] };
    let (list, changes) = edit.of(vec![], at(137)).unwrap();
    assert_eq!(list.iter().map(|block| (block.deadline, block.added)).collect::<Vec<_>>(), [(1000, 7), (300, 7)]);
    assert_eq!((changes.added, changes.expired), (2, 0));
    for ticks in [137, 199, 200, 299] {
        let said: Vec<_> = list.iter().map(|block| block.until(at(ticks))).collect();
        assert_eq!(said, [Some(1_700_000_010), Some(1_700_000_003)]);
        let (again, changes) = edit.of(list.clone(), at(ticks)).unwrap();
        assert_eq!((again, changes.is_some()), (list.clone(), false), "{ticks}");
    }
    // On a host that began anew; what is over by then is left out, and counted.
    let later = Moment { ticks: 5, ..at(437) };
    let (list, changes) = edit.of(vec![], later).unwrap();
    assert_eq!((list.len(), list[0].deadline, changes.added, changes.expired), (1, 568, 1, 1));
    assert_eq!(list[0].until(later), Some(1_700_000_010));
    assert_eq!(block(net(1 << 64, 64), NEVER).until(later), None);
}

#[test]
fn a_list_has_an_end() {
    let entries = |count: usize, reason: &dyn Fn(usize) -> String| {
        let entry = |index| Entry { reason: reason(index), ..entry(index as u128, None, Origin::Agent) };
        Edit { remove: Remove::Nothing, add: (0..count).map(entry).collect() }.of(vec![], at(0))
    };
    assert_eq!(entries(BLOCKS, &|_| "one".into()).unwrap().0.len(), BLOCKS);
    assert!(entries(BLOCKS + 1, &|_| "one".into()).unwrap_err().message.contains("100001"));
    let many = entries(BLOCK_REASONS, &|index| index.to_string()).unwrap().0;
    List::of(&many, 1);
    assert!(entries(BLOCK_REASONS + 1, &|index| index.to_string()).unwrap_err().help.contains("--reason"));
}

proptest! {
    #[test]
    fn any_list_blocks_what_a_plain_one_does(
        prefixes: BTreeMap<(u16, u8), u8>, near in any::<u64>(), sources: Vec<(u16, u8)>, seed: u64,
    ) {
        // Few bits in few places, so that lists and sources meet.
        let spread = |(bits, place): (u16, u8)| u128::from(bits) << (place % 112) ^ u128::from(near) << 64;
        let mut nets: Vec<(Ipv6Net, u64)> = prefixes.iter()
            .map(|(&(bits, place), &deadline)| (net(spread((bits, place)), 16 + place % 113), deadline.into()))
            .collect();
        nets.sort();
        nets.dedup_by_key(|(net, _)| *net);
        let blocks: Vec<_> = nets.iter().map(|&(net, deadline)| block(net, deadline)).collect();
        let list = List::of(&blocks, seed);
        for source in sources.into_iter().map(spread).chain(nets.iter().map(|(net, _)| net.network().to_bits())) {
            for ticks in [0, 100, 254] {
                let plain = blocks.iter().any(|block| block.prefix.contains(&Ipv6Addr::from_bits(source)) && ticks < block.deadline);
                prop_assert_eq!(list.blocks(source, ticks), plain);
            }
        }
    }
}
