//! The octets of a question in; what it asks, and the octets of answers of our own, out. Pure.

use std::net::Ipv6Addr;

use anyhow::Context as _;
use hickory_proto::{
    op::{Edns, Message, OpCode, Query, ResponseCode},
    rr::{
        DNSClass, RData, Record, RecordType,
        rdata::{AAAA, opt::EdnsOption},
    },
};

/// Octets of a header.
pub(super) const HEADER: usize = 12;
/// The option with an extended error (RFC 8914 §2).
const EXTENDED_ERROR: u16 = 15;
/// The most octets of an answer over UDP, whatever room is offered: it fits any path.
const MOST: u16 = 1232;

/// How a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Udp,
    Tcp,
}

/// A question that can be answered.
#[derive(Debug)]
pub(super) struct Asked {
    message: Message,
    query: Query,
}

/// What comes in.
#[derive(Debug)]
pub(super) enum Read {
    /// A question.
    Asked(Box<Asked>),
    /// What has an answer already: an error.
    Refused(Vec<u8>),
    /// No question at all.
    Nothing,
}

/// What may be answered otherwise than by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The IPv6 addresses of a name.
    Addresses,
    /// The IPv4 addresses of a name.
    Legacy,
    /// Something else, or by somebody who checks signatures for itself.
    Else,
}

/// Why there is no answer (RFC 8914 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Why {
    Other = 0,
    NobodyReached = 22,
}

impl Asked {
    /// Reads a question.
    pub(super) fn read(octets: &[u8]) -> Read {
        let Some(header) = octets.first_chunk::<HEADER>() else { return Read::Nothing };
        // Who answers is not answered.
        if header[2] & 0x80 != 0 {
            return Read::Nothing;
        }
        let Ok(message) = Message::from_vec(octets) else { return Read::Refused(unreadable(header)) };
        let refused = |code| {
            let error = Message::error_msg(message.metadata.id, message.metadata.op_code, code);
            error.to_vec().map_or(Read::Nothing, Read::Refused)
        };
        if message.metadata.op_code != OpCode::Query {
            return refused(ResponseCode::NotImp);
        }
        let [query] = &message.queries[..] else { return refused(ResponseCode::FormErr) };
        // A zone is many messages.
        if matches!(query.query_type, RecordType::AXFR | RecordType::IXFR) {
            return refused(ResponseCode::Refused);
        }
        let query = query.clone();
        Read::Asked(Box::new(Self { message, query }))
    }

    /// What it asks for.
    pub(super) fn wanted(&self) -> Wanted {
        // A later version of EDNS is somebody else's to refuse.
        let is_ours = self.message.edns.as_ref().is_none_or(|edns| edns.version() == 0);
        if !is_ours || self.message.metadata.checking_disabled || self.query.query_class != DNSClass::IN {
            return Wanted::Else;
        }
        match self.query.query_type {
            RecordType::AAAA => Wanted::Addresses,
            RecordType::A => Wanted::Legacy,
            _ => Wanted::Else,
        }
    }

    /// The name that it asks about, without the dot at its end.
    pub(super) fn name(&self) -> String {
        let name = self.query.name.to_ascii();
        name.strip_suffix('.').unwrap_or(&name).to_owned()
    }

    /// An answer with these addresses, which may be none, to be kept for so many seconds.
    pub(super) fn addresses(&self, addresses: &[Ipv6Addr], ttl: u32, over: Over) -> Option<Vec<u8>> {
        let mut answer = self.answer(ResponseCode::NoError);
        let record = |address: &Ipv6Addr| Record::from_rdata(self.query.name.clone(), ttl, RData::AAAA(AAAA(*address)));
        answer.add_answers(addresses.iter().map(record));
        let octets = answer.to_vec().ok()?;
        if over == Over::Udp && octets.len() > usize::from(self.message.max_payload().min(MOST)) {
            return answer.truncate().to_vec().ok();
        }
        Some(octets)
    }

    /// The answer that there is none, and why.
    pub(super) fn failed(&self, why: Why, words: &str) -> Option<Vec<u8>> {
        let mut answer = self.answer(ResponseCode::ServFail);
        if let Some(edns) = &mut answer.edns {
            let text = [&(why as u16).to_be_bytes(), words.as_bytes()].concat();
            edns.options_mut().insert(EdnsOption::Unknown(EXTENDED_ERROR, text));
        }
        answer.to_vec().ok()
    }

