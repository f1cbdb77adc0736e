//! Configs and clients in; what `simulate` says of their spread out, with nothing loaded and no privilege.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use assert_cmd::assert::Assert;
use serde_json::Value;
use ssa_tests::ssa_ctl;
use tempfile::TempDir;

/// The prefix of somebody who has one network.
const NETWORK: &str = "2001:db8:1::/48";

/// A folder with a config of one service with 14 slice bits.
fn folder(rule: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let keys =
        if rule.contains("key=k1") { "[[service.keys]]\nname = \"k1\"\nnumber = 7\nfile = \"k1.key\"\n" } else { "" };
    let endpoints = [("a", 1), ("b", 1), ("c", 2)]
        .map(|(name, weight)| format!("[[endpoint]]\nname = \"{name}\"\naddress = \"::{name}\"\nweight = {weight}\n"));
    let config = format!(
        "version = 1\n{}[[service]]\nname = \"web\"\nprefixes = [\"2001:db8:a::/64\"]\nrule = \"{rule}\"\n\
         slice_bits = 14\n{keys}",
        endpoints.concat()
    );
    fs::write(folder.path().join("web.toml"), config).unwrap();
    folder
}

fn simulate(folder: &Path, arguments: &[&str]) -> Assert {
    ssa_ctl().current_dir(folder).args(["simulate", "--config", "web.toml"]).args(arguments).assert()
}

fn object(assert: &Assert) -> Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

