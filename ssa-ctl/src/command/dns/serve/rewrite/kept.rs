//! The octets of an answer in; the same, to be kept by nobody, out. Pure.

use super::message::HEADER;

/// The octets of a record between its name and its data: type, class, time to live, length.
const FIXED: usize = 10;

/// The answer, with no time to live in the records that answer, so that whoever asks, asks again. What cannot be read stays.
pub(super) fn unkept(mut answer: Vec<u8>) -> Vec<u8> {
    let Some(&[.., q0, q1, a0, a1, _, _, _, _]) = answer.first_chunk::<HEADER>() else { return answer };
    let mut at = Some(HEADER);
    for _ in 0..u16::from_be_bytes([q0, q1]) {
        at = at.and_then(|at| Some(name_end(&answer, at)? + 4));
    }
    for _ in 0..u16::from_be_bytes([a0, a1]) {
        let Some(start) = at.and_then(|at| name_end(&answer, at)) else { break };
        let Some(&mut [_, _, _, _, ref mut ttl @ .., l0, l1]) =
            answer.get_mut(start..).and_then(<[u8]>::first_chunk_mut::<FIXED>)
        else {
            break;
        };
        ttl.fill(0);
        at = Some(start + FIXED + usize::from(u16::from_be_bytes([l0, l1])));
    }
    answer
}

/// Where a name ends that begins there: behind its last label, or where it goes on elsewhere (RFC 1035 §4.1.4).
fn name_end(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..64 => at += 1 + usize::from(*length),
            192.. => return Some(at + 2),
            64..192 => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use hickory_proto::{
        op::{Edns, Message, MessageType, OpCode, Query},
        rr::{
            Name, RData, Record, RecordType,
            rdata::{AAAA, CNAME},
        },
    };

    use super::*;

    fn answer() -> Message {
        let name = |text| Name::from_ascii(text).unwrap();
        let mut message = Message::new(7, MessageType::Response, OpCode::Query);
        message.add_query(Query::query(name("www.example.com."), RecordType::AAAA));
        let address =
            |owner, ttl, bits| Record::from_rdata(name(owner), ttl, RData::AAAA(AAAA(Ipv6Addr::from_bits(bits))));
        let alias = Record::from_rdata(name("www.example.com."), 300, RData::CNAME(CNAME(name("web.example.com."))));
        message.add_answers([alias, address("web.example.com.", 300, 1), address("web.example.com.", u32::MAX, 2)]);
        message.add_authority(address("ns.example.com.", 600, 3));
        let mut edns = Edns::new();
        edns.set_max_payload(1232).set_dnssec_ok(true);
        message.set_edns(edns);
        message
    }

    #[test]
    fn only_the_times_of_what_answers_change() {
        let mut expected = answer();
        let kept = unkept(expected.to_vec().unwrap());
        for record in &mut expected.answers {
            record.ttl = 0;
        }
        assert_eq!(kept, expected.to_vec().unwrap());
        assert_eq!(Message::from_vec(&kept).unwrap().authorities[0].ttl, 600);
    }

    #[test]
    fn what_is_cut_off_stays_as_long_as_it_is() {
        let whole = answer().to_vec().unwrap();
        let done = unkept(whole.clone());
        for end in 0..whole.len() {
            let kept = unkept(whole[..end].to_vec());
            assert_eq!(kept.len(), end);
            // Nothing but what is to change has changed.
            assert!(kept.iter().zip(&whole).zip(&done).all(|((kept, whole), done)| kept == whole || kept == done));
        }
    }
}
