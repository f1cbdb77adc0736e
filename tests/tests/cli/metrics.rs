//! A loaded filter with endpoints in; `ssa-ctl metrics` as text, as JSON and as a file, out. Needs root.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use ssa_ctl::metrics::catalog;
use ssa_tests::{exposition::Exposition, ssa_ctl};

use crate::site::{INTERFACE, Said, Site, config, strict};

/// A filter of which every metric says something.
pub fn site(label: &str) -> Site {
    let site = Site::new(label);
    let endpoint =
        |name: &str, more: &str| format!("[[endpoint]]\nname = \"{name}\"\naddress = \"2001:db8:c:1::{name}\"\n{more}");
    let endpoints = [
        endpoint("a", "mac = \"02:00:5e:00:53:0a\"\n"),
        endpoint("b", "mac = \"02:00:5e:00:53:0b\"\nweight = 3\n"),
        endpoint("c", "mac = \"02:00:5e:00:53:0c\"\ndrain = true\n"),
    ];
    let text = config(&[INTERFACE], "native", "any:*").replace("[[service]]", &(endpoints.concat() + "[[service]]"));
    let more = "slice_bits = 4\nsteer = \"l2\"\nslice_counters = true\nmax_age = \"24h\"\nstale_clock = \"open\"\n";
    let low = "on_mismatch = \"lowprio\"\nlow_priority = [\"mark\"]\n";
    site.apply(&(text + more + low)).done();
    site
}

/// The text of a site.
pub fn text(site: &Site) -> String {
    let said = Said::of(site.host.ssa_ctl(&site.pins).arg("metrics"));
    assert!(said.code == Some(0) && said.err.is_empty(), "{said:?}");
    said.out
}

fn read(site: &Site) -> Exposition {
    Exposition::read(&text(site), true).unwrap()
}

#[test]
fn every_metric_has_its_labels() {
    let site = site("catalog");
    let metrics = read(&site);
    let labels = metrics.labels();
    for description in catalog::ALL {
        let name = description.name();
        let expected = description.labels.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(labels.get(&name), Some(&expected), "{name}");
        assert_eq!(metrics.types[&name], description.kind.name(), "{name}");
    }
    assert_eq!(labels.len(), catalog::ALL.len(), "{:?}", labels.keys());
}

#[test]
fn state_is_what_the_other_commands_say() {
    let site = site("state");
    let (metrics, status) = (read(&site), site.status());
    let number = |value: &Value| value.as_f64();
    let is = |name, labels: &[(&str, &str)], expected: Option<f64>| {
        assert!(expected.is_some() && metrics.value(name, labels) == expected, "{name} {labels:?} {expected:?}");
    };
    is("ssa_generation", &[], number(&status["generation"]));
    is("ssa_layout_version", &[], number(&status["layout_version"]));
    is("ssa_services", &[], number(&status["services"]));
    is("ssa_memory_bytes", &[("kind", "maps")], number(&status["memory"]["maps_bytes"]));
    is("ssa_memory_bytes", &[("kind", "programs")], number(&status["memory"]["programs_bytes"]));
    is("ssa_program_current", &[], Some(1.0));
    is("ssa_interface_attached", &[("interface", INTERFACE)], Some(1.0));
    is("ssa_interface_current", &[("interface", INTERFACE)], Some(1.0));
    is("ssa_interface_info", &[("interface", INTERFACE), ("mode", "native")], Some(1.0));
    is("ssa_clock_stale", &[], Some(0.0));
    is("ssa_clock_max_age_seconds", &[("service", "web"), ("stale_clock", "open")], Some(86_400.0));
    assert!(metrics.value("ssa_clock_error_seconds", &[]).unwrap().abs() < 0.5);

    let said = site.ctl(["endpoints"]).done();
    let endpoints = said["endpoints"].as_array().unwrap();
    assert_eq!(endpoints.len(), 3);
    for endpoint in endpoints {
        let name = [("endpoint", endpoint["name"].as_str().unwrap())];
        is("ssa_endpoint_weight", &name, number(&endpoint["weight"]));
        is("ssa_endpoint_draining", &name, Some(endpoint["drain"].as_bool().unwrap().into()));
        is("ssa_endpoint_this_host", &name, Some(endpoint["this_host"].as_bool().unwrap().into()));
        is("ssa_endpoint_reachable", &name, Some(endpoint["way"].is_object().into()));
        let held = &endpoint["services"]["web"];
        is("ssa_slices", &[("service", "web"), name[0]], number(&held["slices"]));
        is("ssa_slice_frames", &[("service", "web"), name[0]], number(&held["frames"]));
    }
    assert_eq!(
        (metrics.sum("ssa_slices", &[]), metrics.sum("ssa_slices", &[("endpoint", "c")])),
        (Some(16.0), Some(0.0))
    );
    // Where the program that marks goes, it is said.
    let marked = |value: f64, status: bool| {
        let (metrics, said) = (read(&site), site.status());
        assert_eq!(metrics.value("ssa_interface_marked", &[("interface", INTERFACE)]), Some(value));
        assert_eq!(said["marked"][INTERFACE], status, "{said}");
        let people = Said::of(site.host.ssa_ctl(&site.pins).arg("status")).out;
        assert_eq!(people.contains("NOT MARKED"), !status, "{people}");
    };
    marked(1.0, true);
    fs::remove_file(site.pins.path().join("marks/links").join(INTERFACE)).unwrap();
    marked(0.0, false);
}

