//! Capabilities, users, masks, limits and file systems that are not as they should be in; refusals that say so out.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use ssa_ctl::kernel::object::MAPS;
use ssa_tests::ssa_ctl_path;

use crate::site::{INTERFACE, RULE, Said, Site, attached, bpftool, config, strict};

/// `ssa-ctl` on the host, run by another program that takes something away.
fn through(site: &Site, program: &[&str], arguments: &[&str]) -> Said {
    let mut command = site.host.command(program[0]);
    command.args(&program[1..]).arg(ssa_ctl_path()).arg("--json").arg("--pin-root").arg(site.pins.path());
    Said::of(command.args(arguments))
}

/// Likewise, by a shell that has run a line before.
fn after(site: &Site, line: &str, arguments: &[&str]) -> Said {
    through(site, &["sh", "-c", &format!("{line}; exec \"$0\" \"$@\"")], arguments)
}

#[test]
fn a_missing_capability_has_a_name() {
    let site = Site::new("caps");
    let file = site.file("config.toml", &strict());
    let apply = ["apply", file.to_str().unwrap()];
    site.apply(&strict()).done();
    let before = (site.interface(INTERFACE), site.maps());
    for (drop, name) in [
        ("-bpf,-sys_admin", "CAP_BPF"),
        ("-net_admin", "CAP_NET_ADMIN"),
        ("-perfmon,-sys_admin", "CAP_PERFMON"),
        ("-all", "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON"),
    ] {
        let bounds = format!("--bounding-set={drop}");
        for arguments in [&apply[..], &["apply", "--dry-run", apply[1]], &["bench"], &["down"]] {
            let said = through(&site, &["setpriv", &bounds], arguments);
            let error = said.failed(5);
            assert!(error["message"].as_str().unwrap().starts_with(&format!("{name} is missing")), "{drop}: {error}");
            assert!(error["hint"].as_str().unwrap().contains("CAP_BPF"), "{error}");
        }
    }
    assert_eq!((site.interface(INTERFACE), site.maps()), before);
    // The switch opens maps, and needs no more.
    let enforce = ["enforce", "web", "off"];
    let error = through(&site, &["setpriv", "--bounding-set=-all"], &enforce).failed(5);
    assert!(error["message"].as_str().unwrap().starts_with("CAP_BPF is missing"), "{error}");
    through(&site, &["setpriv", "--bounding-set=-all,+bpf"], &enforce).done();
}

#[test]
fn three_capabilities_are_enough() {
    let site = Site::new("three");
    let only = ["setpriv", "--bounding-set=-all,+bpf,+net_admin,+perfmon"];
    let file = |name: &str, text: &str| site.file(name, text).to_str().unwrap().to_owned();
    let apply = |path: &str| through(&site, &only, &["apply", path]).done();
    let usual = file("usual.toml", &strict());
    apply(&usual);
    assert_eq!(apply(&usual)["changed"], false);
    apply(&file("generic.toml", &config(&[INTERFACE], "generic", RULE)));
    apply(&usual);
    let program = site.interface(INTERFACE)["program_id"].clone();

    // Another program, and larger maps.
    set_other_build(&site);
    for arguments in [&["bench"][..], &["explain", "2001:db8:1::1", "2001:db8:a:1::1"]] {
        assert!(through(&site, &only, arguments).message(1).contains("another build"), "{arguments:?}");
    }
    apply(&usual);
    assert_ne!(site.interface(INTERFACE)["program_id"], program);
    assert_eq!(site.status()["program"]["build"], "current");
    let mut many = strict();
    for number in 0..300 {
        let service = format!(
            "[[service]]\nname = \"n{number}\"\nprefixes = [\"2001:db8:e:{number:x}::/64\"]\nrule = \"any:*\"\n"
        );
        many += &service;
    }
    let many = file("many.toml", &many);
    apply(&many);
    assert_eq!(apply(&many)["changed"], false);

    let explain = ["explain", "2001:db8:1::1", "2001:db8:a:1::1"];
    let bench = ["bench", "web", "--rounds", "1"];
    for arguments in [&["status"][..], &["stats"], &["export"], &explain, &bench] {
        through(&site, &only, arguments).done();
    }
    through(&site, &only, &["down"]).done();
    assert_eq!(attached(&site.host, INTERFACE), None);
}

/// Writes that the program is of another build: the last octets of `MetaRow`.
fn set_other_build(site: &Site) {
    let path = site.pins.path().join("maps/meta");
    let path = path.to_str().unwrap();
    let dump = bpftool(&["map", "dump", "pinned", path]);
    let mut value: Vec<_> = dump[0]["value"].as_array().unwrap().iter().map(|octet| octet.as_str().unwrap()).collect();
    let last = value.last_mut().unwrap();
    *last = if *last == "0x00" { "0x01" } else { "0x00" };
    let words = ["map", "update", "pinned", path, "key", "0", "0", "0", "0", "value"];
    bpftool(&[&words[..], &value].concat());
}

