//! The bench as a user calls it, briefly; that it measures all there is, and what it writes, but never how fast it was.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    process::{self, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use assert_cmd::Command;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ssa_tests::{
    bench::Report,
    net::{Running, left_by},
    ssa_ctl_path,
};
use tempfile::TempDir;

/// What has a goal, or is a peer that goals are about, and the two ends of what is compared by numbers of services.
const IDS: [&str; 59] = [
    "micro/empty",
    "micro/other/no-service",
    "micro/bit/conforming",
    "micro/bit/not-conforming",
    "micro/hash/conforming",
    "micro/hash/not-conforming",
    "micro/mac/conforming",
    "micro/mac/not-conforming",
    "micro/mac-period/conforming",
    "micro/mac-period/not-conforming",
    "micro/pow/conforming",
    "micro/pow/not-conforming",
    "micro/xdp-filter/ipv6/listed",
    "micro/xdp-filter/ipv6/not-listed",
    "micro/xdp-filter/all/listed",
    "micro/xdp-filter/all/not-listed",
    "micro/services/1",
    "micro/services/4095",
    "micro/flood/1/conforming",
    "micro/flood/4095/not-conforming",
    "micro/blocks/none",
    "micro/blocks/not-listed",
    "micro/blocks/listed",
    "micro/flood-blocks",
    "micro/off/conforming",
    "micro/off/not-conforming",
    "micro/low/conforming",
    "micro/low/dscp",
    "micro/low/cpu",
    "micro/low/mark",
    "micro/low/all",
    "micro/low/rate",
    "micro/low/rate-exceeded",
    "micro/known/socket/conforming",
    "micro/known/socket/not-conforming",
    "micro/known/flows/conforming",
    "micro/known/flows/not-conforming",
    "micro/fair/conforming",
    "micro/slice/own",
    "micro/slice/counted",
    "micro/slice/handover",
    "micro/slice/handover-past",
    "micro/slice/handover-tcp",
    "micro/steer/l2",
    "micro/steer/l2-out",
    "micro/steer/ip6ip6",
    "micro/steer/ip6ip6-out",
    "micro/steer/unpack",
    "micro/slices/16",
    "micro/slices/256",
    "micro/slices/16384",
    "micro/slices/1048576",
    "micro/slices-counted/1048576",
    "micro/flood-slices/16384",
    "micro/flood-slices/1048576",
    "micro/flood-slices-counted/16384",
    "micro/flood-slices-counted/1048576",
    "micro/worst/table",
    "micro/worst/mac",
];

/// Benches run one after the other: goodput goes before all else on both cores, and the others would wait for it.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    // Who failed meanwhile does not matter to the others.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bench() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssa-bench"));
    command.args(["--ssa-ctl", "ssa-ctl"]);
    command
}

#[test]
fn a_brief_run_measures_all_of_micro() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let [json, chart] = ["run.json", "run.svg"].map(|name| folder.path().join(name));
    let mut command = bench();
    command.arg("--brief").arg("--json").arg(&json).arg("--chart").arg(&chart);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let report = Report::from_json(&fs::read_to_string(&json).unwrap()).unwrap();
    assert!(report.brief && report.machine.cpus > 0 && !report.machine.kernel.is_empty());
    let ids: BTreeSet<&str> = report.figures.iter().map(|figure| figure.id.as_str()).collect();
    assert_eq!(ids.len(), report.figures.len(), "an id stands twice");
    let missing: Vec<_> = IDS.iter().filter(|id| !ids.contains(**id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let picture = fs::read_to_string(&chart).unwrap();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    for figure in &report.figures {
        let spread = figure.spread;
        let all = [spread.min, spread.p25, spread.median, spread.p75, spread.max];
        assert!(all.is_sorted() && all.iter().all(|figure| figure.is_finite()), "{}: {spread:?}", figure.id);
        assert!(said.contains(&figure.name), "{}", figure.id);
        assert!(picture.contains(&figure.name) || figure.unit != "ns above empty", "{}", figure.id);
    }
    let (goals, _) = report.goals();
    // Those of the rows; noise can leave nothing of a ratio.
    assert!(goals >= 18, "{goals}");
    assert!(said.contains("This run was brief"), "{said}");
}

#[test]
fn a_brief_run_measures_commands_and_memory() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("run.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssa-bench"));
    command.arg("--ssa-ctl").arg(ssa_ctl_path()).args(["--brief", "control", "memory", "--json"]).arg(&json);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let report = Report::from_json(&fs::read_to_string(&json).unwrap()).unwrap();
    let ids: BTreeSet<&str> = report.figures.iter().map(|figure| figure.id.as_str()).collect();
    assert_eq!(ids.len(), report.figures.len(), "an id stands twice");
    let commands = ["apply-first", "apply-changed", "apply-unchanged", "status", "stats"];
    let of = |what: &str, services: &[u32]| services.iter().map(|of| format!("{what}/{of}")).collect::<Vec<_>>();
    let mut wanted: Vec<_> = commands.iter().flat_map(|command| of(&format!("control/{command}"), &[1, 16])).collect();
    wanted.extend(["control/put-in-force/4095".into(), "control/flip".into()]);
    wanted.extend(of("control/counters", &[16, 256]));
    wanted.extend(["control/slices/16384".into(), "control/slices-each/16384".into()]);
    for what in ["slices-replaced", "slices-settled", "slice-moved", "slice-counters"] {
        wanted.extend(of(&format!("control/{what}"), &[1 << 14, 1 << 20]));
    }
    for what in ["kernel", "maps", "programs", "apply"] {
        wanted.extend(["1", "16", "16-sliced", "4095"].map(|config| format!("memory/{what}/{config}")));
    }
    assert_eq!(ids, wanted.iter().map(String::as_str).collect());
    assert!(report.figures.iter().all(|figure| figure.spread.min > 0.0));
    // Six commands that change nothing, slices replaced and counted, and the memory of 16 services with slices.
    assert_eq!(report.goals().0, 10);
}

