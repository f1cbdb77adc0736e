//! Datagrams under any number of VLAN tags in; behind the filter only what conforms, out.

use crate::{
    site::{GOOD, INTERFACE, RULE, Site, WRONG, config},
    traffic::{Wire, arrived, listen},
};

/// 802.1Q and 802.1ad.
const PROTOCOLS: [u16; 2] = [0x8100, 0x88a8];
/// Tags that the filter looks behind.
const DEEPEST: usize = 4;

/// Every list of `depth` tags of one protocol or of both in turn, with VID 0 throughout, or another at one place.
fn lists(depth: usize) -> Vec<Vec<(u16, u16)>> {
    let mut lists = vec![];
    for (first, step) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let zero: Vec<_> = (0..depth).map(|at| (PROTOCOLS[(first + at * step) % 2], 0)).collect();
        for place in 0..depth {
            let mut tags = zero.clone();
            tags[place].1 = 100;
            lists.push(tags);
        }
        lists.push(zero);
    }
    lists
}

#[test]
fn nothing_slips_by_under_tags() {
    let site = Site::new("vlan");
    let wire = Wire::new(&site);
    let socket = listen(&site);
    for mode in ["native", "generic"] {
        site.apply(&config(&[INTERFACE], mode, RULE)).done();
        let before = ["conform", "field-mismatch"].map(|reason| site.packets(&["reasons", reason]));
        let (mut judged, mut sent) = (0, 0);
        let mut expected = vec![];
        for tags in (0..=6).flat_map(lists) {
            let name = format!("{mode} {tags:x?}");
            wire.send(&wire.datagram(WRONG, &tags, &format!("wrong {name}"))).unwrap();
            wire.send(&wire.datagram(GOOD, &tags, &format!("good {name}"))).unwrap();
            sent += 1;
            judged += u64::from(tags.len() <= DEEPEST);
            // The stack strips such tags, and knows no other VLAN here.
            if tags.len() <= DEEPEST && tags.iter().all(|(_, id)| *id == 0) {
                expected.push(format!("good {name}"));
            }
        }
        let arrived = arrived(&socket);
        let wrong: Vec<_> = arrived.iter().filter(|text| text.starts_with("wrong")).collect();
        assert!(wrong.is_empty(), "what does not conform has arrived: {wrong:#?}");
        assert_eq!(arrived, expected, "of {sent} conforming datagrams");
        let after = ["conform", "field-mismatch"].map(|reason| site.packets(&["reasons", reason]));
        assert_eq!([after[0] - before[0], after[1] - before[1]], [judged, judged], "{mode}");
        let stats = site.ctl(["stats"]).done();
        assert!(stats["malformed"]["packets"].as_u64().unwrap() >= 2 * (sent - judged), "{stats}");
    }
}
