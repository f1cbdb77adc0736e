//! A service's prefixes and rule in; the slice of an address, and whether it is an address of an object, out.

use std::{fmt, net::Ipv6Addr, ops::Range};

use ssa_client::Service;
use ssa_common::{
    bits::mask,
    rule::{Compiled, Key, Kind, Request, RuleError, Secrets},
};

/// The slice bits that there may be.
const BITS: Range<u8> = 0..21;

/// Where the objects of a service are.
#[derive(Clone, Debug)]
pub struct Places {
    rules: Vec<Compiled>,
    slice_bits: u8,
}

/// Why a service is no place for objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceError {
    /// Slice bits are 0 to 20.
    SliceBits(u8),
    /// The service has no prefix.
    NoPrefix,
    /// The rule does not fit a prefix.
    Unfit(Vec<RuleError>),
    /// Bits that number slices say nothing of the object: this field's.
    Elsewhere(&'static str),
}

impl Places {
    /// # Errors
    /// Where the rule does not fit, or does not say by the object alone and the replica which slice it is.
    pub fn new(service: &Service, slice_bits: u8) -> Result<Self, PlaceError> {
        if !BITS.contains(&slice_bits) {
            return Err(PlaceError::SliceBits(slice_bits));
        }
        // Whatever the key is, an object's bits are the same.
        let ring = [Key { number: 0, secret: [0; 16] }];
        let secrets = Secrets { salt: service.record.salt, ring: &ring };
        let mut rules = Vec::new();
        for prefix in &service.prefixes {
            let placed = service.record.rule.place(prefix.network().to_bits(), prefix.prefix_len());
            let placed = placed.map_err(PlaceError::Unfit)?;
            let end = u16::from(placed.length()) + u16::from(slice_bits);
            let locates = |kind: &Kind| matches!(kind, Kind::Object(_) | Kind::Replica { .. } | Kind::Const(_));
            let mut slicing = placed.fields().iter().filter(|field| u16::from(field.first) < end && field.width > 0);
            if let Some(field) = slicing.find(|field| !locates(&field.kind)) {
                return Err(PlaceError::Elsewhere(field.kind.name()));
            }
            rules.push(placed.compile(&secrets, service.record.skew));
        }
        if rules.is_empty() { Err(PlaceError::NoPrefix) } else { Ok(Self { rules, slice_bits }) }
    }

    /// How many slices there are.
    pub fn slices(&self) -> u32 {
        1 << self.slice_bits
    }

    /// The slice of an address of the service; none for others.
    pub fn slice(&self, address: Ipv6Addr) -> Option<u32> {
        let length = self.rule(address)?.placed().length();
        let behind = address.to_bits().checked_shl(length.into()).unwrap_or(0);
        u32::try_from(behind.checked_shr(128 - u32::from(self.slice_bits)).unwrap_or(0)).ok()
    }

    /// Whether this is an address of the object, for some replica.
    pub fn leads(&self, address: Ipv6Addr, object: u128) -> bool {
        let Some(rule) = self.rule(address) else { return false };
        let request = Request { object: Some(object), ..Request::default() };
        let Ok(drawn) = rule.draw(&request, &mut || 0) else { return false };
        let of_object = rule.placed().fields().iter().filter(|field| matches!(field.kind, Kind::Object(_)));
        let bits = of_object.fold(0, |bits, field| bits | mask(field.first, field.width));
        (drawn ^ address.to_bits()) & bits == 0
    }

    fn rule(&self, address: Ipv6Addr) -> Option<&Compiled> {
        self.rules.iter().find(|rule| {
            let placed = rule.placed();
            (placed.prefix() ^ address.to_bits()) & mask(0, placed.length()) == 0
        })
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SliceBits(bits) => write!(f, "{bits} slice bits: there are 0 to 20"),
            Self::NoPrefix => f.write_str("the service has no prefix"),
            Self::Unfit(errors) => {
                f.write_str("the rule does not fit the prefix")?;
                errors.iter().try_for_each(|error| write!(f, ": {error}"))
            }
            Self::Elsewhere(kind) => write!(
                f,
                "slice bits are bits of a field `{kind}`, which says nothing of the object: begin the rule with replica \
                 and object"
            ),
        }
    }
}

impl std::error::Error for PlaceError {}

#[cfg(test)]
mod tests {
    use ssa_client::{Selector, record::Record};

    use super::*;
    use crate::Wanted;

    fn service(rule: &str) -> Service {
        let prefixes = ["2001:db8:b10b::/64", "2001:db8:b::/48"].map(|prefix| prefix.parse().unwrap());
        Service::new("objects", &prefixes, Record::new(rule.parse().unwrap()))
    }

    #[test]
    fn the_address_that_a_client_computes_is_one_of_the_object() {
        let service = service("replica(2):1 object(117,inv):11 hash(48):8 any:*");
        let places = Places::new(&service, 12).unwrap();
        let selector = Selector::new(&service, &[]).unwrap();
        let source = "2001:db8:1::7".parse().unwrap();
        for number in 0..5000u64 {
            let id = Wanted::Object(format!("object {number}")).id().unwrap();
            let replica = u32::try_from(number % 2).unwrap();
            let address = selector.address(source, Some(id), replica, 0).unwrap();
            assert!(places.leads(address, id));
            let low = u32::try_from(id & 0x7ff).unwrap();
            assert_eq!(places.slice(address), Some(replica << 11 | (low ^ 0x7ff)));
            assert!(!places.leads(address, id ^ 1) && !places.leads(address, id ^ 0x400));
        }
        let elsewhere = "2001:db8:b10c::1".parse().unwrap();
        assert_eq!((places.slice(elsewhere), places.leads(elsewhere, 0)), (None, false));
    }

    #[test]
    fn all_slice_bits_must_say_where_the_object_is() {
        let refused = |rule, bits| Places::new(&service(rule), bits).unwrap_err();
        assert_eq!(refused("object(0):10 any:*", 11), PlaceError::Elsewhere("any"));
        assert_eq!(refused("hash(48):1 object(0):10 any:*", 11), PlaceError::Elsewhere("hash"));
        assert_eq!(refused("object(0):10 any:*", 21), PlaceError::SliceBits(21));
        assert!(matches!(refused("object(0):10 any:10", 10), PlaceError::Unfit(_)));
        assert!(Places::new(&service("const(0x1):1 object(0):10 any:*"), 11).is_ok());
    }

    #[test]
    fn a_service_that_is_not_cut_has_one_slice() {
        let places = Places::new(&service("object(0):10 any:*"), 0).unwrap();
        assert_eq!(places.slice("2001:db8:b10b::7".parse().unwrap()), Some(0));
        assert_eq!(places.slices(), 1);
    }
}
