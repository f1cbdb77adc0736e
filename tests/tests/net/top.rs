//! `ssa-ctl top` in a pseudo-terminal, and real packets, in; what its screen shows, and how it leaves the terminal, out.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ssa_tests::{net::wait_until, ssa_ctl_path, terminal::Terminal};

use crate::{
    site::{GOOD, INTERFACE, Site, WRONG, config, strict},
    traffic::Wire,
};

const LONGEST: Duration = Duration::from_secs(10);
/// So that no look comes that the test has not asked for, by a pause and its end.
const SELDOM: [&str; 2] = ["--interval", "60s"];

fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = site.host.command("setsid");
    command.arg("--ctty").arg(ssa_ctl_path()).arg("--pin-root").arg(site.pins.path());
    command.arg("top").args(arguments).env_remove("SSA_LOG").env_remove("NO_COLOR");
    command
}

fn start(site: &Site, arguments: &[&str]) -> Terminal {
    Terminal::start(&mut command(site, arguments), 80, 24).unwrap()
}

/// Two services, of which the second gets nothing.
fn two() -> String {
    strict()
        + "[[service]]\nname = \"storage\"\nprefixes = [\"2001:db8:a:2::/64\"]\nrule = \"any:*\"\nenforce = \"off\"\n"
}

fn send(site: &Site, wire: &Wire, destination: &str, count: u64) {
    let before = site.packets(&["received"]);
    let frame = wire.datagram(destination, &[], "");
    (0..count).for_each(|_| wire.send(&frame).unwrap());
    wait_until("the frames to be counted", LONGEST, || site.packets(&["received"]) == before + count).unwrap();
}

/// The words of the line that begins with this name, chosen or not.
fn words(lines: &[String], name: &str) -> Vec<String> {
    let words = lines.iter().map(|line| line.trim_start_matches(['>', ' ']).split_whitespace());
    let mut found = words.filter_map(|mut words| (words.next()? == name).then(|| words.map(str::to_owned).collect()));
    found.next().unwrap_or_default()
}

