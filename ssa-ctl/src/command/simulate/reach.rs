//! A service and a prefix that somebody holds in; the slices and endpoints that addresses of it can reach out.

use std::collections::BTreeSet;

use ipnet::Ipv6Net;
use serde::Serialize;
use ssa_common::rule::{AddressError, Kind, Placed, Request};

use super::{
    origin::{self, Origin},
    scene::Scene,
    statistics::{occupied, real},
};

/// Source bits whose every value is tried: a million addresses.
const TRIED: usize = 20;

/// What can be reached.
#[derive(Debug, Serialize)]
pub struct Reach {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// Every choice was tried. Else the numbers are expected ones, as the choices are too many.
    pub exact: bool,
    /// Slices. None: they depend on a key that the holder of the prefix has not.
    pub slices: Option<f64>,
    /// The part of all that is.
    pub slices_share: Option<f64>,
    /// Endpoints; none where the slices have no owners.
    pub endpoints: Option<f64>,
    /// The part of all that own a slice.
    pub endpoints_share: Option<f64>,
    /// The key ring without which no address conforms.
    pub key: Option<String>,
    /// Each field that slice bits are in, and what the holder can do about it.
    pub fields: Vec<Bits>,
}

/// A field that slice bits are in.
#[expect(clippy::struct_field_names, reason = "they are the names in JSON")]
#[derive(Debug, Serialize)]
pub struct Bits {
    /// As the rule has it.
    pub field: String,
    /// How many slice bits.
    pub bits: u8,
    /// `any`: chosen freely. `work`: chosen freely, with work for each. `sources`: chosen among the digests or bits of the
    /// sources that the prefix has. `fixed`: nothing to choose. `key`: unknown without the key.
    pub choice: &'static str,
    /// How many sources it sees that differ, as a power of two.
    pub source_bits: u8,
}

/// What addresses of `prefix` can reach, over all prefixes of the service.
pub fn reach(scene: &Scene, prefix: Ipv6Net) -> Result<Reach, AddressError> {
    let slice_bits = scene.service.slice_bits;
    let origins: Vec<_> = scene.placed.iter().map(|placed| origin::origins(placed, slice_bits)).collect();
    let length = prefix.prefix_len();
    let key = scene.service.rule.key().map(str::to_owned);
    let fields = fields(&scene.placed[0], slice_bits, length);
    let exact = origins.iter().all(|origins| origin::free_source_bits(origins, length).len() <= TRIED);
    if origins.iter().flatten().any(|origin| *origin == Origin::Tag) {
        let (slices, slices_share, endpoints, endpoints_share) = (None, None, None, None);
        return Ok(Reach { prefix, exact: false, slices, slices_share, endpoints, endpoints_share, key, fields });
    }
    // How likely each slice is not reached by any prefix of the service.
    let mut missed = vec![1.0; scene.slices()];
    for (place, origins) in origins.iter().enumerate() {
        let holder = Holder { scene, place, origins, prefix };
        holder.reach(&mut missed)?;
    }
    let slices: f64 = missed.iter().map(|missed| 1.0 - missed).sum();
    let mut missed_endpoints = vec![1.0; scene.endpoints.len()];
    for (owner, missed) in scene.owners.iter().zip(&missed) {
        missed_endpoints[*owner as usize] *= missed;
    }
    let endpoints: f64 = missed_endpoints.iter().map(|missed| 1.0 - missed).sum();
    let owning = scene.endpoints.iter().filter(|endpoint| endpoint.slices > 0).count();
    let has_owners = !scene.owners.is_empty();
    Ok(Reach {
        prefix,
        exact,
        slices: Some(slices),
        slices_share: Some(slices / real(scene.slices() as u64)),
        endpoints: has_owners.then_some(endpoints),
        endpoints_share: has_owners.then(|| endpoints / real(owning as u64)),
        key,
        fields,
    })
}

fn fields(placed: &Placed, slice_bits: u8, length: u8) -> Vec<Bits> {
    let field = |(field, bits): (&ssa_common::rule::PlacedField, u8)| {
        let (choice, source_bits) = match &field.kind {
            Kind::Any | Kind::Object(_) | Kind::Replica { .. } => ("any", 0),
            Kind::Pow { .. } => ("work", 0),
            Kind::Mac { .. } => ("key", 0),
            Kind::Const(_) | Kind::KeyId => ("fixed", 0),
            Kind::Src(from) => {
                let first = from.offset + if from.reverse { field.width - bits } else { 0 };
                sources((first + bits).saturating_sub(length.max(first)))
            }
            Kind::Hash { source_bits } => sources(source_bits.saturating_sub(length)),
        };
        Bits { field: format!("{}:{}", field.kind, field.width), bits, choice, source_bits }
    };
    origin::fields_of(placed, slice_bits).map(field).collect()
}

const fn sources(free: u8) -> (&'static str, u8) {
    if free == 0 { ("fixed", 0) } else { ("sources", free) }
}

/// Who holds a prefix and sends to one prefix of the service.
struct Holder<'a> {
    scene: &'a Scene,
    place: usize,
    origins: &'a [Origin],
    prefix: Ipv6Net,
}

