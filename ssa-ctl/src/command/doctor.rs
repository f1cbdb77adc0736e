//! `doctor`: what on this host would spoil the filter, out.

mod refused;
mod suspects;

use std::{fs, path::Path};

use serde::Serialize;
use serde_json::json;

use crate::{
    change::{InForce, link_states, ticks},
    config::Endpoint,
    context::Context,
    failure::{Exit, Outcome},
    kernel::{
        attach::word,
        clock,
        instance::Instance,
        netlink::{Host, Interface},
        permission,
        pins::Pins,
        version, ways,
    },
    plan::ways::{Way, needs_ways, stranger},
};

/// Look for what on this host would spoil the filter
///
/// Looks at capabilities, the BPF file system, the kernel, interfaces (MTU, VLAN offload, foreign programs), source
/// routing, tunnels, the ways to endpoints, low priority and the clock. Changes nothing. Exit code 1 if something is broken;
/// warnings alone are 0.
#[derive(clap::Args)]
pub struct Args {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Broken,
}

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    message: String,
    hint: Option<&'static str>,
}

impl Finding {
    fn new(check: &'static str, level: Level, message: impl Into<String>, hint: &'static str) -> Self {
        let hint = (level != Level::Ok).then_some(hint);
        Self { check, level, message: message.into(), hint }
    }
}

/// Examines this host.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    let pins = Pins::new(&context.pin_root);
    let mut findings = vec![capabilities(), file_system(&pins), kernel()];
    match Host::ask() {
        Ok(host) => {
            let in_force = InForce::read(context).ok();
            findings.extend(interfaces(in_force.as_ref(), &pins, &host));
            findings.extend(in_force.iter().flat_map(|in_force| endpoints(in_force, &host)));
            findings.extend(in_force.iter().flat_map(|in_force| suspects::findings(in_force, &host)));
            findings.extend(in_force.iter().flat_map(refused::findings));
        }
        Err(error) => {
            findings.push(Finding::new("interfaces", Level::Broken, format!("{error:#}"), "is netlink open?"));
        }
    }
    findings.extend(forwarding());
    findings.push(wall_clock(context, &pins));
    let broken = findings.iter().any(|finding| finding.level == Level::Broken);
    if context.json {
        context.object(&json!({ "ok": !broken, "findings": findings }))?;
    } else {
        let rows = findings.iter().map(|finding| {
            let level = match finding.level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Broken => "BROKEN",
            };
            let hint = finding.hint.map_or_else(String::new, |hint| format!("; {hint}"));
            [finding.check.to_owned(), level.into(), format!("{}{hint}", finding.message)]
        });
        context.table(["CHECK", "STATE", "FOUND"], rows)?;
    }
    Ok(if broken { Exit::Broken } else { Exit::Done })
}

fn capabilities() -> Finding {
    let missing: Vec<_> = permission::missing().into_iter().map(|(name, _)| name).collect();
    match missing.as_slice() {
        [] => Finding::new("capabilities", Level::Ok, "all there", ""),
        missing => Finding::new(
            "capabilities",
            Level::Broken,
            format!("{} missing", missing.join(", ")),
            "run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON",
        ),
    }
}

fn file_system(pins: &Pins) -> Finding {
    let there = pins.are_there().unwrap_or(false);
    let checked = if pins.root().exists() { pins.check() } else { pins.check_parent() };
    match checked {
        Ok(()) if there => Finding::new("bpffs", Level::Ok, format!("an instance is at {}", pins.root().display()), ""),
        Ok(()) => Finding::new("bpffs", Level::Ok, format!("{} can be made", pins.root().display()), ""),
        Err(failure) => {
            Finding::new("bpffs", Level::Broken, failure.error.to_string(), "mount one: mount -t bpf bpf /sys/fs/bpf")
        }
    }
}

fn kernel() -> Finding {
    let release = version::release();
    if let Some(lack) = version::lack(&release) {
        return Finding::new("kernel", Level::Broken, lack, "boot a newer kernel");
    }
    if !Path::new("/sys/kernel/btf/vmlinux").exists() {
        let message = format!("{release} has no BTF");
        return Finding::new("kernel", Level::Warning, message, "use one with CONFIG_DEBUG_INFO_BTF");
    }
    Finding::new("kernel", Level::Ok, release, "")
}

fn interfaces(in_force: Option<&InForce>, pins: &Pins, host: &Host) -> Vec<Finding> {
    let config = in_force.map(|in_force| &in_force.config);
    let wanted: Vec<&Interface> = match config {
        Some(config) => config.host.interfaces.iter().filter_map(|name| host.interface(name)).collect(),
        None => host.interfaces.iter().filter(|interface| interface.name != "lo").collect(),
    };
    let links = link_states(pins, host).unwrap_or_default();
    let mut findings = Vec::new();
    for name in config.iter().flat_map(|config| &config.host.interfaces) {
        let attached = links.iter().any(|link| link.name == *name && link.interface != 0);
        if !attached {
            let message = format!("{name} is in the running config and not filtered");
            findings.push(Finding::new("attachment", Level::Broken, message, "run apply again"));
        }
    }
    for interface in wanted {
        findings.extend(interface_findings(interface, &links));
    }
    if findings.is_empty() {
        findings.push(Finding::new("interfaces", Level::Ok, "nothing in the way", ""));
    }
    findings
}

