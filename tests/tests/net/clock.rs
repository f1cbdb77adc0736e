//! Clocks that are off in; what a rule with epochs makes of it, `status` that says so and `apply` that mends it, out.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;
use ssa_common::verdict::Reason;

use crate::{
    inside::{instance, judged, set_clock_ahead},
    site::{CLIENT, INTERFACE, Site, config},
    traffic::Wire,
};

/// Seconds in an epoch: longer than this test, and its edge is out of the way.
const PERIOD: i64 = 3600;
/// How near the clock must be.
const NEAR: f64 = 0.2;

fn timed(site: &Site, more: &str) -> String {
    let key = site.file("k1.key", "00112233445566778899aabbccddee0f");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let service = config(&[INTERFACE], "native", "any:16 mac(64,key=k1,period=1h):48");
    format!("{service}{more}[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"{}\"\n", key.display())
}

fn error(status: &Value) -> f64 {
    status["clock"]["error_seconds"].as_f64().unwrap()
}

fn address(site: &Site, at: Option<u64>) -> String {
    let at = at.map(|at| at.to_string());
    let mut arguments = vec!["address", "web", "--from", CLIENT];
    arguments.extend(at.iter().flat_map(|at| ["--at", at.as_str()]));
    site.ctl(arguments).done()["addresses"][0].as_str().unwrap().to_owned()
}

fn unix() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_clock_that_is_off_is_seen_and_mended() {
    let site = Site::new("clock");
    let text = timed(&site, "");
    site.apply(&text).done();
    let wire = Wire::new(&site);
    for (seconds, is_near) in [(1, true), (-1, true), (PERIOD, false), (-PERIOD, false), (-365 * 24 * PERIOD, false)] {
        set_clock_ahead(&site, seconds);
        let status = site.status();
        #[expect(clippy::cast_precision_loss, reason = "a year has few seconds")]
        let expected = seconds as f64;
        assert!((error(&status) - expected).abs() < NEAR, "{seconds}: {status}");
        // At an edge, the epoch before or after is accepted for `skew`, five seconds.
        let within = (unix() + 30) % 3600 > 60;
        let frame = wire.datagram(&address(&site, None), &[], "now");
        if within {
            let expected = if is_near { Reason::Conform } else { Reason::MacMismatch };
            assert_eq!(judged(&instance(&site), &wire, &frame), expected, "{seconds}");
        }
        let steps = site.apply(&text).done();
        assert_eq!(steps["steps"][0]["step"], "clock", "{steps}");
        assert!(error(&site.status()).abs() < NEAR);
        assert_eq!(site.apply(&text).done()["changed"], false);
        assert_eq!(judged(&instance(&site), &wire, &frame), Reason::Conform, "{seconds}");
    }
}

#[test]
fn an_address_has_its_time() {
    let site = Site::new("epochs");
    site.apply(&timed(&site, "")).done();
    let wire = Wire::new(&site);
    let middle = unix() / 3600 * 3600 + 1800;
    for (epochs, reason) in [(-2, "mac-mismatch"), (0, "conform"), (2, "mac-mismatch")] {
        let then = middle.checked_add_signed(epochs * PERIOD).unwrap();
        let address = address(&site, Some(then));
        let said = site.ctl(["explain", CLIENT, &address]).done();
        assert_eq!((&said["reason"], &said["agree"]), (&reason.into(), &true.into()), "{said}");
        let said = site.ctl(["explain", CLIENT, &address, "--at", &then.to_string()]).done();
        assert_eq!((&said["reason"], &said["agree"]), (&"conform".into(), &true.into()), "{said}");
        assert!(said.to_string().contains(&format!("\"from\":{}", then / 3600 * 3600)), "{said}");
        let frame = wire.datagram(&address, &[], "then");
        assert_eq!(judged(&instance(&site), &wire, &frame).name(), reason);
    }
}

#[test]
fn a_clock_that_nobody_refreshes_is_stale() {
    let site = Site::new("stale");
    let text = timed(&site, "max_age = \"2s\"\nstale_clock = \"closed\"\n");
    site.apply(&text).done();
    let wire = Wire::new(&site);
    let frame = wire.datagram(&address(&site, None), &[], "now");
    assert_eq!(judged(&instance(&site), &wire, &frame), Reason::Conform);
    let stale = || site.status()["clock"]["stale"] == true;
    assert!(!stale());
    ssa_tests::net::wait_until("the clock to be stale", std::time::Duration::from_secs(10), stale).unwrap();
    assert_eq!(judged(&instance(&site), &wire, &frame), Reason::MacMismatch);
    assert_eq!(site.apply(&text).done()["steps"][0]["step"], "clock");
    assert_eq!(judged(&instance(&site), &wire, &frame), Reason::Conform);
    assert!(!stale());
}
