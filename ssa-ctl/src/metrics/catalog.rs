//! Nothing in; every metric that there is, with its unit, its labels and what it means, out.
//!
//! The names are for good: dashboards and alerts of others have them. No label holds an address or the number of a slice,
//! so that there are as many series as services and endpoints make, whatever is sent.

use super::family::Description;

/// Frames of a service.
pub const RECEIVED_PACKETS: Description = Description::counter(
    "ssa_received_packets",
    &["service"],
    "Frames to the service; the sum over reasons, and over treatments.",
);
/// Octets of a service.
pub const RECEIVED_BYTES: Description =
    Description::counter("ssa_received", &["service"], "Octets of frames to the service, Ethernet header included.")
        .in_unit("bytes");
/// Frames by reason.
pub const PACKETS: Description = Description::counter(
    "ssa_packets",
    &["service", "reason"],
    "Frames to the service, by the reason why they conform or not.",
);
/// Octets by reason.
pub const BYTES: Description =
    Description::counter("ssa", &["service", "reason"], "Octets of frames to the service, by reason.").in_unit("bytes");
/// Frames by treatment.
pub const TREATED_PACKETS: Description = Description::counter(
    "ssa_treated_packets",
    &["service", "treatment"],
    "Frames to the service, by what happened to them.",
);
/// Octets by treatment.
pub const TREATED_BYTES: Description = Description::counter(
    "ssa_treated",
    &["service", "treatment"],
    "Octets of frames to the service, by what happened to them.",
)
.in_unit("bytes");
/// Frames that went on only because nothing is enforced.
pub const WOULD_DROP_PACKETS: Description = Description::counter(
    "ssa_would_drop_packets",
    &["service"],
    "Frames that went on because enforce does not cover their source, and would have been dropped.",
);
/// Octets of them.
pub const WOULD_DROP_BYTES: Description =
    Description::counter("ssa_would_drop", &["service"], "Octets of frames that would have been dropped.")
        .in_unit("bytes");
/// Good frames that were held back.
pub const HELD_BACK_PACKETS: Description = Description::counter(
    "ssa_held_back_packets",
    &["service", "reason", "treatment"],
    "Frames that follow the rule or are known, of sources above their share: given low priority, or dropped.",
);
/// Suspects without a mark.
pub const UNMARKED_PACKETS: Description = Description::counter(
    "ssa_unmarked_packets",
    &["service"],
    "Suspects that went on without their mark; at zero again where maps grow.",
);
/// Suspects without a queue.
pub const UNQUEUED_PACKETS: Description = Description::counter(
    "ssa_unqueued_packets",
    &["service"],
    "Suspects that found no queue and went on at once; at zero again where maps grow.",
);
/// Frames to no service.
pub const OUTSIDE_PACKETS: Description = Description::counter(
    "ssa_outside_packets",
    &["reason"],
    "Frames outside of all services: other, which pass, and malformed, which do not.",
);
/// Octets of them.
pub const OUTSIDE_BYTES: Description =
    Description::counter("ssa_outside", &["reason"], "Octets of frames outside of all services.").in_unit("bytes");

/// The build.
pub const BUILD_INFO: Description = Description::gauge(
    "ssa_build_info",
    &["version", "build"],
    "Always 1: the version of ssa-ctl, and a digest of the object that the filter was loaded from.",
);
/// Whether the filter is this binary's.
pub const PROGRAM_CURRENT: Description = Description::gauge(
    "ssa_program_current",
    &[],
    "1 where the filter was loaded from the object in this ssa-ctl, else 0.",
);
/// The layout.
pub const LAYOUT_VERSION: Description =
    Description::gauge("ssa_layout_version", &[], "The version of the layout of the maps.");
/// The generation.
pub const GENERATION: Description =
    Description::gauge("ssa_generation", &[], "Counts up with every change of the config or of slices.");
/// Services.
pub const SERVICES: Description = Description::gauge("ssa_services", &[], "Services in force.");
/// Blocked prefixes.
pub const BLOCKS: Description =
    Description::gauge("ssa_blocks", &["origin"], "Source prefixes that are blocked, by who has blocked them.");
/// The share of the sources that are enforced.
pub const ENFORCED: Description = Description::gauge(
    "ssa_enforced",
    &["service"],
    "The share of the sources for which the rule is enforced, 0 to 1.",
)
.in_unit("ratio");
/// Attached or not.
pub const INTERFACE_ATTACHED: Description = Description::gauge(
    "ssa_interface_attached",
    &["interface"],
    "1 where the interface is filtered, 0 where it should be and is not.",
);
/// The pinned filter or another.
pub const INTERFACE_CURRENT: Description =
    Description::gauge("ssa_interface_current", &["interface"], "1 where the interface has the pinned filter, else 0.");
/// In which mode.
pub const INTERFACE_INFO: Description = Description::gauge(
    "ssa_interface_info",
    &["interface", "mode"],
    "Always 1: the mode of a filtered interface, native or generic.",
);
/// The clock's age.
pub const CLOCK_AGE: Description =
    Description::gauge("ssa_clock_age", &[], "Time since the clock was published.").in_unit("seconds");
