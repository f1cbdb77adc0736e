//! A checked config and the host in; what of its low priority this host cannot do, with its place, out.

use crate::{
    config::{Checked, LowPriority},
    failure::Failure,
    kernel::{
        features::{is_online, redirects, without_room},
        netlink::{Host, Interface},
    },
    plan::low,
};

/// Refuses a CPU that does not run, and drivers that cannot do what services want done to their suspects.
pub(super) fn check(checked: &Checked, host: &Host) -> Result<(), Failure> {
    let config = &checked.config;
    if let Some(cpu) = low::queue(config).map(|queue| queue.cpu).filter(|cpu| !is_online(*cpu)) {
        let message = format!("CPU {cpu} does not run on this host");
        let help = "name one of those in /sys/devices/system/cpu/online";
        return Err(checked.low_cpu_fault(message, help).into());
    }
    let interfaces: Vec<&Interface> = config.host.interfaces.iter().filter_map(|name| host.interface(name)).collect();
    for (place, service) in config.services.iter().enumerate() {
        for way in [LowPriority::Cpu, LowPriority::Mark] {
            if !low::has(service, way) {
                continue;
            }
            for interface in &interfaces {
                let reason = match way {
                    LowPriority::Cpu if redirects(interface) == Some(false) => {
                        Some("its driver cannot hand frames to another CPU".to_owned())
                    }
                    LowPriority::Mark => without_room(interface),
                    LowPriority::Cpu | LowPriority::Dscp => None,
                };
                if let Some(reason) = reason {
                    let message =
                        format!("low priority by {:?} cannot be had on {}: {reason}", way.name(), interface.name);
                    let help = format!("take {:?} out of low_priority", way.name());
                    return Err(checked.low_priority_fault(place, message, help).into());
                }
            }
        }
    }
    Ok(())
}
