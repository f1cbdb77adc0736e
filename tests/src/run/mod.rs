//! Config text in; its rows, the program loaded over them, and what a frame moved, out. Needs root and bpf.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use ssa_common::{
    rows::{Cell, HopRow},
    rule::Key,
    verdict::{Treatment, Verdict},
};
use ssa_ctl::{
    config::{self, Source},
    kernel::{clock, sandbox::Sandbox},
    plan::{
        ground::{Ground, Neighbourhood},
        numbers::Numbers,
        shape::Shape,
        tables::Tables,
    },
};
use tempfile::TempDir;

use crate::{
    frames::{Case, KEYS, RING, Service},
    net::scratch,
};

/// Maps as small as can be.
pub const SMALL: Shape = Shape {
    services: 2,
    prefixes: 2,
    chunks: 1,
    slices: 0,
    slice_cells: 0,
    endpoints: 0,
    flows: 0,
    shares: 0,
    blocks: 1024,
};
/// `XDP_DROP` of `linux/bpf.h`.
pub const DROP: u32 = 1;
/// `XDP_PASS` of `linux/bpf.h`.
pub const PASS: u32 = 2;
/// `XDP_TX` of `linux/bpf.h`.
pub const BACK: u32 = 3;
/// `XDP_REDIRECT` of `linux/bpf.h`.
pub const REDIRECT: u32 = 4;

/// A config that grows by services, and a folder for its key files.
#[derive(Debug)]
pub struct Config {
    text: String,
    folder: TempDir,
    host: Neighbourhood,
}

impl Default for Config {
    fn default() -> Self {
        let folder = scratch().expect("a folder for key files");
        Self { text: "version = 1\n".into(), folder, host: Neighbourhood::default() }
    }
}

impl Config {
    /// A host that keeps so many events a second.
    #[must_use]
    pub fn events(mut self, events: u32) -> Self {
        let first = "version = 1\n";
        self.text = self.text.replacen(first, &format!("{first}[host]\nevents = {events}\n"), 1);
        self
    }

    /// Tables that stand behind the services.
    #[must_use]
    pub fn also(mut self, lines: &str) -> Self {
        self.text += lines;
        self
    }

    /// A service: the lines of its table.
    #[must_use]
    pub fn service(mut self, lines: &str) -> Self {
        self.text += "[[service]]\n";
        self.text += lines;
        self.text += "\n";
        self
    }

    /// An endpoint, and the way to it; without one it is this host.
    #[must_use]
    pub fn endpoint(mut self, name: &str, address: &str, way: Option<HopRow>) -> Self {
        self.text.extend(["[[endpoint]]\nname = \"", name, "\"\naddress = \"", address, "\"\n"]);
        match way {
            Some(way) => drop(self.host.hops.insert(name.into(), way)),
            None => self.host.endpoint = Some(name.into()),
        }
        self
    }

    /// A key of the last service.
    #[must_use]
    pub fn key(mut self, ring: &str, number: u32, secret: [u8; 16]) -> Self {
        let file = format!("{:x}.key", self.text.len());
        write_key(&self.folder.path().join(&file), secret);
        let key = format!("[[service.keys]]\nname = \"{ring}\"\nnumber = {number}\nfile = \"{file}\"\n");
        self.text += &key;
        self
    }

    /// The services that the cases are for; their previous rules last until `deadline`.
    #[must_use]
    pub fn frames(services: &[Service], deadline: u64) -> Self {
        Self::keyed(services, &KEYS, deadline)
    }

    /// Any services; those with a `mac` have these keys.
    #[must_use]
    pub fn keyed(services: &[Service], keys: &[Key], deadline: u64) -> Self {
        services.iter().fold(Self::default(), |config, service| {
            let config = config.service(&lines(service, deadline));
            if !service.rule.contains("mac(") {
                return config;
            }
            keys.iter().fold(config, |config, key| config.key(RING, key.number, key.secret))
        })
    }

