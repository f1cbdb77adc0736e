//! Commands on slices and endpoints of a running filter in; what they say, and what is in force then, out.

use serde_json::Value;
use ssa_ctl::{kernel::instance::Running, plan::tables::Tables};

use crate::{
    fleet::NAMES,
    inside::instance,
    site::{CLIENT, INTERFACE, Said, Site},
};

/// The service's slices.
const SLICES: u64 = 16;

/// A host that is none of the endpoints, which are three. Their hardware addresses are known: there is nobody to ask.
pub fn text(more: &str) -> String {
    let mut text = crate::site::config(&[INTERFACE], "native", "any:*").replace("[[service]]", "ENDPOINTS[[service]]");
    let endpoint = |name: &&str| {
        format!(
            "[[endpoint]]\nname = \"{name}\"\naddress = \"2001:db8:c:1::{name}\"\nmac = \"02:00:5e:00:53:0{name}\"\n"
        )
    };
    text = text.replace("ENDPOINTS", &NAMES.iter().map(endpoint).collect::<String>());
    text + "slice_bits = 4\nsteer = \"l2\"\nslice_counters = true\n" + more
}

pub fn site(label: &str) -> Site {
    let site = Site::new(label);
    site.apply(&text("")).done();
    site
}

/// The slices of the service, as `slices --json` has them.
pub fn slices(site: &Site) -> Value {
    site.ctl(["slices"]).done()["services"]["web"].clone()
}

/// The owner of each slice.
pub fn owners(site: &Site) -> Vec<String> {
    let said = site.ctl(["slices", "web", "--each"]).done();
    let runs = said["services"]["web"]["runs"].as_array().unwrap();
    runs.iter().map(|run| run["endpoint"].as_str().unwrap().to_owned()).collect()
}

/// Slices of each endpoint.
fn shares(site: &Site) -> Vec<(String, u64)> {
    let said = site.ctl(["endpoints"]).done();
    let share = |endpoint: &Value| {
        let name = endpoint["name"].as_str().unwrap().to_owned();
        (name, endpoint["services"]["web"]["slices"].as_u64().unwrap_or(0))
    };
    said["endpoints"].as_array().unwrap().iter().map(share).collect()
}

/// The rows, the text and the generation in force.
fn in_force(site: &Site) -> (Tables, String, u64) {
    let Running { tables, document, generation } = instance(site).running().unwrap();
    (tables, document, generation)
}

/// Runs a command without doing it, which changes nothing, and then does it; the steps are the same.
pub fn twice(site: &Site, arguments: &[&str]) -> Value {
    let before = in_force(site);
    let dry: Vec<_> = arguments.iter().chain(&["--dry-run"]).copied().collect();
    let planned = site.ctl(dry.iter().copied());
    assert_eq!(planned.code, Some(3), "{arguments:?}: {planned:?}");
    let planned = planned.json();
    assert_eq!((&planned["changed"], &planned["dry_run"]), (&false.into(), &true.into()), "{planned}");
    assert!(in_force(site) == before, "{dry:?} has changed something");
    let done = site.ctl(arguments.iter().copied()).done();
    assert_eq!((&done["changed"], &done["steps"]), (&true.into(), &planned["steps"]), "{arguments:?}");
    let after = in_force(site);
    assert!(after.0 != before.0, "{arguments:?} has changed nothing");
    assert_eq!(done["generation"], after.2);
    done
}

#[test]
fn slices_move_and_stay() {
    let site = site("slicemove");
    let before = owners(&site);
    let done = twice(&site, &["slice", "move", "web", "0-1,15", "b"]);
    let details: Vec<_> =
        done["steps"].as_array().unwrap().iter().map(|step| step["detail"].as_str().unwrap()).collect();
    assert_eq!(details, ["2 slices from a to b", "1 slice from c to b"], "{done}");
    let after = owners(&site);
    for (slice, (old, new)) in before.iter().zip(&after).enumerate() {
        let moved = [0, 1, 15].contains(&slice);
        assert_eq!(new, if moved { "b" } else { old.as_str() }, "slice {slice}");
    }
    let run = slices(&site)["runs"][0].clone();
    assert_eq!((&run["first"], &run["last"], &run["pinned"]), (&0.into(), &1.into(), &true.into()), "{run}");
    assert_eq!(run["previous"], "a");
    assert!(run["seconds"].as_u64().is_some_and(|left| (290..=300).contains(&left)), "{run}");
    // The same again is nothing.
    assert_eq!(site.ctl(["slice", "move", "web", "0-1", "b", "--dry-run"]).done()["steps"], serde_json::json!([]));
    assert_eq!(site.ctl(["slice", "move", "web", "0-1", "b"]).done()["changed"], false);
    // What is pinned stays, until it is let go.
    site.ctl(["slice", "rebalance", "web"]).done();
    let balanced = owners(&site);
    assert!([0, 1, 15].iter().all(|&slice| balanced[slice] == "b"), "{balanced:?}");
    assert_eq!(site.ctl(["slice", "rebalance", "web"]).done()["changed"], false);
    twice(&site, &["slice", "rebalance", "web", "--unpin"]);
    let counts: Vec<u64> = shares(&site).into_iter().map(|(_, count)| count).collect();
    assert!(counts.iter().all(|count| (5..=6).contains(count)), "{counts:?}");
    assert!(slices(&site)["runs"].as_array().unwrap().iter().all(|run| run["pinned"] == false));
    site.ctl(["slice", "move", "web", "3", "c", "--handover", "0s"]).done();
    let said = site.ctl(["slices", "web", "--each"]).done();
    assert_eq!(said["services"]["web"]["runs"][3]["previous"], Value::Null, "{said}");
}

