//! A filter with traffic, with changes and with none loaded in; what a Prometheus that scrapes it gets, out.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use ssa_tests::{
    exposition::Exposition,
    net::{output_of, wait_until},
    ssa_ctl_path,
};

use crate::{
    listener::{Listener, request},
    site::{GOOD, Site, WRONG, strict},
    traffic::Wire,
};

const ANY_PORT: &str = "[::1]:0";
const LONGEST: Duration = Duration::from_secs(20);

/// Counters of the service that moved, by name and the labels but the service's, and by how much.
fn moved(before: &Exposition, after: &Exposition) -> BTreeMap<String, f64> {
    let counters = after.samples.iter().filter(|((name, labels), _)| {
        after.types[name] == "counter" && labels.get("service").is_some_and(|service| service == "web")
    });
    let shown = |name: &str, labels: &BTreeMap<String, String>| {
        let labels = labels.iter().filter(|(label, _)| *label != "service").map(|(_, value)| value.as_str());
        [name.strip_prefix("ssa_").unwrap()].into_iter().chain(labels).collect::<Vec<_>>().join(" ")
    };
    let by = counters
        .map(|((name, labels), value)| (shown(name, labels), value - before.samples[&(name.clone(), labels.clone())]));
    by.filter(|(_, by)| *by != 0.0).collect()
}

/// In every scrape, whatever goes on: received is the sum over reasons, and over treatments.
fn check_sums(metrics: &Exposition) {
    for what in ["packets", "bytes"] {
        let received = metrics.sum(&format!("ssa_received_{what}_total"), &[]);
        assert_eq!(metrics.sum(&format!("ssa_{what}_total"), &[]), received, "{what} by reason");
        assert_eq!(metrics.sum(&format!("ssa_treated_{what}_total"), &[]), received, "{what} by treatment");
    }
}

#[test]
fn a_scrape_counts_what_was_sent() {
    let site = Site::new("scrape");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    let listener = Listener::start(&site, ANY_PORT);
    assert!(listener.warnings.is_empty(), "{:?}", listener.warnings);
    let before = listener.metrics(&site.host);
    let frames = [GOOD, WRONG, GOOD, WRONG, GOOD].map(|address| wire.datagram(address, &[], "sixteen octets.."));
    let octets = f64::from(u16::try_from(frames[0].len()).unwrap());
    for frame in &frames {
        wire.send(frame).unwrap();
    }
    wait_until("the frames to be counted", LONGEST, || site.packets(&["received"]) == 5).unwrap();
    let after = listener.metrics(&site.host);
    let expected = [
        ("received_packets_total", 5.0),
        ("received_bytes_total", 5.0 * octets),
        ("packets_total conform", 3.0),
        ("bytes_total conform", 3.0 * octets),
        ("packets_total field-mismatch", 2.0),
        ("bytes_total field-mismatch", 2.0 * octets),
        ("treated_packets_total pass", 3.0),
        ("treated_bytes_total pass", 3.0 * octets),
        ("treated_packets_total drop", 2.0),
        ("treated_bytes_total drop", 2.0 * octets),
    ];
    assert_eq!(moved(&before, &after), expected.map(|(name, by)| (name.to_owned(), by)).into());
    check_sums(&after);

    site.ctl(["enforce", "web", "off"]).done();
    wire.send(&frames[1]).unwrap();
    wait_until("the frame to be counted", LONGEST, || site.packets(&["received"]) == 6).unwrap();
    let open = listener.metrics(&site.host);
    let expected = [
        ("received_packets_total", 1.0),
        ("received_bytes_total", octets),
        ("packets_total field-mismatch", 1.0),
        ("bytes_total field-mismatch", octets),
        ("treated_packets_total pass", 1.0),
        ("treated_bytes_total pass", octets),
        ("would_drop_packets_total", 1.0),
        ("would_drop_bytes_total", octets),
    ];
    assert_eq!(moved(&after, &open), expected.map(|(name, by)| (name.to_owned(), by)).into());
    assert_eq!((after.value("ssa_generation", &[]), open.value("ssa_generation", &[])), (Some(1.0), Some(2.0)));
    assert_eq!(open.value("ssa_enforced_ratio", &[("service", "web")]), Some(0.0));
}

