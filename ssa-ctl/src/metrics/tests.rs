//! Readings made up in; the families and texts that come of them out.

use std::collections::BTreeMap;

use ssa_common::{
    rows::Cell,
    verdict::{Reason, Treatment, Verdict},
};

use super::{Family, Format, Value, catalog, families, object, text};
use crate::{
    config::{self, Config, Mode, Source},
    observe::{
        counters::{Counts, ServiceCounts},
        reading::{Reading, Sliced, Unserved},
        refused::Diagnostics,
        slices::Held,
        state::{Attached, State},
    },
    plan::blocks::Origin,
};

const CONFIG: &str = r#"
version = 1
[host]
interfaces = ["eth0"]
[[endpoint]]
name = "a"
address = "2001:db8:e::a"
[[endpoint]]
name = "b"
address = "2001:db8:e::b"
weight = 3
drain = true
[[service]]
name = "web"
prefixes = ["2001:db8::/64"]
rule = "any:*"
slice_bits = 4
enforce = "25%"
max_age = "2h"
stale_clock = "closed"
"#;

fn config() -> Config {
    config::parse(Source { path: "test".into(), text: CONFIG.into() }).unwrap().config
}

/// Cells in which each has counted another number.
fn cells() -> Vec<Cell> {
    (1..=u64::from(Verdict::CELLS)).map(|number| Cell { packets: number, bytes: number * 1000 }).collect()
}

fn reading() -> Reading {
    let interface = |name: &str, mode: Option<Mode>| Attached {
        name: name.into(),
        is_attached: mode.is_some(),
        is_current: true,
        mode,
        link: None,
    };
    Reading {
        generation: 7,
        build: 0xbeef,
        state: State {
            interfaces: vec![interface("eth0", Some(Mode::Native)), interface("odd\"\\name", None)],
            marked: vec![("eth0".into(), false)],
            program: 5,
            is_current: true,
            clock_error: -0.25,
            clock_age: 90,
            is_stale: false,
            maps: 4096,
            programs: 512,
            events: 7,
            flows: Some((1024, 3)),
            diagnostics: Diagnostics::default(),
        },
        blocks: BTreeMap::from([(Origin::Operator, 4), (Origin::Agent, 0)]),
        config: config(),
        counts: Counts {
            services: vec![("web".into(), ServiceCounts::of(&cells()))],
            other: ServiceCounts::of(&cells()).reason(Reason::Other),
            malformed: ServiceCounts::of(&cells()).reason(Reason::Malformed),
        },
        unserved: vec![Unserved { service: "web".into(), unmarked: 3, unqueued: 4 }],
        slices: vec![Sliced {
            service: "web".into(),
            held: vec![
                Held { endpoint: "a".into(), slices: 15, frames: Some(40) },
                Held { endpoint: "b".into(), slices: 1, frames: Some(2) },
            ],
            in_handover: 3,
            handover_seconds: 120,
            pinned: 1,
        }],
        this_host: Some("a".into()),
        ways: BTreeMap::from([("b".into(), false)]),
    }
}

fn sum(families: &[Family], name: &str) -> u64 {
    let family =
        families.iter().find(|family| family.description.name() == name).unwrap_or_else(|| panic!("no {name}"));
    let values = family.samples.iter().map(|sample| match sample.value {
        Value::Whole(value) => value,
        Value::Real(value) => panic!("{name} counts {value}"),
    });
    values.sum()
}

#[test]
fn received_is_the_sum_over_reasons_and_over_treatments() {
    // A service has no frame outside of services.
    let mut of_service = cells();
    for (index, cell) in (0..).zip(&mut of_service) {
        if Verdict::of_cell(index).is_some_and(|(reason, ..)| !Reason::OF_SERVICE.contains(&reason)) {
            *cell = Cell::default();
        }
    }
    let mut reading = reading();
    reading.counts.services = vec![("web".into(), ServiceCounts::of(&of_service))];
    let families = families(&reading);
    let all: u64 = of_service.iter().map(|cell| cell.packets).sum();
    for name in ["ssa_received_packets_total", "ssa_packets_total", "ssa_treated_packets_total"] {
        assert_eq!(sum(&families, name), all, "{name}");
    }
    for name in ["ssa_received_bytes_total", "ssa_bytes_total", "ssa_treated_bytes_total"] {
        assert_eq!(sum(&families, name), all * 1000, "{name}");
    }
    assert!((1..all).contains(&sum(&families, "ssa_would_drop_packets_total")));
    // What is good and does not simply go on.
    let held_back = (0..).zip(&of_service).filter(|(index, _)| {
        Verdict::of_cell(*index).is_some_and(|(reason, treatment, _)| {
            [Reason::Conform, Reason::Established].contains(&reason)
                && [Treatment::LowPriority, Treatment::Drop].contains(&treatment)
        })
    });
    let held_back: Vec<u64> = held_back.map(|(_, cell)| cell.packets).collect();
    assert!(held_back.len() >= 4 && held_back.iter().all(|packets| *packets > 0));
    assert_eq!(sum(&families, "ssa_held_back_packets_total"), held_back.iter().sum::<u64>());
    let counts = &reading.counts.services[0].1;
    let cells: u64 = counts.cells.as_flattened().iter().map(|count| count.packets).sum();
    assert_eq!(cells, all);
}