#[test]
fn slices_are_split_and_merged() {
    let site = site("slicecut");
    let before = owners(&site);
    twice(&site, &["slice", "split", "web", "6"]);
    let split = owners(&site);
    assert_eq!(split.len(), 64);
    // The parts of a slice stay with its owner, but for the balance.
    let stayed = (0..64).filter(|&slice| split[slice] == before[slice / 4]).count();
    assert!(stayed >= 60, "{stayed} of 64 parts stayed: {split:?}");
    twice(&site, &["slice", "merge", "web", "5"]);
    twice(&site, &["slice", "merge", "web"]);
    assert_eq!(slices(&site)["slice_bits"], 4);
    let stayed = owners(&site).iter().zip(&before).filter(|(now, before)| now == before).count();
    assert!(stayed >= 14, "{stayed} of 16 slices stayed");
    twice(&site, &["slice", "split", "web"]);
    assert_eq!(slices(&site)["slice_bits"], 5);
}

#[test]
fn endpoints_come_are_drained_and_go() {
    let site = site("endpoints");
    let names = |site: &Site| shares(site).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(shares(&site).iter().map(|(_, count)| count).sum::<u64>(), SLICES);
    let add = ["endpoint", "add", "d", "2001:db8:c:1::d", "--mac", "02:00:5e:00:53:0d"];
    twice(&site, &add);
    assert_eq!(shares(&site), ["a", "b", "c", "d"].map(|name| (name.to_owned(), 4)));
    twice(&site, &["endpoint", "drain", "a"]);
    let drained = shares(&site);
    assert_eq!(drained[0], ("a".into(), 0));
    assert_eq!(drained.iter().map(|(_, count)| count).sum::<u64>(), SLICES);
    let runs = slices(&site)["runs"].clone();
    assert!(runs.as_array().unwrap().iter().any(|run| run["previous"] == "a"), "{runs}");
    twice(&site, &["endpoint", "drain", "a", "--off"]);
    assert_eq!(shares(&site)[0], ("a".into(), 4));
    twice(&site, &["endpoint", "remove", "d"]);
    assert_eq!(names(&site), NAMES);
    assert!(owners(&site).iter().all(|owner| owner != "d"));
    // Nobody keeps connections who is gone.
    let runs = slices(&site)["runs"].clone();
    assert!(runs.as_array().unwrap().iter().all(|run| run["previous"] != "d"), "{runs}");
}

#[test]
fn lists_are_for_people_too() {
    let site = site("slicelist");
    let said = |arguments: &[&str]| {
        let said = Said::of(site.host.ssa_ctl(&site.pins).args(arguments));
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out
    };
    let each = said(&["slices", "--each"]);
    assert_eq!(each.lines().count(), 17, "{each}");
    assert!(each.contains("2001:db8:a:1:f000::/68"), "{each}");
    let runs = said(&["slices"]);
    assert_eq!(runs.lines().count(), 4, "{runs}");
    assert_eq!(runs, said(&["slice", "list"]));
    let heat = said(&["slices", "--heat"]);
    assert!(heat.contains("0 frames over 16 slices") && heat.contains("················"), "{heat}");
    let endpoints = said(&["endpoints"]);
    assert!(endpoints.lines().count() == 4 && endpoints.contains(" of 16 in web"), "{endpoints}");
    assert_eq!(endpoints, said(&["endpoint", "list"]));
    let all = slices(&site);
    let counted: u64 = all["endpoints"].as_array().unwrap().iter().map(|held| held["slices"].as_u64().unwrap()).sum();
    assert_eq!(counted, SLICES, "{all}");
}

