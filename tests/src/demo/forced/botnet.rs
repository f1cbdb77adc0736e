//! What DNS says of a service, and a number, in; bots in so many networks, and what they send onto the wire, out.

use std::{
    collections::BTreeSet,
    net::Ipv6Addr,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use ssa_client::{Selector, Service};

use super::{
    centre::{CENTRES, Centre},
    site::Site,
};
use crate::{
    demo::{
        flood::{anywhere, syn},
        owners::{Owners, slice_of},
        site::UPLINK,
    },
    net::{FrameSocket, wait_until},
    stop::Stop,
};

/// Frames that are sent before anybody looks whether they have arrived: fewer than the ring of a veth holds.
const BATCH: usize = 64;
/// What must arrive arrives within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bot: its address, and the addresses that the rule lets it use, one in each data centre.
struct Bot {
    source: Ipv6Addr,
    uses: Vec<Ipv6Addr>,
}

/// All of them, and their wire.
pub(super) struct Botnet {
    bots: Vec<Bot>,
    socket: FrameSocket,
    router: [u8; 6],
}

impl Botnet {
    /// Bots in `count` networks of /48, anywhere. They know what everybody knows.
    pub(super) fn new(site: &Site, service: &Service, count: usize) -> Result<Self> {
        let selectors = (0..CENTRES).map(|centre| {
            let prefixes = vec![*service.prefixes.get(centre).context("DNS says too few prefixes")?];
            Ok(Selector::new(&Service { prefixes, ..service.clone() }, &[])?)
        });
        let selectors = selectors.collect::<Result<Vec<_>>>()?;
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let (mut networks, mut bots) = (BTreeSet::new(), Vec::with_capacity(count));
        while bots.len() < count {
            let source = anywhere();
            if networks.insert(source.to_bits() >> 80) {
                let uses = selectors.iter().map(|selector| selector.address(source, None, 0, time));
                bots.push(Bot { source, uses: uses.collect::<Result<_, _>>()? });
            }
        }
        let socket = FrameSocket::open(&site.botnet.namespace, UPLINK)?;
        Ok(Self { bots, socket, router: site.router_mac()? })
    }

    /// Each bot sends one frame to the address that is its own in a data centre.
    pub(super) fn follow(&self, centre: &Centre, number: usize, stop: &Stop) -> Result<()> {
        self.send(centre, self.bots.iter().map(|bot| (bot.source, bot.uses[number])), stop)
    }

    /// Each bot sends one frame to the address of one of them, whatever the rule says.
    pub(super) fn gather(&self, centre: &Centre, to: Ipv6Addr, stop: &Stop) -> Result<()> {
        self.send(centre, self.bots.iter().map(|bot| (bot.source, to)), stop)
    }

    /// The bots whose own address in a data centre a proxy has.
    pub(super) fn of(&self, number: usize, owners: &Owners, proxy: &str) -> u64 {
        self.bots.iter().filter(|bot| owners.of(bot.uses[number]) == Some(proxy)).count() as u64
    }

    /// An address of a proxy that a bot may use, and how many bots may use addresses of that slice.
    pub(super) fn target(&self, number: usize, owners: &Owners, proxy: &str) -> Option<(Ipv6Addr, u64)> {
        let used = |bot: &Bot| bot.uses[number];
        let target = self.bots.iter().map(used).find(|used| owners.of(*used) == Some(proxy))?;
        let in_its_slice = self.bots.iter().filter(|bot| slice_of(used(bot)) == slice_of(target));
        Some((target, in_its_slice.count() as u64))
    }

    /// Sends as many frames as arrive: none is lost but by the filters.
    fn send(&self, centre: &Centre, pairs: impl Iterator<Item = (Ipv6Addr, Ipv6Addr)>, stop: &Stop) -> Result<()> {
        let mut expected = centre.filtered()?[0];
        let mut pairs = pairs.peekable();
        while pairs.peek().is_some() {
            stop.check()?;
            for (source, destination) in pairs.by_ref().take(BATCH) {
                self.socket.send(&syn(source, destination, self.router)?).context("a frame is not sent")?;
                expected += 1;
            }
            let all = || centre.filtered().is_ok_and(|[received, ..]| received >= expected);
            wait_until("frames of the botnet to reach the filters", PATIENCE, all)?;
        }
        Ok(())
    }
}
