//! Records in; a name server on loopback that has them, and nothing else, out.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hickory_resolver::proto::{
    op::{Message, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{
            AAAA, CNAME, NULL, SVCB, TXT,
            svcb::{Mandatory, SvcParamKey, SvcParamValue, Unknown},
        },
    },
};
use ssa_client::{apl::List, record::KEY};
use tokio::net::UdpSocket;

/// A name, a TTL in seconds, and data.
pub type Entry = (&'static str, u32, RData);

/// A name server, which ends with the runtime of its test.
pub struct Server {
    pub address: SocketAddr,
    questions: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(entries: Vec<Entry>) -> Self {
        let socket = UdpSocket::bind("[::1]:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let record = |(name, ttl, data): Entry| Record::from_rdata(Name::from_ascii(name).unwrap(), ttl, data);
        let records: Vec<Record> = entries.into_iter().map(record).collect();
        let questions = Arc::new(AtomicUsize::new(0));
        let asked = questions.clone();
        tokio::spawn(async move {
            let mut octets = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut octets).await {
                asked.fetch_add(1, Ordering::Relaxed);
                let answer = answer(&octets[..length], &records);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { address, questions }
    }

    /// How many questions have come.
    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

fn answer(question: &[u8], records: &[Record]) -> Vec<u8> {
    let question = Message::from_vec(question).unwrap();
    let query = question.queries[0].clone();
    let mut message = Message::response(question.metadata.id, question.metadata.op_code);
    // A name that leads to another has nothing else, whatever is asked of it.
    let is_found = |kind: RecordType| kind == query.query_type || kind == RecordType::CNAME;
    let found = records.iter().filter(|record| record.name == query.name && is_found(record.record_type()));
    message.add_answers(found.cloned());
    if !records.iter().any(|record| record.name == query.name) {
        message.metadata.response_code = ResponseCode::NXDomain;
    }
    message.metadata.authoritative = true;
    message.add_query(query);
    message.to_vec().unwrap()
}

pub fn octets(kind: u16, octets: Vec<u8>) -> RData {
    if octets.is_empty() {
        // What writes no octets.
        return RData::Update0(RecordType::from(kind));
    }
    RData::Unknown { code: RecordType::from(kind), rdata: NULL::with(octets) }
}

pub fn apl(text: &str) -> RData {
    octets(42, ssa_client::apl::encode(&text.parse::<List>().unwrap().0))
}

pub fn aaaa(text: &str) -> RData {
    RData::AAAA(AAAA(text.parse().unwrap()))
}

pub fn cname(target: &str) -> RData {
    RData::CNAME(CNAME(Name::from_ascii(target).unwrap()))
}

pub fn txt(strings: &[&str]) -> RData {
    RData::TXT(TXT::new(strings.iter().map(ToString::to_string).collect()))
}

fn value(text: &str) -> (SvcParamKey, SvcParamValue) {
    (SvcParamKey::from(KEY), SvcParamValue::Unknown(Unknown(text.as_bytes().to_vec())))
}

pub fn svcb(priority: u16, target: &str, port: Option<u16>, text: &str) -> RData {
    let mut parameters = Vec::new();
    parameters.extend(port.map(|port| (SvcParamKey::Port, SvcParamValue::Port(port))));
    if !text.is_empty() {
        parameters.push(value(text));
    }
    RData::SVCB(SVCB::new(priority, Name::from_ascii(target).unwrap(), parameters))
}

/// One with port 7443 and these keys mandatory.
pub fn svcb_with(priority: u16, text: &str, mandatory: &[u16]) -> RData {
    let mandatory = mandatory.iter().map(|key| SvcParamKey::from(*key)).collect();
    let parameters = vec![
        (SvcParamKey::Mandatory, SvcParamValue::Mandatory(Mandatory(mandatory))),
        (SvcParamKey::Port, SvcParamValue::Port(7443)),
        value(text),
    ];
    RData::SVCB(SVCB::new(priority, Name::root(), parameters))
}