    /// An answer without records. Nobody vouches for it.
    fn answer(&self, code: ResponseCode) -> Message {
        let asked = &self.message.metadata;
        let mut answer = Message::response(asked.id, OpCode::Query);
        answer.metadata.recursion_desired = asked.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.metadata.checking_disabled = asked.checking_disabled;
        answer.metadata.response_code = code;
        answer.add_query(self.query.clone());
        if let Some(asked) = &self.message.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(MOST).set_dnssec_ok(asked.flags().dnssec_ok);
            answer.set_edns(edns);
        }
        answer
    }
}

/// The error for what cannot be read behind its header.
fn unreadable(header: &[u8; HEADER]) -> Vec<u8> {
    let mut answer = [0; HEADER];
    answer[..2].copy_from_slice(&header[..2]);
    // An answer, to the same kind of request.
    answer[2] = 0x80 | header[2] & 0x79;
    answer[3] = ResponseCode::FormErr.low();
    answer.to_vec()
}

/// A message as TCP carries it: behind its length.
pub(super) fn framed(message: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).context("a message is too long for TCP")?;
    Ok([&length.to_be_bytes(), message].concat())
}

#[cfg(test)]
mod tests {
    use hickory_proto::{op::MessageType, rr::Name};

    use super::*;

    fn question(name: &str, kind: RecordType) -> Message {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        message
    }

    fn asked(message: &Message) -> Box<Asked> {
        match Asked::read(&message.to_vec().unwrap()) {
            Read::Asked(asked) => asked,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_that_has_no_room_in_a_datagram_is_cut_off() {
        let long = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "example".to_owned()].join(".");
        let asked = asked(&question(&long, RecordType::AAAA));
        let addresses: Vec<_> = (1..=16).map(Ipv6Addr::from_bits).collect();
        let answer = |over| Message::from_vec(&asked.addresses(&addresses, 3, over).unwrap()).unwrap();
        let cut = answer(Over::Udp);
        assert!(cut.metadata.truncation && cut.answers.is_empty() && cut.queries.len() == 1, "{cut:?}");
        let whole = answer(Over::Tcp);
        assert!(!whole.metadata.truncation && whole.metadata.id == 7 && whole.answers.len() == 16, "{whole:?}");
        assert!(whole.answers.iter().all(|record| record.ttl == 3));
    }

    #[test]
    fn what_is_no_question_is_refused_or_left_alone() {
        let refused = |octets: &[u8]| match Asked::read(octets) {
            Read::Refused(answer) => Message::from_vec(&answer).unwrap().metadata.response_code,
            other => panic!("{other:?}"),
        };
        let whole = question("web.example.com", RecordType::AAAA).to_vec().unwrap();
        assert_eq!(refused(&whole[..whole.len() - 1]), ResponseCode::FormErr);
        assert_eq!(refused(&question("example.com", RecordType::AXFR).to_vec().unwrap()), ResponseCode::Refused);
        let mut update = question("example.com", RecordType::SOA);
        update.metadata.op_code = OpCode::Update;
        assert_eq!(refused(&update.to_vec().unwrap()), ResponseCode::NotImp);
        let mut answer = whole.clone();
        answer[2] |= 0x80;
        for nothing in [&answer[..], &whole[..11], &[]] {
            assert!(matches!(Asked::read(nothing), Read::Nothing), "{nothing:?}");
        }
    }

    #[test]
    fn addresses_alone_are_answered_otherwise_and_not_to_who_checks_signatures() {
        let wanted = |change: &dyn Fn(&mut Message), kind| {
            let mut message = question("web.example.com", kind);
            change(&mut message);
            asked(&message).wanted()
        };
        assert_eq!(wanted(&|_| {}, RecordType::AAAA), Wanted::Addresses);
        assert_eq!(wanted(&|_| {}, RecordType::A), Wanted::Legacy);
        assert_eq!(wanted(&|_| {}, RecordType::SVCB), Wanted::Else);
        assert_eq!(wanted(&|message| message.metadata.checking_disabled = true, RecordType::AAAA), Wanted::Else);
        assert_eq!(wanted(&|message| message.queries[0].query_class = DNSClass::CH, RecordType::AAAA), Wanted::Else);
        let edns = |version: u8, is_understood: bool| {
            move |message: &mut Message| {
                let mut edns = Edns::new();
                edns.set_version(version).set_dnssec_ok(is_understood);
                message.set_edns(edns);
            }
        };
        assert_eq!(wanted(&edns(0, true), RecordType::AAAA), Wanted::Addresses);
        assert_eq!(wanted(&edns(1, false), RecordType::AAAA), Wanted::Else);
    }
}
