//! Services in; the tables that the law looks them up in, as plain memory, out.

use bytemuck::Zeroable;
use ssa_common::{
    bits::{Words, mask},
    judge::{Tables, places},
    layout::{BANK_MAGIC, LENGTHS},
    parse::protocol,
    rows::{
        AllowRow, BankRow, ClockRow, EndpointRow, FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_LOW_PRIORITY,
        FLAG_PREVIOUS, FLAG_SLICES, PrefixRow, PreviousRow, STALE_LAST, ServiceRow, SliceRow, SliceWord,
    },
    rule::{Placed, Rule, Secrets, Timing, epoch::Clock},
};
use ssa_tests::frames::{KEYS, Service};

/// Ticks a second of the clock that judges.
pub const HERTZ: u32 = 250;
/// Slots of a bank, a power of two.
const SLOTS: u32 = 64;
/// The second bank: the first is left as an array is made, all zeros.
const FIRST_PREFIX: u32 = SLOTS;
const FIRST_SERVICE: u32 = 100;
const FIRST_SLICE: u32 = 1000;
/// The place of the first endpoint.
pub const FIRST_ENDPOINT: u32 = 7;

/// The kernel's maps, in memory.
pub struct Memory {
    pub bank: BankRow,
    pub prefixes: Vec<PrefixRow>,
    pub previous: Vec<PreviousRow>,
    pub services: Vec<ServiceRow>,
    pub slices: Vec<SliceWord>,
    pub endpoints: Vec<EndpointRow>,
}

impl Tables for Memory {
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
        self.slices.get(place as usize).copied().unwrap_or_default()
    }

    fn endpoint(&self, place: u32) -> Option<&EndpointRow> {
        self.endpoints.get(place as usize)
    }
}

impl Memory {
    /// Brings the services into force; the previous rules last until `deadline`, in Unix seconds.
    pub fn new(services: &[Service], deadline: u64) -> Self {
        let mut lengths: Vec<u8> = services.iter().map(|service| service.length).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let mut masks = [Words::default(); LENGTHS];
        for (to, &length) in masks.iter_mut().zip(&lengths) {
            *to = Words::from_u128(mask(0, length)).loaded();
        }
        let bank = BankRow {
            magic: BANK_MAGIC,
            lengths: u32::try_from(lengths.len()).unwrap(),
            seeds: [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f],
            shift: 64 - SLOTS.ilog2(),
            first_prefix: FIRST_PREFIX,
            first_service: FIRST_SERVICE,
            events: 100,
            generation: 1,
            masks,
            ..BankRow::zeroed()
        };
        let mut memory = Self {
            bank,
            prefixes: vec![PrefixRow::zeroed(); 2 * SLOTS as usize],
            previous: vec![PreviousRow::zeroed(); 2 * SLOTS as usize],
            services: vec![ServiceRow::zeroed(); FIRST_SERVICE as usize + 32],
            slices: vec![],
            endpoints: vec![],
        };
        for (number, service) in (1..).zip(services) {
            let length = lengths.iter().position(|&length| length == service.length).unwrap();
            memory.add(service, number, u32::try_from(length).unwrap(), deadline);
        }
        memory
    }

    fn add(&mut self, service: &Service, number: u32, length: u32, deadline: u64) {
        let mut row = PrefixRow {
            prefix: Words::from_u128(service.prefix).loaded(),
            service: number,
            length: length + 1,
            flags: flags(service),
            first_cell: 0,
            enforce: 0,
            slices: SliceRow::zeroed(),
            allow: std::array::from_fn(|index| {
                service.allow.get(index).map_or_else(AllowRow::zeroed, |text| allow(text))
            }),
            rule: place(service, service.rule).row(&secrets(), timing(5)),
        };
        row.enforce_below(if service.enforce { 1 << 32 } else { 0 });
        let slot = self.insert(&row);
        if let Some(rule) = service.previous {
            let rule = place(service, rule).row(&secrets(), timing(5));
            self.previous[slot] = PreviousRow { deadline: deadline * u64::from(HERTZ), rule };
        }
        let row = &mut self.services[(FIRST_SERVICE + number) as usize];
        row.name[..service.name.len()].copy_from_slice(service.name.as_bytes());
        row.allowed = u32::try_from(service.allow.len()).unwrap();
        for (to, text) in row.allow.iter_mut().zip(service.allow) {
            *to = allow(text);
        }
    }

    fn insert(&mut self, row: &PrefixRow) -> usize {
        let places = places(&self.bank, row.prefix).map(|place| (FIRST_PREFIX + place) as usize);
        let slot = places.into_iter().find(|&slot| self.prefixes[slot].length == 0);
        let slot = slot.expect("one of the two places is free");
        self.prefixes[slot] = *row;
        slot
    }