#[test]
fn nobody_else_gets_in() {
    let site = Site::new("nobody");
    site.apply(&strict()).done();
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    // Root's build folder may be closed to others, so that the program is somewhere else.
    let copy = Path::new("/var/tmp").join(format!("ssa-ctl-{}", std::process::id()));
    fs::copy(ssa_ctl_path(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let listen = ["metrics", "--listen", "[::1]:0"];
    let all = [
        &["status"][..],
        &["export"],
        &["stats"],
        &["metrics"],
        &listen,
        &["bench"],
        &["down"],
        &["enforce", "web", "off"],
    ];
    for arguments in all {
        let mut command = site.host.command(nobody[0]);
        command.args(&nobody[1..]).arg(&copy).arg("--json").arg("--pin-root").arg(site.pins.path());
        let error = Said::of(command.args(arguments)).failed(5);
        assert!(error["hint"].is_string(), "{arguments:?}: {error}");
    }
    fs::remove_file(copy).unwrap();

    // A folder that others may enter, or own, is no place for pins.
    fs::set_permissions(site.pins.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let error = site.ctl(["status"]).failed(5);
    assert!(error["hint"].as_str().unwrap().contains("chmod 0700"), "{error}");
    fs::set_permissions(site.pins.path(), fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(site.pins.path(), Some(65534), None).unwrap();
    let error = site.apply(&strict()).failed(5);
    assert!(error["message"].as_str().unwrap().contains("65534"), "{error}");
    std::os::unix::fs::chown(site.pins.path(), Some(0), None).unwrap();
    assert_eq!(site.apply(&strict()).done()["changed"], false);
}

#[test]
fn pins_need_a_bpf_file_system() {
    let site = Site::new("bpffs");
    let file = site.file("config.toml", &strict());
    let ordinary = site.folder.path().join("pins");
    for (root, what) in
        [(ordinary.clone(), "not in a BPF file system"), (ordinary.join("deeper/still"), "does not exist")]
    {
        let said = Said::of(site.host.ssa_ctl(&root).arg("--json").arg("apply").arg(&file));
        let error = said.failed(1);
        assert!(error["message"].as_str().unwrap().contains(what), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("mount -t bpf"), "{error}");
        assert!(!root.exists());
    }
    // An ordinary folder that is there already, with files of somebody's.
    fs::create_dir_all(ordinary.join("progs")).unwrap();
    fs::write(ordinary.join("progs/ssa_filter"), "mine").unwrap();
    for arguments in [vec!["apply", file.to_str().unwrap()], vec!["status"], vec!["down"]] {
        let said = Said::of(site.host.ssa_ctl(&ordinary).arg("--json").args(&arguments));
        assert!(said.message(1).contains("not in a BPF file system"), "{arguments:?}: {said:?}");
    }
    assert_eq!(fs::read_to_string(ordinary.join("progs/ssa_filter")).unwrap(), "mine");
    assert_eq!(attached(&site.host, INTERFACE), None);
}

/// All modes below a folder, folders and files apart.
fn modes(folder: &Path, folders: &mut Vec<u32>, files: &mut Vec<u32>) {
    folders.push(fs::symlink_metadata(folder).unwrap().mode() & 0o7777);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() { modes(&path, folders, files) } else { files.push(metadata.mode() & 0o7777) }
    }
}

#[test]
fn pins_are_their_owners_alone_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let site = Site::new("umask");
        let file = site.file("config.toml", &strict());
        after(&site, &format!("umask {umask}"), &["apply", file.to_str().unwrap()]).done();
        let (mut folders, mut files) = (vec![], vec![]);
        modes(site.pins.path(), &mut folders, &mut files);
        assert_eq!((folders, files), (vec![0o700; 4], vec![0o600; MAPS.len() + 3]), "umask {umask}");
    }
}

#[test]
fn sixteen_descriptors_are_enough() {
    let site = Site::new("sixteen");
    let file = |name: &str, rule: &str| site.file(name, &config(&[INTERFACE], "native", rule));
    let (one, other) = (file("one.toml", RULE), file("other.toml", "hash(48):64"));
    let limit = "ulimit -Sn 16";
    after(&site, limit, &["apply", one.to_str().unwrap()]).done();
    after(&site, limit, &["apply", other.to_str().unwrap()]).done();
    set_other_build(&site);
    after(&site, limit, &["apply", one.to_str().unwrap()]).done();

    // A limit that may not be lifted is told, and nothing is touched.
    set_other_build(&site);
    let before = (site.interface(INTERFACE), site.maps());
    let said = through(
        &site,
        &["setpriv", "--bounding-set=-sys_resource", "sh", "-c", "ulimit -n 16; exec \"$0\" \"$@\""],
        &["apply", other.to_str().unwrap()],
    );
    assert!(said.message(1).contains("Too many open files"), "{said:?}");
    assert_eq!((site.interface(INTERFACE), site.maps()), before);
    site.apply(&strict()).done();

    let explain = ["explain", "2001:db8:1::1", "2001:db8:a:1::1"];
    for arguments in [&["status"][..], &["stats"], &["export"], &explain, &["down"]] {
        after(&site, limit, arguments).done();
    }
    assert!(!site.pins.path().exists());
}
