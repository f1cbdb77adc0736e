//! Settings of the detector, and what is wrong with some, in; what `detect` says, out. Needs root.

use ssa_tests::ssa_ctl_path;

use crate::{
    blocks::site,
    site::{Said, Site, strict},
};

#[test]
fn where_nobody_fails_nothing_is_found() {
    let site = site("detect");
    let before = site.maps();
    let file = site.file("never.txt", "# ours\n2001:db8:c::/48 ; the office\n");
    let once = ["detect", "--once", "--over", "1s", "--never-file", file.to_str().unwrap()];
    for more in [&[][..], &["--dry-run"], &["--service", "web", "--reason", "field-mismatch", "--prefix", "64"]] {
        let told = site.ctl([&once[..], more].concat()).done();
        assert_eq!((&told["found"], &told["left_out"]), (&serde_json::json!([]), &0.into()));
        assert_eq!(told["dry_run"], more.contains(&"--dry-run"));
    }
    let said = Said::of(site.host.ssa_ctl(&site.pins).args(["detect", "--seconds", "2", "--over", "2s", "--dry-run"]));
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    assert!(said.err.contains("2s at a time: 200 frames are kept then at most"), "{said:?}");
    assert_eq!(site.maps(), before);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let site = site("detectbad");
    let file = site.file("never.txt", "2001:db8:c::/48\n2001:db8::1/48\n");
    for (arguments, said) in [
        (&["--service", "wed"][..], "wed"),
        (&["--never", "192.0.2.0/24"], "is IPv4"),
        (&["--never", "2001:db8::1/48"], "bits set"),
        (&["--never-file", file.to_str().unwrap()], "never.txt: line 2: "),
        (&["--never-file", "/nowhere/never.txt"], "cannot read /nowhere/never.txt"),
        (&["--never-file", "/dev/zero"], "/dev/zero has more than 32 MiB"),
    ] {
        let error = site.ctl([&["detect", "--once"], arguments].concat()).failed(2);
        assert!(error["message"].as_str().unwrap().contains(said), "{arguments:?}: {error}");
        assert!(error["hint"].is_string(), "{error}");
    }
    for usage in [
        &["--prefix", "32"][..],
        &["--above", "0"],
        &["--over", "11m"],
        &["--over", "0s"],
        &["--for", "ever"],
        &["--most", "0"],
        &["--reason", "conform"],
        &["--once", "--seconds", "5"],
        &["--seconds", "5"],
        &["--for", "-5m"],
    ] {
        site.ctl([&["detect"], usage].concat()).failed(2);
    }
    assert!(site.ctl(["detect", "--seconds", "9"]).message(2).contains("before --over 10s is measured once"));
    // Who may not write is told at once, and not when there is something to write.
    let through = |more: &[&str]| {
        let mut command = site.host.command("setpriv");
        command.arg("--bounding-set=-all").arg(ssa_ctl_path()).arg("--json").arg("--pin-root").arg(site.pins.path());
        Said::of(command.args(["detect", "--over", "1s"]).args(more))
    };
    assert!(through(&["--seconds", "600"]).message(5).starts_with("CAP_BPF is missing"));
    let off = strict().replacen("[host]\n", "[host]\nevents = 0\n", 1);
    site.apply(&off).done();
    let error = site.ctl(["detect", "--once"]).failed(1);
    assert!(error["message"].as_str().unwrap().contains("no events are kept"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("events = 1000"), "{error}");
    Site::new("detectno").ctl(["detect", "--once"]).failed(4);
}
