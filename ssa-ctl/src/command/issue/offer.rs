//! A config with its keys in; what is given out of it: addresses for one who asks, or why there are none, out. Pure but for random
//! bits.

use std::{collections::HashMap, net::Ipv6Addr};

use ssa_client::{
    Selector,
    issue::{Answer, Question},
    pow,
};
use ssa_common::rule::{AddressError, Request};

use super::super::{address::addresses, keyed};
use crate::{
    config::{Config, keys::KeyRings},
    failure::Failure,
};

/// Seconds after which a client asks again where nothing changes by itself: then a new key has come to all.
const TTL: u32 = 300;

/// The services whose addresses are given out.
pub(super) struct Offer(HashMap<String, Selector>);

/// Why there is no address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAddress {
    /// No service of this name is given out.
    NoService,
    /// Its rule has a proof of work.
    Work,
    /// The question lacks something.
    Lacks(AddressError),
}

impl Offer {
    /// All services of a config, or one.
    pub(super) fn of(config: &Config, rings: &KeyRings, only: Option<&str>) -> Result<Self, Failure> {
        let all = config.services.iter().map(|service| service.name.as_str());
        let names: Vec<_> = only.map_or_else(|| all.collect(), |name| vec![name]);
        let one = |name: &str| Ok((name.to_owned(), keyed::selector(config, rings, name)?));
        names.into_iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Answers a question from this source.
    pub(super) fn answer(&self, question: &Question, source: Ipv6Addr, time: u64) -> Result<Answer, NoAddress> {
        let selector = self.0.get(&question.service).ok_or(NoAddress::NoService)?;
        // With a `mac` beside it a proof takes the key, and the search is too much to be had for a packet.
        if selector.rules().iter().any(|rule| pow::zeros(rule) > 0) {
            return Err(NoAddress::Work);
        }
        let Question { object, replica, count, .. } = *question;
        let request = Request { source: source.to_bits(), object, replica, time };
        let found = addresses(false, selector, request, count).collect::<Result<_, _>>();
        let left = selector.epoch_end(time).map(|end| end.saturating_sub(time));
        Ok(Answer {
            service: question.service.clone(),
            source,
            addresses: found.map_err(NoAddress::Lacks)?,
            valid_until: selector.valid_until(time),
            ttl: left.and_then(|left| u32::try_from(left).ok()).unwrap_or(TTL).clamp(1, TTL),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use ssa_common::verdict::Reason;

    use super::*;
    use crate::config;

    const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x77, 1, 0, 0, 0, 5);
    const TIME: u64 = 1_700_000_015;

    fn offer(rule: &str, only: Option<&str>) -> Result<Offer, Failure> {
        let folder = tempfile::TempDir::new().unwrap();
        let (file, key) = (folder.path().join("c.toml"), folder.path().join("k1.key"));
        fs::write(&key, "00112233445566778899aabbccddeeff").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let keys = format!("[[service.keys]]\nname = \"k1\"\nnumber = 3\nfile = \"{}\"\n", key.display());
        let keys = if rule.contains("mac") { &keys } else { "" };
        let prefixes = "prefixes = [\"2001:db8:a::/64\", \"2001:db8:b::/64\"]";
        fs::write(&file, format!("version = 1\n[[service]]\nname = \"web\"\n{prefixes}\nrule = \"{rule}\"\n{keys}"))
            .unwrap();
        let checked = config::read(&file).unwrap();
        let rings = checked.load_keys().unwrap();
        Offer::of(&checked.config, &rings, only)
    }

    fn question(count: u32) -> Question {
        Question { service: "web".into(), object: None, replica: 0, count }
    }

    #[test]
    fn addresses_take_turns_and_hold_to_the_end_of_the_epoch() {
        let offer = offer("any:16 mac(48,key=k1,period=30s):48", None).unwrap();
        let answer = offer.answer(&question(3), SOURCE, TIME).unwrap();
        assert_eq!((answer.service.as_str(), answer.source), ("web", SOURCE));
        // 1,700,000,015 is 5 seconds into its epoch; the skew is 5.
        assert_eq!((answer.ttl, answer.valid_until), (25, Some(TIME + 30)));
        let rules = offer.0["web"].rules();
        for (address, rule) in answer.addresses.iter().zip([&rules[0], &rules[1], &rules[0]]) {
            let judged = |source: Ipv6Addr| rule.conforms(source.to_bits(), address.to_bits(), TIME);
            assert_eq!(judged(SOURCE), Reason::Conform);
            assert_eq!(judged("2001:db8:78::5".parse().unwrap()), Reason::MacMismatch);
        }
        assert_eq!(answer.addresses.len(), 3);
    }

    #[test]
    fn without_a_period_nothing_ends_by_itself() {
        let answer = offer("any:16 mac(48,key=k1):48", None).unwrap().answer(&question(1), SOURCE, TIME).unwrap();
        assert_eq!((answer.ttl, answer.valid_until), (TTL, None));
        let long =
            offer("any:16 mac(48,key=k1,period=2h):48", None).unwrap().answer(&question(1), SOURCE, TIME).unwrap();
        assert_eq!(long.ttl, TTL);
    }

    #[test]
    fn what_cannot_be_given_is_said() {
        let refused =
            |rule: &str, question: &Question| offer(rule, None).unwrap().answer(question, SOURCE, TIME).unwrap_err();
        let other = Question { service: "www".into(), ..question(1) };
        assert_eq!(refused("mac(48,key=k1):48 any:16", &other), NoAddress::NoService);
        assert_eq!(refused("mac(64,key=k1):32 pow(64,zeros=4):32", &question(1)), NoAddress::Work);
        let lacks = refused("object(0):16 mac(48,key=k1):48", &question(1));
        assert_eq!(lacks, NoAddress::Lacks(AddressError::NoObject));
        let third = Question { replica: 2, ..question(1) };
        let lacks = refused("replica(2):16 mac(48,key=k1):48", &third);
        assert_eq!(lacks, NoAddress::Lacks(AddressError::NoReplica { count: 2 }));
        assert!(offer("any:*", Some("www")).is_err() && offer("any:*", Some("web")).is_ok());
    }
}
