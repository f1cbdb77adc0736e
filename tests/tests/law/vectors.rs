//! The vectors of an independent implementation in; the same reasons, and the same addresses where nothing is random, out.

use std::{collections::BTreeMap, net::Ipv6Addr};

use serde::Deserialize;
use ssa_common::rule::{Key, Rule, Secrets};

use crate::oracle::Service;

/// A rule, a pair of addresses and a time, and what the filter makes of them.
#[derive(Deserialize)]
pub struct Vector {
    pub prefix: String,
    pub rule: String,
    pub salt: String,
    pub keys: BTreeMap<String, Vec<VectorKey>>,
    pub skew: u32,
    pub time: u64,
    pub src: Ipv6Addr,
    /// With these, the destination is what a client of `src` computes at `time`.
    pub object: Option<String>,
    pub replica: Option<u32>,
    pub dst: Ipv6Addr,
    pub reason: String,
}

/// A key of a ring.
#[derive(Deserialize)]
pub struct VectorKey {
    pub number: u32,
    pub hex: String,
}

/// All of them.
pub fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../data/vectors.json")).unwrap()
}

fn sixteen(hex: &str) -> [u8; 16] {
    u128::from_str_radix(hex, 16).unwrap().to_be_bytes()
}

#[test]
fn every_vector_agrees() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 560);
    let mut wrong = vec![];
    for (index, vector) in vectors.iter().enumerate() {
        let rule: Rule = vector.rule.parse().unwrap();
        assert_eq!(rule.to_string(), vector.rule);
        let (prefix, length) = vector.prefix.split_once('/').unwrap();
        let placed = rule.place(prefix.parse::<Ipv6Addr>().unwrap().to_bits(), length.parse().unwrap()).unwrap();
        let ring: Vec<Key> = rule.key().map_or(vec![], |name| {
            vector.keys[name].iter().map(|key| Key { number: key.number, secret: sixteen(&key.hex) }).collect()
        });
        let compiled = placed.compile(&Secrets { salt: sixteen(&vector.salt), ring: &ring }, vector.skew);
        let found = compiled.conforms(vector.src.to_bits(), vector.dst.to_bits(), vector.time).name();
        if found != vector.reason {
            wrong.push(format!("{index}: {} {}: {found}, not {}", vector.rule, vector.time, vector.reason));
        }
        let oracle = Service {
            rule: &vector.rule,
            prefix: compiled.placed().prefix(),
            length: compiled.placed().length().into(),
            salt: sixteen(&vector.salt),
            ring: ring.iter().map(|key| (key.number.into(), key.secret)).collect(),
            skew: vector.skew.into(),
        };
        assert_eq!(oracle.reason(vector.src.to_bits(), vector.dst.to_bits(), vector.time), vector.reason, "{index}");
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}