#[test]
fn a_move_shows_as_a_handover() {
    let site = site("handover");
    let before = read(&site);
    for name in ["ssa_slices_in_handover", "ssa_handover_remaining_seconds", "ssa_slices_pinned"] {
        assert_eq!(before.value(name, &[("service", "web")]), Some(0.0), "{name}");
    }
    // The shares are 4 and 12, in this order.
    site.ctl(["slice", "move", "web", "0-2", "b"]).done();
    let after = read(&site);
    assert_eq!(after.value("ssa_slices_in_handover", &[("service", "web")]), Some(3.0));
    assert_eq!(after.value("ssa_slices_pinned", &[("service", "web")]), Some(3.0));
    assert!(after.value("ssa_handover_remaining_seconds", &[("service", "web")]) > Some(0.0));
    for (name, by) in [("a", -3.0), ("b", 3.0), ("c", 0.0)] {
        let [before, after] = [&before, &after].map(|metrics| metrics.sum("ssa_slices", &[("endpoint", name)]));
        assert_eq!(after, before.map(|before| before + by), "{name}");
    }
    assert_eq!(after.value("ssa_generation", &[]), before.value("ssa_generation", &[]).map(|before| before + 1.0));
}

#[test]
fn an_interface_that_is_not_filtered_is_told() {
    let site = site("detached");
    crate::site::bpftool(&[
        "link",
        "detach",
        "pinned",
        site.pins.path().join("links").join(INTERFACE).to_str().unwrap(),
    ]);
    let metrics = read(&site);
    for name in ["ssa_interface_attached", "ssa_interface_current"] {
        assert_eq!(metrics.value(name, &[("interface", INTERFACE)]), Some(0.0), "{name}");
    }
    assert_eq!(metrics.sum("ssa_interface_info", &[]), None);
}

#[test]
fn json_has_the_same_metrics() {
    let site = site("json");
    let said = site.ctl(["metrics"]).done();
    let (metrics, text) = (said["metrics"].as_object().unwrap(), read(&site));
    assert_eq!(said.as_object().unwrap().len(), 1);
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(names(&mut metrics.keys()), names(&mut text.types.keys()));
    for (name, metric) in metrics {
        assert_eq!(metric["type"], *text.types[name], "{name}");
        assert!(metric["help"].is_string());
        for sample in metric["samples"].as_array().unwrap() {
            let labels = sample["labels"].as_object().unwrap();
            let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            // Neighbour discovery and the clock go on between the two.
            let other = text.value(name, &labels);
            assert!(other.is_some(), "{name} {labels:?}");
            if !name.starts_with("ssa_outside") && !name.starts_with("ssa_clock") {
                assert_eq!(sample["value"].as_f64(), other, "{name} {labels:?}");
            }
        }
    }
}

