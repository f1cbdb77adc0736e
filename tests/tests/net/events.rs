//! Datagrams on a wire in; what `ssa-ctl events` says of those that were wrong, and what others read in its captures, out.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use ssa_tests::net::{output_of, wait_until};

use crate::{
    site::{CLIENT, GOOD, INTERFACE, Said, Site, WRONG, strict},
    traffic::{PORT, Wire},
};

const LONGEST: Duration = Duration::from_secs(10);

fn send(site: &Site, wire: &Wire, destination: &str, payloads: &[&str]) {
    let before = site.packets(&["received"]);
    for payload in payloads {
        wire.send(&wire.datagram(destination, &[], payload)).unwrap();
    }
    let sent = payloads.len() as u64;
    wait_until("the frames to be counted", LONGEST, || site.packets(&["received"]) == before + sent).unwrap();
}

fn hexadecimal(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// `ssa-ctl` for people, which must do what it is asked to.
fn said(site: &Site, arguments: &[&str]) -> Said {
    let said = Said::of(site.host.ssa_ctl(&site.pins).args(arguments));
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

/// What tshark reads in a capture: the fields of each frame.
fn tshark(file: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", file, "-T", "fields"]).args(fields.iter().flat_map(|field| ["-e", field]));
    let read = output_of(&mut command).unwrap();
    read.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn what_was_wrong_is_told_and_what_was_good_is_not() {
    let site = Site::new("events");
    site.apply(&strict()).done();
    let (wire, long) = (Wire::new(&site), "x".repeat(500));
    send(&site, &wire, GOOD, &["good"; 3]);
    assert_eq!(site.ctl(["events"]).json()["events"], Value::Array(vec![]));
    send(&site, &wire, WRONG, &["one", &long]);
    let maps = site.maps();
    let told = site.ctl(["events"]).json();
    assert_eq!((&told["overwritten"], &told["rate"]), (&0.into(), &100.into()));
    let events = told["events"].as_array().unwrap();
    assert_eq!(events.len(), 2, "{told}");
    for (event, octets) in events.iter().zip([65, 562]) {
        for (key, value) in [
            ("service", "web"),
            ("reason", "field-mismatch"),
            ("treatment", "drop"),
            ("interface", INTERFACE),
            ("source", CLIENT),
            ("destination", WRONG),
        ] {
            assert_eq!(event[key], value, "{key} of {event}");
        }
        let numbers = ["protocol", "source_port", "destination_port", "octets", "captured"];
        let expected = [17, 40_000, PORT.into(), octets, octets.min(128)];
        assert_eq!(numbers.map(|key| event[key].as_u64().unwrap()), expected, "{event}");
        assert_eq!(event["would_drop"], false);
        let frame = wire.datagram(WRONG, &[], if octets > 128 { &long } else { "one" });
        let head = hexadecimal(&frame[..frame.len().min(128)]);
        assert_eq!(event["head"], head.as_str());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        let ago = now - event["time"].as_f64().unwrap();
        assert!((0.0..3600.0).contains(&ago), "{ago} s ago");
    }
    let lines = said(&site, &["events"]).out;
    let line = format!("Z web field-mismatch drop {INTERFACE} {CLIENT} → {WRONG} udp 40000 → {PORT} 65 octets");
    assert!(lines.lines().count() == 2 && lines.lines().next().unwrap().ends_with(&line), "{lines}");
    // By service and reason; what is not known is refused.
    let count = |arguments: &[&str]| {
        let all = ["events"].iter().chain(arguments).copied().collect::<Vec<_>>();
        site.ctl(all).json()["events"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--reason", "field-mismatch", "--service", "web"]), 2);
    assert_eq!(count(&["--reason", "bad-source", "--reason", "malformed"]), 0);
    site.ctl(["events", "--service", "wed"]).failed(2);
    // Whoever reads takes nothing away, and writes nothing.
    assert_eq!(count(&[]), 2);
    assert_eq!(site.maps(), maps);
}

#[test]
fn who_follows_is_told_what_comes() {
    let site = Site::new("evfollow");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    send(&site, &wire, WRONG, &["before"]);
    let mut follow = site.host.ssa_ctl(&site.pins);
    follow.args(["--json", "events", "--follow", "--count", "3"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let follow = follow.spawn().unwrap();
    send(&site, &wire, GOOD, &["good"]);
    send(&site, &wire, WRONG, &["two", "three"]);
    let output = follow.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> = output
        .stdout
        .split(|octet| *octet == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let heads: Vec<_> = lines.iter().map(|event| event["head"].as_str().unwrap().to_owned()).collect();
    let wanted = ["before", "two", "three"].map(|payload| hexadecimal(&wire.datagram(WRONG, &[], payload)));
    assert_eq!(heads, wanted);
    // Nothing comes: it ends by itself. What it follows goes away: it says so.
    let quiet = said(&site, &["events", "--follow", "--seconds", "1", "--reason", "malformed"]);
    assert_eq!(quiet.out, "");
    let mut follow = site.host.ssa_ctl(&site.pins);
    follow.args(["--json", "events", "--follow", "--seconds", "60"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let follow = follow.spawn().unwrap();
    site.ctl(["down"]).done();
    let output = follow.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn a_capture_is_read_by_others() {
    let site = Site::new("evpcap");
    site.apply(&strict()).done();
    let (wire, long) = (Wire::new(&site), "y".repeat(300));
    send(&site, &wire, WRONG, &["one", &long]);
    let path = site.folder.path().join("events.pcapng");
    let file = path.to_str().unwrap();
    let told = site.ctl(["events", "--write", file]).json();
    assert_eq!((&told["file"], &told["written"]), (&file.into(), &2.into()));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let fields =
        ["frame.comment", "ipv6.src", "ipv6.dst", "udp.dstport", "frame.len", "frame.cap_len", "frame.interface_name"];
    let read = tshark(file, &fields);
    let port = PORT.to_string();
    let expected = |octets: &str, captured: &str| {
        ["ssa: web field-mismatch drop", CLIENT, WRONG, &port, octets, captured, INTERFACE].map(str::to_owned).to_vec()
    };
    assert_eq!(read, [expected("65", "65"), expected("362", "128")]);
    // Times are those that were told, to the microsecond.
    let events = site.ctl(["events"]).json();
    for (event, time) in events["events"].as_array().unwrap().iter().zip(tshark(file, &["frame.time_epoch"])) {
        let seconds = time[0].parse::<f64>().unwrap();
        // Boot and wall clock are read again for each look.
        assert!((event["time"].as_f64().unwrap() - seconds).abs() < 1.0, "{event} {time:?}");
    }
    // No file is lost.
    site.ctl(["events", "--write", file]).failed(2);
    site.ctl(["events", "--write", file, "--follow", "--seconds", "1"]).failed(2);
    send(&site, &wire, WRONG, &["three"]);
    site.ctl(["events", "--write", file, "--force"]).done();
    assert_eq!(tshark(file, &["frame.len"]).len(), 3);
    // Whatever mode it had before.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    site.ctl(["events", "--write", file, "--force", "--follow", "--count", "2"]).done();
    assert_eq!(tshark(file, &["frame.len"]).len(), 2);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // What is no file stays what it is, and what a link points to stays as it is.
    let (device, link) = (site.folder.path().join("device"), site.folder.path().join("link"));
    output_of(Command::new("mknod").arg(&device).args(["c", "1", "3"])).unwrap();
    symlink(&path, &link).unwrap();
    let before = fs::read(&path).unwrap();
    for (to, kind) in [(&device, "is a device"), (&link, "is a symbolic link")] {
        for more in [&["--force"][..], &["--force", "--follow", "--seconds", "1"], &[]] {
            let message = site.ctl([&["events", "--write", to.to_str().unwrap()], more].concat()).message(2);
            assert!(message.contains(kind), "{message}");
        }
    }
    assert!(device.symlink_metadata().unwrap().file_type().is_char_device());
    assert!(link.is_symlink() && fs::read(&path).unwrap() == before);
    let mut piped = site.host.command("bash");
    let pins = site.pins.path().display();
    let ctl = ssa_tests::ssa_ctl_path();
    let ctl = ctl.display();
    piped.arg("-c").arg(format!("{ctl} --pin-root {pins} events --write - | tshark -n -r - -T fields -e ipv6.src"));
    assert_eq!(output_of(&mut piped).unwrap().lines().collect::<Vec<_>>(), [CLIENT; 3]);
    let left: Vec<_> = site.folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("events.pcapng.")), "{left:?}");
}

#[test]
fn events_are_switched_on_and_off() {
    let site = Site::new("evoff");
    let off = strict().replacen("[host]\n", "[host]\nevents = 0\n", 1);
    site.apply(&off).done();
    let wire = Wire::new(&site);
    send(&site, &wire, WRONG, &["one"]);
    let told = said(&site, &["events"]);
    assert!(told.out.is_empty() && told.err.contains("events = 100"), "{told:?}");
    let json = site.ctl(["events"]).json();
    assert_eq!((&json["rate"], &json["events"]), (&0.into(), &Value::Array(vec![])));
    assert_eq!(site.ctl(["status"]).json()["events"]["written"], 0);
    site.apply(&strict()).done();
    send(&site, &wire, WRONG, &["two"]);
    let told = site.ctl(["events"]).json();
    assert_eq!(told["events"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(site.ctl(["status"]).json()["events"]["written"], 1);
    let exported = said(&site, &["export"]).out;
    assert!(!exported.contains("events"), "{exported}");
    site.ctl(["down"]).done();
    site.ctl(["events"]).failed(4);
}
