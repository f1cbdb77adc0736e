//! docs/rules.md in; every address, number, reason, warning and fault it shows, worked out again, out.
//!
//! A fenced block of the kind `rule` or `work` gives what is known, one word and its value a line, and then what follows
//! from it. The test works out the second part and compares it with the block, line by line.

use std::{fmt::Write, net::Ipv6Addr, ops::ControlFlow};

use ssa_common::{
    rule::{Key, Request, Rule, Secrets, WarningContext, object_id},
    verdict::Reason,
};

use crate::oracle::Service;

const DOCUMENT: &str = include_str!("../../../docs/rules.md");
const GIVEN: [&str; 9] = ["rule", "prefix", "source", "key", "salt", "object", "replica", "time", "used"];

/// The fenced blocks of a kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let fenced = DOCUMENT.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(kind)?.strip_prefix('\n')).collect()
}

/// Blocks of lines that are cut in columns.
fn table(kind: &str) -> Vec<Vec<&'static str>> {
    let lines = blocks(kind).into_iter().flat_map(str::lines);
    lines.map(|line| line.split('|').map(|cell| cell.trim_matches(' ')).collect()).collect()
}

/// What a block gives.
struct Given {
    rule: Rule,
    text: String,
    prefix: u128,
    length: u8,
    ring: Vec<Key>,
    request: Request,
    used: Option<u128>,
}

impl Given {
    fn new(block: &str) -> Self {
        let all = |word: &'static str| {
            block
                .lines()
                .filter_map(move |line| line.split_once(' ').filter(|(name, _)| *name == word))
                .map(|(_, v)| v.trim())
        };
        let one = |word| all(word).next();
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().to_bits();
        let (prefix, length) = one("prefix").unwrap().split_once('/').unwrap();
        let key = |text: &str| {
            let (number, secret) = text.split_once(' ').unwrap();
            let secret = u128::from_str_radix(secret, 16).unwrap().to_be_bytes();
            Key { number: number.parse().unwrap(), secret }
        };
        Self {
            rule: one("rule").unwrap().parse().unwrap(),
            text: one("rule").unwrap().into(),
            prefix: address(prefix),
            length: length.parse().unwrap(),
            ring: all("key").map(key).collect(),
            request: Request {
                source: address(one("source").unwrap()),
                object: one("object").map(|text| object_id(text).unwrap()),
                replica: one("replica").map_or(0, |number| number.parse().unwrap()),
                time: one("time").map_or(0, |time| time.parse().unwrap()),
            },
            used: one("used").map(address),
        }
    }

    /// The address, the fields and the reason; the oracle agrees on the last.
    fn outcome(&self) -> (u128, String) {
        let secrets = Secrets { salt: [0; 16], ring: &self.ring };
        let compiled = self.rule.place(self.prefix, self.length).unwrap().compile(&secrets, 5);
        let mut drawn = 0;
        let mut random = || {
            drawn += 1;
            drawn - 1
        };
        let Request { source, time, .. } = self.request;
        let address = self.used.unwrap_or_else(|| {
            compiled.destination(&self.request, &mut random, &mut |_| ControlFlow::Continue(())).unwrap()
        });
        let reason = compiled.conforms(source, address, time);
        assert_eq!(reason.name(), self.oracle().reason(source, address, time));
        let mut lines = String::new();
        if self.used.is_none() {
            assert_eq!(reason, Reason::Conform);
            writeln!(lines, "address  {}", Ipv6Addr::from_bits(address)).unwrap();
            for field in compiled.explain(source, address, time) {
                writeln!(lines, "field    {} {}", field.field, field.found).unwrap();
            }
        } else {
            writeln!(lines, "reason   {}", reason.name()).unwrap();
        }
        (address, lines)
    }

    fn oracle(&self) -> Service<'_> {
        Service {
            rule: &self.text,
            prefix: self.prefix,
            length: self.length.into(),
            salt: [0; 16],
            ring: self.ring.iter().map(|key| (key.number.into(), key.secret)).collect(),
            skew: 5,
        }
    }
}

