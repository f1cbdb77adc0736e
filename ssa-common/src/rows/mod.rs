//! The rows that cross between the controller and the program: plain bytes, fixed widths, no padding.
//!
//! Fields are read by the law in this crate and written by the rule compiler and the controller's plan. Numbers are in
//! the host's order; addresses and keys are [`Words`](crate::bits::Words), the value of their network-order octets. A change
//! of a row is one of [`VERSION`](crate::layout::VERSION).

mod anchor;
mod bank;
mod block;
mod clock;
mod count;
mod endpoint;
mod event;
mod fair;
mod flow;
mod lookup;
mod low;
mod meta;
mod owner;
mod prefix;
mod refused;
mod rule;
mod service;
mod slice;

pub use self::{
    anchor::{AnchorRow, CalledRow, ClientMetaRow, ClientRow, ExcludedRow, GivenKey},
    bank::{ActiveRow, BankRow},
    block::{BLOCK_ENTRY_BITS, BUCKET, BlockBankRow, BlockRow, BlockTextRow, BucketRow, SIEVE_BITS, SIEVED},
    clock::{ClockRow, TICK_PARTS},
    count::Cell,
    endpoint::{EndpointRow, HopRow},
    event::{EventGateRow, EventRateRow, EventRow},
    fair::{FairRow, ShareRow},
    flow::{FlowGateRow, FlowKey, FlowRow},
    lookup::{LookupMetaRow, LookupRow},
    low::{LowRow, MarkRow, SuspectsRow},
    meta::MetaRow,
    owner::{COARSE, OWNERS, OwnersRow, ShortWord, SliceWord},
    prefix::{
        FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_FAIR, FLAG_FLOWS, FLAG_LOW_CPU, FLAG_LOW_LIMIT, FLAG_LOW_MARK,
        FLAG_LOW_PLAIN, FLAG_LOW_PRIORITY, FLAG_PREVIOUS, FLAG_SLICES, FLAG_SOCKETS, FLAG_STRICT, LOW_OTHERWISE,
        PrefixRow, PreviousRow,
    },
    refused::{Refused, RefusedRow},
    rule::{
        BitsRow, HashedRow, KeyRow, ONE_WORD, RuleRow, SHAPE_BITS, SHAPE_COMMON, SHAPE_HASH, SHAPE_MAC, STALE_CLOSED,
        STALE_LAST, STALE_OPEN,
    },
    service::{AllowRow, ServiceRow},
    slice::{STEER_IP6IP6, STEER_L2, STEER_ROUTE, SliceRow},
};
