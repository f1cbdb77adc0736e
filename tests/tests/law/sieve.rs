//! Block lists and sources in; which of these pass the sieve that stands before the list's tables, out.

use std::collections::BTreeSet;

use ipnet::Ipv6Net;
use ssa_common::{bits::Words, judge::sieve_bit};
use ssa_ctl::plan::blocks::{Block, BlockTable, NEVER, Origin};

use crate::random::Random;

#[test]
fn nearly_no_source_passes_that_no_entry_begins_with() {
    let random = &mut Random(9);
    for (length, bits) in [(16, 16), (31, 16), (32, 32), (47, 32), (48, 48), (64, 48), (128, 48)] {
        let entries = if length < 20 { 500 } else { 5000 };
        let prefixes: BTreeSet<_> =
            (0..entries).map(|_| Ipv6Net::new_assert(random.wide().into(), length).trunc()).collect();
        let block =
            |prefix| Block { prefix, origin: Origin::Operator, deadline: NEVER, added: 0, reason: String::new() };
        let blocks: Vec<_> = prefixes.into_iter().map(block).collect();
        let table = BlockTable::build(&blocks, || random.word()).unwrap();
        let passes = |source: u128| {
            let bit = sieve_bit(&table.bank, Words::from_u128(source), bits);
            table.sieve[bit as usize / 64] >> (bit % 64) & 1 != 0
        };
        assert!(blocks.iter().all(|block| passes(block.prefix.broadcast().to_bits())), "{length}");
        let begins = |source: u128| {
            blocks.iter().any(|block| (block.prefix.network().to_bits() ^ source) >> (128 - u32::from(bits)) == 0)
        };
        let strange: Vec<_> = (0..2000).map(|_| random.wide()).filter(|source| !begins(*source)).collect();
        let passing = strange.iter().filter(|source| passes(**source)).count();
        assert!(passing * 8 < strange.len(), "{length}: {passing} of {}", strange.len());
    }
}
