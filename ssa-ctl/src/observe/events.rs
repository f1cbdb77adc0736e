//! A pin root in; the events that its rings hold, in the order of their time, and how many nobody has read, out.
//!
//! The rings keep the newest events, and any number of readers read them at once. None of them writes anything, or keeps the
//! program from writing.

use std::{collections::BTreeMap, path::Path, time::Duration};

use rustix::{
    fd::OwnedFd,
    net::{AddressFamily, SocketType, netdevice::index_to_name, socket},
    time::{ClockId, Timespec, clock_gettime},
};
use ssa_common::{
    rows::EventRow,
    verdict::{Reason, Treatment, Verdict},
};

use super::{ends::Ends, refused::Diagnostics};
use crate::{
    failure::Failure,
    kernel::{
        events::{Rings, Slot},
        instance::Instance,
        pins::Pins,
    },
};

/// How often an instance may be found half replaced, one look after the other, before that is an error.
const TRIES: u32 = 20;

/// A frame that was not plainly good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Since the begin of 1970, as the wall clock is now.
    pub time: Duration,
    /// The service, or `#` and its number where that is in force no more. None: outside any service.
    pub service: Option<String>,
    /// Why it conforms or not.
    pub reason: Reason,
    /// What the law made of it.
    pub treatment: Treatment,
    /// It went on because nothing is enforced.
    pub would_drop: bool,
    /// The interface that it came in by, or `#` and its number where that is gone.
    pub interface: String,
    /// The receive queue of that.
    pub queue: u32,
    /// The CPU that judged it.
    pub cpu: usize,
    /// The generation that was in force.
    pub generation: u64,
    /// Octets of the frame.
    pub octets: u32,
    /// The first of them, 128 at most, as the frame came in.
    pub head: Vec<u8>,
}

impl Event {
    /// Addresses, protocol and ports of the packet; none where the head has no whole IPv6 header.
    pub fn ends(&self) -> Option<Ends> {
        Ends::of(&self.head)
    }
}

/// What one look finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// By time.
    pub events: Vec<Event>,
    /// Events that were overwritten before they were read.
    pub overwritten: u64,
}

/// Reads events, from the oldest that the rings hold.
pub struct Reader {
    pins: Pins,
    opened: Opened,
    failed: u32,
}

/// An instance, and how far its rings are read.
struct Opened {
    instance: Instance,
    rings: Rings,
    /// Of each CPU, how many events come before the next.
    next: Vec<u64>,
    services: BTreeMap<u32, String>,
    generation: u64,
    interfaces: BTreeMap<u32, String>,
    socket: Option<OwnedFd>,
}

impl Reader {
    /// Opens the rings below a pin root.
    ///
    /// # Errors
    /// [`Code::NotLoaded`](crate::failure::Code::NotLoaded) where there is nothing.
    pub fn open(pin_root: &Path) -> Result<Self, Failure> {
        let pins = Pins::new(pin_root);
        Ok(Self { opened: Opened::new(&pins)?, pins, failed: 0 })
    }

    /// Events a second that are kept at most; 0: none.
    pub fn rate(&self) -> anyhow::Result<u32> {
        self.opened.instance.events_wanted()
    }

    /// What the kernel has refused to the program so far.
    pub fn refused(&self) -> anyhow::Result<Diagnostics> {
        Diagnostics::read(&self.opened.instance)
    }

    /// The services in force.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.opened.services.values().map(String::as_str)
    }

    /// What is read at this moment.
    pub(super) const fn instance(&self) -> &Instance {
        &self.opened.instance
    }

    /// What came since the last look.
    ///
    /// Larger maps begin with empty rings: what is left in the old ones is read before.
    ///
    /// # Errors
    /// [`Code::NotLoaded`](crate::failure::Code::NotLoaded) where the instance is gone.
    pub fn look(&mut self) -> Result<Batch, Failure> {
        let is_pinned = self.opened.instance.is_pinned(&self.pins);
        let mut batch = self.opened.look()?;
        if !is_pinned {
            match Opened::new(&self.pins) {
                Ok(opened) => (self.opened, self.failed) = (opened, 0),
                // While maps change places, some may be missing.
                Err(failure) if failure.is_passing() && self.failed < TRIES => self.failed += 1,
                Err(failure) => return Err(failure),
            }
        }
        batch.events.sort_by_key(|event| event.time);
        Ok(batch)
    }
}

impl Opened {
    fn new(pins: &Pins) -> Result<Self, Failure> {
        let instance = Instance::open(pins, true)?;
        let rings = Instance::rings(pins)?;
        let mut opened = Self {
            next: vec![0; rings.written().len()],
            rings,
            services: BTreeMap::new(),
            generation: 0,
            interfaces: BTreeMap::new(),
            // Without one, interfaces have no names.
            socket: socket(AddressFamily::UNIX, SocketType::DGRAM, None).ok(),
            instance,
        };
        opened.name_services()?;
        Ok(opened)
    }

    fn name_services(&mut self) -> anyhow::Result<()> {
        self.generation = self.instance.generation()?;
        self.services = self.instance.numbers()?.iter().map(|(name, number)| (number, name.to_owned())).collect();
        Ok(())
    }

    fn look(&mut self) -> Result<Batch, Failure> {
        let mut batch = Batch::default();
        let boot = boot();
        for (cpu, written) in self.rings.written().into_iter().enumerate() {
            let oldest = written.saturating_sub(self.rings.slots());
            batch.overwritten += oldest.saturating_sub(self.next[cpu]);
            self.next[cpu] = self.next[cpu].max(oldest);
            while self.next[cpu] < written {
                match self.rings.read(cpu, self.next[cpu]) {
                    Slot::Whole(row) => batch.events.extend(self.event(cpu, &row, boot)?),
                    Slot::Overwritten => batch.overwritten += 1,
                    // The next look finds it.
                    Slot::Unfinished => break,
                }
                self.next[cpu] += 1;
            }
        }
        Ok(batch)
    }

    /// None: nothing that this program writes.
    fn event(&mut self, cpu: usize, row: &EventRow, boot: Duration) -> anyhow::Result<Option<Event>> {
        let Some((reason, treatment, would_drop)) = Verdict::of_cell(row.cell) else { return Ok(None) };
        if row.generation != self.generation && self.generation != self.instance.generation()? {
            self.name_services()?;
        }
        let service = || self.services.get(&row.service).cloned().unwrap_or_else(|| format!("#{}", row.service));
        Ok(Some(Event {
            time: boot + Duration::from_nanos(row.time),
            service: (row.service != 0).then(service),
            reason,
            treatment,
            would_drop,
            interface: self.interface(row.interface),
            cpu,
            queue: row.queue,
            generation: row.generation,
            octets: row.octets,
            head: row.head[..row.head.len().min(row.captured as usize)].to_vec(),
        }))
    }

    fn interface(&mut self, index: u32) -> String {
        let name = |index| index_to_name(self.socket.as_ref()?, index).ok();
        self.interfaces.entry(index).or_insert_with(|| name(index).unwrap_or_else(|| format!("#{index}"))).clone()
    }
}

/// When the machine began, by the wall clock as it is now.
fn boot() -> Duration {
    let read = |clock| {
        let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
        Duration::new(tv_sec.unsigned_abs(), u32::try_from(tv_nsec).unwrap_or(0))
    };
    read(ClockId::Realtime).saturating_sub(read(ClockId::Boottime))
}
