//! A config and its keys in; the rows of one bank out. The same rows serve the host's own law.

use std::array;

use anyhow::Context as _;
use bytemuck::Zeroable;
use ssa_common::{
    bits::{Words, mask},
    judge,
    layout::BANK_MAGIC,
    rows::{
        AllowRow, BankRow, BlockBankRow, BlockRow, BucketRow, EndpointRow, FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE,
        FLAG_FAIR, FLAG_FLOWS, FLAG_LOW_LIMIT, FLAG_LOW_PRIORITY, FLAG_PREVIOUS, FLAG_SLICES, FLAG_SOCKETS, PrefixRow,
        PreviousRow, RuleRow, STALE_CLOSED, STALE_LAST, STALE_OPEN, STEER_IP6IP6, STEER_L2, STEER_ROUTE, ServiceRow,
        SliceRow, SliceWord,
    },
    rule::{Rule, Secrets, Timing},
};

use super::{
    blocks::BlockTable,
    ground::{Ground, Neighbourhood, endpoints},
    low,
    numbers::Numbers,
    service::{allow, row},
    shape::Shape,
    slices::Slices,
    table,
};
use crate::config::{Config, Enforce, Established, OnMismatch, Service, StaleClock, Steer, keys::KeyRings};

/// The rows of one bank, at their places counted from the bank's first.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// How prefixes are found.
    pub bank: BankRow,
    /// The prefix table, empty slots included.
    pub prefixes: Vec<PrefixRow>,
    /// Previous rules, in the places of their prefixes.
    pub previous: Vec<PreviousRow>,
    /// Services by number; 0 is unused.
    pub services: Vec<ServiceRow>,
    /// Endpoints by number.
    pub endpoints: Vec<EndpointRow>,
    /// Slices with their owners.
    pub slices: Slices,
    /// The block list, where that is asked too: a config has none.
    pub blocks: BlockTable,
}

impl Tables {
    /// Compiles a config by itself, for a clock of `hertz` ticks a second.
    ///
    /// # Errors
    /// Where a rule does not fit its prefix, which a checked config's does.
    pub fn compile(config: &Config, rings: &KeyRings, hertz: u32) -> anyhow::Result<Self> {
        let numbers = Numbers::default().next(config, u32::MAX);
        let host = Neighbourhood { endpoint: config.host.endpoint.clone(), ..Neighbourhood::default() };
        let ground = Ground { host: Some(&host), ..Ground::new(hertz, Shape::of(config, 0), &numbers) };
        Self::compile_for(config, rings, &ground)
    }

    /// Compiles a config for maps of a given shape and services that have their numbers.
    ///
    /// # Errors
    /// Where a rule does not fit its prefix, or the config the shape; a checked config's does.
    pub fn compile_for(config: &Config, rings: &KeyRings, ground: &Ground<'_>) -> anyhow::Result<Self> {
        let Ground { hertz, shape, numbers, before, host } = *ground;
        let mut bank = BankRow { magic: BANK_MAGIC, events: config.host.events, ..BankRow::zeroed() };
        let endpoints = endpoints(config, &mut bank, shape, host)?;
        let slices = Slices::share(config, shape.slices, before, hertz)?;
        let mut services = vec![ServiceRow::zeroed(); shape.services as usize];
        let mut rows = Vec::new();
        for (index, service) in config.services.iter().enumerate() {
            let number =
                numbers.get(&service.name).with_context(|| format!("service {} has no number", service.name))?;
            *services.get_mut(number as usize).context("more services than the maps have room for")? =
                ServiceRow { low: low::row(service, &config.host, hertz), ..row(service, number, hertz, shape.shares) };
            for prefix in &service.prefixes {
                let length = length(&mut bank, prefix.prefix_len())?;
                let compiler = Compiler { service, rings, index, hertz, prefix };
                let slices = SliceRow { cells: shape.slice_cells, ..compiler.slices(&slices) };
                rows.push((compiler.prefix(number, length, slices, bank.host)?, compiler.previous()?));
            }
        }
        let mut tables = Self {
            bank,
            prefixes: vec![PrefixRow::zeroed(); shape.prefixes as usize],
            previous: vec![PreviousRow::zeroed(); shape.prefixes as usize],
            services,
            endpoints,
            slices,
            blocks: BlockTable::default(),
        };
        let keys: Vec<PrefixRow> = rows.iter().map(|(prefix, _)| *prefix).collect();
        let places = table::build(&mut tables.bank, &keys, shape.prefixes).context("the prefix table is too full")?;
        for ((prefix, previous), place) in rows.into_iter().zip(places) {
            tables.prefixes[place as usize] = prefix;
            tables.previous[place as usize] = previous;
        }
        Ok(tables)
    }