fn said(rule: &str, arguments: &[&str]) -> Value {
    let folder = folder(rule);
    object(&simulate(folder.path(), &[arguments, &["--json"]].concat()).success())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Slices and endpoints that somebody with a prefix reaches.
fn reach(rule: &str, prefix: &str) -> (f64, f64, bool) {
    let said = said(rule, &["--endpoints", "16", "--clients", "uniform:10", "--attacker", prefix]);
    let attacker = &said["attacker"];
    (number(&attacker["slices"]), number(&attacker["endpoints"]), attacker["exact"].as_bool().unwrap())
}

#[test]
fn a_hash_spreads_evenly_and_as_predicted() {
    for (place, seed) in ["1", "2", "3", "4"].into_iter().enumerate() {
        let said = said("hash(48):14 any:*", &["--endpoints", "16", "--seed", seed]);
        assert_eq!((&said["clients"], &said["slices"]["count"]), (&100_000.into(), &16384.into()), "{place}");
        let (slices, endpoints) = (&said["slices"], &said["endpoints"]);
        assert!(number(&slices["p_value"]) > 1e-4 && number(&endpoints["p_value"]) > 1e-4, "{slices} {endpoints}");
        assert!(number(&slices["occupied"]) > 16300.0, "{slices}");
        assert!((1.0..1.1).contains(&number(&endpoints["max_over_mean"])), "{endpoints}");
        let (busiest, predicted) = (number(&endpoints["busiest"]["load"]), &endpoints["predicted"]);
        assert!((busiest - number(&predicted["load"])).abs() < 5.0 * number(&predicted["sigma"]), "{endpoints}");
        assert_eq!(predicted["by"], "rule");
        let loads: u64 = endpoints["list"].as_array().unwrap().iter().map(|row| row["load"].as_u64().unwrap()).sum();
        assert_eq!(loads, 100_000);
    }
}

#[test]
fn weights_are_what_is_expected() {
    let said = said("hash(48):14 any:*", &[]);
    let shares = said["endpoints"]["list"].as_array().unwrap();
    let of = |name: &str| shares.iter().find(|row| row["endpoint"] == name).unwrap();
    assert_eq!([&of("a")["expected_share"], &of("c")["expected_share"]], [&0.25, &0.5]);
    for row in shares {
        let distance = number(&row["load"]) - number(&row["predicted"]);
        assert!(distance.abs() < 5.0 * number(&row["predicted_sigma"]), "{row}");
    }
}

#[test]
fn copied_bits_leave_slices_empty() {
    let said = said("src(0):14 any:*", &["--endpoints", "16"]);
    let slices = &said["slices"];
    assert!(number(&slices["occupied"]) <= 2048.0 && number(&slices["occupied"]) > 2000.0, "{slices}");
    assert!(number(&slices["p_value"]) < 1e-9 && number(&slices["max_over_mean"]) > 7.0, "{slices}");
    let bins = said["bins"].as_array().unwrap();
    assert!(bins.len() == 64 && bins[..8].iter().chain(&bins[16..]).all(|bin| *bin == 0), "{bins:?}");
    assert_eq!(reach("src(0):14 any:*", "2000::/3"), (2048.0, 2.0, true));
    assert_eq!(reach("src(0):14 any:*", "2001:c00::/22"), (1.0, 1.0, true));
}

#[test]
fn who_holds_a_prefix_reaches_what_the_rule_leaves_them() {
    assert_eq!(reach("hash(48):14 any:*", NETWORK), (1.0, 1.0, true));
    assert_eq!(reach("any:*", NETWORK), (16384.0, 16.0, true));
    assert_eq!(reach("object(0):14 any:*", NETWORK), (16384.0, 16.0, true));
    assert_eq!(reach("src(40):14 any:*", NETWORK), (64.0, 1.0, true));
    assert_eq!(reach("hash(48):8 any:*", NETWORK), (64.0, 1.0, true));
    assert_eq!(reach("hash(48):8 pow(64,zeros=40):56", NETWORK), (64.0, 1.0, true));
    let (slices, ..) = reach("const(0x5):10 replica(3):4 any:*", NETWORK);
    assert!((slices - 3.0).abs() < 1e-9, "{slices}");
    // A chance of 1/e^4 for each slice to be missed by 65,536 digests.
    let (slices, endpoints, exact) = reach("hash(64):14 any:*", NETWORK);
    assert!((slices - 16084.0).abs() < 100.0 && endpoints > 15.9 && exact, "{slices}");
    // Twice as many sources as slices, and then too many to try each.
    let (slices, _, exact) = reach("hash(63):14 any:*", "2001:db8:1::/48");
    assert!((slices - 14166.0).abs() < 200.0 && exact, "{slices}");
    let (slices, _, exact) = reach("hash(48):14 any:*", "2001::/16");
    assert!((slices - 16384.0).abs() < 1e-6 && !exact, "{slices}");
    let (slices, _, exact) = reach("src(16):7 hash(33):7 any:*", "2001::/16");
    assert!((slices - 16378.6).abs() < 30.0 && exact, "{slices}");
}

#[test]
fn bots_gather_where_the_rule_lets_them() {
    let bots = |rule: &str| {
        let said = said(rule, &["--endpoints", "16", "--bots", "16000", "--bot-rate", "2"]);
        said["bots"].clone()
    };
    let load = |bots: &Value, case: &str| number(&bots[case]["load"]);
    let forced = bots("hash(48):14 any:*");
    assert_eq!((number(&forced["mean"]), load(&forced, "naive")), (2000.0, 32000.0));
    // Of sixteen endpoints the largest is 1.77 standard deviations of 2 · 30.6 above the mean.
    assert!((load(&forced, "forced") - 2108.0).abs() < 25.0, "{forced:#}");
    let sigma = number(&forced["forced"]["sigma"]);
    assert!(sigma > 20.0 && sigma < 50.0, "{forced:#}");
    assert_eq!(forced["forced"], forced["gathered"]);
    assert!(forced["clients_over"].as_array().unwrap().iter().all(|over| number(&over["clients"]) < 0.2));
    for rule in ["hash(64):14 any:*", "any:*"] {
        let free = bots(rule);
        assert!((load(&free, "forced") - 2108.0).abs() < 25.0, "{free:#}");
        assert!((load(&free, "gathered") - 32000.0).abs() < 1.0, "{free:#}");
    }
}

#[test]
fn sources_come_from_a_file() {
    let folder = folder("hash(48):14 any:*");
    let write = |text: &str| fs::write(folder.path().join("sources"), text).unwrap();
    write("# two networks\n2001:db8:1:2::3\n\n2001:db8:1::/48 5  # as many\n2001:db8:7::/48 4\n");
    let said = object(&simulate(folder.path(), &["--sources", "sources", "--json"]).success());
    assert_eq!(
        (&said["clients"], &said["slices"]["occupied"], &said["slices"]["max"]),
        (&10.into(), &2.into(), &6.into())
    );
    assert_eq!(said["endpoints"]["predicted"]["by"], "even");
    let cases = [
        ("::1\nfoo 3\n", "sources, line 2: foo is no IPv6"),
        ("::1 many\n", "sources, line 1: many is no number"),
        ("2001:db8::1/32\n", "write 2001:db8::/32"),
        ("# nobody\n", "names no source"),
        ("::/0 9999999\n::/0 9999999\n", "19999998 clients are too many"),
    ];
    for (text, words) in cases {
        write(text);
        let said = object(&simulate(folder.path(), &["--sources", "sources", "--json"]).code(2));
        let error = &said["error"];
        assert!(error["message"].as_str().unwrap().contains(words) && error["hint"].is_string(), "{text}: {error}");
    }
    let said = object(&simulate(folder.path(), &["--sources", "nowhere", "--json"]).code(2));
    assert!(said["error"]["message"].as_str().unwrap().contains("nowhere cannot be read"), "{said}");
    // Nobody writes to the pipe: whoever opened it to read would wait.
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    for name in ["pipe", "."] {
        let said = object(&simulate(folder.path(), &["--sources", name, "--json"]).code(2));
        let message = said["error"]["message"].as_str().unwrap();
        assert_eq!(message, format!("the file of sources {name} is not a regular file"));
    }
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let cases: [(&[&str], &str, &str); 6] = [
        (&["www"], "no service named www", "web"),
        (&["--clients", "everybody"], "uniform:N", ""),
        (&["--clients", "uniform:1", "--sources", "x"], "cannot be used with", ""),
        (&["--attacker", "10.0.0.0/8"], "no IPv6", ""),
        (&["--bot-rate", "2"], "--bots", ""),
        (&["--bots", "1", "--bot-rate", "0"], "no rate above 0", ""),
    ];
    let folder = folder("hash(48):14 any:*");
    for (arguments, message, hint) in cases {
        let said = object(&simulate(folder.path(), &[arguments, &["--json"]].concat()).code(2));
        let of = |key: &str| said["error"][key].as_str().unwrap_or_default().to_owned();
        assert!(of("message").contains(message) && of("hint").contains(hint), "{arguments:?}: {said}");
    }
    let config = "version = 1\n[[service]]\nname = \"web\"\nprefixes = [\"2001:db8:a::/64\"]\nrule = \"any:*\"\n";
    fs::write(folder.path().join("web.toml"), config).unwrap();
    let said = object(&simulate(folder.path(), &["--json"]).code(2));
    assert!(said["error"]["hint"].as_str().unwrap().contains("--slice-bits"), "{said}");
    let said = object(&simulate(folder.path(), &["--json", "--slice-bits", "4", "--bots", "5"]).code(2));
    assert!(said["error"]["hint"].as_str().unwrap().contains("--endpoints"), "{said}");
    let said = object(&simulate(folder.path(), &["--json", "--slice-bits", "4", "--clients", "uniform:100"]).success());
    assert!(said["endpoints"].is_null() && said["slices"]["count"] == 16, "{said}");
}

#[test]
fn keys_are_read_where_slices_depend_on_them() {
    let few = ["--clients", "uniform:1000", "--attacker", NETWORK, "--json"];
    let beside = folder("hash(48):14 mac(48,key=k1,period=30s):50");
    let said = object(&simulate(beside.path(), &few).success());
    assert_eq!((&said["attacker"]["slices"], &said["attacker"]["key"]), (&1.0.into(), &"k1".into()));

    let folder = folder("mac(48,key=k1):48 any:*");
    let said = object(&simulate(folder.path(), &few).code(2));
    let message = said["error"]["message"].as_str().unwrap();
    assert!(message.contains("the key ring k1") && message.contains("does not exist"), "{said}");
    let key = folder.path().join("k1.key");
    fs::write(&key, "00112233445566778899aabbccddeeff\n").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let said = object(&simulate(folder.path(), &few).success());
    assert!(said["attacker"]["slices"].is_null() && number(&said["slices"]["occupied"]) > 900.0, "{said}");
    assert!(!said.to_string().contains("00112233"));
}

#[test]
fn the_same_seed_says_the_same() {
    let seed = |seed| said("any:*", &["--clients", "prefix:2001:db8::/32:5000", "--bots", "100", "--seed", seed]);
    assert_eq!(seed("7"), seed("7"));
    assert_ne!(seed("7")["bins"], seed("8")["bins"]);
}

#[test]
fn a_chart_is_drawn() {
    let folder = folder("hash(48):14 any:*");
    simulate(folder.path(), &["--chart", "spread.svg", "--bots", "100"]).success();
    let chart = fs::read_to_string(folder.path().join("spread.svg")).unwrap();
    assert!(chart.starts_with("<svg ") && chart.trim_end().ends_with("</svg>"));
    for words in ["web: 100000 clients under hash(48):14 any:*", "16384 slices used", "Attack expected"] {
        assert!(chart.contains(words), "{words}");
    }
    let said = object(&simulate(folder.path(), &["--chart", "no/where.svg", "--json"]).code(1));
    assert!(said["error"]["message"].as_str().unwrap().contains("no/where.svg cannot be written"), "{said}");
}

#[test]
fn people_read_lines_and_bars() {
    let folder = folder("hash(64):14 any:*");
    let arguments = ["--endpoints", "1000", "--attacker", NETWORK, "--bots", "10000"];
    let output = simulate(folder.path(), &arguments).success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for words in ["slices     16", "degrees of freedom", "█", "… 980 others", "attacker", "2^16 sources", "gathered"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(80), "{longest:?}: {text}");
    assert!(output.stderr.is_empty());
}