#[test]
fn every_metric_of_the_catalog_is_said_once() {
    let names: Vec<_> = families(&reading()).iter().map(|family| family.description.name()).collect();
    let catalog: Vec<_> = catalog::ALL.iter().map(|description| description.name()).collect();
    assert_eq!(names.len(), catalog.len());
    for name in &catalog {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        assert!(name.starts_with("ssa_") && name.chars().all(|c| c == '_' || c.is_ascii_lowercase()), "{name}");
    }
    for description in catalog::ALL {
        assert!(description.help.ends_with('.') && !description.help.contains(['\\', '\n']), "{}", description.help);
        for label in description.labels {
            let known = ["service", "endpoint", "reason", "treatment", "interface", "mode", "kind", "version", "build"];
            assert!(
                known.contains(label) || ["stale_clock", "origin"].contains(label),
                "{label} may have any number of values"
            );
        }
    }
}

#[test]
fn every_reason_and_treatment_has_a_series_from_the_start() {
    let mut reading = reading();
    reading.counts.services = vec![("new".into(), ServiceCounts::default())];
    let families = families(&reading);
    let of = |name: &str| families.iter().find(|family| family.description.name() == name).unwrap().samples.len();
    assert_eq!((of("ssa_packets_total"), of("ssa_bytes_total")), (Reason::OF_SERVICE.len(), Reason::OF_SERVICE.len()));
    assert_eq!(of("ssa_treated_packets_total"), Treatment::ALL.len());
    assert_eq!((of("ssa_outside_packets_total"), of("ssa_would_drop_packets_total")), (2, 1));
}

#[test]
fn the_text_is_that_of_openmetrics() {
    let families = families(&reading());
    let text = text(&families, Format::Open).unwrap();
    for line in [
        "# TYPE ssa_packets counter",
        "# UNIT ssa_received_bytes bytes",
        "# TYPE ssa_bytes counter",
        "# TYPE ssa_build_info gauge",
        "ssa_packets_total{service=\"web\",reason=\"conform\"} 21",
        "ssa_unmarked_packets_total{service=\"web\"} 3",
        "ssa_unqueued_packets_total{service=\"web\"} 4",
        "ssa_generation 7",
        "ssa_clock_age_seconds 90",
        "ssa_clock_error_seconds -0.25",
        "ssa_clock_max_age_seconds{service=\"web\",stale_clock=\"closed\"} 7200",
        "ssa_enforced_ratio{service=\"web\"} 0.25",
        "ssa_memory_bytes{kind=\"programs\"} 512",
        "ssa_interface_attached{interface=\"eth0\"} 1",
        "ssa_interface_attached{interface=\"odd\\\"\\\\name\"} 0",
        "ssa_interface_info{interface=\"eth0\",mode=\"native\"} 1",
        "ssa_slices{service=\"web\",endpoint=\"a\"} 15",
        "ssa_slice_frames{service=\"web\",endpoint=\"b\"} 2",
        "ssa_slices_in_handover{service=\"web\"} 3",
        "ssa_handover_remaining_seconds{service=\"web\"} 120",
        "ssa_endpoint_weight{endpoint=\"b\"} 3",
        "ssa_endpoint_draining{endpoint=\"b\"} 1",
        "ssa_endpoint_this_host{endpoint=\"a\"} 1",
        "ssa_endpoint_reachable{endpoint=\"b\"} 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    }
    assert!(text.contains(",build=\"000000000000beef\"} 1\n") && text.ends_with("\n# EOF\n"));
}

#[test]
fn the_older_text_has_whole_names_and_the_same_samples() {
    let families = families(&reading());
    let [open, plain] = [Format::Open, Format::Plain].map(|format| text(&families, format).unwrap());
    let samples =
        |text: &str| -> Vec<String> { text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect() };
    assert_eq!(samples(&open), samples(&plain));
    for line in ["# TYPE ssa_packets_total counter", "# TYPE ssa_bytes_total counter", "# TYPE ssa_generation gauge"] {
        assert!(plain.lines().any(|other| other == line), "{line} is not in\n{plain}");
    }
    assert!(!plain.contains("# UNIT") && !plain.contains("# EOF") && !plain.contains("# TYPE ssa_packets "));
}

#[test]
fn json_has_the_same() {
    let families = families(&reading());
    let object = object(&families);
    let metrics = object["metrics"].as_object().unwrap();
    assert_eq!(metrics.len(), families.len());
    let slices = &metrics["ssa_slices"];
    assert_eq!((&slices["type"], &slices["samples"][0]["value"]), (&"gauge".into(), &15.into()));
    assert_eq!(slices["samples"][0]["labels"]["endpoint"], "a");
    assert_eq!(metrics["ssa_clock_error_seconds"]["samples"][0]["value"], -0.25);
    assert_eq!(metrics["ssa_packets_total"]["type"], "counter");
}