    /// The same rows, by which nothing but the frame itself says what becomes of it: neither sockets nor what came before.
    #[must_use]
    pub fn forgetting(mut self) -> Self {
        for row in &mut self.prefixes {
            row.flags &= !(FLAG_SOCKETS | FLAG_FLOWS | FLAG_FAIR | FLAG_LOW_LIMIT);
        }
        self
    }

    /// The same rows, by which no frame leaves this host for another endpoint.
    #[must_use]
    pub fn staying(mut self) -> Self {
        for row in self.prefixes.iter_mut().filter(|row| row.slices.steer != STEER_ROUTE) {
            row.flags &= !FLAG_SLICES;
        }
        self
    }

    /// The same rows with a block list.
    #[must_use]
    pub fn with_blocks(mut self, blocks: BlockTable) -> Self {
        self.bank.blocks = u32::from(!blocks.rows.is_empty());
        self.blocks = blocks;
        self
    }

    /// Whether, by these rows, frames may leave this host for another endpoint.
    pub fn steers(&self) -> bool {
        self.prefixes.iter().any(|row| row.flags & FLAG_SLICES != 0 && row.slices.steer != STEER_ROUTE)
    }

    /// The same rows with another share of the sources of one service enforced.
    pub fn set_enforce(&mut self, service: u32, enforce: Enforce) {
        for row in self.prefixes.iter_mut().filter(|row| row.service == service) {
            row.enforce_below(threshold(enforce));
        }
    }
}

impl judge::Tables for Tables {
    fn bank(&self) -> Option<&BankRow> {
        Some(&self.bank)
    }

    fn prefix(&self, slot: u32) -> Option<&PrefixRow> {
        self.prefixes.get(slot as usize)
    }

    fn previous(&self, slot: u32) -> Option<&PreviousRow> {
        self.previous.get(slot as usize)
    }

    fn service(&self, index: u32) -> Option<&ServiceRow> {
        self.services.get(index as usize)
    }

    fn slice(&self, place: u32) -> SliceWord {
        self.slices.words.get(place as usize).copied().unwrap_or_default()
    }

    fn endpoint(&self, place: u32) -> Option<&EndpointRow> {
        self.endpoints.get(place as usize)
    }

    fn block_bank(&self, _: u32) -> Option<&BlockBankRow> {
        Some(&self.blocks.bank)
    }

    fn sieve(&self, place: u32) -> Option<u64> {
        self.blocks.sieve.get(place as usize).copied()
    }

    fn bucket(&self, place: u32) -> Option<&BucketRow> {
        self.blocks.index.get(place as usize)
    }

    fn block(&self, place: u32) -> Option<&BlockRow> {
        self.blocks.rows.get(place as usize)
    }
}

/// The place of a prefix length among the bank's masks, in the order the config has them.
fn length(bank: &mut BankRow, bits: u8) -> anyhow::Result<u32> {
    let mask = Words::from_u128(mask(0, bits)).loaded();
    let used = bank.lengths as usize;
    if let Some(place) = bank.masks[..used].iter().position(|other| *other == mask) {
        return Ok(u32::try_from(place)?);
    }
    *bank.masks.get_mut(used).context("more different prefix lengths than there is room for")? = mask;
    bank.lengths += 1;
    Ok(bank.lengths - 1)
}

/// The first entries of a list.
fn first<const N: usize>(list: &[AllowRow]) -> [AllowRow; N] {
    array::from_fn(|index| list.get(index).copied().unwrap_or_default())
}

