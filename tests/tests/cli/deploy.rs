//! The files of `deploy/` and docs/metrics.md in; every metric, label, reason and treatment that they name held against
//! what `ssa-ctl metrics` prints. Needs root.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use ssa_common::verdict::{Reason, Treatment};
use ssa_ctl::metrics::catalog;
use ssa_tests::{exposition::Exposition, ssa_ctl_path};
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use crate::metrics;

/// Labels that Prometheus adds by itself.
const OF_SCRAPES: [&str; 2] = ["instance", "job"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn file(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Alerts, each with its query and what it says.
fn alerts() -> Vec<(String, Yaml)> {
    let mut documents = YamlLoader::load_from_str(&file("deploy/prometheus/ssa.rules.yml")).unwrap();
    assert_eq!(documents.len(), 1);
    let groups = documents.remove(0)["groups"].as_vec().unwrap().clone();
    let rules = groups.iter().flat_map(|group| {
        assert!(group["name"].as_str().is_some());
        group["rules"].as_vec().unwrap().clone()
    });
    rules.map(|rule| (rule["expr"].as_str().unwrap().to_owned(), rule)).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&file("deploy/grafana/ssa.json")).unwrap()
}

/// The queries of the dashboard, those of its variables too, with what each shows as a name.
fn queries() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let mut queries = vec![];
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            queries.push((text(&target["expr"]), text(&target["legendFormat"])));
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if variable["type"] == "query" {
            queries.push((text(&variable["query"]["query"]), String::new()));
        }
    }
    queries
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The metrics of a query.
fn metrics_of(query: &str) -> BTreeSet<&str> {
    names(query).filter(|name| name.starts_with("ssa_")).collect()
}

/// What stands between a pair of brackets that follows one of these words.
fn lists<'a>(query: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let after = query.match_indices(word).map(move |(at, _)| query[at + word.len()..].trim_start());
    after.filter_map(|rest| rest.strip_prefix('(')?.split(')').next())
}

/// The label matchers of a query: name and value.
fn matchers(query: &str) -> Vec<(&str, &str)> {
    let sets = query.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
    let each = sets.flat_map(|set| set.split(',')).map(|matcher| {
        let (name, value) = matcher.split_once('=').unwrap_or_else(|| panic!("{matcher} in {query}"));
        (name.trim(), value.trim_start_matches('~').trim_matches('"'))
    });
    each.collect()
}

/// Checks one query; the labels that its result may have.
fn check(query: &str, all: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let used = metrics_of(query);
    assert!(!used.is_empty(), "{query} asks for nothing of ours");
    let mut labels: BTreeSet<String> = OF_SCRAPES.map(str::to_owned).into();
    for name in used {
        labels.extend(all.get(name).unwrap_or_else(|| panic!("there is no {name}: {query}")).iter().cloned());
    }
    for (name, value) in matchers(query) {
        assert!(labels.contains(name), "no {name} in {query}");
        let known: Vec<&str> = match name {
            "reason" => Reason::ALL.iter().map(|reason| reason.name()).collect(),
            "treatment" => Treatment::ALL.iter().map(|treatment| treatment.name()).collect(),
            _ => continue,
        };
        assert!(value.split('|').all(|value| known.contains(&value)), "{value} is no {name}: {query}");
    }
    for word in ["by", "without", "on", "ignoring", "group_left", "label_values"] {
        for list in lists(query, word) {
            for name in names(list).filter(|name| !name.starts_with("ssa_")) {
                assert!(labels.contains(name), "no {name} in {query}");
            }
        }
    }
    let open = |c| query.matches(c).count();
    assert!(open('(') == open(')') && open('{') == open('}') && open('[') == open(']'), "{query}");
    labels
}

#[test]
fn dashboards_alerts_and_the_reference_name_what_there_is() {
    let site = metrics::site("deploy");
    let all = Exposition::read(&metrics::text(&site), true).unwrap().labels();

    let queries = queries();
    assert!(queries.len() > 15);
    for (query, legend) in &queries {
        let labels = check(query, &all);
        for name in legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()) {
            assert!(labels.contains(name), "no {name} to show of {query}");
        }
    }
    let alerts = alerts();
    assert!(alerts.len() >= 6);
    for (query, rule) in &alerts {
        let labels = check(query, &all);
        for (_, said) in rule["annotations"].as_hash().unwrap() {
            for part in said.as_str().unwrap().split("$labels.").skip(1) {
                let name = names(part).next().unwrap();
                assert!(labels.contains(name), "no {name} to say of {query}");
            }
        }
    }
    // The document has a row for each, with its labels; and whatever it names exists.
    let reference = file("docs/metrics.md");
    for description in catalog::ALL {
        let labels: Vec<_> = description.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "-".to_owned() } else { labels.join(", ") };
        let row = format!("| `{}` | {} | {labels} | ", description.name(), description.kind.name());
        assert!(reference.contains(&row), "docs/metrics.md has no row {row}");
    }
    for name in names(&reference).filter(|name| name.starts_with("ssa_")) {
        assert!(all.contains_key(name), "docs/metrics.md names {name}");
    }
}

