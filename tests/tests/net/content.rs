//! The demo of content addressing in, with few objects or many; its JSON, where all is as it should be, out.

use std::process::Command;

use serde_json::{Value, json};
use ssa_tests::{net::size, ssa_ctl_path};

/// Endpoints, and slices of each.
const ENDPOINTS: u64 = 8;
const SLICES: u64 = 4096 / ENDPOINTS;
/// Blocks that the demo writes and never writes: the second kind is missing wherever it is asked for.
const BLOCKS: u64 = 64;

#[test]
fn every_object_is_where_its_id_says() {
    let objects = size(2000, 100_000u64);
    let mut demo = Command::new(env!("CARGO_BIN_EXE_ssa-demo"));
    demo.arg("--ssa-ctl").arg(ssa_ctl_path()).args(["content", "--json", "--objects", &objects.to_string()]);
    let output = demo.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((&report["right"], output.status.code()), (&true.into(), Some(0)), "{report:#}");
    assert_eq!(report["wrong"], json!([]));

    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value} is no count in {report:#}"));
    let endpoints = report["endpoints"].as_object().unwrap();
    let sum = |name: &str| endpoints.values().map(|row| count(&row[name])).sum::<u64>();
    assert_eq!(endpoints.len() as u64, ENDPOINTS);
    assert_eq!((sum("slices"), sum("read")), (ENDPOINTS * SLICES, objects));
    // Blocks have a replica too; each that was never written is asked for three times: of whoever answers, and of both.
    assert_eq!((sum("objects"), sum("expected")), (2 * (objects + BLOCKS), 2 * (objects + BLOCKS)));
    assert_eq!((sum("misdirected"), sum("missing")), (0, 3 * BLOCKS));
    for (name, row) in endpoints {
        assert_eq!(row["objects"], row["expected"], "{name}");
        assert!(count(&row["slices"]).abs_diff(SLICES) <= 1 && count(&row["objects"]) > 0, "{name}: {row}");
    }
    assert_eq!((&report["failed"], &report["misplaced"]), (&0.into(), &0.into()));

    let moved = &report["moved"];
    assert_eq!((&moved["others"], &moved["failed"]), (&0.into(), &0.into()), "{moved}");
    assert!(count(&moved["objects"]) > 0 && count(&moved["reads"]) > 0 && moved["from"] != moved["to"], "{moved}");
    let lost = &report["lost"];
    assert!(count(&lost["objects"]) > 0, "{lost}");
    assert_eq!(lost["objects"], lost["reached"]);
    assert!(count(&report["frames"][0]) > 0);
}
