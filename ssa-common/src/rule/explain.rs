//! An address pair and a time in; what each field should hold, what it holds, and whether that is right, out.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Pair,
    compile::Compiled,
    epoch::{Epochs, Fixed, Window, accepted},
    hash, keyid, mac,
    model::Kind,
    place::PlacedField,
    pow, source,
};
use crate::{bits::Words, rows::HashedRow, sha256};

/// One field of a destination, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldReport {
    /// The field as the rule writes it, its width in numbers.
    pub field: String,
    /// What it should hold: hexadecimal bits, or a condition in words.
    pub expected: String,
    /// What it holds, in hexadecimal.
    pub found: String,
    /// Whether that is right.
    pub ok: bool,
    /// `mac`, `pow`: the epoch in which it is valid, among those accepted and 1,000 on either side.
    pub epoch: Option<u64>,
}

/// Epochs on either side of the accepted ones that are searched for one in which a tag would be valid.
const EPOCHS_SEARCHED: u64 = 1000;

impl Compiled {
    /// Looks at each field of `destination` at `unix` seconds.
    pub fn explain(&self, source: u128, destination: u128, unix: u64) -> Vec<FieldReport> {
        let pair = Pair { source: Words::from_u128(source), destination: Words::from_u128(destination) };
        self.placed.fields.iter().map(|field| self.report(field, &pair, unix)).collect()
    }

    fn report(&self, field: &PlacedField, pair: &Pair, unix: u64) -> FieldReport {
        let found = field.read(pair.destination.to_u128());
        let digits = usize::from(field.width.div_ceil(4)).max(1);
        let hexadecimal = |value: u128| format!("0x{value:0digits$x}");
        let equal = |expected: u128| (hexadecimal(expected), expected == found, None);
        let (expected, ok, epoch) = match &field.kind {
            Kind::Any => ("anything".into(), true, None),
            Kind::Object(_) => ("anything (a locator)".into(), true, None),
            Kind::Const(value) => equal(*value),
            Kind::Src(from) => {
                equal(source::value(pair.source.to_u128(), from.offset, field.width, from.reverse, from.invert))
            }
            Kind::Replica { count } => (format!("less than {count}"), found < u128::from(*count), None),
            Kind::KeyId => (
                format!("one of {}", self.key_numbers(field.width)),
                !keyid::candidates(&self.row, pair.destination).is_empty(),
                None,
            ),
            Kind::Hash { .. } => {
                equal(self.hashed(field).map_or(0, |row| u128::from(hash::digest(row, pair.source)) >> row.shift))
            }
            Kind::Mac { .. } => {
                self.hashed(field).map_or_else(|| equal(0), |row| self.mac(row, pair, unix, &hexadecimal))
            }
            Kind::Pow { zeros, .. } => self.hashed(field).map_or_else(
                || equal(0),
                |row| {
                    let proves = |epoch| pow::proves(row, sha256::first_bits(&mut pow::block(row, pair, epoch)));
                    let (ok, epoch) = self.search(row, unix, &proves);
                    (format!("a nonce whose digest begins with {zeros} zero bits"), ok, epoch)
                },
            ),
        };
        FieldReport { field: field.field.to_string(), expected, found: hexadecimal(found), ok, epoch }
    }

    fn mac(
        &self,
        row: &HashedRow,
        pair: &Pair,
        unix: u64,
        hexadecimal: &dyn Fn(u128) -> String,
    ) -> (String, bool, Option<u64>) {
        let keyid::Candidates { first, second, count } = keyid::candidates(&self.row, pair.destination);
        let keys: Vec<_> = [first, second][..count as usize].iter().map(|&at| self.row.ring[at as usize]).collect();
        let holds = |epoch| keys.iter().any(|key| row.holds(pair.destination, mac::tag(row, key.start, pair, epoch)));
        let (ok, epoch) = self.search(row, unix, &holds);
        let now = unix.checked_div(row.period).unwrap_or(0);
        let expected = keys.first().map_or_else(
            || "the tag of a key in the ring".into(),
            |key| {
                let tag = mac::tag(row, key.start, pair, if ok { epoch.unwrap_or(now) } else { now });
                hexadecimal(u128::from(tag) >> row.shift)
            },
        );
        (expected, ok, epoch)
    }

    /// Whether `valid` holds in an accepted epoch, and in which it holds, searched outwards from now.
    fn search(&self, row: &HashedRow, unix: u64, valid: &dyn Fn(u64) -> bool) -> (bool, Option<u64>) {
        let Epochs::Try { newest, count, .. } = accepted(&self.row, row, &Fixed(unix), Window::Now) else {
            return (false, None);
        };
        if let Some(epoch) = (0..count).map(|back| newest.wrapping_sub(back)).find(|&epoch| valid(epoch)) {
            return (true, (row.period != 0).then_some(epoch));
        }
        if row.period == 0 {
            return (false, None);
        }
        let near = (1..=EPOCHS_SEARCHED).flat_map(|away| [newest.checked_sub(away), newest.checked_add(away)]);
        (false, near.flatten().find(|&epoch| valid(epoch)))
    }

    fn key_numbers(&self, width: u8) -> String {
        let mask = u64::MAX >> (64 - u32::from(width));
        let numbers = self.row.ring[..usize::from(self.row.keys)].iter();
        numbers.map(|key| format!("{:#x}", key.number & mask)).collect::<Vec<_>>().join(", ")
    }
}