fn beside(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_textfile_is_whole_or_the_one_before() {
    let site = Site::new("textfile");
    fs::create_dir(site.folder.path().join("collector")).unwrap();
    let path = site.folder.path().join("collector/ssa.prom");
    let shown = path.to_str().unwrap();
    // Nothing loaded: no file, and none that was there is touched.
    assert_eq!(site.ctl(["metrics", "--textfile", shown]).failed(4)["code"], "not-loaded");
    assert!(beside(&path).is_empty());
    site.apply(&strict()).done();
    for generation in 1..=2 {
        let said = Said::of(site.host.command("sh").args(["-c", "umask 077; exec \"$0\" \"$@\""]).args([
            ssa_tests::ssa_ctl_path().to_str().unwrap(),
            "--pin-root",
            site.pins.path().to_str().unwrap(),
            "metrics",
            "--textfile",
            shown,
        ]));
        assert!(said.code == Some(0) && said.out.is_empty() && said.err.is_empty(), "{said:?}");
        let metrics = Exposition::read(&fs::read_to_string(&path).unwrap(), false).unwrap();
        assert_eq!(metrics.value("ssa_generation", &[]), Some(f64::from(generation)));
        assert_eq!(metrics.types["ssa_packets_total"], "counter");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o644);
        assert_eq!(beside(&path), std::slice::from_ref(&path));
        site.ctl(["enforce", "web", "off"]).done();
    }
    let said = site.ctl(["metrics", "--textfile", shown]).done();
    assert_eq!((&said["textfile"], said["metrics"].is_u64()), (&shown.into(), true));

    let missing = site.folder.path().join("nowhere/ssa.prom");
    let error = site.ctl(["metrics", "--textfile", missing.to_str().unwrap()]).failed(1);
    assert!(error["message"].as_str().unwrap().contains("nowhere/ssa.prom"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("mkdir"), "{error}");
    site.ctl(["metrics", "--textfile", site.folder.path().to_str().unwrap()]).failed(2);
    // No device becomes a file.
    let device = site.folder.path().join("device");
    assert!(Command::new("mknod").arg(&device).args(["c", "1", "3"]).status().unwrap().success());
    let error = site.ctl(["metrics", "--textfile", device.to_str().unwrap()]).failed(2);
    assert!(error["message"].as_str().unwrap().ends_with("device is a device"), "{error}");
    assert!(device.symlink_metadata().unwrap().file_type().is_char_device());
}

#[test]
fn a_textfile_that_is_read_while_it_is_written_is_whole() {
    let site = site("atomic");
    let path = site.folder.path().join("ssa.prom");
    let write = || -> Command {
        let mut command = site.host.ssa_ctl(&site.pins);
        command.arg("metrics").arg("--textfile").arg(&path);
        command
    };
    assert!(write().status().unwrap().success());
    // Two who write at once, as a timer and an operator may.
    let mut writers: Vec<_> = (0..2)
        .map(|_| {
            let mut command = site.host.command("sh");
            command.args(["-c", "for i in 1 2 3 4 5 6 7 8; do \"$0\" \"$@\" || exit 1; done"]);
            command.arg(ssa_tests::ssa_ctl_path()).arg("--pin-root").arg(site.pins.path());
            command.args(["metrics", "--textfile"]).arg(&path).spawn().unwrap()
        })
        .collect();
    let mut reads = 0;
    while writers.iter_mut().any(|writer| writer.try_wait().unwrap().is_none()) {
        let metrics = Exposition::read(&fs::read_to_string(&path).unwrap(), false).unwrap();
        assert_eq!(metrics.types.len(), catalog::ALL.len());
        reads += 1;
    }
    assert!(reads > 0 && writers.iter_mut().all(|writer| writer.wait().unwrap().success()));
    let left = beside(&path).into_iter().filter(|path| path.to_string_lossy().contains("ssa.prom")).count();
    assert_eq!(left, 1, "something is left beside it");
}

#[test]
fn what_cannot_be_is_said() {
    let site = Site::new("usage");
    assert_eq!(site.ctl(["metrics"]).failed(4)["code"], "not-loaded");
    for wrong in
        [&["--listen", "localhost:9477"][..], &["--listen", "::1"], &["--listen", "[::1]:1", "--textfile", "x"]]
    {
        let output = ssa_ctl().args(["--json", "metrics"]).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(error["error"]["message"].as_str().unwrap().contains("--listen"), "{error}");
    }
}