/// The block's given lines, and behind them what follows.
fn corrected(block: &str, outcome: &str) -> String {
    let given = block.lines().filter(|line| GIVEN.contains(&line.split(' ').next().unwrap()));
    given.map(|line| format!("{line}\n")).collect::<Vec<_>>().concat() + outcome
}

fn assert_blocks(kind: &str, outcome: impl Fn(&Given) -> String) {
    let blocks = blocks(kind);
    assert!(blocks.len() >= 4, "{} blocks of the kind {kind}", blocks.len());
    let right: Vec<_> = blocks.iter().map(|block| corrected(block, &outcome(&Given::new(block)))).collect();
    let wrong: Vec<_> =
        blocks.iter().zip(&right).filter(|(block, right)| *block != right).map(|(_, right)| right).collect();
    assert!(wrong.is_empty(), "{} of {} blocks should be:\n{}", wrong.len(), blocks.len(), {
        wrong.iter().map(|right| format!("```{kind}\n{right}```\n")).collect::<Vec<_>>().concat()
    });
}

#[test]
fn every_rule_block_is_right() {
    assert_blocks("rule", |given| given.outcome().1);
}

#[test]
fn every_digest_is_right() {
    assert_blocks("work", |given| {
        let (address, _) = given.outcome();
        given.oracle().workings(given.request.source, address, given.request.time)
    });
}

#[test]
fn every_kind_and_every_reason_of_a_rule_is_shown() {
    let shown: Vec<_> = blocks("rule").into_iter().map(Given::new).collect();
    for kind in ["any", "const", "src", "object", "hash", "mac", "pow", "replica", "keyid"] {
        assert!(shown.iter().any(|given| given.rule.fields().iter().any(|field| field.kind.name() == kind)), "{kind}");
    }
    let named =
        [Reason::FieldMismatch, Reason::ReplicaRange, Reason::UnknownKey, Reason::MacMismatch, Reason::PowMissing];
    assert!(named.iter().all(|reason| DOCUMENT.contains(&format!("`{}`", reason.name()))));
}

#[test]
fn the_odds_are_right() {
    for row in table("odds") {
        let number = |cell: &str| cell.split_once(' ').unwrap().1.parse::<u32>().unwrap();
        let placed = row[0].parse::<Rule>().unwrap().place(0, 64).unwrap();
        let context = WarningContext { slice_bits: 0, keys: number(row[1]) as usize, skew: number(row[2]) };
        let (accepted, bits) = placed.forgery(&context).unwrap();
        assert_eq!(format!("{accepted}/2^{bits}"), row[3], "{row:?}");
    }
}

#[test]
fn the_traps_are_warned_of() {
    assert!(table("trap").len() >= 6);
    for row in table("trap") {
        let slice_bits = row[1].strip_prefix("slice_bits ").unwrap().parse().unwrap();
        let placed = row[0].parse::<Rule>().unwrap().place(0x2001 << 112, 64).unwrap();
        let warnings = placed.warnings(&WarningContext { slice_bits, keys: 1, skew: 5 });
        let said = |text: &String| text.contains(row[2]);
        assert!(warnings.iter().any(|warning| said(&warning.message) || said(&warning.help)), "{row:?}: {warnings:?}");
    }
}

#[test]
fn the_faults_are_found() {
    assert!(table("fault").len() >= 6);
    for row in table("fault") {
        let errors = Rule::parse(row[0]).unwrap_err();
        let place = &row[0][errors[0].span.clone()];
        assert_eq!(place, if row[1] == "<space>" { " " } else { row[1] }, "{row:?}");
        assert_eq!(errors[0].message, row[2], "{row:?}");
    }
}

#[test]
fn the_examples_are_rules_of_a_64() {
    let examples = DOCUMENT.split_once("## Examples").unwrap().1.split_once("## ").unwrap().0;
    let rules: Vec<_> = examples.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert_eq!(rules.len(), 10);
    for text in rules {
        let rule: Rule = text.parse().unwrap();
        assert_eq!(rule.to_string(), text);
        rule.place(0, 64).unwrap();
    }
}