/// The clock's error.
pub const CLOCK_ERROR: Description =
    Description::gauge("ssa_clock_error", &[], "By how much the published clock is off; positive where it is ahead.")
        .in_unit("seconds");
/// The clock is too old.
pub const CLOCK_STALE: Description = Description::gauge(
    "ssa_clock_stale",
    &[],
    "1 where the clock is older than the smallest max_age of a service, else 0.",
);
/// When it is.
pub const CLOCK_MAX_AGE: Description = Description::gauge(
    "ssa_clock_max_age",
    &["service", "stale_clock"],
    "The max_age of the service; stale_clock is what an older clock does to its rule: last, open or closed.",
)
.in_unit("seconds");
/// Marked or not.
pub const INTERFACE_MARKED: Description = Description::gauge(
    "ssa_interface_marked",
    &["interface"],
    "1 where packets of suspects are marked, 0 where they should be and are not.",
);
/// Events.
pub const EVENTS: Description =
    Description::counter("ssa_events", &[], "Events that were written, read or not; at zero again where maps grow.");
/// Flows that are not remembered.
pub const FLOWS_TURNED_AWAY: Description = Description::counter(
    "ssa_flows_turned_away_packets",
    &[],
    "Packets that began no remembered flow, as it was too soon for another; at zero again where maps grow.",
);
/// What the kernel refuses.
pub const REFUSED: Description = Description::counter(
    "ssa_refused",
    &["kind"],
    "What the kernel has refused to the program, by what it was asked for; at zero again where maps grow.",
);
/// Kernel memory.
pub const MEMORY: Description =
    Description::gauge("ssa_memory", &["kind"], "Kernel memory that maps and programs take.").in_unit("bytes");

/// Slices of an endpoint.
pub const SLICES: Description =
    Description::gauge("ssa_slices", &["service", "endpoint"], "Slices of the service that the endpoint owns.");
/// Frames of those.
pub const SLICE_FRAMES: Description = Description::gauge(
    "ssa_slice_frames",
    &["service", "endpoint"],
    "Frames that the slices have counted which the endpoint owns now: goes up and down with the owners.",
);
/// Slices in handover.
pub const SLICES_IN_HANDOVER: Description = Description::gauge(
    "ssa_slices_in_handover",
    &["service"],
    "Slices that have moved and whose previous owner keeps its connections for a while.",
);
/// How long still.
pub const HANDOVER_REMAINING: Description =
    Description::gauge("ssa_handover_remaining", &["service"], "Time until the last handover of the service is over.")
        .in_unit("seconds");
/// Slices that stay.
pub const SLICES_PINNED: Description =
    Description::gauge("ssa_slices_pinned", &["service"], "Slices that stay where they are, whatever the balance.");
/// Weights.
pub const ENDPOINT_WEIGHT: Description =
    Description::gauge("ssa_endpoint_weight", &["endpoint"], "The weight of the endpoint against those of others.");
/// Draining.
pub const ENDPOINT_DRAINING: Description =
    Description::gauge("ssa_endpoint_draining", &["endpoint"], "1 where the endpoint gives its slices away, else 0.");
/// This host.
pub const ENDPOINT_THIS_HOST: Description =
    Description::gauge("ssa_endpoint_this_host", &["endpoint"], "1 where the endpoint is this host, else 0.");
/// Whether frames can be sent there.
pub const ENDPOINT_REACHABLE: Description = Description::gauge(
    "ssa_endpoint_reachable",
    &["endpoint"],
    "1 where a way from this host to the endpoint is known, 0 where frames are to be sent on to it and none is.",
);

/// All of them, in the order of the text.
pub const ALL: [&Description; 41] = [
    &RECEIVED_PACKETS,
    &RECEIVED_BYTES,
    &PACKETS,
    &BYTES,
    &TREATED_PACKETS,
    &TREATED_BYTES,
    &WOULD_DROP_PACKETS,
    &WOULD_DROP_BYTES,
    &HELD_BACK_PACKETS,
    &UNMARKED_PACKETS,
    &UNQUEUED_PACKETS,
    &OUTSIDE_PACKETS,
    &OUTSIDE_BYTES,
    &BUILD_INFO,
    &PROGRAM_CURRENT,
    &LAYOUT_VERSION,
    &GENERATION,
    &SERVICES,
    &BLOCKS,
    &ENFORCED,
    &INTERFACE_ATTACHED,
    &INTERFACE_CURRENT,
    &INTERFACE_INFO,
    &INTERFACE_MARKED,
    &CLOCK_AGE,
    &CLOCK_ERROR,
    &CLOCK_STALE,
    &CLOCK_MAX_AGE,
    &EVENTS,
    &FLOWS_TURNED_AWAY,
    &REFUSED,
    &MEMORY,
    &SLICES,
    &SLICE_FRAMES,
    &SLICES_IN_HANDOVER,
    &HANDOVER_REMAINING,
    &SLICES_PINNED,
    &ENDPOINT_WEIGHT,
    &ENDPOINT_DRAINING,
    &ENDPOINT_THIS_HOST,
    &ENDPOINT_REACHABLE,
];
