//! A service and a prefix that clients have random addresses of in; how likely each slice is for one of them out.

use std::collections::HashSet;

use ipnet::Ipv6Net;
use ssa_common::rule::AddressError;

use super::{
    origin::{self, Origin},
    random::Random,
    scene::Scene,
    statistics::real,
};

/// With so many digests for a slice's bits to be made of, they are as good as random.
const PLENTY: u8 = 32;
/// Clients asked where the law cannot be read off the rule.
const SAMPLE: u32 = 1 << 18;

/// How likely each slice is for a random address of `prefix`, over the first prefix of the service; together 1.
pub fn law(scene: &Scene, prefix: Ipv6Net, random: &mut Random) -> Result<Vec<f64>, AddressError> {
    let origins = origin::origins(&scene.placed[0], scene.service.slice_bits);
    let Some(varied) = varied(&origins, prefix.prefix_len(), scene.wish.object.is_some()) else {
        return sample(scene, prefix, random);
    };
    let one = scene.slice(0, random.address(prefix), random)?;
    let chance = 1.0 / real(1 << varied.count_ones());
    let chances = (0..1u32 << scene.service.slice_bits)
        .map(|slice| if (slice ^ one) & !varied == 0 { chance } else { 0.0 })
        .collect();
    Ok(chances)
}

/// The bits of a slice's number that are random, each by itself; the others are the same for all. None where it is not so
/// simple: a source bit is copied twice, or there are few digests.
fn varied(origins: &[Origin], length: u8, object: bool) -> Option<u32> {
    let mut varied = 0;
    let mut seen = HashSet::new();
    for origin in origins {
        let varies = match origin {
            Origin::Chosen | Origin::Tag => true,
            Origin::Object(_) => !object && seen.insert(*origin).then_some(true)?,
            Origin::Source(bit) => *bit >= length && seen.insert(*origin).then_some(true)?,
            Origin::Hash(bits) if bits.saturating_sub(length) >= PLENTY => true,
            Origin::Hash(bits) if *bits <= length => false,
            Origin::Hash(_) => return None,
            Origin::Replica | Origin::Fixed => false,
        };
        varied = varied << 1 | u32::from(varies);
    }
    Some(varied)
}

fn sample(scene: &Scene, prefix: Ipv6Net, random: &mut Random) -> Result<Vec<f64>, AddressError> {
    let mut chances = vec![0.0; scene.slices()];
    for _ in 0..SAMPLE {
        chances[scene.slice(0, random.address(prefix), random)? as usize] += 1.0 / f64::from(SAMPLE);
    }
    Ok(chances)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_vary_where_clients_differ() {
        use Origin::{Chosen, Fixed, Hash, Object, Source};
        let bits = [Source(2), Source(3), Hash(48), Chosen, Object(7), Fixed];
        assert_eq!(varied(&bits, 3, false), Some(0b01_1110));
        assert_eq!(varied(&bits, 3, true), Some(0b01_1100));
        assert_eq!(varied(&bits, 48, false), Some(0b00_0110));
        assert_eq!(varied(&bits, 32, false), None);
        assert_eq!(varied(&[Source(9), Source(9)], 3, false), None);
        assert_eq!(varied(&[Object(9), Object(9)], 3, false), None);
    }
}
