//! The known traps of DESIGN §3: a placed rule in, warnings and refusals of `check` out.

use alloc::{format, string::String, vec::Vec};
use core::ops::Range;

use super::{
    keyid::MAX_TRIED,
    model::Kind,
    place::{Placed, PlacedField},
};

/// Something an operator should know of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where, in octets of the rule's text.
    pub span: Range<usize>,
    /// What is the matter.
    pub message: String,
    /// What would be better.
    pub help: String,
    /// It is refused, unless the service says `allow_weak = true`.
    pub refused: bool,
}

/// What the warnings depend on besides the rule.
#[derive(Clone, Copy, Debug)]
pub struct WarningContext {
    /// Bits after the prefix that number the slices.
    pub slice_bits: u8,
    /// Keys in the ring of the rule's `mac`.
    pub keys: usize,
    /// Seconds by which neighbouring epochs are accepted.
    pub skew: u32,
}

/// Shortest tag that is taken without being asked for, in bits.
const WEAK_TAG: u8 = 24;
/// Shortest tag that is not warned of, in bits.
const SHORT_TAG: u8 = 32;

impl Placed {
    /// The traps this rule runs into.
    pub fn warnings(&self, context: &WarningContext) -> Vec<Warning> {
        let mut warnings: Vec<_> = self.fields.iter().filter_map(short_tag).collect();
        warnings.extend(self.fields.iter().filter_map(open_choice));
        warnings.extend(self.fields.iter().filter_map(|field| long_skew(field, context)));
        let slice_end = self.length + context.slice_bits;
        let of_slice = |field: &&PlacedField| field.width > 0 && field.first < slice_end;
        warnings.extend(self.fields.iter().filter(of_slice).filter_map(|field| self.slice_trap(field, slice_end)));
        warnings
    }

    /// How many of 2^64 random packets a `mac` lets through is `keys × epochs / 2^bits`: the two factors and the bits.
    pub fn forgery(&self, context: &WarningContext) -> Option<(u64, u8)> {
        let field = self.fields.iter().find(|field| matches!(field.kind, Kind::Mac { .. }))?;
        let has_keyid = self.fields.iter().any(|field| field.kind == Kind::KeyId);
        let keys = if has_keyid { 1 } else { context.keys.clamp(1, MAX_TRIED as usize) };
        let epochs = match field.kind.period() {
            None => 1,
            // Within one skew of an edge the neighbour is accepted too; a skew past half a period accepts three.
            Some(period) => match u64::from(context.skew) {
                0 => 1,
                skew if skew * 2 > period.seconds() => 3,
                _ => 2,
            },
        };
        Some((keys as u64 * epochs, field.width))
    }

    fn forces(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.kind, Kind::Src(_) | Kind::Hash { .. }))
    }

    fn slice_trap(&self, field: &PlacedField, slice_end: u8) -> Option<Warning> {
        let locates = self.fields.iter().any(|field| matches!(field.kind, Kind::Object(_)));
        let (message, help) = match field.kind {
            // The first three bits of global unicast are 001: whichever of them are copied are the same for all clients.
            Kind::Src(copied) if copied.offset < 3 && (!copied.reverse || field.first + field.width <= slice_end) => {
                let fixed = (3 - copied.offset).min(slice_end - field.first);
                let message = format!(
                    "src({}) on slice bits reaches only the slices of 2000::/3: {} of {} stay empty",
                    copied.offset,
                    (1u32 << fixed) - 1,
                    1u32 << fixed
                );
                (message, "use hash(48), or copy from bit 16 on")
            }
            Kind::Any if self.forces() => (
                "the slice bits are any, so clients choose their slice and nothing is forced".into(),
                "put the hash or src field first",
            ),
            Kind::Any if locates => (
                "the slice bits are any, so the object is on no endpoint in particular".into(),
                "put the object field first",
            ),
            _ => return None,
        };
        Some(warning(field, message, help))
    }
}

fn warning(field: &PlacedField, message: String, help: &str) -> Warning {
    Warning { span: field.field.span.clone(), message, help: help.into(), refused: false }
}

fn short_tag(field: &PlacedField) -> Option<Warning> {
    if !matches!(field.kind, Kind::Mac { .. }) || field.width >= SHORT_TAG {
        return None;
    }
    let message = format!("a mac of {} bits is forged once in 2^{} packets", field.width, field.width);
    let refused = field.width < WEAK_TAG;
    let help = if refused {
        "use 32 bits or more, 48 where there is room; below 24 only with allow_weak = true"
    } else {
        "use 32 bits or more, 48 where there is room"
    };
    Some(Warning { refused, ..warning(field, message, help) })
}

fn open_choice(field: &PlacedField) -> Option<Warning> {
    let source_end = match field.kind {
        Kind::Src(copied) => u32::from(copied.offset) + u32::from(field.width),
        Kind::Hash { source_bits } => source_bits.into(),
        _ => return None,
    };
    (source_end >= 64).then(|| {
        warning(
            field,
            format!("{} depends on source bits up to {source_end}", field.kind.name()),
            "the owner of a /48 chooses among 65,536 addresses, and so any slice: use 48 source bits",
        )
    })
}

fn long_skew(field: &PlacedField, context: &WarningContext) -> Option<Warning> {
    let period = field.kind.period()?.seconds();
    (u64::from(context.skew) * 2 > period).then(|| {
        warning(
            field,
            format!("a skew of {} s is more than half of the period of {period} s", context.skew),
            "three epochs are accepted for part of the time: use a longer period or a smaller skew",
        )
    })
}
