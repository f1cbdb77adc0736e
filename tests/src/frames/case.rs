//! A frame and what must become of it; and the list that cases are added to.

use ssa_common::verdict::{Reason, Treatment};

use super::{
    packet::{Packet, network_offset},
    service::{CLIENT, Service, services},
};

/// A frame and what the filter must make of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about; no two cases have the same name.
    pub name: String,
    /// The octets on the wire.
    pub frame: Vec<u8>,
    /// How many octets are in the linear part, for a frame of several buffers; none: all.
    pub linear: Option<usize>,
    /// The service that counts it; none outside all services.
    pub service: Option<&'static str>,
    /// Why.
    pub reason: Reason,
    /// What happens.
    pub treatment: Treatment,
    /// It passes, and would have been dropped.
    pub would_drop: bool,
}

impl Case {
    /// The octets that go on, if it is not dropped: the same, but for the DSCP of low priority (LE, RFC 8622).
    pub fn output(&self) -> Option<Vec<u8>> {
        let mut frame = self.frame.clone();
        match self.treatment {
            Treatment::Pass | Treatment::Forward => Some(frame),
            Treatment::Drop => None,
            Treatment::LowPriority => {
                let at = network_offset(&frame);
                let [first, second] = [frame[at], frame[at + 1]];
                // Version, four bits of DSCP; two bits of DSCP, ECN, flow label.
                frame[at] = first & 0xf0;
                frame[at + 1] = second & 0x3f | 0b0100_0000;
                Some(frame)
            }
        }
    }
}

/// Cases in the making.
pub(super) struct Cases {
    time: u64,
    services: Vec<Service>,
    list: Vec<Case>,
}

impl Cases {
    pub(super) fn new(time: u64) -> Self {
        Self { time, services: services(), list: vec![] }
    }

    pub(super) fn into_vec(self) -> Vec<Case> {
        self.list
    }

    pub(super) const fn time(&self) -> u64 {
        self.time
    }

    pub(super) fn service(&self, name: &str) -> Service {
        *self.services.iter().find(|service| service.name == name).expect("a service of the table")
    }

    /// A TCP segment to a service's address for the client.
    pub(super) fn good(&self, service: &str) -> Packet {
        Packet::new(CLIENT, self.service(service).address(CLIENT, self.time))
    }

    /// The same, one bit off.
    pub(super) fn wrong(&self, service: &str) -> Packet {
        Packet::new(CLIENT, self.service(service).wrong_address(CLIENT, self.time))
    }

    /// A frame of no service.
    pub(super) fn outside(&mut self, name: impl Into<String>, reason: Reason, frame: Vec<u8>) {
        let treatment = if reason == Reason::Malformed { Treatment::Drop } else { Treatment::Pass };
        let name = name.into();
        self.list.push(Case { name, frame, linear: None, service: None, reason, treatment, would_drop: false });
    }

    /// The same of a frame in two buffers.
    pub(super) fn outside_split(&mut self, name: impl Into<String>, frame: Vec<u8>, linear: usize) {
        self.outside(name, Reason::Other, frame);
        if let Some(case) = self.list.last_mut() {
            case.linear = Some(linear);
        }
    }

    /// A frame of a service.
    pub(super) fn inside(&mut self, name: impl AsRef<str>, service: &str, reason: Reason, frame: Vec<u8>) {
        self.split(name, service, reason, frame, None);
    }

    fn split(&mut self, name: impl AsRef<str>, service: &str, reason: Reason, frame: Vec<u8>, linear: Option<usize>) {
        let service = self.service(service);
        let (treatment, would_drop) = treatment(&service, reason);
        let name = format!("{}: {}", service.name, name.as_ref());
        self.list.push(Case { name, frame, linear, service: Some(service.name), reason, treatment, would_drop });
    }

    /// Twins: the frame for the address that conforms and for the one that is a bit off, each judged by rule.
    pub(super) fn by_rule(&mut self, name: &str, service: &str, make: impl Fn(Packet) -> Vec<u8>) {
        self.by_rule_split(name, service, None, make);
    }

    /// The same, in two buffers.
    pub(super) fn by_rule_split(
        &mut self,
        name: &str,
        service: &str,
        linear: Option<usize>,
        make: impl Fn(Packet) -> Vec<u8>,
    ) {
        let mismatch = self.service(service).mismatch;
        let (good, wrong) = (make(self.good(service)), make(self.wrong(service)));
        self.split(format!("{name}, conforming"), service, Reason::Conform, good, linear);
        self.split(format!("{name}, one bit off"), service, mismatch, wrong, linear);
    }

    /// Twins that get the same verdict, because the rule is not asked.
    pub(super) fn whatever_rule(
        &mut self,
        name: &str,
        service: &str,
        reason: Reason,
        make: impl Fn(Packet) -> Vec<u8>,
    ) {
        let (good, wrong) = (make(self.good(service)), make(self.wrong(service)));
        self.inside(format!("{name}, conforming"), service, reason, good);
        self.inside(format!("{name}, one bit off"), service, reason, wrong);
    }
}

/// What a service does with a frame for this reason, and whether it only would have dropped it.
fn treatment(service: &Service, reason: Reason) -> (Treatment, bool) {
    match reason {
        Reason::Conform
        | Reason::Established
        | Reason::Control
        | Reason::IcmpError
        | Reason::NoEndpoint
        | Reason::Other => (Treatment::Pass, false),
        Reason::BadSource | Reason::Malformed => (Treatment::Drop, false),
        Reason::FieldMismatch
        | Reason::MacMismatch
        | Reason::PowMissing
        | Reason::ReplicaRange
        | Reason::UnknownKey
            if service.low_priority =>
        {
            (if service.enforce { Treatment::LowPriority } else { Treatment::Pass }, false)
        }
        Reason::FieldMismatch
        | Reason::MacMismatch
        | Reason::PowMissing
        | Reason::ReplicaRange
        | Reason::UnknownKey
        | Reason::BadIcmpError
        | Reason::Blocked
        | Reason::Protocol
        | Reason::Unparsable => {
            if service.enforce {
                (Treatment::Drop, false)
            } else {
                (Treatment::Pass, true)
            }
        }
    }
}
