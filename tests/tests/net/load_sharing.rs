//! The demo of load sharing in; its JSON, where all is as it should be, and nothing left behind, out.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use ssa_tests::{
    net::{Running, left_by, wait_until},
    ssa_ctl_path,
};

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssa-demo"));
    command.arg("--ssa-ctl").arg(ssa_ctl_path()).args(["load-sharing", "--json"]);
    command
}

#[test]
fn no_client_notices_that_endpoints_come_and_go() {
    let output = demo().output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!((&report["right"], output.status.code()), (&true.into(), Some(0)), "{report:#}");
    assert_eq!(report["wrong"], json!([]));

    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value} is no count in {report:#}"));
    let stages = report["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 7, "{report:#}");
    for stage in stages {
        let answered = stage["answered"].as_object().unwrap();
        assert_eq!(answered.values().map(count).sum::<u64>(), count(&stage["connections"]), "{stage}");
        assert_eq!((&stage["failed"], &stage["misplaced"]), (&0.into(), &0.into()), "{stage}");
    }
    let reached = |stage: usize, name: &str| count(&stages[stage]["answered"][name]);
    for (stage, names) in [(0, "abc"), (2, "abcd"), (4, "acd"), (6, "acd")] {
        for name in ["a", "b", "c", "d"] {
            assert_eq!(reached(stage, name) > 0, names.contains(name), "{name}: {:#}", stages[stage]);
        }
    }
    assert_eq!(report["slices_moved"], json!([1024, 1024]));
    for none in ["failed", "octets_lost", "new_at_the_drained"] {
        assert_eq!(report[none], 0, "{none}");
    }
    let frames = |name: &str| count(&report["frames"][name]);
    assert_eq!(frames("sent_on"), frames("at_the_filter"));
    assert_eq!(frames("at_endpoints"), frames("sent_on") + frames("handed_over"));
    assert!(frames("handed_over") > 0 && count(&report["long_connections_moved"]) > 0, "{report:#}");
}

#[test]
fn an_interrupted_demo_leaves_nothing() {
    let mut running = Running::start(demo().stdout(Stdio::null()).stderr(Stdio::null())).unwrap();
    let id = running.id();
    // Hosts with filters, and clients that talk: folder, namespaces and pins are there.
    let has_begun = || left_by(id).iter().filter(|name| name.contains("test")).count() >= 3;
    wait_until("the demo to begin", Duration::from_mins(1), has_begun).unwrap();
    kill_process(Pid::from_child(&running), Signal::INT).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert_eq!(left_by(id), [""; 0]);
}
