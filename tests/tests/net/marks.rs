//! The program that marks packets, among others and on interfaces that go; who stays, and what is left, out.

use std::{path::PathBuf, time::Duration};

use ssa_ctl::kernel::marks::MARK;
use ssa_tests::bench::tally::Tally;

use crate::{
    inside::{check_alone, instance, set_other_build},
    kill::{apply, kill, moment},
    low::{COUNT, findings, ingress, low, names_at_ingress, send},
    site::{INTERFACE, PREFIX, Site, names, strict},
};

/// The name of somebody else's program.
const OTHER: &str = "tiny";

fn both() -> String {
    low("native", "low_priority = [\"cpu\", \"mark\"]")
}

#[test]
fn somebody_elses_program_stays_where_it_is_and_runs() {
    let site = Site::new("marks-beside");
    let mut tally = Tally::new(PREFIX.trim_end_matches("/64").parse().unwrap()).unwrap();
    tally.watch_last(&site.host, INTERFACE).unwrap();
    let other = ingress(&site);
    let check = |ours: bool, when: &str| {
        let now = ingress(&site);
        assert_eq!(now.last(), other.last(), "{when}");
        let wanted: &[&str] = if ours { &[MARK, OTHER] } else { &[OTHER] };
        assert_eq!(names_at_ingress(&site), wanted, "{when}");
        let before = tally.arrived();
        assert_eq!(send(&site), (COUNT, COUNT), "{when}");
        assert_eq!(tally.arrived() - before, 2 * COUNT, "{when}: it has seen them all");
        now[0].0
    };
    check(false, "alone");
    site.apply(&both()).done();
    let first = check(true, "attached");
    set_other_build(&site);
    site.apply(&both()).done();
    assert_ne!(check(true, "replaced"), first, "ours is another program");
    site.apply(&strict()).done();
    assert_eq!(ingress(&site), other, "detached");
    site.apply(&both()).done();
    check(true, "attached again");
    site.ctl(["down"]).done();
    assert_eq!(ingress(&site), other, "taken away");
}

#[test]
fn an_interface_made_anew_is_marked_anew() {
    let site = Site::new("marks-anew");
    site.apply(&both()).done();
    site.host.ip(&["link", "del", INTERFACE]).unwrap();
    site.link();
    assert_eq!(ingress(&site), []);
    let broken = findings(&site).into_iter().filter(|(level, _)| level == "broken");
    assert!(broken.map(|(_, text)| text).any(|text| text.contains("are not marked")), "{:?}", findings(&site));
    let applied = site.apply(&both()).done();
    let steps: Vec<_> =
        applied["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["mark", "detach", "attach"], "{applied}");
    assert_eq!(names_at_ingress(&site), [MARK]);
    assert_eq!(names(&site.pins.path().join("marks/links")), [INTERFACE]);
    assert!(findings(&site).iter().all(|(level, _)| level == "ok"), "{:?}", findings(&site));
    assert_eq!(send(&site), (COUNT, COUNT));
    assert_eq!(site.apply(&both()).done()["changed"], false);
}

#[test]
fn marks_come_and_go_whole_or_not() {
    let site = Site::new("marks-kill");
    let files: [PathBuf; 2] =
        [("plain.toml", strict()), ("marked.toml", both())].map(|(name, text)| site.file(name, &text));
    let check = |side: usize| {
        let (marked, queues) = (ingress(&site), instance(&site).queues.all().unwrap());
        if side == 0 {
            assert_eq!((marked.len(), queues.len()), (0, 0));
            return check_alone(&site);
        }
        assert_eq!((marked.len(), &marked[0].1[..], queues.len()), (1, MARK, 1));
        assert_eq!(names(site.pins.path()), ["links", "maps", "marks", "progs"]);
        assert_eq!(names(&site.pins.path().join("marks/links")), [INTERFACE]);
        assert!(findings(&site).iter().all(|(level, _)| level == "ok"), "{:?}", findings(&site));
    };
    let mut whole = Duration::ZERO;
    for side in [0, 1, 0] {
        whole = whole.max(apply(&site, &files[side]).mul_f64(1.1));
        check(side);
    }
    let mut side = 0;
    for round in 0..20 {
        kill(&site, &files[1 - side], moment(round, whole));
        // On, or back.
        side = usize::from(round % 4 < 2);
        apply(&site, &files[side]);
        check(side);
    }
    site.ctl(["down"]).done();
    assert_eq!((ingress(&site).len(), site.pins.path().exists()), (0, false));
}
