//! What is in force in; whether its suspects get the low priority that they should, out.

use super::{Finding, Level};
use crate::{
    change::InForce,
    kernel::{features::is_online, netlink::Host},
    observe::{
        reading::{self, Unserved},
        state,
    },
    plan::low::{self, Queue},
};

const CHECK: &str = "low priority";

/// The queue for suspects, the marks of their packets, and what could not be done to frames.
pub(super) fn findings(in_force: &InForce, host: &Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(low::queue(&in_force.config).map(|wanted| queue(in_force, wanted)));
    findings.extend(unmarked(in_force, host));
    findings.extend(unserved(in_force));
    findings
}

fn queue(in_force: &InForce, wanted: Queue) -> Finding {
    let Queue { cpu, length } = wanted;
    if !is_online(cpu) {
        let message = format!("suspects wait for CPU {cpu}, which does not run");
        return Finding::new(CHECK, Level::Broken, message, "start it, or name another under [host.low_priority]");
    }
    match in_force.instance.queues.all() {
        Ok(queues) if queues.contains(&wanted) => {
            Finding::new(CHECK, Level::Ok, format!("suspects wait for CPU {cpu}, {length} at most"), "")
        }
        Ok(_) => Finding::new(CHECK, Level::Broken, format!("CPU {cpu} has no queue for suspects"), "run apply again"),
        Err(error) => Finding::new(CHECK, Level::Warning, format!("{error:#}"), "run as root"),
    }
}

fn unmarked(in_force: &InForce, host: &Host) -> Vec<Finding> {
    let finding = |(name, is_marked): (String, bool)| {
        if is_marked {
            Finding::new(CHECK, Level::Ok, format!("packets of suspects on {name} are marked"), "")
        } else {
            let message = format!("packets of suspects on {name} are not marked");
            Finding::new(CHECK, Level::Broken, message, "run apply again")
        }
    };
    match state::marked(in_force, host) {
        Ok(marked) => marked.into_iter().map(finding).collect(),
        Err(error) => vec![Finding::new(CHECK, Level::Warning, format!("{error:#}"), "run as root")],
    }
}

/// What the program has counted.
fn unserved(in_force: &InForce) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Unserved { service: name, unmarked, unqueued } in reading::unserved(&in_force.instance).unwrap_or_default() {
        if unmarked > 0 {
            let message = format!("{unmarked} suspects of {name} could not be marked");
            let hint = "a driver leaves no room in front of frames: take \"mark\" out of low_priority";
            findings.push(Finding::new(CHECK, Level::Warning, message, hint));
        }
        if unqueued > 0 {
            let message = format!("{unqueued} suspects of {name} found no queue and went on at once");
            findings.push(Finding::new(CHECK, Level::Warning, message, "run apply again if there are more and more"));
        }
    }
    findings
}