    /// The rows, in tables as small as they can be, and the services' numbers, which keep what `before` gave them.
    pub fn tables(&self, before: &Numbers) -> (Tables, Numbers) {
        let services = self.text.matches("[[service]]").count() + 1;
        let services = u32::try_from(services).expect("a test has some hundred services").next_power_of_two();
        self.tables_of(before, Shape { services, prefixes: services * 4, ..SMALL })
    }

    /// The rows in tables of this shape.
    pub fn tables_of(&self, before: &Numbers, shape: Shape) -> (Tables, Numbers) {
        let source = Source { path: self.folder.path().join("config.toml"), text: self.text.clone() };
        let checked = config::parse(source).unwrap_or_else(|faults| panic!("{faults:?}\n{}", self.text));
        let rings = checked.load_keys().unwrap_or_else(|faults| panic!("{faults:?}"));
        let config = &checked.config;
        let numbers = before.next(config, shape.services);
        let hertz = clock::hertz().expect("a kernel with ticks");
        let Shape { slices, slice_cells, endpoints, flows, shares, .. } = Shape::of(config, 0);
        let shape = Shape { slices, slice_cells, endpoints, flows, shares, ..shape };
        let ground = Ground { host: Some(&self.host), ..Ground::new(hertz, shape, &numbers) };
        let tables = Tables::compile_for(config, &rings, &ground);
        (tables.expect("a checked config compiles"), numbers)
    }
}

fn write_key(path: &Path, secret: [u8; 16]) {
    fs::write(path, format!("{:032x}", u128::from_be_bytes(secret))).expect("a key file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode");
}

fn lines(service: &Service, deadline: u64) -> String {
    let Service { name, prefix, length, rule, previous, allow, low_priority, enforce, deny_source_in_service, .. } =
        *service;
    let named = format!(
        "name = \"{name}\"\nprefixes = [\"{}/{length}\"]\nrule = \"{rule}\"\n\
         enforce = \"{}\"\non_mismatch = \"{}\"\ndeny_source_in_service = {deny_source_in_service}\n",
        std::net::Ipv6Addr::from_bits(prefix),
        if enforce { "on" } else { "off" },
        if low_priority { "lowprio" } else { "drop" },
    );
    let allow = if allow.is_empty() { String::new() } else { format!("allow = {allow:?}\n") };
    let previous = previous.map(|rule| format!("[service.previous]\nrule = \"{rule}\"\nuntil = {deadline}\n"));
    named + &allow + &previous.unwrap_or_default()
}

/// The program over these rows.
///
/// # Panics
/// Where it cannot be loaded: this ring needs root, and a kernel with bpf. It is never skipped.
pub fn load(tables: &Tables) -> Sandbox {
    Sandbox::new(tables).unwrap_or_else(|error| {
        panic!("the ring `run` loads the program into the kernel: run it as root, where bpf(2) is allowed: {error:#}")
    })
}

/// The action that a treatment is.
pub const fn action(treatment: Treatment) -> u32 {
    match treatment {
        Treatment::Pass | Treatment::Forward | Treatment::LowPriority => PASS,
        Treatment::Drop => DROP,
    }
}

/// A verdict's place among the cells of all services.
pub const fn cell(verdict: &Verdict) -> usize {
    (verdict.service * Verdict::CELLS + verdict.cell()) as usize
}

/// The place of what a case counts, where the services have these numbers.
pub fn place(case: &Case, numbers: &Numbers) -> usize {
    cell(&Verdict {
        service: case.service.map_or(0, |name| numbers.get(name).expect("a service of the case")),
        reason: case.reason,
        treatment: case.treatment,
        would_drop: case.would_drop,
    })
}

/// What moved between two readings: place, packets, bytes.
pub fn moved(before: &[Cell], after: &[Cell]) -> Vec<(usize, u64, u64)> {
    let changes = before.iter().zip(after).enumerate().filter(|(_, (before, after))| before != after);
    changes.map(|(at, (old, new))| (at, new.packets - old.packets, new.bytes - old.bytes)).collect()
}

/// What a place among all cells counts, for people.
pub fn name(place: usize) -> String {
    let cells = Verdict::CELLS as usize;
    let of = u32::try_from(place % cells).ok().and_then(Verdict::of_cell);
    format!("service {} {of:?}", place / cells)
}
