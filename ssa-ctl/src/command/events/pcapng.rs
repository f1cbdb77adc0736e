//! Events in; the blocks of a pcapng file out (IETF draft-ietf-opsawg-pcapng), which Wireshark opens.
//!
//! Three kinds of blocks are written, and none is read: a crate for the format brings a parser and macros that are built with
//! another version of what we have.

use std::collections::HashMap;

use ssa_common::layout::HEAD;

use crate::observe::events::Event;

/// `LINKTYPE_ETHERNET`.
const ETHERNET: u16 = 1;
/// Options end with this one.
const END: u16 = 0;
/// A comment, of any block.
const COMMENT: u16 = 1;
/// The application, of a section.
const APPLICATION: u16 = 4;
/// The name, of an interface.
const NAME: u16 = 2;
/// How fine its times are, as a power of ten.
const RESOLUTION: u16 = 9;
const NANOSECONDS: u8 = 9;

/// What has been written of a file: its interfaces have the numbers of their order.
#[derive(Debug, Default)]
pub(super) struct Capture {
    interfaces: HashMap<String, u32>,
}

impl Capture {
    /// What a file begins with.
    pub(super) fn head() -> Vec<u8> {
        let mut body = Vec::new();
        // Who reads it learns the order of octets from this one, then the version 1.0, and that no length is said.
        body.extend(0x1a2b_3c4d_u32.to_le_bytes());
        body.extend([1u16, 0].into_iter().flat_map(u16::to_le_bytes));
        body.extend(u64::MAX.to_le_bytes());
        let name = concat!("ssa-ctl ", env!("CARGO_PKG_VERSION"));
        options(&mut body, &[(APPLICATION, name.as_bytes())]);
        block(0x0a0d_0d0a, &body)
    }

    /// An event, and before it its interface where that is new.
    pub(super) fn event(&mut self, event: &Event) -> Vec<u8> {
        let mut written = Vec::new();
        let count = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        let number = *self.interfaces.entry(event.interface.clone()).or_insert_with(|| {
            written.extend(interface(&event.interface));
            count
        });
        let time = u64::try_from(event.time.as_nanos()).unwrap_or(u64::MAX).to_le_bytes();
        let captured = u32::try_from(event.head.len()).unwrap_or(u32::MAX);
        let mut body = Vec::new();
        body.extend(number.to_le_bytes());
        // The upper word first.
        body.extend([&time[4..], &time[..4]].concat());
        body.extend([captured, event.octets.max(captured)].into_iter().flat_map(u32::to_le_bytes));
        body.extend(&event.head);
        pad(&mut body);
        options(&mut body, &[(COMMENT, comment(event).as_bytes())]);
        written.extend(block(6, &body));
        written
    }
}

/// What the law said of the frame.
fn comment(event: &Event) -> String {
    let service = event.service.as_deref().unwrap_or("-");
    let would_drop = if event.would_drop { " (would drop)" } else { "" };
    format!("ssa: {service} {} {}{would_drop}", event.reason.name(), event.treatment.name())
}

fn interface(name: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend([ETHERNET, 0].into_iter().flat_map(u16::to_le_bytes));
    body.extend(u32::try_from(HEAD).unwrap_or(0).to_le_bytes());
    options(&mut body, &[(NAME, name.as_bytes()), (RESOLUTION, &[NANOSECONDS])]);
    block(1, &body)
}

fn options(body: &mut Vec<u8>, options: &[(u16, &[u8])]) {
    for (code, value) in options.iter().copied().chain([(END, &[][..])]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        body.extend([code, length].into_iter().flat_map(u16::to_le_bytes));
        body.extend(&value[..length.into()]);
        pad(body);
    }
}

/// Everything is aligned to four octets.
fn pad(octets: &mut Vec<u8>) {
    octets.resize(octets.len().next_multiple_of(4), 0);
}

/// A block says its length before and behind its body.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ssa_common::verdict::{Reason, Treatment};

    use super::*;

    /// Kind and body of each block.
    fn blocks(mut octets: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut blocks = Vec::new();
        let word = |octets: &[u8], at: usize| u32::from_le_bytes(*octets[at..].first_chunk().unwrap());
        while !octets.is_empty() {
            let length = word(octets, 4) as usize;
            assert!(length.is_multiple_of(4) && word(octets, length - 4) as usize == length, "{length}");
            blocks.push((word(octets, 0), octets[8..length - 4].to_vec()));
            octets = &octets[length..];
        }
        blocks
    }

    #[test]
    fn each_interface_comes_once_before_its_frames() {
        let event = |interface: &str, octets: usize| Event {
            time: Duration::new(1_700_000_000, 123_456_789),
            service: Some("web".into()),
            reason: Reason::FieldMismatch,
            treatment: Treatment::Drop,
            would_drop: false,
            interface: interface.into(),
            queue: 0,
            cpu: 0,
            generation: 1,
            octets: 1500,
            head: vec![7; octets],
        };
        let mut capture = Capture::default();
        let mut octets = Capture::head();
        for (name, length) in [("eth0", 61), ("eth1", 128), ("eth0", 0)] {
            octets.extend(capture.event(&event(name, length)));
        }
        let blocks = blocks(&octets);
        assert_eq!(blocks.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [0x0a0d_0d0a, 1, 6, 1, 6, 6]);
        assert!(
            blocks[1].1.windows(4).any(|name| name == b"eth0") && blocks[3].1.windows(4).any(|name| name == b"eth1")
        );
        let frame = &blocks[2].1;
        let time = 1_700_000_000_123_456_789_u64;
        let head = [0, time >> 32, time & u64::from(u32::MAX), 61, 1500];
        let head = head.map(|word| u32::try_from(word).unwrap().to_le_bytes()).concat();
        assert_eq!(frame[..20], head);
        assert_eq!((&frame[20..81], &frame[81..84]), (&[7; 61][..], &[0; 3][..]));
        let comment = b"ssa: web field-mismatch drop";
        assert_eq!(frame[84..88], [1, 0, u8::try_from(comment.len()).unwrap(), 0]);
        assert_eq!(&frame[88..88 + comment.len()], comment);
        assert_eq!(blocks[4].1[..4], [1, 0, 0, 0]);
        assert_eq!(blocks[5].1[12..16], [0; 4]);
    }
}
