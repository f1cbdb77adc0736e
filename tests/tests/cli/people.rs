//! What people and scripts do to every command: ask for help, mistype, read half of the output.

use std::{
    fs::File,
    io::Read,
    process::{Command, Stdio},
};

use serde_json::Value;
use ssa_tests::{ssa_ctl, ssa_ctl_path};

fn commands_of(path: &[String]) -> Vec<Vec<String>> {
    let output = ssa_ctl().args(path).arg("--help").assert().success().get_output().clone();
    assert!(output.stderr.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Usage: ssa-ctl"), "{path:?}: {text}");
    let listed = text.split_once("Commands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
    let names = listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let children: Vec<_> = names.map(|name| [path, &[name.to_owned()]].concat()).collect();
    let below: Vec<_> = children.iter().flat_map(|child| commands_of(child)).collect();
    [children, below].concat()
}

#[test]
fn every_command_has_help() {
    let commands = commands_of(&[]);
    for name in ["check", "schema", "key", "address", "explain"] {
        assert!(commands.contains(&vec![name.to_owned()]), "{name} is not in {commands:?}");
    }
}

#[test]
fn the_version_is_told() {
    let output = ssa_ctl().arg("--version").assert().success().get_output().clone();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("ssa-ctl "));
}

#[test]
fn usage_errors_are_told_in_text_and_in_json() {
    for arguments in [vec!["nonsense"], vec!["check"], vec!["check", "--nonsense", "x"], vec!["key", "new"]] {
        let output = ssa_ctl().args(&arguments).assert().code(2).get_output().clone();
        assert!(output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with("error: ") && text.contains("Usage"), "{text}");

        let output = ssa_ctl().args(&arguments).arg("--json").assert().code(2).get_output().clone();
        assert!(output.stderr.is_empty());
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(object["error"]["code"], "invalid");
        assert!(object["error"]["message"].is_string() && object["error"]["hint"].is_string(), "{object}");
    }
}

#[test]
fn a_usage_error_in_json_is_no_help_page() {
    for arguments in [&["--json"][..], &["--json", "block"], &["--json", "key"]] {
        let output = ssa_ctl().args(arguments).assert().code(2).get_output().clone();
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        for key in ["message", "hint"] {
            let text = object["error"][key].as_str().unwrap();
            assert!(text.len() < 200, "{arguments:?}: {text}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    for json in [&["--json"][..], &[]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(ssa_ctl_path()).arg("schema").args(json).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error: cannot write standard output\n  caused by: No space left"), "{said}");
    }
}

#[test]
fn whoever_has_read_enough_may_leave() {
    for arguments in [["schema", "--json"], ["--help", "--json"]] {
        let mut child =
            Command::new(ssa_ctl_path()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success(), "{arguments:?}: {said}");
        assert_eq!(said, "");
    }
}

#[test]
fn the_schema_is_json() {
    let output = ssa_ctl().arg("schema").assert().success().get_output().clone();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["properties"]["version"]["const"], 1);
}

#[test]
fn text_has_no_colour_where_nobody_sees_it() {
    let output = ssa_ctl().args(["check", "/nowhere.toml"]).assert().code(2).get_output().clone();
    assert!(!output.stderr.contains(&0x1b));
}
