//! A client, floods and block lists that change under them in; the client cut off and let in again, and no frame that slipped
//! through, out.

use std::{
    fmt::Write as _,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use ssa_common::verdict::Reason;
use ssa_ctl::plan::blocks::Block;
use ssa_tests::net::{Running as Process, wait_until};

use crate::{
    inside::{check_alone, counts, instance, judged},
    site::{CLIENT, GOOD, INTERFACE, Site, strict},
    stream::{connect, listen},
    traffic::Wire,
};

const LONGEST: Duration = Duration::from_secs(10);

/// A list of so many prefixes, with the client's network or not.
fn lines(count: u32, client: bool) -> String {
    let mut text = if client { "2001:db8:c:1::2/127 # the client\n".to_owned() } else { String::new() };
    for number in 0..count {
        writeln!(text, "2001:db9:{:x}:{:x}::/64", number >> 16, number & 0xffff).unwrap();
    }
    text
}

#[test]
fn a_client_is_cut_off_until_its_time_is_over() {
    let site = Site::new("blockcut");
    site.apply(&strict()).done();
    let listener = listen(&site.host);
    let tries = |longest| connect(&site.client, GOOD, &listener, longest);
    tries(LONGEST).unwrap();
    let before = site.packets(&["reasons", "blocked"]);
    site.ctl(["block", "add", CLIENT, "--for", "2s", "--reason", "too many"]).done();
    let begin = Instant::now();
    assert!(tries(Duration::from_millis(400)).is_err(), "the client is blocked");
    assert!(site.packets(&["reasons", "blocked"]) > before);
    // Neighbour discovery of the client goes on, and its packets to no service.
    site.host.ip(&["-6", "neighbour", "flush", "dev", INTERFACE]).unwrap();
    site.client.command("ping").args(["-6", "-c", "1", "-W", "5", crate::site::HOST]).output().unwrap();
    // Nobody takes it off the list.
    wait_until("the client to be let in", LONGEST, || tries(Duration::from_millis(200)).is_ok()).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(1900), "{:?}: let in too early", begin.elapsed());
    assert_eq!(site.status()["blocks"], 0);
    let said = site.ctl(["block", "add", "2001:db8:77::/48"]).done();
    assert_eq!((&said["expired"], &said["blocked"]), (&1.into(), &1.into()));
}

#[test]
fn lists_are_replaced_under_a_flood_and_nothing_slips_through() {
    let site = Site::new("blockflood");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    let files = [800, 5000, 20_000].map(|count| site.file(&format!("{count}.txt"), &lines(count, true)));
    let import = |file: &Path| {
        site.ctl(["block", "import", file.to_str().unwrap(), "--replace", "--for", "ever"]).done();
    };
    import(&files[0]);
    let before = counts(&instance(&site), "web");
    let ((), sent) = wire.flood(&wire.datagram(GOOD, &[], "noise"), || {
        // Twice larger maps, and then banks in turn.
        for round in 0..12 {
            import(&files[if round < 3 { round } else { round % 3 }]);
        }
        site.ctl(["enforce", "web", "off"]).done();
        site.ctl(["enforce", "web", "on"]).done();
        site.apply(&strict()).done();
    });
    let mut after = counts(&instance(&site), "web");
    wait_until("all frames to be counted", LONGEST, || {
        after = counts(&instance(&site), "web");
        after.received.packets - before.received.packets == sent
    })
    .unwrap();
    assert!(sent > 1000, "{sent}");
    let moved = |reason| after.reason(reason).packets - before.reason(reason).packets;
    assert_eq!((moved(Reason::Blocked), moved(Reason::Conform)), (sent, 0));
}

/// What the list is, but for when that was written.
fn listed(site: &Site) -> Vec<Block> {
    instance(site).blocks().unwrap().into_iter().map(|block| Block { added: 0, ..block }).collect()
}

#[test]
fn an_import_that_is_killed_is_done_or_not() {
    let site = Site::new("blockkill");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    let frame = wire.datagram(GOOD, &[], "one");
    let small = site.file("small.txt", &lines(3000, false));
    let large = site.file("large.txt", &lines(60_000, true));
    let import = |file: &Path| {
        let mut command = site.host.ssa_ctl(&site.pins);
        command.args(["block", "import", file.to_str().unwrap(), "--replace", "--for", "ever"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Process::start(&mut command).unwrap()
    };
    let whole = |file: &Path| {
        let begin = Instant::now();
        assert!(import(file).wait().unwrap().success());
        (begin.elapsed().mul_f64(1.1), listed(&site))
    };
    let (_, without) = whole(&small);
    let (longest, with) = whole(&large);
    let mut outcomes = [0; 2];
    for round in 0..40 {
        if round == 0 || round >= 30 {
            // The maps are small again, so that they must grow.
            site.ctl(["down"]).done();
            site.apply(&strict()).done();
            whole(&small);
        }
        let is_large = listed(&site) == with;
        let mut process = import(if is_large { &small } else { &large });
        // sleep: the moment is the case.
        thread::sleep(longest.mul_f64((f64::from(round) * 0.618_033_988_75).fract()));
        process.kill().unwrap();
        process.wait().unwrap();
        let now = listed(&site);
        assert!(now == with || now == without, "a mix of two lists is in force: {} entries", now.len());
        outcomes[usize::from((now == with) != is_large)] += 1;
        let wanted = if now == with { Reason::Blocked } else { Reason::Conform };
        let is_one = || judged(&instance(&site), &wire, &frame) == wanted;
        // A program that is replaced runs on until the next writer has mended its link.
        let mended = |site: &Site| site.ctl(["block", "add", "2001:db8:77::/48"]).done();
        if !is_one() {
            mended(&site);
            assert!(is_one(), "round {round}");
            site.ctl(["block", "del", "2001:db8:77::/48"]).done();
        }
    }
    println!("{outcomes:?}: killed before and after");
    assert!(outcomes[0] > 0, "{outcomes:?}");
    whole(&small);
    site.ctl(["block", "del", "--all"]).done();
    check_alone(&site);
    assert_eq!(judged(&instance(&site), &wire, &frame), Reason::Conform);
}
