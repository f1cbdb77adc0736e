//! The block list in force in; as it is at the moment that is asked about, for both who judge, out.

use std::net::Ipv6Addr;

use serde::Serialize;

use crate::{
    change::ticks,
    context::{Context, unix},
    failure::Failure,
    kernel::{
        clock,
        instance::{Instance, block_table},
        pins::Pins,
    },
    plan::blocks::{Block, BlockTable, NEVER, Origin, covering},
};

/// What blocks a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Blocked {
    /// The prefix on the list.
    pub prefix: String,
    /// Who has put it there.
    pub origin: Origin,
    /// Why.
    pub reason: String,
    /// For so many seconds more; none: for ever.
    pub seconds: Option<u64>,
}

/// The block list at a moment.
pub(super) struct Blocks {
    list: Vec<Block>,
    ticks: u64,
    hertz: u32,
}

impl Blocks {
    /// Reads it as it will be, or was, at this Unix second; as it is now, if none is given.
    pub(super) fn read(context: &Context<'_>, at: Option<u64>) -> Result<Self, Failure> {
        let pins = Pins::new(&context.pin_root);
        let instance = Instance::open(&pins, true)?;
        let (list, hertz) = (instance.blocks()?, instance.meta.hertz);
        let now = unix(clock::now(context.now));
        let later = at.unwrap_or(now).cast_signed() - now.cast_signed();
        let ticks = ticks(&pins)?.now().saturating_add_signed(later * i64::from(hertz));
        Ok(Self { list, ticks, hertz })
    }

    /// What blocks at that moment, and does so for ever: no deadline passes between one who is asked and the other.
    pub(super) fn standing(&self) -> anyhow::Result<BlockTable> {
        let live = self.list.iter().filter(|block| block.is_live(self.ticks));
        block_table(&live.map(|block| Block { deadline: NEVER, ..block.clone() }).collect::<Vec<_>>())
    }

    /// The longest prefix that blocks a source.
    pub(super) fn blocking(&self, source: Ipv6Addr) -> Option<Blocked> {
        let found = covering(&self.list, source, self.ticks);
        found.first().map(|block| Blocked {
            prefix: block.prefix.to_string(),
            origin: block.origin,
            reason: block.reason.clone(),
            seconds: block.seconds(self.ticks, self.hertz),
        })
    }
}