/// Bytes of a page less the headroom and tail that XDP keeps: above this a driver needs multi-buffer frames.
const ONE_BUFFER: u32 = 3506;

fn interface_findings(interface: &Interface, links: &[crate::plan::steps::LinkState]) -> Vec<Finding> {
    let name = &interface.name;
    let mut findings = Vec::new();
    let ours = links.iter().any(|link| link.interface == interface.index);
    if let Some((id, _)) = interface.program.filter(|_| !ours) {
        let message = format!("{name} has another XDP program, {id}");
        findings.push(Finding::new("foreign program", Level::Warning, message, "apply will refuse this interface"));
    }
    if interface.mtu > ONE_BUFFER {
        let message = format!("{name} has an MTU of {}", interface.mtu);
        findings.push(Finding::new("mtu", Level::Warning, message, "its driver must take multi-buffer XDP frames"));
    }
    let driver = interface.driver().unwrap_or_else(|| "a virtual driver".into());
    let mode = links.iter().find(|link| link.interface == interface.index).and_then(|link| link.mode);
    let mode = mode.map_or_else(|| "not filtered".to_owned(), |mode| format!("filtered in {} mode", word(mode)));
    findings.push(Finding::new("driver", Level::Ok, format!("{name} has {driver}, {mode}"), ""));
    if interface.strips_vlan_tags() == Some(true) {
        let message = format!("{name} takes VLAN tags off first: tagged frames are judged like untagged ones");
        findings.push(Finding::new("vlan offload", Level::Ok, message, ""));
    }
    if Path::new(&format!("/proc/net/vlan/{name}")).exists() {
        let message = format!("{name} is a VLAN interface");
        findings.push(Finding::new(
            "vlan",
            Level::Warning,
            message,
            "filter its parent: native mode sees tagged frames there",
        ));
    }
    let tunnel = fs::read_to_string(format!("/sys/class/net/{name}/type")).unwrap_or_default();
    if !matches!(tunnel.trim(), "1" | "772" | "") {
        let message = format!("{name} carries no Ethernet");
        findings.push(Finding::new("tunnel", Level::Broken, message, "filter the Ethernet interface below it"));
    }
    findings
}

/// The ways to the endpoints in force, and whether endpoints take what this host sends.
fn endpoints(InForce { running, config, .. }: &InForce, host: &Host) -> Vec<Finding> {
    let ways = match ways::in_force(config, host, &running.tables) {
        Ok(ways) => ways,
        Err(error) => return vec![Finding::new("way", Level::Warning, format!("{error:#}"), "is netlink open?")],
    };
    let of = |endpoint: &Endpoint| {
        let name = &endpoint.name;
        match (ways.hops.get(name).and_then(|hop| Way::of(hop, &ways.links)), ways.without.get(name)) {
            (Some(way), _) => Some(Finding::new("way", Level::Ok, format!("to {name}: {way}"), "")),
            // Nobody looks for ways that nothing takes.
            (None, Some(why)) if needs_ways(config, &ways) => {
                let hint = "what is for it is dropped: mend that, and run apply again";
                Some(Finding::new("way", Level::Warning, format!("to {name}: none: {why}"), hint))
            }
            (None, _) => None,
        }
    };
    let mut findings: Vec<_> = config.endpoints.iter().filter_map(of).collect();
    let hint = "else endpoints leave what it sends alone";
    findings.extend(stranger(config, &ways).map(|message| Finding::new("tunnel", Level::Warning, message, hint)));
    findings
}

fn forwarding() -> Vec<Finding> {
    let read = |path: &str| fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<i32>().ok());
    let routed = read("/proc/sys/net/ipv6/conf/all/accept_source_route").unwrap_or(0);
    let level = if routed > 0 { Level::Warning } else { Level::Ok };
    let message = format!("net.ipv6.conf.all.accept_source_route is {routed}");
    let mut findings = vec![Finding::new(
        "source routing",
        level,
        message,
        "a routing header could lead a packet to a service after it was judged: set it to 0",
    )];
    if read("/proc/sys/net/ipv6/conf/all/seg6_enabled").is_some_and(|value| value > 0) {
        findings.push(Finding::new(
            "source routing",
            Level::Warning,
            "segment routing is enabled",
            "a segment list could lead a packet to a service after it was judged",
        ));
    }
    findings
}

/// The clock may be wrong by this before an epoch rule suffers, in seconds.
const CLOCK_TOLERANCE: f64 = 1.0;

fn wall_clock(context: &Context<'_>, pins: &Pins) -> Finding {
    let hertz = clock::hertz().unwrap_or(0);
    let published =
        Instance::open(pins, true).ok().and_then(|instance| Some((instance.clock().ok()?, ticks(pins).ok()?)));
    match published {
        None => Finding::new("clock", Level::Ok, format!("{hertz} ticks a second"), ""),
        Some((row, ticks)) => {
            let error = ticks.error(row, clock::now(context.now));
            let level = if error.abs() > CLOCK_TOLERANCE { Level::Warning } else { Level::Ok };
            Finding::new("clock", level, format!("the program's clock is {error:+.3} s off"), "run apply again")
        }
    }
}