#[test]
fn an_export_keeps_owners_and_pins() {
    let site = site("sliceexport");
    site.ctl(["slice", "move", "web", "0,7-8", "c"]).done();
    site.ctl(["endpoint", "drain", "b"]).done();
    let (before, exported) = (slices(&site), Said::of(site.host.ssa_ctl(&site.pins).arg("export")));
    assert_eq!(exported.code, Some(0), "{exported:?}");
    assert_eq!(site.apply(&exported.out).done()["changed"], false, "{}", exported.out);
    // On a host that has nothing yet, the same owners come of it.
    site.ctl(["down"]).done();
    site.apply(&exported.out).done();
    let now = slices(&site);
    assert_eq!(now["endpoints"], before["endpoints"], "{}", exported.out);
    let pinned = |slices: &Value| {
        let runs = slices["runs"].as_array().unwrap().clone();
        runs.into_iter().map(|run| (run["pinned"].clone(), run["endpoint"].clone())).collect::<Vec<_>>()
    };
    assert!(pinned(&now).contains(&(true.into(), "c".into())), "{now}");
    assert!(!pinned(&now).contains(&(Value::Bool(false), "b".into())), "{now}");
}

#[test]
fn what_cannot_be_is_refused_with_a_hint() {
    let site = site("slicebad");
    let before = in_force(&site);
    let cases: [(&[&str], &str, &str); 18] = [
        (&["slice", "move", "nobody", "0", "a"], "no service named nobody", "web"),
        (&["slice", "move", "web", "16", "a"], "no slice 16", "0 to 15"),
        (&["slice", "move", "web", "0-4294967295", "a"], "no slice 4294967295", "0 to 15"),
        (&["slice", "move", "web", "0", "z"], "z is no endpoint", "a, b, c"),
        (&["slice", "move", "web", "3-1", "a"], "3-1", "0-15"),
        (&["slice", "split", "web", "4"], "have 4 bits", "5 to 20"),
        (&["slice", "split", "web", "21"], "21", "20"),
        (&["slice", "merge", "web", "0"], "have 4 bits", "1 to 3"),
        (&["slice", "split", "nobody"], "no service named nobody", "web"),
        (&["slice", "move", "web", "0", "a", "--handover", "35041h"], "35041h", "\"35040h\""),
        (&["slice", "unpin", "nobody", "0"], "no service named nobody", "web"),
        (&["slice", "unpin", "web", "3,16"], "no slice 16", "0 to 15"),
        (&["slice", "rebalance", "nobody"], "no service named nobody", "web"),
        (&["slice", "merge", "nobody"], "no service named nobody", "web"),
        (&["slices", "nobody"], "no service named nobody", "web"),
        (&["endpoint", "drain", "z"], "no endpoint named z", "a, b"),
        (&["endpoint", "remove", "z"], "no endpoint named z", "a, b"),
        (&["endpoint", "add", "a", "2001:db8:c:1::d"], "an endpoint named a already", "another name"),
    ];
    let refuse = |arguments: &[&str], message: &str, hint: &str| {
        let said = site.ctl(arguments.iter().copied());
        let error = said.failed(2);
        let [told, help] = ["message", "hint"].map(|key| error[key].as_str().unwrap_or_default().to_owned());
        assert!(told.contains(message) && (help + &told).contains(hint), "{arguments:?}: {error}");
    };
    for (arguments, message, hint) in cases {
        refuse(arguments, message, hint);
    }
    assert!(in_force(&site) == before);
    for name in ["a", "b"] {
        site.ctl(["endpoint", "drain", name]).done();
    }
    let before = in_force(&site);
    refuse(&["endpoint", "drain", "c"], "web", "");
    refuse(&["endpoint", "remove", "c"], "", "");
    assert!(in_force(&site) == before);
    assert_eq!(shares(&site)[2], ("c".into(), SLICES));
}

#[test]
fn explain_says_whose_a_slice_is() {
    let site = site("sliceexplain");
    let before = owners(&site);
    site.ctl(["slice", "move", "web", "5", "c"]).done();
    let owners = owners(&site);
    for slice in [0, 5, 6, 15] {
        let owner = &owners[slice];
        let address = format!("2001:db8:a:1:{slice:x}000::1");
        let said = site.ctl(["explain", CLIENT, &address]).done();
        assert_eq!((&said["slice"], said["endpoint"].as_str()), (&slice.into(), Some(owner.as_str())), "{said}");
        assert_eq!((&said["agree"], &said["treatment"]), (&true.into(), &"forward".into()), "{said}");
        let (previous, left) = (&said["previous"], &said["seconds"]);
        if slice == 5 {
            assert_eq!(previous, before[5].as_str(), "{said}");
            assert!(left.as_u64().is_some_and(|left| (290..=301).contains(&left)), "{said}");
        } else {
            assert!(previous.is_null() && left.is_null(), "{said}");
        }
    }
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["explain", CLIENT, "2001:db8:a:1:5000::1"]));
    assert!(text.out.contains("slice      5\n") && text.out.contains("endpoint   c\n"), "{text:?}");
    let previous = format!("previous   {} keeps its connections for ", before[5]);
    assert!(before[5] != "c" && text.out.contains(&previous), "{previous}: {text:?}");
    assert!(text.out.contains("way        by aa0 to 02:00:5e:00:53:0c, MTU 1500\n"), "{text:?}");
}
