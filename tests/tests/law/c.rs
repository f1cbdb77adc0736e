//! Rules of all kinds in; whether programs of C and of Python compute what the law and another implementation do, out.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    net::Ipv6Addr,
    process::{Command, Stdio},
};

use ssa_client::{Selector, Service, record::Record};
use ssa_common::{
    bits,
    rule::{Key, Kind, Request, object_id},
    verdict::Reason,
};
use ssa_tests::c::{Installed, root};

use crate::{
    random::{Draw, Random},
    selector::service,
    vectors::{Vector, vectors},
};

/// Rules that are drawn.
const DRAWS: u64 = 400;
/// Rules as people write them, for an object as it is written: they say what the law makes of a name and of a number.
const WRITTEN: [(&str, &str); 4] = [
    ("v=1 rule=object(0):64", "photos/2026/cat.jpeg"),
    ("v=1 rule=replica(2):1 object(117):11 const(0x7):52", "1048576"),
    ("v=1 salt=000102030405060708090a0b0c0d0e0f rule=hash(48):14 object(78):50", "0x000102030405060708090a0b0c0d0e0f"),
    ("v=1 skew=2 rule=hash(48):14 pow(48,zeros=9,period=10m):50", "-"),
];

/// What a client is asked, and what it has to answer.
struct Case {
    service: Service,
    keys: Vec<Key>,
    object: String,
    request: Request,
    /// What another implementation computes.
    destination: Option<Ipv6Addr>,
}

impl Case {
    fn drawn(seed: u64) -> Self {
        let draw = Draw::new(seed);
        let service = service(&draw, None);
        let replicas = Selector::new(&service, &draw.ring).unwrap().replicas();
        let request = Request { replica: Random(seed).below(replicas), ..draw.request };
        let object = format!("{:#034x}", request.object.unwrap());
        Self { service, keys: draw.ring, object, request, destination: None }
    }

    /// None: the destination is not one that was computed.
    fn vector(vector: &Vector) -> Option<Self> {
        let (object, replica) = (vector.object.clone()?, vector.replica?);
        let text = format!("v=1 salt={} skew={} rule={}", vector.salt, vector.skew, vector.rule);
        let record = Record::parse_value(&text).unwrap();
        let key = |key: &crate::vectors::VectorKey| {
            let secret = u128::from_str_radix(&key.hex, 16).unwrap().to_be_bytes();
            Key { number: key.number, secret }
        };
        let keys = record.rule.key().map_or(vec![], |name| vector.keys[name].iter().map(key).collect());
        let id = Some(object_id(&object).unwrap());
        let request = Request { source: vector.src.to_bits(), object: id, replica, time: vector.time };
        let service = Service::new("svc.example", &[vector.prefix.parse().unwrap()], record);
        Some(Self { service, keys, object, request, destination: Some(vector.dst) })
    }

    fn written((text, object): (&str, &str)) -> Self {
        let record = Record::parse_value(text).unwrap();
        let service = Service::new("svc.example", &["2001:db8:a:1::/64".parse().unwrap()], record);
        let source = 0x2001_0db8_0077_0001 << 64 | 5;
        let id = (object != "-").then(|| object_id(object).unwrap());
        let request = Request { source, object: id, replica: 0, time: 1_700_000_015 };
        Self { service, keys: vec![], object: object.into(), request, destination: None }
    }

    /// As the programs read it.
    fn line(&self) -> String {
        let keys = self.keys.iter().map(|key| format!("{}:{:032x}", key.number, u128::from_be_bytes(key.secret)));
        let keys = if self.keys.is_empty() { "-".into() } else { keys.collect::<Vec<_>>().join(",") };
        let Request { source, replica, time, .. } = self.request;
        let (prefix, record) = (self.service.prefixes[0], &self.service.record);
        format!("{prefix}\t{record}\t{keys}\t{}\t{}\t{replica}\t{time}\n", Ipv6Addr::from(source), self.object)
    }

    fn selector(&self) -> Selector {
        Selector::new(&self.service, &self.keys).unwrap()
    }

