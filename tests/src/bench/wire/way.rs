//! A context in; all ways to drop a frame out, each on a lane of its own, with how it counts what it dropped.

use std::{any::Any, path::Path};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    frame::{DESTINATION, udp},
    lane::{Lane, PREFIX},
    nftables::{self, Hook, Rule},
    sender::Sender,
};
use crate::bench::{filter::Filter, program::Program, xdp_filter::XdpFilter};

/// `XDP_DROP` of `linux/bpf.h`.
const XDP_DROP: i32 = 1;
/// `TC_ACT_SHOT` of `linux/pkt_cls.h`.
const TC_ACT_SHOT: i32 = 2;

/// What stays in force while it lives.
type Held = Result<Box<dyn Any>>;

/// A way to drop a frame.
pub(super) struct Way {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) lane: Lane,
    pub(super) frame: Vec<u8>,
    dropped: fn(&Lane) -> Result<u64>,
    _held: Box<dyn Any>,
}

/// What there is of it before it has a lane.
pub(super) struct Plan {
    id: &'static str,
    name: &'static str,
    dropped: fn(&Lane) -> Result<u64>,
    load: Box<dyn Fn(&Lane) -> Held>,
}

impl Way {
    /// What this way has dropped since it is there, by its own count.
    pub(super) fn dropped(&self) -> Result<u64> {
        (self.dropped)(&self.lane)
    }
}

impl Plan {
    /// Lays the lane and brings the filter in force.
    pub(super) fn lay(self, sender: &Sender) -> Result<Way> {
        let Self { id, name, dropped, load } = self;
        let lane = Lane::new(&sender.namespace, id, sender.core)?;
        let held = load(&lane).with_context(|| format!("cannot be brought in force: {name}"))?;
        Ok(Way { id, name, frame: udp(&lane)?, lane, dropped, _held: held })
    }
}

/// All ways.
pub(super) fn plans(ssa_ctl: &Path) -> Vec<Plan> {
    let ours = |id, name, rule: &'static str| {
        let ssa_ctl = ssa_ctl.to_owned();
        let load = move |lane: &Lane| -> Held {
            let filter = Filter::new(&ssa_ctl, &lane.name, &format!("{PREFIX}/64"), rule)?;
            filter.apply(&lane.namespace)?;
            Ok(Box::new(filter))
        };
        Plan { id, name, dropped: Lane::dropped_by_xdp, load: Box::new(load) }
    };
    let nft = |id, name, hook, rule| {
        let load = move |lane: &Lane| -> Held { Ok(Box::new(nftables::load(lane, hook, rule)?)) };
        Plan { id, name, dropped: nftables::dropped, load: Box::new(load) }
    };
    let plan = |id, name, dropped, load: fn(&Lane) -> Held| Plan { id, name, dropped, load: Box::new(load) };
    vec![
        plan("empty", "XDP program that drops everything", Lane::dropped_by_xdp, empty),
        ours("bit", "ours, src(16):32", "src(16):32 any:*"),
        ours("hash", "ours, hash(48):12", "hash(48):12 any:*"),
        ours("mac", "ours, mac(48):48", "any:16 mac(48,key=k1):48"),
        plan("xdp-filter", "xdp-filter, address listed", Lane::dropped_by_xdp, |lane| {
            Ok(Box::new(XdpFilter::load(&lane.namespace, &lane.name, "ipv6", DESTINATION)?))
        }),
        plan("tc", "tc clsact program that drops everything", tc_dropped, tc),
        nft("nft-prefix", "nftables netdev ingress, prefix alone", Hook::Ingress, Rule::Prefix),
        nft("nft-pairs", "nftables netdev ingress, 16,384 pairs", Hook::Ingress, Rule::Pairs),
        nft("nft-prerouting", "nftables prerouting, 16,384 pairs", Hook::Prerouting, Rule::Pairs),
        plan("none", "no filter, UDP to no socket", Lane::for_no_port, |_| Ok(Box::new(()))),
    ]
}

fn empty(lane: &Lane) -> Held {
    let mut loaded = Program::answering(XDP_DROP)?;
    loaded.attach(&lane.namespace, &lane.name)?;
    Ok(Box::new(loaded))
}

fn tc(lane: &Lane) -> Held {
    Program::classifying(TC_ACT_SHOT)?.classify(&lane.namespace, &lane.name)?;
    Ok(Box::new(()))
}

fn tc_dropped(lane: &Lane) -> Result<u64> {
    let said = lane.namespace.run("tc", ["-json", "-s", "qdisc", "show", "dev", &lane.name])?;
    let listed: Value = serde_json::from_str(&said).with_context(|| format!("tc answered {said}"))?;
    let mut queues = listed.as_array().into_iter().flatten();
    let clsact = queues.find(|queue| queue["kind"] == "clsact");
    clsact.and_then(|queue| queue["drops"].as_u64()).with_context(|| format!("tc does not count drops: {said}"))
}