fn has(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

/// Types keys, and waits until the screen has this text.
fn ask(terminal: &mut Terminal, keys: &str, text: &str) -> Vec<String> {
    terminal.keys(keys).unwrap();
    terminal.wait_for(text, |lines| has(lines, text)).unwrap()
}

/// What happens in a pause is in the look at its end.
fn in_a_pause<T>(terminal: &mut Terminal, work: impl FnOnce() -> T) -> (T, Duration) {
    ask(terminal, "p", "PAUSED");
    let paused = Instant::now();
    let done = work();
    let long = paused.elapsed();
    ask(terminal, "p", "every 60 s");
    (done, long)
}

fn quits(mut terminal: Terminal) {
    terminal.keys("q").unwrap();
    assert_eq!(terminal.end().unwrap().code(), Some(0));
    terminal.wait_for_the_person().unwrap();
}

#[test]
fn rates_follow_what_was_sent() {
    let site = Site::new("toprates");
    site.apply(&two()).done();
    let (wire, maps) = (Wire::new(&site), site.maps());
    let began = Instant::now();
    let mut terminal = start(&site, &SELDOM);
    let lines = terminal.wait_for("the services", |lines| !words(lines, "storage").is_empty()).unwrap();
    assert!(lines[0].starts_with("[1 services] 2 reasons") && lines[23].starts_with("q quit"), "{lines:?}");
    assert_eq!(words(&lines, "web")[0], "-");
    let ((), pause) = in_a_pause(&mut terminal, || {
        send(&site, &wire, GOOD, 300);
        send(&site, &wire, WRONG, 100);
    });
    let lines =
        terminal.wait_for("a rate", |lines| words(lines, "web").first().is_some_and(|rate| rate != "-")).unwrap();
    // The look before was after the start and before the pause, and this one after it.
    let (most, least) = (400.0 / pause.as_secs_f64(), 400.0 / began.elapsed().as_secs_f64());
    let said = words(&lines, "web");
    let thousands = said[0].ends_with('k');
    let rate: f64 = said[0].trim_end_matches('k').parse::<f64>().unwrap() * if thousands { 1000.0 } else { 1.0 };
    assert!(rate >= least * 0.99 - 0.1 && rate <= most * 1.01 + 0.1, "{rate} is not in {least}..{most}");
    assert_eq!((said[2].as_str(), said[3].as_str()), ("25.0%", "0%"), "{said:?}");
    assert_eq!(words(&lines, "storage")[..4], ["0", "0", "-", "-"]);
    assert_eq!(words(&lines, "(all)")[..4], said[..4]);
    assert!(has(&lines, "█"), "{lines:?}");
    // The choice holds in the other views.
    ask(&mut terminal, "\x1b[B", "> web");
    let lines = ask(&mut terminal, "2", "[2 reasons]");
    assert!(lines[1].starts_with(" web"), "{lines:?}");
    assert_eq!(words(&lines, "conform")[2..4], ["75.0%", "300"]);
    assert_eq!(words(&lines, "field-mismatch")[2..4], ["25.0%", "100"]);
    let lines = ask(&mut terminal, "\t", "[3 treatments]");
    assert_eq!((&words(&lines, "pass")[3], &words(&lines, "drop")[3]), (&"300".into(), &"100".into()));
    let [slices, endpoints] = ["web: no slices: set slice_bits", "no endpoints"];
    for (keys, text) in [("4", slices), ("6", "100% web"), ("5", endpoints), ("?", "Shift-Tab"), ("\x1b", endpoints)] {
        ask(&mut terminal, keys, text);
    }
    // Looking has moved nothing.
    assert_eq!(site.maps(), maps);
    assert_eq!(site.packets(&["received"]), 400);
    quits(terminal);
}

#[test]
fn the_order_and_the_size_are_the_readers() {
    let site = Site::new("topsize");
    site.apply(&two()).done();
    let mut terminal = start(&site, &SELDOM);
    ask(&mut terminal, "", "storage");
    let place = |lines: &[String], name: &str| lines.iter().position(|line| line.contains(&format!("  {name} ")));
    let order = |lines: &[String]| place(lines, "storage").cmp(&place(lines, "web"));
    let lines = ask(&mut terminal, "ssss", "SERVICE▲");
    assert!(order(&lines).is_lt(), "{lines:?}");
    let lines = ask(&mut terminal, "r", "SERVICE▼");
    assert!(order(&lines).is_gt(), "{lines:?}");
    ask(&mut terminal, "-", "every 30 s");
    ask(&mut terminal, "+", "every 60 s");
    for (width, height) in [(60, 20), (200, 50), (80, 24)] {
        terminal.resize(width, height).unwrap();
        let is_whole = |lines: &[String]| {
            lines.len() == usize::from(height)
                && lines[usize::from(height) - 1].ends_with("? help")
                && lines[0].starts_with("[1 services]")
                && !words(lines, "web").is_empty()
        };
        terminal.wait_for(&format!("a screen of {width}x{height}"), is_whole).unwrap();
    }
    terminal.resize(30, 6).unwrap();
    terminal.wait_for("a screen that is too small", |lines| has(lines, "too small")).unwrap();
    quits(terminal);
}

#[test]
fn slices_and_endpoints_show_where_frames_go() {
    let site = crate::slices::site("topslices");
    let wire = Wire::new(&site);
    let mut terminal = start(&site, &["web", "--interval", "1m"]);
    ask(&mut terminal, "4", "the next look has their rates");
    in_a_pause(&mut terminal, || send(&site, &wire, "2001:db8:a:1:f000::1", 60));
    let lines = terminal.wait_for("the map", |lines| has(lines, "frames/s over 16 slices")).unwrap();
    assert!(has(&lines, "      0 ···············█") && has(&lines, "busiest: slice 15 of c"), "{lines:?}");
    let lines = ask(&mut terminal, "5", "[5 endpoints]");
    assert_eq!(words(&lines, "c")[4], "100%");
    let slices = ["a", "b", "c"].map(|name| words(&lines, name)[0].parse::<u32>().unwrap());
    assert_eq!(slices.iter().sum::<u32>(), 16);
    // Counted by slice no more.
    site.apply(&crate::slices::text("").replace("slice_counters = true\n", "")).done();
    site.ctl(["endpoint", "drain", "c"]).done();
    ask(&mut terminal, "1", "[1 services]");
    ask(&mut terminal, "4", "not counted: set slice_counters = true");
    let lines = ask(&mut terminal, "5", "draining");
    assert_eq!(words(&lines, "c")[..4], ["0", "0%", "1", "-"]);
    quits(terminal);
}

#[test]
fn what_comes_and_goes_is_followed() {
    let site = Site::new("topfollow");
    let mut terminal = start(&site, &[]);
    ask(&mut terminal, "", "nothing is loaded at");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    let is_zero = |lines: &[String]| words(lines, "web").first().is_some_and(|rate| rate == "0");
    terminal.wait_for("the service", is_zero).unwrap();
    send(&site, &wire, GOOD, 500);
    // A larger instance takes its place, and the sums over.
    let more = |text: String, number: u32| {
        let prefix = format!("2001:db8:b:{number}::/64");
        text + &format!("[[service]]\nname = \"s{number}\"\nprefixes = [\"{prefix}\"]\nrule = \"any:*\"\n")
    };
    site.apply(&(1..40).fold(strict(), more)).done();
    ask(&mut terminal, "", "s12");
    let is_total = |lines: &[String]| words(lines, "conform").get(3).is_some_and(|total| total == "500");
    terminal.keys("2").unwrap();
    terminal.wait_for("the sum", is_total).unwrap();
    terminal.keys("1").unwrap();
    site.ctl(["down"]).done();
    ask(&mut terminal, "", "nothing is loaded at");
    site.apply(&strict()).done();
    // Nothing was sent since: no moment shows another rate.
    let is_anew = |lines: &[String]| {
        assert!(words(lines, "web").first().is_none_or(|rate| rate == "-" || rate == "0"), "{lines:?}");
        is_zero(lines)
    };
    terminal.wait_for("the service anew", is_anew).unwrap();
    quits(terminal);
}

#[test]
fn signals_and_control_c_leave_the_terminal_as_it_was() {
    let site = Site::new("topend");
    site.apply(&strict()).done();
    for signal in [None, Some(Signal::SIGTERM), Some(Signal::SIGINT), Some(Signal::SIGHUP)] {
        let mut terminal = start(&site, &[]);
        ask(&mut terminal, "", "web");
        assert!(!terminal.edits_lines());
        match signal {
            None => terminal.keys("\x03").unwrap(),
            Some(signal) => kill(Pid::from_raw(terminal.id().try_into().unwrap()), signal).unwrap(),
        }
        assert_eq!(terminal.end().unwrap().code(), Some(0), "{signal:?}");
        terminal.wait_for_the_person().unwrap();
    }
}

#[test]
fn colours_are_not_for_everybody() {
    let site = Site::new("topcolour");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    for (no_color, coloured) in [("", true), ("1", false)] {
        let mut terminal = Terminal::start(command(&site, &SELDOM).env("NO_COLOR", no_color), 80, 24).unwrap();
        ask(&mut terminal, "", "web");
        in_a_pause(&mut terminal, || send(&site, &wire, WRONG, 10));
        terminal.wait_for("drops", |lines| words(lines, "web").get(2).is_some_and(|share| share == "100%")).unwrap();
        assert_eq!(terminal.is_coloured(), coloured, "NO_COLOR={no_color}");
        quits(terminal);
    }
}

#[test]
fn a_reader_who_sleeps_misses_screens_and_nothing_waits() {
    let site = Site::new("topslow");
    site.apply(&two()).done();
    let mut terminal = start(&site, &[]);
    terminal.resize(200, 50).unwrap();
    ask(&mut terminal, "", "storage");
    // KiB of its own: pages of the program itself come in as they are first run.
    let memory = |terminal: &Terminal| {
        let status = fs::read_to_string(format!("/proc/{}/status", terminal.id())).unwrap();
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB"));
        own.unwrap().parse::<u64>().unwrap()
    };
    // Whole screens, many more than a terminal holds that nobody reads.
    let stir = |terminal: &mut Terminal| {
        for round in 0..60 {
            terminal.resize(200 - round % 2, 50).unwrap();
            terminal.keys(["1", "2", "3", "?"][usize::from(round % 4)]).unwrap();
            // sleep: so that each is a screen of its own, two seconds long.
            std::thread::sleep(Duration::from_millis(35));
        }
    };
    stir(&mut terminal);
    let (before, whole) = (memory(&terminal), terminal.octets() / 60);
    terminal.read(false);
    let read = terminal.octets();
    stir(&mut terminal);
    terminal.keys("5").unwrap();
    let grown = memory(&terminal).saturating_sub(before);
    assert!(grown < 2048, "it has grown by {grown} KiB");
    terminal.read(true);
    ask(&mut terminal, "", "no endpoints");
    let late = terminal.octets() - read;
    assert!(late < whole * 20, "{late} octets came late, where a screen has about {whole}");
    // Who reads nothing can still end it.
    terminal.read(false);
    stir(&mut terminal);
    terminal.keys("q").unwrap();
    assert_eq!(terminal.end().unwrap().code(), Some(0));
    terminal.read(true);
    terminal.wait_for_the_person().unwrap();
}

#[test]
fn what_it_cannot_do_it_says_before_it_begins() {
    let site = Site::new("topwrong");
    site.apply(&config(&[INTERFACE], "native", "any:*")).done();
    let error = site.ctl(["top"]).failed(2);
    assert!(error["hint"].as_str().unwrap().contains("ssa-ctl stats --watch --json"), "{error}");
    let said = crate::site::Said::of(site.host.ssa_ctl(&site.pins).arg("top"));
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("needs a terminal") && said.err.contains("stats --watch"), "{said:?}");
    for (arguments, text) in [(vec!["nobody"], "the services are web"), (vec!["--interval", "0s"], "1s to 1h")] {
        let mut terminal = start(&site, &arguments);
        assert_eq!(terminal.end().unwrap().code(), Some(2));
        terminal.wait_for(text, |lines| has(lines, text)).unwrap();
        terminal.wait_for_the_person().unwrap();
    }
}
