//! An edit of the block list in; the list so in force, all of it at once, and what that changed, out.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv6Net;

use super::{InForce, perform};
use crate::{
    config::Refusal,
    context::{Context, since_1970},
    failure::Failure,
    kernel::{clock, create, netlink::Host, permission},
    plan::{
        blocks::{Block, Changes, Edit, Entry, Moment, Place, slots},
        shape::Shape,
    },
};

/// How an edit is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Say what would change, and change nothing.
    pub dry_run: bool,
    /// Block even addresses of this host and of endpoints.
    pub force: bool,
}

/// Changes the block list. Takes the writers' lock, no key file and no interface.
///
/// # Errors
/// Where nothing is loaded, what is to be taken away is not there, or what is to be blocked is this host or an endpoint.
pub fn edit_blocks(context: &mut Context<'_>, edit: &Edit, manner: Manner) -> Result<Changes, Failure> {
    let (_lock, in_force) = InForce::lock(context, manner.dry_run)?;
    if !manner.force {
        check_covered(&in_force, &edit.add)?;
    }
    let before = in_force.instance.blocks()?;
    let (ticks, hertz) = (in_force.now()?, in_force.instance.meta.hertz);
    let now = Moment { ticks, hertz, unix: since_1970(clock::now(context.now)) };
    let (list, changes) = edit.of(before, now).map_err(Failure::refused)?;
    if manner.dry_run || !changes.is_some() && changes.expired == 0 {
        return Ok(changes);
    }
    let slots = slots(&list);
    if slots <= in_force.instance.meta.blocks {
        in_force.instance.put_blocks(&list)?;
    } else {
        grow(&in_force, slots, &list)?;
    }
    Ok(changes)
}

/// The same config with a longer list: the program over larger maps, in the place of the one in force. All counters go on.
fn grow(in_force: &InForce, slots: u32, list: &[Block]) -> Result<(), Failure> {
    permission::check().map_err(|failure| failure.hint("a longer list takes larger maps, and those a program anew"))?;
    let InForce { pins, instance, running, .. } = in_force;
    let mut made = create::make(Shape { blocks: slots, ..instance.shape() })?;
    made.instance.publish(instance.clock()?)?;
    made.instance.put_in_force(&running.tables, &running.document, running.generation)?;
    made.instance.put_blocks(list)?;
    for queue in instance.queues.all()? {
        made.instance.queues.make(queue)?;
    }
    made.instance.carry_slice_frames(instance)?;
    let numbers = instance.numbers()?;
    Ok(perform::take_over(pins, &mut made, instance, (&numbers, &numbers))?)
}

/// Refuses what would cut this host, or an endpoint, off from services.
fn check_covered(in_force: &InForce, add: &[Entry]) -> Result<(), Failure> {
    if add.is_empty() {
        return Ok(());
    }
    let prefixes: BTreeMap<Ipv6Net, Place> = add.iter().map(|entry| (entry.prefix, entry.place)).collect();
    let lengths: BTreeSet<u8> = prefixes.keys().map(Ipv6Net::prefix_len).collect();
    let covering = |address| {
        let prefix = |length: &u8| Ipv6Net::new(address, *length).ok().map(|net| net.trunc());
        lengths.iter().filter_map(prefix).find_map(|prefix| prefixes.get_key_value(&prefix))
    };
    let host = Host::ask()?;
    let own = host.addresses.iter().map(|(_, address)| (*address, "an address of this host".to_owned()));
    let endpoints = in_force.config.endpoints.iter();
    let endpoints = endpoints.map(|endpoint| (endpoint.address, format!("the endpoint {}", endpoint.name)));
    for (address, what) in own.chain(endpoints) {
        if let Some((prefix, place)) = covering(address) {
            let place = if *place == Place::Alone { String::new() } else { format!("{place}: ") };
            let longer = if prefix.prefix_len() < 128 { "block a longer prefix, or " } else { "" };
            let (message, help) = (format!("{place}{prefix} covers {address}, {what}"), format!("{longer}say --force"));
            return Err(Failure::refused(Refusal { message, help }));
        }
    }
    Ok(())
}
