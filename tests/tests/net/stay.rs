//! Slices that were moved by hand in; what applies, pins and splits make of them, and of their counters, out.

use std::{net::UdpSocket, time::Duration};

use serde_json::{Value, json};
use ssa_tests::net::wait_until;

use crate::{
    site::{CLIENT, Said, Site},
    slices::{owners, site, slices, text, twice},
};

const LONGEST: Duration = Duration::from_secs(20);

#[test]
fn what_was_moved_stays_until_there_is_a_reason() {
    let site = site("stay");
    site.ctl(["slice", "move", "web", "0-9", "b"]).done();
    let moved = owners(&site);
    assert!(moved.iter().filter(|owner| *owner == "b").count() >= 10, "{moved:?}");
    let exported = Said::of(site.host.ssa_ctl(&site.pins).arg("export"));
    assert_eq!(site.apply(&exported.out).done()["changed"], false, "{}", exported.out);
    assert_eq!(site.ctl(["endpoint", "drain", "--off", "a"]).done()["changed"], false);
    // The file knows of no pins, and no slice moves for it.
    let done = site.apply(&text("")).done();
    let steps = json!([{ "step": "config", "object": "web", "detail": "pinned: 10 slices to 0" }]);
    assert_eq!(done["steps"], steps, "{done}");
    assert_eq!(owners(&site), moved);
    assert_eq!(site.apply(&text("")).done()["changed"], false);
    // On a host where nothing is in force, the same owners come of what was exported.
    site.ctl(["down"]).done();
    site.apply(&exported.out).done();
    assert_eq!(owners(&site), moved);
    // A pin in the file moves its slice, and no other.
    let pin = if moved[15] == "a" { "c" } else { "a" };
    site.apply(&text(&format!("pinned = [\"15 {pin}\"]\n"))).done();
    let mut wanted = moved.clone();
    wanted[15] = pin.into();
    assert_eq!(owners(&site), wanted);
    twice(&site, &["slice", "rebalance", "web"]);
    let balanced = owners(&site);
    let count = |name: &str| balanced.iter().filter(|owner| *owner == name).count();
    assert!(["a", "b", "c"].iter().all(|name| (5..=6).contains(&count(name))), "{balanced:?}");
}

#[test]
fn an_endpoint_that_drains_keeps_what_is_pinned_until_that_is_let_go() {
    let site = site("unpin");
    site.ctl(["slice", "move", "web", "3,5-6", "b"]).done();
    let had = |site: &Site| {
        let owners = owners(site);
        (0..owners.len()).filter(|slice| owners[*slice] == "b").collect::<Vec<_>>()
    };
    let said = twice(&site, &["endpoint", "drain", "b"]);
    let warning = "b drains, but 3 slices of web are pinned to it and stay: to let go, ssa-ctl slice unpin web 3,5-6";
    assert_eq!(said["warnings"], json!([warning]), "{said}");
    assert_eq!(had(&site), [3, 5, 6]);
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["endpoint", "drain", "b"]));
    assert_eq!((text.out.as_str(), text.err), ("no change\n", format!("warning: {warning}\n")));
    let before = owners(&site);
    let said = twice(&site, &["slice", "unpin", "web", "5-6"]);
    assert_eq!(said["warnings"], json!([]), "{said}");
    assert_eq!(had(&site), [3]);
    let mut wanted = owners(&site);
    wanted[5..=6].clone_from_slice(&before[5..=6]);
    assert_eq!(wanted, before, "other slices have moved");
    assert_eq!(site.ctl(["slice", "unpin", "web", "0-2,5-6"]).done()["changed"], false, "nothing is pinned there");
    twice(&site, &["slice", "unpin", "web", "3"]);
    assert_eq!(had(&site), [0; 0]);
    assert_eq!(site.ctl(["endpoint", "drain", "b"]).done()["warnings"], json!([]));
}

#[test]
fn who_does_not_drain_keeps_what_is_let_go() {
    let site = site("letgo");
    site.ctl(["slice", "move", "web", "0-9", "b"]).done();
    let moved = owners(&site);
    twice(&site, &["slice", "unpin", "web", "0-9"]);
    assert_eq!(owners(&site), moved);
    assert!(slices(&site)["runs"].as_array().unwrap().iter().all(|run| run["pinned"] == false));
}

/// Frames that each slice counts.
fn counted(site: &Site) -> Vec<u64> {
    let said = site.ctl(["slices", "web", "--each"]).done();
    let runs = said["services"]["web"]["runs"].as_array().unwrap();
    runs.iter().map(|run| run["frames"].as_u64().unwrap()).collect()
}

/// Sends datagrams from the client: one to each slice of 16 whose number is given. They are counted there.
fn send(site: &Site, slices: &[usize]) {
    let before: u64 = counted(site).iter().sum();
    let work = || {
        let socket = UdpSocket::bind((CLIENT, 0)).unwrap();
        for slice in slices {
            socket.send_to(b"x", format!("[2001:db8:a:1:{slice:x}000::1]:9")).unwrap();
        }
    };
    site.client.enter(work).unwrap();
    let arrived = || counted(site).iter().sum::<u64>() == before + slices.len() as u64;
    wait_until("datagrams to be counted", LONGEST, arrived).unwrap();
}

#[test]
fn other_slices_are_counted_from_zero() {
    let site = site("cells");
    let at = |frames: &[(usize, u64)], of: usize| {
        let mut all = vec![0; of];
        for (slice, count) in frames {
            all[*slice] = *count;
        }
        all
    };
    send(&site, &[2, 2, 7]);
    assert_eq!(counted(&site), at(&[(2, 2), (7, 1)], 16));
    let zero = "frames of its slices are counted from zero";
    let says_so = |said: &Value| said["steps"].as_array().unwrap().iter().any(|step| step["detail"] == zero);
    for (verb, count) in [("split", 32), ("split", 64), ("merge", 32), ("merge", 16)] {
        let said = twice(&site, &["slice", verb, "web"]);
        assert!(says_so(&said), "{said}");
        assert_eq!(counted(&site), vec![0; count], "{verb}");
        send(&site, &[1, 5, 5]);
        let width = count / 16;
        assert_eq!(counted(&site), at(&[(width, 1), (5 * width, 2)], count), "{verb}");
    }
    // What changes nothing of the slices changes nothing of their counters.
    let said = twice(&site, &["slice", "move", "web", "5", "c"]);
    assert!(!says_so(&said), "{said}");
    site.ctl(["endpoint", "drain", "a"]).done();
    assert_eq!(counted(&site), at(&[(1, 1), (5, 2)], 16));
}

#[test]
fn a_new_service_has_no_frames_of_the_one_before() {
    let site = site("cellsnew");
    send(&site, &[2, 2, 7]);
    site.apply(&text("").replace("name = \"web\"", "name = \"other\"")).done();
    site.apply(&text("")).done();
    assert_eq!(counted(&site), vec![0; 16]);
}
