//! Labels, names and addresses in; network namespaces, veth pairs, cgroups, pin roots and raw frames out, gone with their owner.
//!
//! Needs root and no network. What a killed process left behind, the next one removes.

mod bridge;
mod cgroup;
mod end;
mod frames;
mod leftovers;
mod link;
mod namespace;
mod narrow;
mod pins;
mod process;
mod serve;
mod size;
mod wait;

pub use self::{
    bridge::Bridge,
    cgroup::ControlGroup,
    end::StopAtEnd,
    frames::FrameSocket,
    leftovers::{left_by, scratch},
    link::{Interface, address, interface, neighbour, route, veth},
    namespace::Namespace,
    narrow::{classify_code_points, heard, narrow},
    pins::PinRoot,
    process::{Running, output_of},
    serve::serve,
    size::{rounds, size},
    wait::wait_until,
};
