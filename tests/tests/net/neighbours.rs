//! A strict filter and a flood that does not conform in; neighbours that find each other all the same out.

use std::time::{Duration, Instant};

use ssa_tests::net::{address, route, wait_until};

use crate::{
    site::{CLIENT, GOOD, INTERFACE, PEER, PREFIX, Site, WRONG, strict},
    stream,
    traffic::Wire,
};

const LONGEST: Duration = Duration::from_secs(2);

/// Forgets all neighbours on both ends and connects, a few times, under the flood.
fn reconnect(site: &Site, wire: &Wire) {
    let listener = stream::listen(&site.host);
    let frame = wire.datagram(WRONG, &[], "not by rule");
    for _ in 0..3 {
        let (took, sent) = wire.flood(&frame, || {
            for namespace in [&site.host, &site.client] {
                namespace.ip(&["-6", "neigh", "flush", "all"]).unwrap();
            }
            let begin = Instant::now();
            stream::connect(&site.client, GOOD, &listener, LONGEST).unwrap();
            begin.elapsed()
        });
        assert!(took < LONGEST && sent > 0, "{took:?} under {sent} frames");
    }
    assert!(site.packets(&["reasons", "field-mismatch"]) > 0);
}

#[test]
fn a_routed_service_is_reached() {
    let site = Site::new("routed");
    let wire = Wire::new(&site);
    site.apply(&strict()).done();
    reconnect(&site, &wire);
}

#[test]
fn a_service_on_the_link_is_reached() {
    let site = Site::new("onlink");
    let wire = Wire::new(&site);
    // The service's address is a neighbour's here, so that solicitations are for it; the rule covers the host itself.
    address(&site.host, INTERFACE, &format!("{GOOD}/128")).unwrap();
    site.client.ip(&["-6", "route", "replace", PREFIX, "dev", PEER]).unwrap();
    route(&site.host, &[&format!("{CLIENT}/128"), "dev", INTERFACE]).unwrap();
    let path = site.file("config.toml", &strict());
    let error = site.ctl(["apply", path.to_str().unwrap()]).failed(2);
    assert!(error.to_string().contains("address of this host"), "{error}");
    site.ctl(["apply", "--force", path.to_str().unwrap()]).done();
    reconnect(&site, &wire);
    // A probe of a neighbour that is known goes to its address itself.
    site.client.ip(&["-6", "neigh", "change", GOOD, "dev", PEER, "nud", "probe"]).unwrap();
    let listener = stream::listen(&site.host);
    stream::connect(&site.client, GOOD, &listener, LONGEST).unwrap();
    // The kernel sends it from a timer.
    wait_until("the probe to be counted", LONGEST, || site.packets(&["reasons", "control"]) > 0).unwrap();
}
