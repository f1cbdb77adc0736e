//! The examples and the text of `docs/`; configs that `check` takes without a warning, and every key in the reference.

use std::{fs, path::PathBuf};

use serde_json::Value;
use ssa_tests::ssa_ctl;
use tempfile::TempDir;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn check(path: &std::path::Path) -> Value {
    let output = ssa_ctl().args(["check", "--json"]).arg(path).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn examples_can_be_applied() {
    let examples: Vec<_> = fs::read_dir(docs().join("examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(examples.len() >= 3);
    for path in examples {
        let object = check(&path);
        assert_eq!(object["warnings"].as_array().map(Vec::len), Some(0), "{}: {object:#}", path.display());
    }
}

#[test]
fn configs_in_the_documents_can_be_applied() {
    let read = |name| fs::read_to_string(docs().join(name)).unwrap();
    let text = read("config.md") + &read("load-sharing.md");
    let blocks: Vec<_> = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 5);
    let folder = TempDir::new().unwrap();
    for block in blocks {
        let missing = |words: &str, text: &'static str| if block.contains(words) { "" } else { text };
        let config = [
            missing("version", "version = 1\n"),
            missing("[host]", "host.interfaces = [\"eth0\"]\n"),
            block,
            missing("[[service]]", "[[service]]\nname = \"a\"\nprefixes = [\"2001:db8::/64\"]\nrule = \"any:*\"\n"),
        ];
        let path = folder.path().join("block.toml");
        fs::write(&path, config.concat()).unwrap();
        let object = check(&path);
        assert!(object["error"].is_null(), "{block}\n{object:#}");
    }
}

#[test]
fn load_sharing_is_shown_as_its_example_is() {
    let read = |name| fs::read_to_string(docs().join(name)).unwrap();
    let lines = |text: &str| -> Vec<String> {
        let told = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        told.map(str::to_owned).collect()
    };
    let document = read("load-sharing.md");
    let shown = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let head = ["version = 1", "[host]", "interfaces = [\"eth0\"]"].map(str::to_owned);
    assert_eq!(lines(&read("examples/load-sharing.toml")), [&head[..], &lines(shown)].concat());
}

#[test]
fn the_reference_names_every_key() {
    let text = fs::read_to_string(docs().join("config.md")).unwrap();
    let output = ssa_ctl().arg("schema").output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tables =
        [&schema["properties"], &schema["$defs"]["Host"]["properties"], &schema["$defs"]["Service"]["properties"]];
    let more = ["Endpoint", "Previous", "KeyRef", "Queues"].map(|name| &schema["$defs"][name]["properties"]);
    for key in tables.into_iter().chain(more).flat_map(|table| table.as_object().unwrap().keys()) {
        assert!(text.contains(&format!("| `{key}` |")), "docs/config.md has no row for `{key}`");
    }
}