#[test]
fn a_brief_run_measures_wire_and_goodput() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let json = folder.path().join("run.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssa-bench"));
    command.arg("--ssa-ctl").arg(ssa_ctl_path()).args(["--brief", "wire", "goodput", "--json"]).arg(&json);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let report = Report::from_json(&fs::read_to_string(&json).unwrap()).unwrap();
    let ids: BTreeSet<&str> = report.figures.iter().map(|figure| figure.id.as_str()).collect();
    assert_eq!(ids.len(), report.figures.len(), "an id stands twice");
    let ways = ["empty", "bit", "hash", "mac", "xdp-filter", "tc", "nft-prefix", "nft-pairs", "nft-prerouting", "none"];
    let of = |section: &str, what: &str, seen: &[&str]| {
        seen.iter().map(|seen| format!("{section}/{what}/{seen}")).collect::<Vec<_>>()
    };
    let mut wanted: Vec<_> = ways.iter().flat_map(|way| of("wire", way, &["cpu", "rate"])).collect();
    wanted.extend(of("goodput", "idle", &["rate", "p50", "p99"]));
    for state in ["unfiltered", "filtered"] {
        wanted.extend(of("goodput", state, &["rate", "p50", "p99", "flood"]));
    }
    wanted.extend(of("goodput", "narrow", &["one-class", "dscp", "mark", "cpu-mark", "rate"]));
    assert_eq!(ids, wanted.iter().map(String::as_str).collect());
    assert!(report.figures.iter().all(|figure| figure.spread.min >= 0.0 && figure.spread.max.is_finite()));
    // Ours to xdp-filter, to nftables and to tc; answers and their times under a flood to those of an idle host; and what
    // suspects leave of a narrow way.
    assert_eq!(report.goals().0, 9);
}

#[test]
fn what_cannot_be_done_is_said_at_once() {
    let _alone = alone();
    for (arguments, code) in [
        (&["nowhere"][..], 2),
        (&["--rounds", "0"], 2),
        (&["--against", "nowhere.json"], 1),
        (&["--json", "nowhere/run.json"], 1),
    ] {
        let output = bench().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere") || code == 2, "{arguments:?}");
    }
}

#[test]
fn a_brief_run_is_not_compared() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    for (brief, arguments) in [(true, &["micro"][..]), (false, &["micro", "--brief"])] {
        let before = folder.path().join("before.json");
        fs::write(&before, Report::new(brief, vec![]).json()).unwrap();
        let output = bench().args(arguments).arg("--against").arg(&before).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{output:?}");
        assert!(said.contains("brief") && said.contains("compare"), "{said}");
    }
}

/// How soon it must be over: no step takes so long, but a build for tests on a busy machine is slow.
const AT_ONCE: Duration = Duration::from_secs(20);

#[test]
fn who_interrupts_it_finds_nothing_left() {
    let _alone = alone();
    for (section, signal) in [("wire", Signal::SIGINT), ("control", Signal::SIGTERM)] {
        let folder = TempDir::new().unwrap();
        let mut command = process::Command::new(env!("CARGO_BIN_EXE_ssa-bench"));
        command.arg("--ssa-ctl").arg(ssa_ctl_path()).args(["--rounds", "1000", section]);
        command.arg("--json").arg(folder.path().join("run.json")).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut bench = Running::start(&mut command).unwrap();
        let id = bench.id();
        let mut said = BufReader::new(bench.stderr.take().unwrap()).lines();
        let first = said.next().unwrap().unwrap();
        assert!(first.starts_with("bench: "), "{first}");
        assert!(left_by(id).iter().any(|name| name.contains("-0-")), "it has made no namespace yet");

        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
        let sent = Instant::now();
        let said: Vec<_> = said.map(Result::unwrap).collect();
        assert_eq!(bench.wait().unwrap().code(), Some(130), "{said:?}");
        assert!(sent.elapsed() < AT_ONCE, "{section}: {:?}", sent.elapsed());
        assert!(said.iter().any(|line| line.contains("interrupted")), "{said:?}");
        assert_eq!(left_by(id), Vec::<String>::new(), "{section}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{section}");
    }
}