#[test]
fn requests_get_what_is_theirs() {
    let site = Site::new("requests");
    site.apply(&strict()).done();
    let listener = Listener::start(&site, ANY_PORT);
    let ask = |request: &str| listener.ask(&site.host, request);
    let open = listener.scrape(&site.host);
    assert!(open.head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{open:?}");
    let plain = ask(&request("GET", "/metrics", ""));
    assert!(plain.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{plain:?}");
    let plain = Exposition::read(&plain.body, false).unwrap();
    let open = Exposition::read(&open.body, true).unwrap();
    assert_eq!(plain.types, open.types);
    let head = ask(&request("HEAD", "/metrics", ""));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for (method, path, status) in
        [("GET", "/", 404), ("GET", "/metrics/", 404), ("GET", "/metrics?x=1", 200), ("POST", "/metrics", 405)]
    {
        assert_eq!(ask(&request(method, path, "Content-Length: 0\r\n")).status, status, "{method} {path}");
    }
    let many = (0..100).map(|number| format!("X-{number}: x\r\n")).collect::<Vec<_>>().concat();
    assert_eq!(ask(&request("GET", "/metrics", &many)).status, 431);
    assert_eq!(ask(&request("GET", "/metrics", &format!("X: {}\r\n", "x".repeat(20_000)))).status, 431);
    assert_eq!(ask("HELLO\r\n\r\n").status, 400);
    assert_eq!(listener.scrape(&site.host).status, 200);
    for signal in [Signal::INT, Signal::TERM] {
        let (status, said) = Listener::start(&site, ANY_PORT).stop(signal);
        assert!(status.success() && said.is_empty(), "{signal:?}: {status}, {said:?}");
    }
}

#[test]
fn nothing_loaded_is_said_until_something_is() {
    let site = Site::new("unloaded");
    let listener = Listener::start(&site, ANY_PORT);
    for _ in 0..2 {
        let answer = listener.scrape(&site.host);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.body.starts_with("nothing is loaded at ") && answer.body.lines().count() == 1, "{answer:?}");
        site.apply(&strict()).done();
        let metrics = listener.metrics(&site.host);
        assert_eq!(metrics.value("ssa_generation", &[]), Some(1.0));
        assert_eq!(metrics.sum("ssa_interface_attached", &[]), Some(1.0));
        // The listener keeps nothing of it: it goes away, all of it.
        site.ctl(["down"]).done();
        assert!(!site.pins.path().exists());
    }
    assert!(listener.stop(Signal::TERM).0.success());
}

#[test]
fn a_scrape_follows_what_is_applied() {
    let site = Site::new("follow");
    let service = |number: u32| {
        format!("[[service]]\nname = \"n{number}\"\nprefixes = [\"2001:db8:e:{number:x}::/64\"]\nrule = \"any:*\"\n")
    };
    let with = |more: u32| strict() + &(0..more).map(service).collect::<String>();
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    for _ in 0..7 {
        wire.send(&wire.datagram(GOOD, &[], "")).unwrap();
    }
    wait_until("the frames to be counted", LONGEST, || site.packets(&["received"]) == 7).unwrap();
    let listener = Listener::start(&site, ANY_PORT);
    let is_done = AtomicBool::new(false);
    let scrapes = thread::scope(|scope| {
        let scraper = scope.spawn(|| {
            let mut scrapes = vec![];
            while !is_done.load(Ordering::Relaxed) {
                scrapes.push(listener.metrics(&site.host));
            }
            scrapes.push(listener.metrics(&site.host));
            scrapes
        });
        // Services come and go, and with the third the maps are replaced by larger ones.
        for more in [1, 0, 300, 2, 0, 5] {
            site.apply(&with(more)).done();
        }
        is_done.store(true, Ordering::Relaxed);
        scraper.join().unwrap()
    });
    let mut generation = Some(0.0);
    for metrics in &scrapes {
        check_sums(metrics);
        // Nothing was sent meanwhile: counters stand still, through everything.
        assert_eq!(metrics.value("ssa_received_packets_total", &[("service", "web")]), Some(7.0));
        let now = metrics.value("ssa_generation", &[]);
        assert!(now >= generation, "from {generation:?} to {now:?}");
        generation = now;
    }
    assert_eq!(generation, Some(7.0));
    let last = scrapes.last().unwrap();
    assert_eq!((last.value("ssa_services", &[]), last.sum("ssa_interface_current", &[])), (Some(6.0), Some(1.0)));
}

#[test]
fn whoever_is_slow_is_cut_off() {
    let site = Site::new("slow");
    site.apply(&strict()).done();
    let listener = Listener::start(&site, ANY_PORT);
    // As many as it takes at a time, and more; of one there is only half a request, and nothing at all of another.
    let slow: Vec<TcpStream> = (0..64)
        .map(|number| {
            let mut stream = listener.connect(&site.host);
            if number % 2 == 0 {
                stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: local").unwrap();
            }
            stream
        })
        .collect();
    // Who asks at once is answered at once: those who wait longest make room, before their time is over.
    let there = format!("http://{}/metrics", listener.address);
    let scraped = output_of(site.host.command("curl").args(["-sS", "--max-time", "15", &there])).unwrap();
    check_sums(&Exposition::read(&scraped, false).unwrap());
    for mut stream in slow {
        let mut said = String::new();
        // It may have been reset instead of closed, as its half request was never read to an end.
        let _ = stream.read_to_string(&mut said);
        assert!(!said.contains("ssa_"), "{said}");
    }
    assert!(listener.stop(Signal::INT).0.success());
}

#[test]
fn the_capabilities_of_the_unit_are_enough() {
    let site = Site::new("unit");
    site.apply(&strict()).done();
    let unit = include_str!("../../../deploy/systemd/ssa-metrics.service");
    let set = unit.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet=")).unwrap();
    let names = set.split(' ').map(|name| name.strip_prefix("CAP_").unwrap().to_lowercase());
    let bounds = names.map(|name| format!(",+{name}")).collect::<Vec<_>>().concat();
    let mut command = site.host.command("setpriv");
    command.arg(format!("--bounding-set=-all{bounds}")).arg("--no-new-privs").arg(ssa_ctl_path());
    command.arg("--pin-root").arg(site.pins.path()).args(["metrics", "--listen", ANY_PORT]);
    let listener = Listener::of(&mut command);
    let metrics = listener.metrics(&site.host);
    assert_eq!(metrics.value("ssa_generation", &[]), Some(1.0));
    // The kernel hides it from who has no capability.
    assert!(metrics.value("ssa_memory_bytes", &[("kind", "programs")]) > Some(0.0));
    assert!(listener.stop(Signal::TERM).0.success());
}

#[test]
fn where_it_listens_is_somebody_elses_business_too() {
    let site = Site::new("address");
    let listener = Listener::start(&site, "[::]:0");
    assert_eq!(listener.warnings.len(), 1);
    assert!(listener.warnings[0].starts_with("warning: [::]:"), "{:?}", listener.warnings);
    let taken = listener.address.to_string();
    let error = site.ctl(["metrics", "--listen", &taken]).failed(1);
    assert_eq!(error["message"].as_str().unwrap().split(": ").next(), Some(&*format!("cannot listen at {taken}")));
    assert!(error["hint"].is_string());
    // Anybody who reaches the host reaches it.
    let there = format!("http://[{}]:{}/metrics", crate::site::HOST, listener.address.port());
    let answer = output_of(site.client.command("curl").args(["-sS", "--max-time", "20", &there])).unwrap();
    assert!(answer.starts_with("nothing is loaded"), "{answer}");
}
