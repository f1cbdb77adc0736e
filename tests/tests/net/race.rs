//! Controllers that race for one host, and holders of the lock that die or stand still, in; one after the other, out.

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use ssa_ctl::kernel::instance::Running;
use ssa_tests::net::{Running as Process, wait_until};

use crate::{
    inside::{check_alone, instance},
    site::{INTERFACE, RULE, Said, Site, config},
};

/// Applies of each of the two, at least.
const TIMES: usize = 150;
/// Changes that each of them makes: on a busy machine one may find its own config in force many times in a row.
const CHANGES: usize = TIMES / 10 + 1;
/// Applies after which it is no race.
const MOST: usize = 10 * TIMES;
const LONGEST: Duration = Duration::from_secs(20);

fn file(site: &Site, name: &str, rule: &str) -> std::path::PathBuf {
    site.file(&format!("{name}.toml"), &config(&[INTERFACE], "native", rule))
}

/// Applies a file many times, until all racers have made changes enough; the generations that it brought.
fn apply_often(site: &Site, file: &Path, (own, all): (usize, &[AtomicUsize])) -> Vec<u64> {
    let mut generations = vec![];
    for times in 0..MOST {
        if times >= TIMES && all.iter().all(|changes| changes.load(Ordering::Relaxed) >= CHANGES) {
            break;
        }
        let done = Said::of(site.host.ssa_ctl(&site.pins).arg("--json").arg("apply").arg(file)).done();
        if done["changed"] == true {
            generations.push(done["generation"].as_u64().unwrap());
            all[own].store(generations.len(), Ordering::Relaxed);
        }
    }
    generations
}

#[test]
fn two_controllers_take_turns() {
    let site = Site::new("race");
    let files = [file(&site, "one", RULE), file(&site, "other", "hash(48):64")];
    let running = files.each_ref().map(|file| {
        site.ctl(["apply", file.to_str().unwrap()]).done();
        instance(&site).running().unwrap()
    });
    let changes = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let [one, other] = thread::scope(|scope| {
        let (site, files, changes) = (&site, &files, &changes);
        let racers = [0, 1].map(|own| scope.spawn(move || apply_often(site, &files[own], (own, changes))));
        racers.map(|racer| racer.join().unwrap())
    });
    // Each change has a generation of its own, and none is missing: they were made one after the other.
    let all: BTreeSet<u64> = one.iter().chain(&other).copied().collect();
    assert_eq!(all.len(), one.len() + other.len(), "two changes with one generation");
    let last = *all.last().unwrap();
    assert_eq!(all, (3..=last).collect(), "a generation is missing");
    assert!(one.len() >= CHANGES && other.len() >= CHANGES, "{} and {}: no race", one.len(), other.len());
    let now = instance(&site).running().unwrap();
    let is = |twin: &Running| twin.document == now.document && twin.tables == now.tables;
    let winner = usize::from(other.contains(&last));
    assert!(is(&running[winner]) && now.generation == last, "the last writer has not won");
    check_alone(&site);
}

#[test]
fn two_who_edit_lose_nothing_of_each_other() {
    const EACH: usize = 12;
    let site = Site::new("raceedit");
    site.apply(&config(&[INTERFACE], "native", RULE)).done();
    thread::scope(|scope| {
        for who in ["a", "b"] {
            let site = &site;
            scope.spawn(move || {
                for number in 0..EACH {
                    let (name, address) = (format!("{who}{number}"), format!("2001:db8:e::{who}:{number}"));
                    site.ctl(["endpoint", "add", &name, &address]).done();
                }
            });
        }
    });
    let said = site.ctl(["endpoints"]).done();
    let names: BTreeSet<&str> =
        said["endpoints"].as_array().unwrap().iter().map(|endpoint| endpoint["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2 * EACH, "an endpoint was lost: {names:?}");
    assert_eq!(site.status()["generation"], 1 + 2 * EACH);
    check_alone(&site);
}

#[test]
fn first_applies_take_turns_with_downs() {
    let site = Site::new("racefirst");
    let file = file(&site, "one", RULE);
    thread::scope(|scope| {
        let work = [vec!["apply", file.to_str().unwrap()], vec!["apply", file.to_str().unwrap()], vec!["down"]];
        for arguments in work {
            let site = &site;
            scope.spawn(move || {
                for _ in 0..6 {
                    Said::of(site.host.ssa_ctl(&site.pins).arg("--json").args(&arguments)).done();
                }
            });
        }
    });
    site.ctl(["apply", file.to_str().unwrap()]).done();
    check_alone(&site);
}

/// A process that holds the lock, as any writer does.
fn hold(site: &Site) -> Process {
    let mut holder = Command::new("flock");
    // The lock is the holder's alone: it does not go on to what it runs.
    holder.arg("--close").arg(site.pins.path()).args(["sleep", "60"]);
    let holder = Process::start(holder.stdin(Stdio::null())).unwrap();
    let free = || output_is_ok(Command::new("flock").arg("--nonblock").arg(site.pins.path()).arg("true"));
    wait_until("the lock to be held", LONGEST, || !free()).unwrap();
    holder
}

fn output_is_ok(command: &mut Command) -> bool {
    command.status().unwrap().success()
}

#[test]
fn a_lock_ends_with_its_holder() {
    let site = Site::new("holder");
    let files = [file(&site, "one", RULE), file(&site, "other", "hash(48):64")];
    site.ctl(["apply", files[0].to_str().unwrap()]).done();
    let mut holder = hold(&site);
    let mut command = site.host.ssa_ctl(&site.pins);
    command.arg("apply").arg(&files[1]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = command.spawn().unwrap();
    // sleep: it says so after a second.
    thread::sleep(Duration::from_millis(1500));
    // Whoever only reads waits for nobody.
    assert_eq!(site.status()["generation"], 1);
    holder.kill().unwrap();
    assert!(holder.wait().unwrap().signal().is_some());
    let output = waiting.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("waiting for another ssa-ctl"), "{output:?}");
    assert_eq!(site.status()["generation"], 2);
}

#[test]
fn a_controller_that_stood_still_goes_on() {
    let site = Site::new("still");
    let files = [file(&site, "one", RULE), file(&site, "other", "hash(48):64")];
    site.ctl(["apply", files[0].to_str().unwrap()]).done();
    let begin = Instant::now();
    let mut generation = 1;
    for round in 0..20 {
        let mut command = site.host.ssa_ctl(&site.pins);
        command.arg("--json").arg("apply").arg(&files[1]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let stopped = command.spawn().unwrap();
        let id = Pid::from_child(&stopped);
        // sleep: some of them stand still with the lock, and some without.
        thread::sleep(Duration::from_millis(round * 4));
        kill_process(id, Signal::STOP).unwrap();
        let (site_, file) = (&site, &files[0]);
        let (said, output) = thread::scope(|scope| {
            let other = scope.spawn(|| site_.ctl(["apply", file.to_str().unwrap()]));
            // sleep: the other waits meanwhile, or is done.
            thread::sleep(Duration::from_millis(if round % 10 == 9 { 3000 } else { 150 }));
            kill_process(id, Signal::CONT).unwrap();
            let output = stopped.wait_with_output().unwrap();
            (other.join().unwrap(), output)
        });
        assert!(output.status.success(), "{output:?}");
        let done: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let changes = [said.done(), done].into_iter().filter(|done| done["changed"] == true).count() as u64;
        generation += changes;
        assert_eq!(site.status()["generation"], generation);
    }
    assert!(begin.elapsed() < 3 * LONGEST);
    check_alone(&site);
}
