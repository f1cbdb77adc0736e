//! Paths with a narrow place, and links with large frames, in; ten megabytes up and down under a strict rule out.

use ssa_tests::net::{Namespace, PinRoot, address, route, veth};
use tempfile::TempDir;

use crate::{
    site::{CLIENT, GOOD, INTERFACE, PEER, PREFIX, RULE, Said, Site, attached, config, strict},
    stream::up_and_down,
};

/// Client, router and host. The router forwards nothing above 1280 octets, and says so.
fn narrow() -> (Namespace, Site) {
    let [host, router, client] = ["mtu-h", "mtu-r", "mtu-c"].map(|label| Namespace::new(label).unwrap());
    veth((&router, "rc0"), (&client, PEER)).unwrap();
    veth((&router, "rh0"), (&host, INTERFACE)).unwrap();
    for (namespace, interface, words) in [
        (&client, PEER, "2001:db8:c:1::2/64"),
        (&router, "rc0", "2001:db8:c:1::1/64"),
        (&router, "rh0", "2001:db8:b:1::1/64"),
        (&host, INTERFACE, "2001:db8:b:1::2/64"),
    ] {
        address(namespace, interface, words).unwrap();
    }
    router.run("sysctl", ["-qw", "net.ipv6.conf.all.forwarding=1"]).unwrap();
    route(&client, &["default", "via", "2001:db8:c:1::1"]).unwrap();
    route(&host, &["default", "via", "2001:db8:b:1::1"]).unwrap();
    route(&host, &["local", PREFIX, "dev", "lo"]).unwrap();
    route(&router, &[PREFIX, "via", "2001:db8:b:1::2", "mtu", "lock", "1280"]).unwrap();
    // The way back is as narrow.
    route(&router, &[&format!("{CLIENT}/128"), "dev", "rc0", "mtu", "lock", "1280"]).unwrap();
    let site = Site { host, client, pins: PinRoot::new(), folder: TempDir::new().unwrap() };
    (router, site)
}

#[test]
fn packet_too_big_gets_through() {
    let (_router, site) = narrow();
    site.apply(&strict()).done();
    up_and_down(&site.client, GOOD, &site.host);
    let said = site.ctl(["stats"]).done();
    let reasons = &said["services"]["web"]["reasons"];
    assert!(reasons["icmp-error"]["packets"].as_u64().unwrap() > 0, "the path was not narrow: {said}");
    assert!(reasons["conform"]["packets"].as_u64().unwrap() > 1000, "{said}");
    for reason in ["field-mismatch", "bad-icmp-error", "unparsable", "bad-source"] {
        assert_eq!(reasons[reason]["packets"], 0, "{said}");
    }
}

#[test]
fn large_frames_are_filtered_in_native_mode() {
    let site = Site::new("jumbo");
    for (namespace, name) in [(&site.host, INTERFACE), (&site.client, PEER)] {
        namespace.ip(&["link", "set", "dev", name, "mtu", "9000"]).unwrap();
    }
    site.apply(&strict()).done();
    assert!(attached(&site.host, INTERFACE).unwrap().native);
    up_and_down(&site.client, GOOD, &site.host);
    let large = || {
        let bytes = site.ctl(["stats"]).done()["services"]["web"]["reasons"]["conform"]["bytes"].clone();
        (bytes.as_u64().unwrap(), site.packets(&["reasons", "conform"]))
    };
    let (bytes, packets) = large();
    assert!(bytes / packets > 1514, "{bytes} octets in {packets} frames: none was large");

    // A change of the MTU does not take the filter away.
    site.host.ip(&["link", "set", "dev", INTERFACE, "mtu", "1500"]).unwrap();
    assert!(attached(&site.host, INTERFACE).unwrap().native);
    let said = Said::of(site.host.ssa_ctl(&site.pins).arg("--json").arg("doctor"));
    assert!(said.code.is_some(), "{said:?}");
    site.apply(&config(&[INTERFACE], "generic", RULE)).done();
    up_and_down(&site.client, GOOD, &site.host);
}
