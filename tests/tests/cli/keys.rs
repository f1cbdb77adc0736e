//! Key files and rings in; what `key` and the reader of key files make of them out. No secret in any output.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use serde_json::Value;
use ssa_ctl::config::{self, Checked, Fault};
use ssa_tests::{ssa_ctl, ssa_ctl_path};
use tempfile::TempDir;

const SECRET: &str = "00112233445566778899aabbccddee0f";

fn write(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn config(folder: &TempDir, file: &str) -> PathBuf {
    let path = folder.path().join("web.toml");
    let text = format!(
        "version = 1\n[[service]]\nname = \"web\"\nprefixes = [\"2001:db8::/64\"]\nrule = \"any:16 mac(48,key=k1):48\"\n\
         [[service.keys]]\nname = \"k1\"\nnumber = 7\nfile = \"{file}\"\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn read(folder: &TempDir, file: &str) -> Checked {
    config::read(&config(folder, file)).unwrap()
}

#[test]
fn a_new_key_is_its_owners_alone_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let folder = TempDir::new().unwrap();
        let script = format!("umask {umask}; exec \"$0\" key new k1.key");
        let mut shell = assert_cmd::Command::new("sh");
        let output = shell.arg("-c").arg(script).arg(ssa_ctl_path()).current_dir(folder.path()).assert().success();
        let path = folder.path().join("k1.key");
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.len()), (0o600, 33), "umask {umask}");
        let secret = fs::read_to_string(&path).unwrap();
        assert!(secret.trim_end().bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f')));
        let said = format!("{:?}", output.get_output());
        assert!(!said.contains(secret.trim_end()), "{said}");
        assert!(read(&folder, "k1.key").load_keys().is_ok());
    }
}

#[test]
fn a_key_is_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("k1.key");
    write(&path, SECRET, 0o600);
    let link = folder.path().join("link");
    symlink(folder.path().join("elsewhere"), &link).unwrap();
    for path in [&path, &link] {
        let output = ssa_ctl().args(["key", "new", "--json"]).arg(path).assert().code(1).get_output().clone();
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(object["error"]["code"], "failed");
        assert!(object["error"]["hint"].as_str().unwrap().contains("never overwritten"));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), SECRET);
    assert!(!folder.path().join("elsewhere").exists());
    ssa_ctl().args(["key", "new"]).arg(folder.path().join("no/folder")).assert().code(1);
}

#[test]
fn two_keys_are_two() {
    let folder = TempDir::new().unwrap();
    let secret = |name: &str| {
        ssa_ctl().args(["key", "new", name]).current_dir(folder.path()).assert().success();
        fs::read_to_string(folder.path().join(name)).unwrap()
    };
    assert_ne!(secret("a"), secret("b"));
}

#[test]
fn key_files_are_read_as_people_write_them() {
    let folder = TempDir::new().unwrap();
    for text in [SECRET.to_owned(), format!("{SECRET}\n"), format!(" \t{SECRET}\r\n\n"), SECRET.to_uppercase()] {
        write(&folder.path().join("k"), text, 0o600);
        let rings = read(&folder, "k").load_keys().unwrap();
        let [key] = rings.ring(0, "k1") else { panic!("one key") };
        assert_eq!((key.number, u128::from_be_bytes(key.secret)), (7, u128::from_str_radix(SECRET, 16).unwrap()));
        assert!(!format!("{rings:?}").contains("17, 34, 51"), "a secret in Debug");
    }
    write(&folder.path().join("k"), SECRET, 0o400);
    assert!(read(&folder, "./k").load_keys().is_ok());
}

#[test]
fn other_key_files_are_refused_at_the_place_that_names_them() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let cases = [("15", SECRET[..30].to_owned()), ("17", format!("{SECRET}00")), ("zero", "0".repeat(32))];
    for (name, text) in cases {
        write(&at(name), text, 0o600);
    }
    write(&at("text"), format!("{}xy", &SECRET[..30]), 0o600);
    write(&at("two"), format!("{}\n{}", &SECRET[..16], &SECRET[16..]), 0o600);
    write(&at("noise"), [0xff; 32], 0o600);
    write(&at("empty"), "", 0o600);
    write(&at("long"), SECRET.to_owned() + &" ".repeat(5000), 0o600);
    write(&at("world"), SECRET, 0o604);
    write(&at("group"), SECRET, 0o640);
    write(&at("good"), SECRET, 0o600);
    symlink("good", at("link")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();

    let expected = [
        ("15", "has 30 digits", "32 hexadecimal digits"),
        ("17", "has 34 digits", "32 hexadecimal digits"),
        ("zero", "is all zero", "ssa-ctl key new"),
        ("text", "is not hexadecimal", "ssa-ctl key new"),
        ("two", "is not hexadecimal", "ssa-ctl key new"),
        ("noise", "is not hexadecimal", "ssa-ctl key new"),
        ("empty", "is empty", "ssa-ctl key new"),
        ("long", "is not hexadecimal", "ssa-ctl key new"),
        ("world", "has the mode 0604", "chmod 0600"),
        ("group", "has the mode 0640", "chmod 0600"),
        ("link", "is a symbolic link", "name the file itself"),
        ("folder", "is not a regular file", "name a regular file"),
        ("pipe", "is not a regular file", "name a regular file"),
        ("missing", "does not exist", "ssa-ctl key new"),
        ("/dev/zero", "is not a regular file", "name a regular file"),
    ];
    for (name, message, help) in expected {
        let faults = read(&folder, name).load_keys().expect_err(name);
        let [Fault { message: said, help: would_be, .. }] = faults.items() else { panic!("{name}: one fault") };
        assert!(said.contains(message) && would_be.contains(help), "{name}: {said}; {would_be}");
        let text = faults.render(false);
        assert!(text.contains("web.toml:9:8") && !text.contains(&SECRET[..15]), "{text}");
    }
}

#[test]
fn somebody_elses_key_is_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can give a file away");
        return;
    }
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("k"), SECRET, 0o600);
    std::os::unix::fs::chown(folder.path().join("k"), Some(12345), None).unwrap();
    let faults = read(&folder, "k").load_keys().unwrap_err();
    assert!(faults.items()[0].message.contains("belongs to the user 12345"));
}

#[test]
fn keys_are_listed_with_their_states() {
    let folder = TempDir::new().unwrap();
    let state = |file: &str| {
        let path = config(&folder, file);
        let output = ssa_ctl().args(["key", "list", "--json", "--config"]).arg(&path).assert().success();
        let object: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        let key = object["keys"][0].clone();
        assert_eq!((key["service"].as_str(), key["ring"].as_str()), (Some("web"), Some("k1")));
        assert_eq!((key["number"].as_u64(), key["file"].as_str()), (Some(7), folder.path().join(file).to_str()));
        assert!(!object.to_string().contains(SECRET));
        ssa_ctl().args(["key", "list", "--config"]).arg(&path).assert().success();
        key["state"].as_str().unwrap().to_owned()
    };
    write(&folder.path().join("good"), SECRET, 0o600);
    write(&folder.path().join("bad"), SECRET, 0o644);
    assert_eq!([state("good"), state("bad"), state("none")], ["ok", "refused", "missing"]);
}
