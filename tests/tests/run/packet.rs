//! Two addresses in; a frame between them out.

/// A TCP segment to port 443 in a frame, with `more` octets behind it.
pub fn tcp(source: u128, destination: u128, more: usize) -> Vec<u8> {
    tcp_to(443, source, destination, more)
}

/// The same, to another port.
pub fn tcp_to(port: u16, source: u128, destination: u128, more: usize) -> Vec<u8> {
    let length = u16::try_from(20 + more).expect("a short payload");
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0];
    frame.extend(length.to_be_bytes());
    frame.extend([6, 64]);
    frame.extend(source.to_be_bytes());
    frame.extend(destination.to_be_bytes());
    frame.extend(40_000u16.to_be_bytes());
    frame.extend(port.to_be_bytes());
    frame.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
    frame.resize(54 + 20 + more, 0x5a);
    frame
}