    /// Cuts all prefixes into 2^`bits` slices, whose words `word` makes of the service's number and the slice's.
    pub fn cut(&mut self, bits: u8, steer: u8, word: impl Fn(u32, u32) -> SliceWord) {
        self.bank.first_slice = FIRST_SLICE;
        let (count, services) = (1 << bits, u32::try_from(self.prefixes.len()).unwrap());
        self.slices = vec![SliceWord::zeroed(); (FIRST_SLICE + count * services) as usize];
        let lengths = self.bank.masks.map(|mask| mask.hi.count_ones() + mask.lo.count_ones());
        for row in self.prefixes.iter_mut().filter(|row| row.length != 0) {
            let length = u8::try_from(lengths[row.length as usize - 1]).unwrap();
            let first = row.service * count;
            row.flags |= FLAG_SLICES;
            row.slices = SliceRow { first, cells: count * services, steer, ..SliceRow::behind(length, bits) };
            for slice in 0..count {
                self.slices[(FIRST_SLICE + first + slice) as usize] = word(row.service, slice);
            }
        }
    }

    /// Endpoints in the order of their addresses; this host is the one with a number, or none.
    pub fn with_endpoints(&mut self, addresses: &[u128], host: Option<u32>) {
        self.bank.first_endpoint = FIRST_ENDPOINT;
        self.bank.endpoints = u32::try_from(addresses.len()).unwrap();
        self.bank.host = host.map_or(0, |host| host + 1);
        let row = |address: &u128| EndpointRow { address: Words::from_u128(*address), ..EndpointRow::zeroed() };
        self.endpoints = vec![EndpointRow::zeroed(); FIRST_ENDPOINT as usize];
        self.endpoints.extend(addresses.iter().map(row));
    }

    /// One service that takes everything and drops what does not conform.
    pub fn of_rule(placed: &Placed, secrets: &Secrets<'_>, skew: u32) -> Self {
        let mut memory = Self::new(&[], 0);
        memory.bank.lengths = 1;
        memory.bank.masks[0] = Words::from_u128(mask(0, placed.length())).loaded();
        memory.insert(&PrefixRow {
            prefix: Words::from_u128(placed.prefix()).loaded(),
            service: 1,
            length: 1,
            enforce: 1 << 32,
            rule: placed.row(secrets, timing(skew)),
            ..PrefixRow::zeroed()
        });
        memory
    }

    /// The slot of a service's prefix.
    pub fn slot(&self, name: &str, services: &[Service]) -> &PrefixRow {
        let number = services.iter().position(|service| service.name == name).unwrap() + 1;
        self.prefixes.iter().find(|row| row.service as usize == number).unwrap()
    }
}

fn flags(service: &Service) -> u32 {
    let flag = |set: bool, flag: u32| if set { flag } else { 0 };
    flag(service.low_priority, FLAG_LOW_PRIORITY)
        | flag(!service.allow.is_empty(), FLAG_ALLOW)
        | flag(service.deny_source_in_service, FLAG_DENY_SOURCE_IN_SERVICE)
        | flag(service.previous.is_some(), FLAG_PREVIOUS)
}

fn allow(text: &str) -> AllowRow {
    match text.split_once('/') {
        Some(("tcp", port)) => AllowRow { port: port.parse().unwrap(), protocol: protocol::TCP, any_port: 0 },
        None if text == "icmpv6" => AllowRow { port: 0, protocol: protocol::ICMPV6, any_port: 1 },
        _ => panic!("the table of services has no {text}"),
    }
}

fn place(service: &Service, rule: &str) -> Placed {
    rule.parse::<Rule>().unwrap().place(service.prefix, service.length).unwrap()
}

fn secrets() -> Secrets<'static> {
    Secrets { salt: [0; 16], ring: &KEYS }
}

/// Times for the clock here, which is never stale.
pub fn timing(skew: u32) -> Timing {
    Timing { hertz: HERTZ, skew, max_age: 0, stale: STALE_LAST }
}

/// A boot clock that counts ticks, and the offset somebody published.
pub struct Boot {
    pub ticks: u64,
    pub row: ClockRow,
}

impl Clock for Boot {
    fn published(&self) -> ClockRow {
        self.row
    }

    fn ticks(&self) -> u64 {
        self.ticks
    }
}

impl Boot {
    /// A host that was up for a day at Unix time `ticks`, its offset published one tick before.
    pub fn at(ticks: u64) -> Self {
        let up = 86_400 * u64::from(HERTZ);
        Self { ticks: up, row: ClockRow { offset: ticks.wrapping_sub(up), published: up - 1 } }
    }
}