/// The hashes, 0 to 2^32 − 1, below which a source prefix is enforced.
fn threshold(enforce: Enforce) -> u64 {
    (u64::from(enforce.percent()) << 32) / 100
}

/// One prefix of one service, to be compiled.
struct Compiler<'a> {
    service: &'a Service,
    rings: &'a KeyRings,
    index: usize,
    hertz: u32,
    prefix: &'a ipnet::Ipv6Net,
}

impl Compiler<'_> {
    /// Where the slices of the prefix are; none, where they have neither owners nor counters.
    fn slices(&self, slices: &Slices) -> SliceRow {
        let Some(place) = slices.places.get(&self.service.name) else { return SliceRow::default() };
        let steer = match self.service.steer {
            Steer::Route => STEER_ROUTE,
            Steer::L2 => STEER_L2,
            Steer::Ip6ip6 => STEER_IP6IP6,
        };
        let row = SliceRow::behind(self.prefix.prefix_len(), place.bits);
        SliceRow { first: place.first, steer, ..row }
    }

    fn prefix(&self, number: u32, length: u32, slices: SliceRow, host: u32) -> anyhow::Result<PrefixRow> {
        let Service { on_mismatch, deny_source_in_service, previous, established, fair, .. } = self.service;
        let flag = |flag: u32, set: bool| if set { flag } else { 0 };
        let mut row = PrefixRow {
            prefix: Words::from_u128(self.prefix.network().to_bits()).loaded(),
            service: number,
            length: length + 1,
            flags: flag(FLAG_LOW_PRIORITY, *on_mismatch == OnMismatch::LowPriority)
                | flag(FLAG_ALLOW, self.service.allow.is_some())
                | flag(FLAG_DENY_SOURCE_IN_SERVICE, *deny_source_in_service)
                | flag(FLAG_PREVIOUS, previous.is_some())
                | flag(FLAG_SOCKETS, *established == Some(Established::Socket))
                | flag(FLAG_FLOWS, *established == Some(Established::Flows))
                | flag(FLAG_FAIR, fair.is_some())
                | low::flags(self.service)
                | flag(FLAG_SLICES, self.looks_at_slices(slices, host)),
            first_cell: 0,
            enforce: 0,
            slices: SliceRow { cells: if self.service.slice_counters { slices.cells } else { 0 }, ..slices },
            allow: first(&allow(self.service)),
            rule: self.rule(&self.service.rule)?,
        };
        row.enforce_below(threshold(self.service.enforce));
        Ok(row)
    }

    /// A host that is no endpoint and leaves it to its routes need not know whose a slice is.
    const fn looks_at_slices(&self, slices: SliceRow, host: u32) -> bool {
        slices.mask != 0 && (slices.steer != STEER_ROUTE || host != 0 || self.service.slice_counters)
    }

    fn previous(&self) -> anyhow::Result<PreviousRow> {
        let Some(previous) = &self.service.previous else { return Ok(PreviousRow::zeroed()) };
        let deadline = previous.until.saturating_mul(self.hertz.into());
        Ok(PreviousRow { deadline, rule: self.rule(&previous.rule)? })
    }

    fn rule(&self, rule: &Rule) -> anyhow::Result<RuleRow> {
        let placed = rule
            .place(self.prefix.network().to_bits(), self.prefix.prefix_len())
            .map_err(|mut faults| faults.swap_remove(0))
            .with_context(|| format!("the rule of service {} does not fit {}", self.service.name, self.prefix))?;
        let secrets = Secrets {
            salt: self.service.salt.unwrap_or_default(),
            ring: rule.key().map_or(&[], |name| self.rings.ring(self.index, name)),
        };
        let timing = Timing {
            hertz: self.hertz,
            skew: self.service.skew,
            max_age: self.service.max_age.unwrap_or(0),
            // Without an age nothing is ever stale.
            stale: match self.service.stale_clock {
                _ if self.service.max_age.is_none() => STALE_LAST,
                StaleClock::Last => STALE_LAST,
                StaleClock::Open => STALE_OPEN,
                StaleClock::Closed => STALE_CLOSED,
            },
        };
        Ok(placed.row(&secrets, timing))
    }
}
