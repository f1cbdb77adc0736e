//! A rule over a prefix and the bits of a slice's number in; where each of these bits comes from out.

use std::collections::BTreeSet;

use ssa_common::rule::{Kind, Placed, PlacedField};

/// Where a bit of a slice's number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Whoever sends chooses it: `any`, or a nonce.
    Chosen,
    /// A bit of the object's id.
    Object(u8),
    /// A bit of the source.
    Source(u8),
    /// A digest of the first bits of the source.
    Hash(u8),
    /// The number of the replica.
    Replica,
    /// A tag that only a key makes.
    Tag,
    /// The same for all: a constant, the number of the key.
    Fixed,
}

/// The fields that slice bits are in, each with how many of its bits those are.
pub fn fields_of(placed: &Placed, slice_bits: u8) -> impl Iterator<Item = (&PlacedField, u8)> {
    let end = placed.length() + slice_bits;
    let within = move |field: &PlacedField| end.saturating_sub(field.first).min(field.width);
    placed.fields().iter().map(move |field| (field, within(field))).filter(|(_, within)| *within > 0)
}

/// The origin of each bit, the most significant first.
pub fn origins(placed: &Placed, slice_bits: u8) -> Vec<Origin> {
    let of_field = |(field, within): (&PlacedField, u8)| {
        let width = field.width;
        let kind = field.kind.clone();
        (0..within).map(move |bit| match &kind {
            Kind::Any | Kind::Pow { .. } => Origin::Chosen,
            Kind::Object(from) => Origin::Object(from.offset + if from.reverse { width - 1 - bit } else { bit }),
            Kind::Src(from) => Origin::Source(from.offset + if from.reverse { width - 1 - bit } else { bit }),
            Kind::Hash { source_bits } => Origin::Hash(*source_bits),
            Kind::Replica { .. } => Origin::Replica,
            Kind::Mac { .. } => Origin::Tag,
            Kind::Const(_) | Kind::KeyId => Origin::Fixed,
        })
    };
    fields_of(placed, slice_bits).flat_map(of_field).collect()
}

/// The bits of the source behind its first `length` that decide about the slice.
pub fn free_source_bits(origins: &[Origin], length: u8) -> BTreeSet<u8> {
    let mut free = BTreeSet::new();
    for origin in origins {
        match origin {
            Origin::Source(bit) => drop(free.insert(*bit)),
            Origin::Hash(bits) => free.extend(length..*bits),
            _ => {}
        }
    }
    free.retain(|bit| *bit >= length);
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rule: &str, slice_bits: u8) -> Vec<Origin> {
        let rule: ssa_common::rule::Rule = rule.parse().unwrap();
        origins(&rule.place(0x2001_0db8 << 96, 64).unwrap(), slice_bits)
    }

    #[test]
    fn bits_come_from_where_the_rule_says() {
        use Origin::{Chosen, Fixed, Hash, Object, Replica, Source, Tag};
        assert_eq!(of("hash(48):3 any:*", 5), [Hash(48), Hash(48), Hash(48), Chosen, Chosen]);
        assert_eq!(of("src(16):2 src(16,rev):3 any:*", 5), [16, 17, 18, 17, 16].map(Source));
        assert_eq!(
            of("const(0x1):1 object(8,inv):2 replica(2):1 mac(48,key=k):60", 5),
            [Fixed, Object(8), Object(9), Replica, Tag]
        );
        assert_eq!(of("pow(48,zeros=8):64", 1), [Chosen]);
    }

    #[test]
    fn the_bits_that_the_owner_of_a_prefix_chooses() {
        let free = |rule, length| free_source_bits(&of(rule, 14), length).len();
        assert_eq!((free("hash(48):14 any:*", 48), free("hash(64):14 any:*", 48)), (0, 16));
        assert_eq!((free("src(0):64", 8), free("src(0):64", 48), free("any:*", 0)), (6, 0, 0));
        assert_eq!(free("src(56):7 hash(60):7 any:*", 48), 15);
    }
}
