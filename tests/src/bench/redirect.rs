//! Hardware addresses and interfaces in; a program that sends a frame out by the interface of its address, out.

use anyhow::Result;

use super::{
    instruction::{Op, R, Size, begin, call, end, leave, length, load, number, skip_if, with, with_number},
    program::Program,
};
use crate::net::Interface;

/// `XDP_PASS` of `linux/bpf.h`.
const PASS: i32 = 2;
/// The helper `bpf_redirect`.
const REDIRECT: i32 = 23;
/// Octets of an Ethernet header, and where the last four of the destination are in it.
const ETHERNET: i16 = 14;
const ADDRESS: i16 = 2;

/// What a switch does, before there is a packet buffer: for each port its number, and who is behind it. What is for others
/// goes to the stack.
pub fn redirecting(ports: &[(u32, Interface)]) -> Result<Program> {
    const CONTEXT: R = R(1);
    const OUT: R = R(1);
    const DATA: R = R(2);
    const FLAGS: R = R(2);
    const END: R = R(3);
    const ADDRESSED: R = R(4);
    const VALUE: R = R(5);
    let mut ways = leave(PASS).to_vec();
    for (port, behind) in ports.iter().rev() {
        let [_, _, a, b, c, d] = behind.mac;
        let [high, up, low] = number(VALUE, u32::from_ne_bytes([a, b, c, d]).into());
        let here = with_number(Op::Move, OUT, i32::try_from(*port)?);
        let way = [high, up, low, with(Op::Xor, VALUE, ADDRESSED), here, skip_if(VALUE, 0, length(&ways))];
        ways.splice(0..0, way);
    }
    ways.insert(0, load(Size::Word, ADDRESSED, DATA, ADDRESS));
    // What is too short goes to where it passes.
    let long_enough = begin(CONTEXT, 0, [DATA, END, VALUE], ETHERNET, length(&ways) - length(&leave(PASS)));
    let redirect = [with_number(Op::Move, FLAGS, 0), call(REDIRECT), end()];
    Program::xdp(&[long_enough.as_slice(), &ways, &redirect].concat())
}
