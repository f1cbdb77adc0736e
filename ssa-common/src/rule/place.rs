//! A rule and a service prefix in; every field with its place in the address, or what does not fit, out.

use alloc::{format, vec, vec::Vec};

use super::{
    model::{Field, Kind, Rule, Width},
    text::RuleError,
};

/// A rule laid over a prefix: every bit after the prefix belongs to one field.
#[derive(Clone, Debug)]
pub struct Placed {
    pub(super) prefix: u128,
    pub(super) length: u8,
    pub(super) fields: Vec<PlacedField>,
}

/// A field with its place.
#[derive(Clone, Debug)]
pub struct PlacedField {
    /// What it holds.
    pub kind: Kind,
    /// Its first bit, counted from 0 at the most significant bit of the address.
    pub first: u8,
    /// Its bits; 0 where a `*` had nothing left to take.
    pub width: u8,
    /// The field as the rule writes it, its width in numbers.
    pub(super) field: Field,
}

impl Rule {
    /// Lays the rule over a prefix of `length` bits, 0 to 128, whose host bits are zero.
    ///
    /// # Errors
    /// Where the rule does not fill the suffix, overflows it, or a field does not fit the width that `*` leaves it.
    pub fn place(&self, prefix: u128, length: u8) -> Result<Placed, Vec<RuleError>> {
        let suffix = 128 - u32::from(length);
        let fixed: u32 = self.fields.iter().map(|field| u32::from(field.width.bits().unwrap_or(0))).sum();
        let has_rest = self.fields.iter().any(|field| field.width == Width::Rest);
        let end = self.fields.last().map_or(0, |field| field.span.end);
        if fixed > suffix || (fixed < suffix && !has_rest) {
            let message = format!("the rule has {fixed} bits, and a /{length} leaves {suffix}");
            let help = if fixed > suffix {
                format!("take {} bits away", fixed - suffix)
            } else {
                format!("add any:{}, or give one field the width *", suffix - fixed)
            };
            return Err(vec![RuleError::new(0..end, message, help)]);
        }
        let rest = suffix - fixed;
        let mut fields = Vec::with_capacity(self.fields.len());
        let mut errors = Vec::new();
        let mut first = u32::from(length);
        for field in &self.fields {
            let width = field.width.bits().unwrap_or(u8::try_from(rest).unwrap_or(u8::MAX));
            if let Err(error) = fits(field, width) {
                errors.push(error);
            }
            let placed = Field { width: Width::Bits(width), ..field.clone() };
            let place = u8::try_from(first).unwrap_or(u8::MAX);
            fields.push(PlacedField { kind: field.kind.clone(), first: place, width, field: placed });
            first += u32::from(width);
        }
        if errors.is_empty() { Ok(Placed { prefix, length, fields }) } else { Err(errors) }
    }
}

impl Width {
    const fn bits(self) -> Option<u8> {
        match self {
            Self::Bits(bits) => Some(bits),
            Self::Rest => None,
        }
    }
}

impl Placed {
    /// The fields, most significant first.
    pub fn fields(&self) -> &[PlacedField] {
        &self.fields
    }

    /// The prefix, host bits zero.
    pub const fn prefix(&self) -> u128 {
        self.prefix
    }

    /// The prefix's length in bits.
    pub const fn length(&self) -> u8 {
        self.length
    }
}

/// Whether a field can have `width` bits.
pub(super) fn fits(field: &Field, width: u8) -> Result<(), RuleError> {
    let bits = u32::from(width);
    let refuse = |message, help| Err(RuleError::new(field.span.clone(), message, help));
    match field.kind {
        Kind::Const(value) if 128 - value.leading_zeros() > bits => refuse(
            format!("the value {value:#x} has {} bits, the field {bits}", 128 - value.leading_zeros()),
            format!("use a value below 2^{bits}, or a wider field"),
        ),
        Kind::Src(copied) | Kind::Object(copied) if u32::from(copied.offset) + bits > 128 => refuse(
            format!("bits {} to {} end past bit 127", copied.offset, u32::from(copied.offset) + bits - 1),
            format!("begin at bit {} or before, or copy fewer bits", 128 - bits),
        ),
        Kind::Hash { .. } | Kind::Mac { .. } | Kind::Pow { .. } if bits > 64 => refuse(
            format!("a {} has at most 64 bits, not {bits}", field.kind.name()),
            "use 64 bits, and fill up with any".into(),
        ),
        Kind::Mac { .. } if bits == 0 => {
            refuse("nothing is left for the mac".into(), "give it a number of bits".into())
        }
        Kind::Pow { zeros, .. } if u32::from(zeros) + 7 > bits => refuse(
            format!("{zeros} zero bits cannot be found with a nonce of {bits} bits"),
            format!("zeros is at most the width less 7: use {} bits or more", zeros + 7),
        ),
        Kind::Replica { count } if bits < 32 && count > 1 << bits => refuse(
            format!("{count} replicas cannot be numbered with {bits} bits"),
            format!("use at most {}, or a wider field", 1u64 << bits),
        ),
        Kind::KeyId if bits == 0 || bits > 64 => {
            refuse(format!("a keyid has 1 to 64 bits, not {bits}"), "use as many as the key numbers need".into())
        }
        _ => Ok(()),
    }
}
