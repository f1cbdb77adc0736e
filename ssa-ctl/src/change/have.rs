//! The kernel in; what is there, in the words of a plan, out.

use std::time::SystemTime;

use anyhow::Context as _;
use aya::programs::{ProgramInfo, Xdp};
use aya_obj::programs::XdpAttachType;

use super::in_force::parse_document;
use crate::{
    kernel::{
        attach::Link,
        clock::{self, Ticks},
        instance::Instance,
        marks,
        netlink::Host,
        object,
        pins::Pins,
    },
    plan::{
        shape::Shape,
        slices::told,
        steps::{Have, LinkState},
    },
};

/// What is there, and its generation.
pub(super) fn have(pins: &Pins, instance: &Instance, wanted: Shape, began: SystemTime) -> anyhow::Result<(Have, u64)> {
    let running = instance.running()?;
    let ticks = ticks(pins)?;
    let published = instance.clock()?;
    let have = Have {
        config: parse_document(&running.document).ok().map(|config| told(&config, &running.tables.slices)),
        document: running.document,
        same_program: instance.meta.build == object::build(),
        room: instance.shape().holds(&wanted),
        clock_error: ticks.error(published, clock::now(began)),
        clock_age: ticks.age(published),
        ticks: ticks.now(),
        links: link_states(pins, &Host::ask()?)?,
        queues: instance.queues.all()?,
        marked: marks::all(pins)?,
        tables: running.tables,
    };
    Ok((have, running.generation))
}

/// The clocks, read by the pinned probe.
pub fn ticks(pins: &Pins) -> anyhow::Result<Ticks> {
    let path = pins.probe();
    let mut probe = Xdp::from_pin(&path, XdpAttachType::Interface)
        .with_context(|| format!("cannot open the pin {}", path.display()))?;
    Ticks::read(&mut probe)
}

/// The pinned links.
pub fn link_states(pins: &Pins, host: &Host) -> anyhow::Result<Vec<LinkState>> {
    let path = pins.filter();
    let filter = ProgramInfo::from_pin(&path).with_context(|| format!("cannot open the pin {}", path.display()))?;
    let mut states = Vec::new();
    for name in pins.linked()? {
        let Some(link) = Link::open(pins, &name)? else { continue };
        let on = host.interfaces.iter().find(|interface| interface.index == link.interface && link.interface != 0);
        // A link that was detached by force is still there, and runs nothing.
        let program = on.and_then(|interface| interface.program).filter(|(id, _)| *id == link.program);
        states.push(LinkState {
            name,
            interface: if program.is_some() { link.interface } else { 0 },
            mode: program.map(|(_, mode)| mode),
            current: program.is_none() || link.program == filter.id(),
        });
    }
    Ok(states)
}
