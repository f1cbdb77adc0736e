//! Clients on a terminal, and with few ports, in; what is shown of a search, and how many connections there are, out.

use std::{fs, os::unix::process::ExitStatusExt as _, sync::Arc};

use nix::sys::signal::Signal;
use ssa_client::connect::tcp;
use ssa_tests::{ssa_ctl_path, terminal::Terminal};

use crate::{
    client::{SECRET, WISH, client, keyed, site},
    site::{INTERFACE, PREFIX, Site, config},
    stream::LONGEST,
};

/// `connect` on a terminal of the client.
fn connect(site: &Site, more: &[&str]) -> Terminal {
    let mut command = site.client.command("setsid");
    command.arg("--ctty").arg(ssa_ctl_path()).args(["connect", "web", "--port", "7443", "--config"]);
    command.arg(site.folder.path().join("config.toml")).args(more).env_remove("SSA_LOG");
    Terminal::start(&mut command, 80, 24).unwrap()
}

fn shows_a_search(lines: &[String]) -> bool {
    lines
        .iter()
        .any(|line| line.starts_with("proof of work: ") && line.contains(" attempts of about 1,099,511,627,776"))
}

#[test]
fn a_search_is_shown_and_ends_when_somebody_wants_it() {
    let site = Site::new("search");
    // Nobody finds such a proof while a test runs.
    site.file("config.toml", &config(&[INTERFACE], "native", "hash(48):14 pow(64,zeros=40):50"));
    let mut interrupted = connect(&site, &["--timeout", "1h"]);
    interrupted.wait_for("a search", shows_a_search).unwrap();
    interrupted.keys("\x03").unwrap();
    assert_eq!(interrupted.end().unwrap().signal(), Some(Signal::SIGINT as i32));
    for more in [&["--timeout", "2s"][..], &["--timeout", "2s", "--udp"]] {
        let mut late = connect(&site, more);
        late.wait_for("a search", shows_a_search).unwrap();
        let lines = late.wait_for("an error", |lines| lines.iter().any(|line| line.starts_with("error: "))).unwrap();
        assert_eq!(late.end().unwrap().code(), Some(1));
        assert!(!shows_a_search(&lines), "{lines:?}");
    }
}

#[test]
fn one_port_serves_many_destinations() {
    let rule = "hash(48):20 any:*";
    let site = site("ports", rule, "");
    let range = "/proc/sys/net/ipv4/ip_local_port_range";
    site.client.enter(|| fs::write(range, "40000 40001")).unwrap().unwrap();
    let selector = keyed(&[PREFIX], &format!("rule={rule}"), 1, SECRET);
    let ports = client(&site, async {
        let mut streams = Vec::new();
        for _ in 0..8 {
            streams.push(tcp(&Arc::clone(&selector), &WISH, LONGEST).await.unwrap());
        }
        streams.iter().map(|stream| stream.local_addr().unwrap().port()).collect::<Vec<_>>()
    });
    assert!(ports.len() == 8 && ports.iter().all(|port| [40000, 40001].contains(port)), "{ports:?}");
}