impl Holder<'_> {
    /// Makes the slices it reaches less missed.
    fn reach(&self, missed: &mut [f64]) -> Result<(), AddressError> {
        let length = self.prefix.prefix_len();
        let free = origin::free_source_bits(self.origins, length);
        let chosen = self.mask(|origin| matches!(origin, Origin::Chosen | Origin::Object(_) | Origin::Replica));
        if free.len() <= TRIED {
            let forced = self.forced(&free, !chosen)?;
            let choices = self.choices();
            for slice in forced.iter().flat_map(|forced| choices.iter().map(move |choice| forced | choice)) {
                missed[slice as usize] = 0.0;
            }
            return Ok(());
        }
        // Too many to be tried: any slice that agrees in the bits that are the same for all is as likely as another.
        let varied = self.mask(|origin| match origin {
            Origin::Hash(bits) => *bits > length,
            Origin::Source(bit) => *bit >= length,
            _ => false,
        });
        let fixed = !(varied | chosen);
        let base = self.slice(self.prefix.network().to_bits())?;
        let choices: BTreeSet<u32> = self.choices().into_iter().collect();
        let hit = self.hit();
        for (slice, missed) in (0u32..).zip(missed) {
            if (slice ^ base) & fixed & self.all() == 0 && choices.contains(&(slice & chosen)) {
                *missed *= 1.0 - hit;
            }
        }
        Ok(())
    }

    const fn all(&self) -> u32 {
        (1 << self.scene.service.slice_bits) - 1
    }

    /// How likely it is that digests of all the sources that can be chosen have one value that is wanted.
    fn hit(&self) -> f64 {
        let length = self.prefix.prefix_len();
        let copied: BTreeSet<u8> = self
            .origins
            .iter()
            .filter_map(|origin| if let Origin::Source(bit) = origin { Some(*bit) } else { None })
            .collect();
        let mut digests: Vec<(u8, i32)> = Vec::new();
        for origin in self.origins {
            match (origin, digests.iter_mut().find(|(of, _)| *origin == Origin::Hash(*of))) {
                (_, Some((_, width))) => *width += 1,
                (Origin::Hash(bits), None) if *bits > length => digests.push((*bits, 1)),
                _ => {}
            }
        }
        // Bits that are copied are wanted, and no more to choose from.
        let sources = |of: u8| {
            let free = (length..of).filter(|bit| !copied.contains(bit)).count();
            2f64.powi(i32::try_from(free).unwrap_or(i32::MAX))
        };
        let alone = |(of, width): &(u8, i32)| occupied(2f64.powi(*width), sources(*of));
        let width = digests.iter().map(|(_, width)| width).sum();
        let most = digests.iter().map(|(of, _)| sources(*of)).fold(1.0, f64::max);
        let together = if digests.is_empty() { 1.0 } else { occupied(2f64.powi(width), most) };
        digests.iter().map(alone).fold(together, f64::min)
    }

    fn mask(&self, of: impl Fn(&Origin) -> bool) -> u32 {
        self.origins.iter().fold(0, |mask, origin| mask << 1 | u32::from(of(origin)))
    }

    fn slice(&self, source: u128) -> Result<u32, AddressError> {
        let request = Request { source, object: Some(0), replica: 0, time: self.scene.wish.time };
        self.scene.slice_of(self.place, &request, &mut || 0)
    }

    /// The bits that follow from the source, of every source that can be chosen.
    fn forced(&self, free: &BTreeSet<u8>, kept: u32) -> Result<BTreeSet<u32>, AddressError> {
        let base = self.prefix.network().to_bits();
        let source = |choice: u32| {
            let bits = free.iter().enumerate();
            bits.fold(base, |source, (place, bit)| source | u128::from(choice >> place & 1) << (127 - bit))
        };
        (0..1u32 << free.len()).map(|choice| Ok(self.slice(source(choice))? & kept)).collect()
    }

    /// What can be put in the bits that are chosen freely.
    fn choices(&self) -> Vec<u32> {
        let free = self.mask(|origin| matches!(origin, Origin::Chosen | Origin::Object(_)));
        let mut choices = submasks(free);
        let slice_bits = self.scene.service.slice_bits;
        let placed = &self.scene.placed[self.place];
        let end = placed.length() + slice_bits;
        for (field, bits) in origin::fields_of(placed, slice_bits) {
            if let Kind::Replica { count } = field.kind {
                let past = field.width - bits;
                let below = end - field.first - bits;
                let last = count.saturating_sub(1).checked_shr(past.into()).unwrap_or(0);
                choices = (0..=last)
                    .flat_map(|replica| choices.iter().map(move |choice| choice | replica << below))
                    .collect();
            }
        }
        choices
    }
}

/// Every number that has no other bits than these.
fn submasks(mask: u32) -> Vec<u32> {
    let mut all = vec![0];
    for bit in (0..u32::BITS).map(|bit| 1 << bit).filter(|bit| mask & bit != 0) {
        all.extend_from_within(..);
        let half = all.len() / 2;
        all[half..].iter_mut().for_each(|choice| *choice |= bit);
    }
    all
}

/// How many sources a holder of a prefix of this length can choose among, as a power of two, and whether it chooses the
/// slice freely.
pub fn choice(scene: &Scene, length: u8) -> (i32, bool) {
    let origins = origin::origins(&scene.placed[0], scene.service.slice_bits);
    let chosen = |origin: &&Origin| matches!(origin, Origin::Chosen | Origin::Object(_) | Origin::Replica);
    let free = origin::free_source_bits(&origins, length).len() + origins.iter().filter(chosen).count();
    let all = origins.iter().all(|origin| match origin {
        Origin::Source(bit) => *bit >= length,
        other => chosen(&other),
    });
    (i32::try_from(free).unwrap_or(i32::MAX), all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submasks_are_all_of_them() {
        assert_eq!(submasks(0), [0]);
        assert_eq!(submasks(0b101), [0, 1, 4, 5]);
    }
}
