//! Ten times as many suspects as a way behind a host takes, and some datagrams that conform, in; the part of these that comes
//! through, by what becomes of suspects, out.

use std::{
    array,
    net::{Ipv6Addr, UdpSocket},
    process, thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use etherparse::PacketBuilder;
use serde_json::Value;

use super::site::{CALLED, CLIENT, HOST, PREFIX, RULE};
use crate::{
    bench::{Context, filter::Filter},
    net::{FrameSocket, Namespace, address, classify_code_points, heard, interface, narrow, neighbour, route, veth},
};

/// What becomes of suspects.
pub(super) struct Suspects {
    pub(super) id: &'static str,
    /// For people.
    pub(super) name: &'static str,
    /// The list `low_priority`, and the rate if there is one.
    lines: &'static str,
    /// Whether the queue looks at code points.
    by_code_point: bool,
}

/// All leave by one class of the queue.
pub(super) const ONE_CLASS: &str = "one-class";
const KINDS: [Suspects; 5] = [
    Suspects { id: ONE_CLASS, name: "all in one class", lines: "[\"dscp\"]", by_code_point: false },
    Suspects { id: "dscp", name: "suspects by code point", lines: "[\"dscp\"]", by_code_point: true },
    Suspects { id: "mark", name: "suspects by mark", lines: "[\"mark\"]", by_code_point: false },
    Suspects { id: "cpu-mark", name: "suspects by CPU and mark", lines: "[\"cpu\", \"mark\"]", by_code_point: false },
    Suspects { id: "rate", name: "suspects by rate", lines: "[]\nlow_priority_rate = 100", by_code_point: false },
];
/// What suspects have on the host.
const QUEUES: &str = "[host.low_priority]\ncpu = 0\nmark = 42\npriority = \"1:20\"\n";

/// Turns of the sender, and how long each lasts. In a brief run there are few.
const TURNS: u32 = 250;
const BRIEF: u32 = 10;
const TURN: Duration = Duration::from_millis(4);
/// Suspects of a turn, beside one datagram that conforms: 100 Mbit/s beside 2.
const SUSPECTS: u32 = 50;
/// Octets of a datagram.
const OCTETS: usize = 1000;
/// Those that conform, and those that do not.
const GOOD: u8 = b'g';
const WRONG: u8 = b's';
const PORT: u16 = 7000;
/// The server hears nothing for so long where nothing more comes.
const SILENCE: Duration = Duration::from_millis(1500);
/// So long where there is no queue yet; and until the way must be open.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// The server, and the host on their link.
const SERVER: &str = "2001:db8:d::2";
const BEFORE_SERVER: &str = "2001:db8:d::1";

/// The part that comes through, in percent, of each round.
pub(super) fn measure(context: &Context, rounds: u32) -> Result<Vec<(&'static Suspects, Vec<f64>)>> {
    let what = format!("goodput: {rounds} rounds of {} treatments of suspects before a narrow way", KINDS.len());
    let phase = context.phase(&what, u64::from(rounds) * KINDS.len() as u64);
    let mut given: Vec<_> = KINDS.iter().map(|suspects| (suspects, vec![])).collect();
    for _ in 0..rounds {
        for (suspects, parts) in &mut given {
            let road = Road::build(suspects).context("no narrow way can be made")?;
            parts.push(road.part(context, suspects).with_context(|| suspects.name)?);
            phase.step()?;
        }
    }
    Ok(given)
}

/// A client, a host that routes, and a server behind the narrow way.
struct Road {
    client: Namespace,
    host: Namespace,
    server: Namespace,
    /// Their interfaces: the client's, the host's to it, the host's to the server, the server's.
    names: [String; 4],
}

impl Road {
    fn build(suspects: &Suspects) -> Result<Self> {
        let [client, host, server] = ["n-client", "n-host", "n-server"].map(Namespace::new);
        let (client, host, server) = (client?, host?, server?);
        let names = ["c", "h", "o", "s"].map(|end| format!("n{}{end}", process::id()));
        let [near, inside, out, far] = &names;
        veth((&host, inside), (&client, near))?;
        veth((&host, out), (&server, far))?;
        for (namespace, name, own) in [
            (&client, near, &CLIENT.to_string()[..]),
            (&host, inside, &HOST.to_string()),
            (&host, out, BEFORE_SERVER),
            (&server, far, SERVER),
        ] {
            address(namespace, name, &format!("{own}/64"))?;
        }
        host.enter(|| std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1"))?
            .context("the host routes nothing")?;
        route(&host, &[&format!("{PREFIX}/64"), "via", SERVER])?;
        route(&server, &["local", &format!("{PREFIX}/64"), "dev", "lo"])?;
        // Nobody needs to ask for an address in the flood.
        neighbour(&host, out, SERVER, interface(&server, far)?.mac)?;
        narrow(&host, out)?;
        if suspects.by_code_point {
            classify_code_points(&host, out)?;
        }
        Ok(Self { client, host, server, names })
    }

    /// Sends both kinds; what conforms and arrives, in percent. What the filter has counted is exact.
    fn part(&self, context: &Context, suspects: &Suspects) -> Result<f64> {
        let more = format!("on_mismatch = \"lowprio\"\nlow_priority = {}\n{QUEUES}", suspects.lines);
        let filter = Filter::with(&context.ssa_ctl, &self.names[1], &format!("{PREFIX}/64"), RULE, &more)?;
        filter.apply(&self.host)?;
        let turns = if context.brief { BRIEF } else { TURNS };
        let socket = self.server.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, PORT)))?;
        let socket = socket.context("the server hears nothing")?;
        self.open(context, &socket)?;
        let before = self.seen(&filter)?;
        let arrived = thread::scope(|scope| {
            let server = scope.spawn(|| heard(&socket, GOOD));
            let sent = self.send(turns);
            sent.and_then(|()| server.join().expect("a server does not panic"))
        })?;
        let after = self.seen(&filter)?;
        let [conform, mismatch, treated, lost] = array::from_fn(|at| after[at] - before[at]);
        let sent = u64::from(turns * (SUSPECTS + 1));
        ensure!(
            conform + mismatch + lost == sent && treated == mismatch,
            "of {sent} frames {lost} were lost before the filter, {conform} conformed and {mismatch} did not; it treated \
             {treated} as suspects"
        );
        filter.down(&self.host)?;
        Ok(f64::from(arrived) / f64::from(turns) * 100.0)
    }

    /// Waits until what conforms comes through: new interfaces take their time.
    fn open(&self, context: &Context, socket: &UdpSocket) -> Result<()> {
        let wire = FrameSocket::open(&self.client, &self.names[0])?;
        let good = self.frame(CALLED, GOOD)?;
        socket.set_read_timeout(Some(PAUSE))?;
        context.wait_until("the narrow way to be open", LONGEST, || {
            wire.send(&good).is_ok() && heard(socket, GOOD).is_ok_and(|good| good > 0)
        })?;
        socket.set_read_timeout(Some(SILENCE)).context("the server cannot wait")
    }

    /// Frames that conformed, that did not, that were treated as suspects, and that were lost before.
    fn seen(&self, filter: &Filter) -> Result<[u64; 4]> {
        let counted = |kind, name| filter.packets(&self.host, [kind, name]);
        Ok([
            counted("reasons", "conform")?,
            counted("reasons", "field-mismatch")?,
            counted("treatments", "lowprio")? + counted("treatments", "drop")?,
            self.lost()?,
        ])
    }

    /// Frames that did not reach the host, as it took none for a moment.
    fn lost(&self) -> Result<u64> {
        let said = self.client.ip(&["-j", "-s", "link", "show", "dev", &self.names[0]])?;
        let links: Value = serde_json::from_str(&said).with_context(|| format!("ip answered {said}"))?;
        links[0]["stats64"]["tx"]["dropped"]
            .as_u64()
            .with_context(|| format!("ip does not count what was lost: {said}"))
    }

    fn send(&self, turns: u32) -> Result<()> {
        let wire = FrameSocket::open(&self.client, &self.names[0])?;
        let (good, wrong) = (self.frame(CALLED, GOOD)?, self.frame(PREFIX, WRONG)?);
        let mut due = Instant::now();
        for _ in 0..turns {
            for place in 0..=SUSPECTS {
                // What is refused is counted as lost.
                let _ = wire.send(if place == SUSPECTS / 2 { &good } else { &wrong });
            }
            due += TURN;
            // sleep: until the next turn.
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    fn frame(&self, to: Ipv6Addr, kind: u8) -> Result<Vec<u8>> {
        let mac = |namespace, name: &str| interface(namespace, name).map(|interface| interface.mac);
        let macs = (mac(&self.client, &self.names[0])?, mac(&self.host, &self.names[1])?);
        let packet = PacketBuilder::ethernet2(macs.0, macs.1).ipv6(CLIENT.octets(), to.octets(), 64);
        let mut frame = Vec::new();
        packet.udp(40_000, PORT).write(&mut frame, &[kind; OCTETS]).context("a frame cannot be written")?;
        Ok(frame)
    }
}