#[test]
fn an_alert_has_all_that_prometheus_and_people_need() {
    let mut seen = BTreeSet::new();
    for (_, rule) in alerts() {
        let name = rule["alert"].as_str().unwrap().to_owned();
        let keys: BTreeSet<_> = rule.as_hash().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(keys, ["alert", "expr", "for", "labels", "annotations"].into(), "{name}");
        let wait = rule["for"].as_str().unwrap();
        assert!(wait.ends_with(['s', 'm', 'h']) && wait[..wait.len() - 1].parse::<u32>().is_ok(), "{name}: {wait}");
        assert!(["critical", "warning"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        for said in ["summary", "description"] {
            let text = rule["annotations"][said].as_str().unwrap_or_else(|| panic!("{name} has no {said}"));
            assert_eq!(text.matches("{{").count(), text.matches("}}").count(), "{name}");
        }
        assert!(seen.insert(name.clone()), "{name} comes twice");
        assert!(file("docs/metrics.md").contains(&format!("| `{name}` | ")), "docs/metrics.md has no row for {name}");
    }
    // The snippet for Prometheus is YAML too.
    let reference = file("docs/metrics.md");
    let snippet = reference.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let snippet = &YamlLoader::load_from_str(snippet).unwrap()[0];
    assert_eq!(snippet["scrape_configs"][0]["static_configs"][0]["targets"][0].as_str(), Some("[::1]:9477"));
}

#[test]
fn panels_do_not_lie_over_each_other() {
    let dashboard = dashboard();
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty() && !panel["description"].as_str().unwrap().is_empty());
        let [x, y, width, height] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
        assert!(x + width <= 24, "{panel}");
        for place in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            assert!(places.insert(place), "{} lies over another", panel["title"]);
        }
    }
}

#[test]
fn units_are_hardened_and_systemd_takes_them() {
    let folder = TempDir::new().unwrap();
    let names = [
        "ssa-metrics.service",
        "ssa-metrics-textfile.service",
        "ssa-metrics-textfile.timer",
        "ssa-detect.service",
        "ssa-client@.service",
        "ssa-issue.service",
    ];
    for name in names {
        let unit = file(&format!("deploy/systemd/{name}"));
        let has = |line: &str| unit.lines().any(|other| other == line);
        assert!(has("[Unit]") && (has("[Service]") != has("[Timer]")), "{name}");
        if has("[Service]") {
            for line in ["User=root", "NoNewPrivileges=yes", "ProtectSystem=strict", "RestrictNamespaces=yes"] {
                assert!(has(line), "{name} has no {line}");
            }
            let program = match name.split(['.', '-', '@']).nth(1) {
                Some("metrics") => "metrics --",
                Some("issue") => "issue --listen ",
                Some("detect") => "detect --never-file ",
                _ => "client attach %i --cgroup /sys/fs/cgroup/clients.slice --follow",
            };
            let program = format!("ExecStart=/usr/local/sbin/ssa-ctl {program}");
            assert_eq!(unit.lines().filter(|line| line.starts_with(&program)).count(), 1, "{name}");
            // What goes on is begun again.
            assert_eq!(has("Restart=on-failure"), !has("Type=oneshot"), "{name}");
            assert!(
                !unit.contains("DynamicUser=") && !unit.contains("PrivateNetwork="),
                "{name} could open no map or key"
            );
        }
        let here = unit.replace("/usr/local/sbin/ssa-ctl", ssa_ctl_path().to_str().unwrap());
        fs::write(folder.path().join(name), here).unwrap();
    }
    let paths = names.map(|name| folder.path().join(name));
    match Command::new("systemd-analyze").args(["verify", "--man=no"]).args(paths).output() {
        Ok(output) => {
            // It looks at all units of the machine; only what it says of ours is our business.
            let said = String::from_utf8(output.stderr).unwrap();
            let ours: Vec<_> = said.lines().filter(|line| line.contains("ssa-")).collect();
            assert!(ours.is_empty(), "{ours:#?}");
        }
        Err(error) => println!("skipped: systemd-analyze cannot be run: {error}"),
    }
}
