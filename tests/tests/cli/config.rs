//! Config files in; what `check` says of them, in text and in JSON, out.

use std::{fs, io::Write, path::PathBuf};

use serde_json::Value;
use ssa_tests::ssa_ctl;
use tempfile::TempDir;

use crate::{
    config_cases::{Case, GOOD, cases},
    endpoint_cases,
};

/// A config in a folder of its own.
struct File {
    _folder: TempDir,
    path: PathBuf,
}

fn file(octets: &[u8]) -> File {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("web.toml");
    fs::write(&path, octets).unwrap();
    File { _folder: folder, path }
}

/// What `check --json` says, and its exit code.
fn check(path: &std::path::Path) -> (Value, i32) {
    let output = ssa_ctl().args(["check", "--json"]).arg(path).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn every_case_is_refused_at_its_place() {
    let mut wrong = vec![];
    for case in cases() {
        let file = file(case.text.as_bytes());
        if let Err(why) = refused(&case, &file) {
            wrong.push(format!("{}: {why}\n{}", case.name, in_text(&file)));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n\n{}", wrong.len(), wrong.join("\n"));
}

fn refused(case: &Case, file: &File) -> Result<(), String> {
    let (object, code) = check(&file.path);
    let expect = |what: &str, holds: bool| if holds { Ok(()) } else { Err(format!("{what}: {object:#}")) };
    expect("exit code 2", code == 2)?;
    expect("code", object["error"]["code"] == "invalid")?;
    expect("hint", object["error"]["hint"].is_string())?;
    let faults: Vec<&Value> = object["error"]["faults"].as_array().into_iter().flatten().collect();
    let errors = faults.iter().filter(|fault| fault["severity"] == "error").count();
    expect("number of faults", errors == case.faults)?;
    let at = |fault: &&&Value| format!("{}:{}", fault["line"], fault["column"]) == case.at;
    let has = |fault: &Value, key: &str, words: &str| fault[key].as_str().unwrap_or("").contains(words);
    let found = faults.iter().filter(at).find(|fault| has(fault, "message", case.message));
    let fault = found.ok_or_else(|| format!("no fault at {} says {:?}: {object:#}", case.at, case.message))?;
    expect("help", has(fault, "help", case.help))?;

    let text = in_text(file);
    let place = format!("{}:{}", file.path.display(), case.at);
    for words in [case.message, case.help, &place, "^", "is not a valid config"] {
        expect(&format!("the text to have {words:?}"), text.contains(words))?;
    }
    Ok(())
}

fn in_text(file: &File) -> String {
    let output = ssa_ctl().arg("check").arg(&file.path).output().unwrap();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_good_config_can_be_applied() {
    let (object, code) = check(&file(GOOD.as_bytes()).path);
    assert_eq!(code, 0, "{object:#}");
    assert_eq!(object["warnings"].as_array().map(Vec::len), Some(0), "{object:#}");
    let output = ssa_ctl().arg("check").arg(&file(GOOD.as_bytes()).path).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(text.contains("can be applied") && text.contains("hash(48):12 any:*"), "{text}");
}

#[test]
fn byte_order_mark_and_dos_lines_are_taken() {
    let dos = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert_eq!(check(&file(dos.as_bytes()).path).1, 0);
    let (object, _) = check(&file(dos.replace("version = 1", "version = 2").as_bytes()).path);
    assert_eq!(
        (&object["error"]["faults"][0]["line"], &object["error"]["faults"][0]["column"]),
        (&1.into(), &11.into())
    );
    let (object, _) = check(&file(dos.replace("/64", "/640").as_bytes()).path);
    assert_eq!(
        (&object["error"]["faults"][0]["line"], &object["error"]["faults"][0]["column"]),
        (&6.into(), &13.into())
    );
}

#[test]
fn all_faults_are_said_at_once() {
    let text = "version = 1\n[host]\nmode = \"fast\"\n[[service]]\nname = \"a b\"\nprefixes = [\"fe80::/64\", \"::/0\"]\n\
                rule = \"any:60 bla:4\"\nskew = -1\nnonsense = 1\n";
    let (object, code) = check(&file(text.as_bytes()).path);
    let lines: Vec<_> =
        object["error"]["faults"].as_array().unwrap().iter().filter(|f| f["severity"] == "error").collect();
    let lines: Vec<_> = lines.iter().map(|fault| fault["line"].as_u64().unwrap()).collect();
    assert_eq!((lines, code), (vec![3, 5, 6, 6, 7, 8, 9], 2));
}

#[test]
fn a_file_that_is_no_text_is_refused_where_it_begins_to_be_none() {
    let noise: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    for (octets, place) in [(b"version = 1\n# \xff\n".to_vec(), (2, 3)), (b"version = 1\nab\0c".to_vec(), (2, 3))] {
        let (object, code) = check(&file(&octets).path);
        let fault = &object["error"]["faults"][0];
        assert_eq!((fault["line"].as_u64(), fault["column"].as_u64(), code), (Some(place.0), Some(place.1), 2));
        assert!(fault["help"].as_str().unwrap().contains("is this the right file?"));
    }
    let (object, code) = check(&file(&noise).path);
    assert_eq!((object["error"]["faults"].as_array().unwrap().len(), code), (1, 2));
}

#[test]
fn size_and_depth_have_bounds() {
    let comment = "# filler\n".repeat((2 << 20) / 9);
    let (object, code) = check(&file(format!("{GOOD}{comment}").as_bytes()).path);
    let fault = &object["error"]["faults"][0];
    assert!(code == 2 && fault["message"].as_str().unwrap().contains("more than 1 MiB"), "{object}");
    assert!(fault["line"].as_u64().unwrap() > 100_000);
    for brackets in ["a = ".to_owned() + &"[".repeat(1_000_000), "[".repeat(1_000_000), "{".repeat(1_000_000)] {
        let (object, code) = check(&file(brackets.as_bytes()).path);
        assert_eq!(code, 2);
        assert_eq!(object["error"]["faults"][0]["line"], 1);
    }
    let dotted = "a.".repeat(500_000) + "a = 1";
    assert_eq!(check(&file(dotted.as_bytes()).path).1, 2);
}

#[test]
fn a_config_full_to_the_brim_is_taken_and_no_fuller() {
    let prefixes = |count: u32| {
        let list: Vec<_> = (0..count).map(|n| format!("\"{:x}:{:x}::/32\"", n / 65536 + 0x20, n % 65536)).collect();
        file(GOOD.replace("\"2001:db8:ac10:fe01::/64\"", &list.join(",")).as_bytes())
    };
    assert_eq!(check(&prefixes(65_536).path).1, 0);
    let (object, code) = check(&prefixes(65_537).path);
    assert!(code == 2 && object["error"]["faults"][0]["message"].as_str().unwrap().contains("65537 prefixes"));

    let services = |count: u32| {
        let service = |n| format!("[[service]]\nname = \"s{n}\"\nprefixes = [\"2001:{n:x}::/32\"]\nrule = \"any:*\"\n");
        file(("version = 1\n".to_owned() + &(1..=count).map(service).collect::<String>()).as_bytes())
    };
    assert_eq!(check(&services(4095).path).1, 0);
    let endpoint = |n| format!("[[endpoint]]\nname = \"e{n}\"\naddress = \"fd00::{n:x}\"\n");
    let endpoints: String = (1..=4095).map(endpoint).collect();
    let full = services(4095);
    let text = fs::read_to_string(&full.path).unwrap().replace("\"any:*\"", "\"any:*\"\nslice_bits = 12");
    let (object, code) = check(&file((text + &endpoints).as_bytes()).path);
    assert_eq!((object["warnings"].as_array().map(Vec::len), code), (Some(1), 0), "only of the interfaces");
    let (object, code) = check(&services(4096).path);
    assert!(code == 2 && object["error"]["faults"][1]["message"].as_str().unwrap().contains("4096 services"));
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    for path in [folder.path().join("missing.toml"), folder.path().into(), pipe, "/dev/null".into()] {
        let (object, code) = check(&path);
        assert_eq!(code, 2);
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        ssa_ctl().arg("check").arg(&path).assert().code(2).stdout("");
    }
}

#[test]
fn traps_are_warned_of_with_a_caret_in_the_rule() {
    let text =
        GOOD.replace("hash(48):12 any:*", "src(0):12 any:*").replace("[[service]]", "[[service]]\nslice_bits = 12");
    let file = file(text.as_bytes());
    let (object, code) = check(&file.path);
    let warning = &object["warnings"][0];
    assert_eq!((warning["line"].as_u64(), warning["column"].as_u64(), code), (Some(8), Some(9), 0), "{object:#}");
    let output = ssa_ctl().arg("check").arg(&file.path).assert().success().get_output().clone();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("warning: src(0) on slice bits") && text.contains("^^^^^^^^^"), "{text}");
}

#[test]
fn endpoints_that_do_less_than_they_seem_to_are_warned_of() {
    for (name, text, message) in endpoint_cases::warned() {
        let (object, code) = check(&file(text.as_bytes()).path);
        assert_eq!(code, 0, "{name}: {object:#}");
        let warnings = object["warnings"].as_array().unwrap();
        let said = warnings.iter().any(|warning| warning["message"].as_str().unwrap().contains(message));
        assert!(if message.is_empty() { warnings.is_empty() } else { said }, "{name}: {object:#}");
    }
}

#[test]
fn low_priority_without_suspects_is_warned_of() {
    let lines = |more: &str| format!("{GOOD}low_priority = [\"dscp\"]\nlow_priority_rate = 100\n{more}");
    let (object, code) = check(&file(lines("").as_bytes()).path);
    let place = |warning: &Value| format!("{}:{}", warning["line"], warning["column"]);
    let said = |warning: &Value| warning["message"].as_str().unwrap().to_owned();
    let warnings: Vec<_> = object["warnings"].as_array().unwrap().iter().map(|one| (place(one), said(one))).collect();
    let wanted = [("8:16", "low_priority"), ("9:21", "low_priority_rate")];
    let wanted = wanted.map(|(at, key)| (at.into(), format!("`{key}` has no effect: the service has no suspects")));
    assert_eq!((warnings, code), (wanted.into(), 0));
    for suspects in ["on_mismatch = \"lowprio\"\n", "fair = { prefix = 48, share = \"5%\" }\n"] {
        let (object, code) = check(&file(lines(suspects).as_bytes()).path);
        assert_eq!((object["warnings"].as_array().map(Vec::len), code), (Some(0), 0), "{suspects}: {object:#}");
    }
}

#[test]
fn random_packets_that_get_through_are_counted() {
    let key = |number| format!("[[service.keys]]\nname = \"k1\"\nnumber = {number}\nfile = \"k{number}\"\n");
    let text = GOOD.replace("hash(48):12 any:*", "any:16 mac(48,key=k1,period=30s):48") + &key(1) + &key(2);
    let file = file(text.as_bytes());
    let (object, code) = check(&file.path);
    assert_eq!(code, 0, "{object:#}");
    assert_eq!(object["services"][0]["forgery"], serde_json::json!({ "accepted": 4, "bits": 48 }));
    let output = ssa_ctl().arg("check").arg(&file.path).assert().success().get_output().clone();
    assert!(String::from_utf8(output.stdout).unwrap().contains("4/2^48"));
}

#[test]
fn weak_rules_are_taken_when_asked_for() {
    let key = "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"k1\"\n";
    let text = GOOD.replace("hash(48):12 any:*", "mac(48,key=k1):20 any:*") + "allow_weak = true\n" + key;
    let (object, code) = check(&file(text.as_bytes()).path);
    assert_eq!((object["warnings"][0]["severity"].as_str(), code), (Some("warning"), 0), "{object:#}");
}

#[test]
fn the_path_of_a_file_may_be_hard() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("--json");
    fs::File::create(&path).unwrap().write_all(GOOD.as_bytes()).unwrap();
    ssa_ctl().current_dir(folder.path()).args(["check", "--", "--json"]).assert().success();
}