    fn kinds(&self) -> impl Iterator<Item = (char, u128)> {
        let letter = |kind: &Kind| match kind {
            Kind::Any => 'a',
            Kind::Const(_) => 'c',
            Kind::Src(_) => 's',
            Kind::Object(_) => 'o',
            Kind::Hash { .. } => 'h',
            Kind::Mac { .. } => 'm',
            Kind::Pow { .. } => 'p',
            Kind::Replica { .. } => 'r',
            Kind::KeyId => 'k',
        };
        let fields = self.selector().rules()[0].placed().fields().to_vec();
        let wide = fields.into_iter().filter(|field| field.width > 0);
        wide.map(move |field| (letter(&field.kind), bits::mask(field.first, field.width)))
    }

    /// The bits that differ from client to client: those that are drawn, and what is worked out of them.
    fn open(&self) -> u128 {
        let drawn: u128 = self.kinds().filter(|(letter, _)| "ap".contains(*letter)).map(|(_, mask)| mask).sum();
        let of_all: u128 = self.kinds().filter(|(letter, _)| *letter == 'm').map(|(_, mask)| mask).sum();
        if drawn == 0 { 0 } else { drawn | of_all }
    }

    /// Holds an answer against the law.
    fn compare(&self, answer: &str) {
        let line = self.line();
        let found: Ipv6Addr = answer.parse().unwrap_or_else(|_| panic!("{line}{answer}"));
        let Request { source, object, replica, time } = self.request;
        let selector = self.selector();
        let ours = selector.address(source.into(), object, replica, time).unwrap();
        for expected in [Some(ours), self.destination].into_iter().flatten() {
            assert_eq!((found.to_bits() ^ expected.to_bits()) & !self.open(), 0, "{line}{found}, not {expected}");
        }
        assert_eq!(selector.rules()[0].conforms(source, found.to_bits(), time), Reason::Conform, "{line}{found}");
    }
}

/// The words of a program's answers, a line a case.
fn answers(command: &mut Command, cases: &[Case]) -> Vec<String> {
    let input = cases.iter().fold(String::new(), |mut lines, case| {
        write!(lines, "{}", case.line()).unwrap();
        lines
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), input).unwrap();
    let output = command.stdin(Stdio::from(file.reopen().unwrap())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn cases() -> Vec<Case> {
    let vectors = vectors();
    let computed = vectors.iter().filter_map(Case::vector);
    let cases: Vec<_> = (0..DRAWS).map(Case::drawn).chain(computed).chain(WRITTEN.map(Case::written)).collect();
    // Nothing is left open in many of them, and all kinds are among those.
    let exact: Vec<_> = cases.iter().filter(|case| case.open() == 0).collect();
    let kinds: BTreeSet<_> = exact.iter().flat_map(|case| case.kinds()).map(|(letter, _)| letter).collect();
    assert_eq!(kinds.into_iter().collect::<String>(), "chkmors");
    assert!(exact.len() > 50 && exact.iter().filter(|case| case.destination.is_some()).count() > 20, "{}", exact.len());
    assert!(cases.iter().filter(|case| case.kinds().any(|(letter, _)| letter == 'p')).count() > 20);
    cases
}

/// The answers of a program to all cases are the law's.
fn agrees(command: &mut Command) {
    let cases = cases();
    let answers = answers(command, &cases);
    assert_eq!(answers.len(), cases.len());
    cases.iter().zip(answers).for_each(|(case, answer)| case.compare(&answer));
}

#[test]
fn a_program_of_c_computes_what_the_law_does() {
    let installed = Installed::new().unwrap();
    agrees(&mut Command::new(installed.compile("tests/clients/addresses.c", &[]).unwrap()));
}

#[test]
fn a_program_of_python_computes_what_the_law_does() {
    let installed = Installed::new().unwrap();
    let mut command = Command::new("python3");
    agrees(installed.for_python(command.arg(root().join("tests/clients/addresses.py"))));
}
