//! A call (address, protocol, port) and rows in; the place of the socket that is to answer it out.

use crate::{bits::Words, layout::LOOKUP_ROWS, rows::LookupRow};

/// What somebody calls: a connection that begins, or a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The address that is called.
    pub address: Words,
    /// IP protocol number.
    pub protocol: u32,
    /// The port that is called.
    pub port: u32,
}

impl LookupRow {
    /// Whether the call is one of this row's.
    #[inline(always)]
    pub fn takes(&self, call: &Call) -> bool {
        u32::from(self.protocol) == call.protocol
            && u32::from(self.port) == call.port
            && is_in_order(self.first, call.address)
            && is_in_order(call.address, self.last)
    }
}

#[inline(always)]
const fn is_in_order(one: Words, other: Words) -> bool {
    one.hi < other.hi || one.hi == other.hi && one.lo <= other.lo
}

/// The place of the socket that the first fitting row names. `row` gives the row of a place.
#[inline(always)]
pub fn find<'a>(call: &Call, row: impl Fn(u32) -> Option<&'a LookupRow>) -> Option<u32> {
    for place in 0..LOOKUP_ROWS {
        let row = row(place)?;
        if row.protocol == 0 {
            return None;
        }
        if row.takes(call) {
            return Some(row.socket);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable as _;
    use proptest::prelude::*;

    use super::*;

    fn row(first: u128, last: u128, protocol: u8, port: u16, socket: u32) -> LookupRow {
        let (first, last) = (Words::from_u128(first), Words::from_u128(last));
        LookupRow { first, last, socket, port, protocol, ..LookupRow::zeroed() }
    }

    fn found(rows: &[LookupRow], address: u128, protocol: u32, port: u32) -> Option<u32> {
        let call = Call { address: Words::from_u128(address), protocol, port };
        find(&call, |place| rows.get(place as usize))
    }

    proptest! {
        #[test]
        fn addresses_are_compared_as_numbers(first: u128, last: u128, address: u128) {
            let rows = [row(first, last, 6, 443, 7)];
            let within = first <= address && address <= last;
            prop_assert_eq!(found(&rows, address, 6, 443), within.then_some(7));
            prop_assert_eq!(found(&rows, first, 6, 443), (first <= last).then_some(7));
            prop_assert_eq!(found(&rows, last, 6, 443), (first <= last).then_some(7));
        }
    }

    #[test]
    fn the_first_row_that_fits_decides() {
        let rows = [row(10, 19, 6, 443, 1), row(10, 19, 17, 443, 2), row(20, 29, 6, 443, 3), row(0, 99, 6, 80, 4)];
        assert_eq!(found(&rows, 15, 6, 443), Some(1));
        assert_eq!(found(&rows, 15, 17, 443), Some(2));
        assert_eq!(found(&rows, 20, 6, 443), Some(3));
        assert_eq!(found(&rows, 30, 6, 443), None);
        assert_eq!(found(&rows, 30, 6, 80), Some(4));
        assert_eq!(found(&rows, 15, 6, 444), None);
        // A protocol or port that is a row's when it is cut short.
        assert_eq!(found(&rows, 15, 6 + 256, 443), None);
        assert_eq!(found(&rows, 15, 6, 443 + 65_536), None);
    }

    #[test]
    fn nothing_is_found_behind_the_last_row() {
        let rows = [row(0, u128::MAX, 6, 1, 1), LookupRow::zeroed(), row(0, u128::MAX, 6, 2, 2)];
        assert_eq!(found(&rows, 5, 6, 1), Some(1));
        assert_eq!(found(&rows, 5, 6, 2), None);
        assert_eq!(found(&rows, 0, 0, 0), None);
        let full = [row(1, 1, 6, 1, 1); LOOKUP_ROWS as usize];
        assert_eq!(found(&full, 2, 6, 1), None);
    }
}
