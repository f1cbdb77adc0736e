//! The demo of forced load sharing in; its JSON, where strangers are answered and no proxy has more than its share, out.

use std::process::Command;

use serde_json::{Value, json};
use ssa_tests::{net::size, ssa_ctl_path};

/// Standard deviations that the busiest proxy may be off what was foreseen.
const SIGMAS: f64 = 5.0;

#[test]
fn strangers_are_answered_and_a_botnet_cannot_gather() {
    let bots: u64 = size(2_000, 10_000);
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssa-demo"));
    command.arg("--ssa-ctl").arg(ssa_ctl_path()).args(["forced", "--json", "--bots", &bots.to_string()]);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said}{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((&report["right"], output.status.code()), (&true.into(), Some(0)), "{report:#}");
    assert_eq!((&report["wrong"], &report["bots"]), (&json!([]), &bots.into()));

    for calls in ["in_peace", "under_attack"] {
        let calls = &report[calls];
        assert!(calls["strangers"].as_u64().unwrap() >= 10, "{calls}");
        assert_eq!((&calls["answered"], &calls["misplaced"]), (&calls["strangers"], &0.into()), "{calls}");
    }
    let count = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value} is no count in {report:#}"));
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value} is no number in {report:#}"));
    let attacks = report["attacks"].as_array().unwrap();
    assert_eq!(attacks.len(), 2, "{report:#}");
    for attack in attacks {
        let filters: Vec<u64> = attack["filters"].as_object().unwrap().values().map(count).collect();
        assert_eq!((filters.len(), filters.iter().sum::<u64>()), (2, bots), "{attack}");
        assert!(filters.iter().all(|frames| *frames > 0), "{attack}");
        let proxies = attack["proxies"].as_array().unwrap();
        let frames: Vec<u64> = proxies.iter().map(|proxy| count(&proxy["frames"])).collect();
        assert_eq!((frames.len(), frames.iter().sum::<u64>()), (4, bots), "{attack}");
        assert!(proxies.iter().all(|proxy| proxy["frames"] == proxy["bots"]), "{attack}");
        let (busiest, most) = (&attack["busiest"], *frames.iter().max().unwrap());
        assert_eq!(count(&busiest["frames"]), most);
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let off = most as f64 - number(&busiest["predicted"]["load"]);
        assert!(off.abs() <= SIGMAS * number(&busiest["predicted"]["sigma"]), "{attack}");
        // A quarter is foreseen for each; if nothing forced them, all would be at one.
        assert!(most < bots / 3 && number(&busiest["unforced"]) >= number(&json!(bots)), "{attack}");
    }
    let gathered = &report["gathered"][0];
    assert_eq!((&gathered["sent"], &gathered["arrived"]), (&bots.into(), &gathered["right_by_the_law"]));
    assert_eq!(count(&gathered["dropped"]), bots - count(&gathered["arrived"]));
    assert!(count(&gathered["arrived"]) >= 1 && count(&gathered["dropped"]) > bots * 9 / 10, "{gathered}");
}
