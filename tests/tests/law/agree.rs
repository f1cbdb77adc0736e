//! Drawn services and clients in; the law and the oracle say the same of every address, out.

use proptest::prelude::*;
use ssa_common::rule::Secrets;

use crate::{
    frames::judge_at,
    oracle::Service,
    random::{Draw, Random, destination},
    tables::Memory,
};

impl Draw {
    /// The same service for the oracle.
    pub fn oracle(&self) -> Service<'_> {
        Service {
            rule: &self.text,
            prefix: self.prefix,
            length: self.length.into(),
            salt: self.salt,
            ring: self.ring.iter().map(|key| (key.number.into(), key.secret)).collect(),
            skew: self.skew.into(),
        }
    }
}

/// The shortest frame.
fn frame(source: u128, destination: u128) -> Vec<u8> {
    let mut frame = [&[0; 12][..], &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 6, 64]].concat();
    frame.extend(source.to_be_bytes());
    frame.extend(destination.to_be_bytes());
    frame
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_law_and_the_oracle_agree(seed: u64) {
        let mut draw = Draw::new(seed);
        // Sources of global unicast, which every frame may have.
        draw.request.source = draw.request.source >> 3 | 1 << 125;
        let (compiled, oracle) = (draw.compile(), draw.oracle());
        let random = &mut Random(!seed);
        let secrets = Secrets { salt: draw.salt, ring: &draw.ring };
        let memory = Memory::of_rule(compiled.placed(), &secrets, draw.skew);
        let (source, time) = (draw.request.source, draw.request.time);
        let good = destination(&compiled, &draw.request, random);
        prop_assert_eq!(oracle.reason(source, good, time), "conform", "{:?}", draw);
        let suffix = u128::MAX >> draw.length;
        for _ in 0..8 {
            let off = good ^ 1 << random.below(128 - u32::from(draw.length));
            let wild = draw.prefix | random.wide() & suffix;
            let other = source ^ 1 << random.below(128);
            let later = time - 90 + u64::from(random.below(180));
            for (source, destination, time) in
                [(source, off, time), (source, wild, time), (other, good, time), (source, good, later)]
            {
                let found = compiled.conforms(source, destination, time).name();
                prop_assert_eq!(found, oracle.reason(source, destination, time), "{:?}", draw);
                if source >> 125 == 1 {
                    let judged = judge_at(&frame(source, destination), &memory, time).verdict().reason;
                    prop_assert_eq!(judged.name(), found, "in a frame, {:?}", draw);
                }
            }
        }
    }
}
