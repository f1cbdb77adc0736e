//! Suspects of a service with each kind of low priority in; what the host's stack, its queues and its pins make of it, out.

use std::{fs, path::Path};

use aya::programs::{SchedClassifier, TcAttachType};
use serde_json::{Value, json};
use ssa_ctl::kernel::marks::MARK;

use crate::{
    inside::instance,
    site::{GOOD, INTERFACE, PREFIX, RULE, Said, Site, WRONG, names, strict},
    traffic::{Wire, arrived, listen},
};

/// Datagrams of each kind.
pub const COUNT: u64 = 20;
/// The mark of suspects.
const MARKED: u32 = 42;

/// A config whose suspects have this done to them.
pub fn low(mode: &str, lines: &str) -> String {
    format!(
        "version = 1\n[host]\ninterfaces = [\"{INTERFACE}\"]\nmode = \"{mode}\"\n\
         [host.low_priority]\ncpu = 0\nmark = {MARKED}\npriority = \"1:20\"\n\
         [[service]]\nname = \"web\"\nprefixes = [\"{PREFIX}\"]\nrule = \"{RULE}\"\non_mismatch = \"lowprio\"\n{lines}\n"
    )
}

/// The programs at ingress of the host's interface, in their order: number and name.
pub fn ingress(site: &Site) -> Vec<(u32, String)> {
    let query = || SchedClassifier::query_tcx(INTERFACE, TcAttachType::Ingress).unwrap().1;
    let programs = site.host.enter(query).unwrap();
    programs.iter().map(|program| (program.id(), program.name_as_str().unwrap_or_default().to_owned())).collect()
}

/// The same, the names alone.
pub fn names_at_ingress(site: &Site) -> Vec<String> {
    ingress(site).into_iter().map(|(_, name)| name).collect()
}

/// Sends so many datagrams that conform and so many that do not; how many of each arrived.
pub fn send(site: &Site) -> (u64, u64) {
    let (wire, socket) = (Wire::new(site), listen(site));
    for number in 0..COUNT {
        wire.send(&wire.datagram(GOOD, &[], &format!("good {number}"))).unwrap();
        wire.send(&wire.datagram(WRONG, &[], &format!("wrong {number}"))).unwrap();
    }
    let texts = arrived(&socket);
    let count = |word: &str| texts.iter().filter(|text| text.starts_with(word)).count() as u64;
    (count("good"), count("wrong"))
}

/// Lets the host drop what has the mark of suspects, where it routes.
fn drop_marked(site: &Site) {
    let mark = MARKED.to_string();
    for words in [
        &["-6", "rule", "add", "pref", "10", "lookup", "local"][..],
        &["-6", "rule", "del", "pref", "0"],
        &["-6", "rule", "add", "pref", "5", "fwmark", &mark, "blackhole"],
    ] {
        site.host.ip(words).unwrap();
    }
}

/// What `doctor` finds of low priority: level and message.
pub fn findings(site: &Site) -> Vec<(String, String)> {
    let said = site.ctl(["doctor"]).json();
    let all = said["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == "low priority");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    all.map(|finding| (text(finding, "level"), text(finding, "message"))).collect()
}

#[test]
fn suspects_arrive_by_each_way_and_are_counted_as_such() {
    let all = ["\"dscp\"", "\"mark\"", "\"cpu\"", "\"cpu\", \"mark\"", "\"dscp\", \"cpu\", \"mark\""];
    for (mode, all) in [("native", &all[..]), ("generic", &all[..1])] {
        let site = Site::new(&format!("low-{mode}"));
        for ways in all {
            site.apply(&low(mode, &format!("low_priority = [{ways}]"))).done();
            let before = site.packets(&["treatments", "lowprio"]);
            assert_eq!(send(&site), (COUNT, COUNT), "{mode}, {ways}");
            assert_eq!(site.packets(&["treatments", "lowprio"]) - before, COUNT, "{mode}, {ways}");
            let instance = instance(&site);
            assert_eq!(instance.unserved(1).unwrap(), (0, 0), "{mode}, {ways}: what could not be done");
            for (level, message) in findings(&site) {
                assert_eq!(level, "ok", "{mode}, {ways}: {message}");
            }
        }
    }
}

#[test]
fn marks_reach_the_stack_also_behind_the_queue_of_a_cpu() {
    let site = Site::new("low-marks");
    drop_marked(&site);
    let all = [("\"dscp\"", false), ("\"mark\"", true), ("\"dscp\", \"cpu\"", false), ("\"cpu\", \"mark\"", true)];
    for (ways, marked) in all {
        site.apply(&low("native", &format!("low_priority = [{ways}]"))).done();
        let wrong = if marked { 0 } else { COUNT };
        assert_eq!(send(&site), (COUNT, wrong), "{ways}: the host drops what is marked");
    }
}

fn steps(said: &Said) -> Vec<String> {
    let said = said.done();
    let steps = said["steps"].as_array().unwrap().iter();
    steps.map(|step| step["step"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_suspects_need_comes_and_goes_with_the_config() {
    let site = Site::new("low-apply");
    let both = low("native", "low_priority = [\"cpu\", \"mark\"]");
    let marks = site.pins.path().join("marks");
    let queues = |site: &Site| instance(site).queues.all().unwrap().iter().map(|queue| queue.cpu).collect::<Vec<_>>();

    site.apply(&strict()).done();
    assert_eq!((ingress(&site).len(), queues(&site).len(), marks.exists()), (0, 0, false));
    let applied = steps(&site.apply(&both));
    assert!(applied.starts_with(&["queue".into(), "mark".into(), "config".into()]), "{applied:?}");
    assert_eq!((names_at_ingress(&site), queues(&site)), (vec![MARK.to_owned()], vec![0]));
    assert_eq!(names(&marks.join("links")), [INTERFACE]);
    assert_eq!(site.apply(&both).done()["changed"], false);

    // Somebody takes away what is not his.
    fs::remove_file(marks.join("links").join(INTERFACE)).unwrap();
    instance(&site).queues.keep(None).unwrap();
    assert_eq!(steps(&site.apply(&both)), ["queue", "mark"]);
    assert_eq!((names_at_ingress(&site), queues(&site)), (vec![MARK.to_owned()], vec![0]));

    let longer = both.replace("cpu = 0", "cpu = 0\nqueue = 1024");
    assert_eq!(steps(&site.apply(&longer))[0], "queue");
    assert_eq!(instance(&site).queues.all().unwrap()[0].length, 1024);

    let applied = steps(&site.apply(&strict()));
    assert!(applied.ends_with(&["unmark".into(), "unqueue".into()]), "{applied:?}");
    assert_eq!((ingress(&site).len(), queues(&site).len(), marks.exists()), (0, 0, false));

    site.apply(&both).done();
    site.ctl(["down"]).done();
    assert_eq!((ingress(&site).len(), site.pins.path().exists()), (0, false));
    // The first apply does all of it at once.
    site.apply(&both).done();
    assert_eq!((names_at_ingress(&site), queues(&site)), (vec![MARK.to_owned()], vec![0]));
    assert_eq!(send(&site), (COUNT, COUNT));
}

#[test]
fn larger_maps_take_the_queue_and_the_marks_along() {
    let site = Site::new("low-grow");
    site.apply(&low("native", "low_priority = [\"cpu\", \"mark\"]")).done();
    let service =
        |n| format!("[[service]]\nname = \"s{n}\"\nprefixes = [\"2001:db8:1:{n:x}::/64\"]\nrule = \"any:*\"\n");
    let more = (0..400).map(service).collect::<Vec<_>>().concat();
    let grown = site.apply(&(low("native", "low_priority = [\"cpu\", \"mark\"]") + &more)).done();
    assert_eq!(grown["steps"][0]["step"], "grow", "{grown}");
    assert_eq!(names_at_ingress(&site), [MARK]);
    assert_eq!(send(&site), (COUNT, COUNT));
    assert!(findings(&site).iter().all(|(level, _)| level == "ok"), "{:?}", findings(&site));
    // So do those that a longer block list takes.
    let list = (0..3000).map(|number| format!("2001:db9:{number:x}::/48\n")).collect::<Vec<_>>().concat();
    let list = site.file("list", &list);
    site.ctl(["block", "import", list.to_str().unwrap()]).done();
    assert_eq!(names_at_ingress(&site), [MARK]);
    assert_eq!(send(&site), (COUNT, COUNT));
    assert!(findings(&site).iter().all(|(level, _)| level == "ok"), "{:?}", findings(&site));
}

#[test]
fn marks_that_come_with_larger_maps_are_there_at_once() {
    let site = Site::new("low-growmark");
    site.apply(&strict()).done();
    let service =
        |n| format!("[[service]]\nname = \"s{n}\"\nprefixes = [\"2001:db8:1:{n:x}::/64\"]\nrule = \"any:*\"\n");
    let more = (0..400).map(service).collect::<Vec<_>>().concat();
    let both = low("native", "low_priority = [\"mark\"]") + &more;
    let applied = steps(&site.apply(&both));
    assert!(["grow", "mark"].map(str::to_owned).iter().all(|step| applied.contains(step)), "{applied:?}");
    let marked = ingress(&site);
    assert_eq!(names_at_ingress(&site), [MARK]);
    assert_eq!(site.apply(&both).done()["changed"], false);
    assert_eq!(ingress(&site), marked, "it is the same program");
    assert_eq!(send(&site), (COUNT, COUNT));
}

#[test]
fn doctor_says_what_suspects_lack() {
    let site = Site::new("low-doctor");
    site.apply(&low("native", "low_priority = [\"cpu\", \"mark\"]")).done();
    instance(&site).queues.keep(None).unwrap();
    fs::remove_file(site.pins.path().join("marks/links").join(INTERFACE)).unwrap();
    assert_eq!(send(&site), (COUNT, COUNT), "they go on all the same");
    let found = findings(&site);
    let said = |level: &str, words: &str| found.iter().any(|(found, text)| found == level && text.contains(words));
    assert!(said("broken", "CPU 0 has no queue"), "{found:?}");
    assert!(said("broken", "are not marked"), "{found:?}");
    assert!(said("warning", &format!("{COUNT} suspects of web found no queue")), "{found:?}");
}

#[test]
fn what_the_host_cannot_do_is_refused_at_its_place() {
    let site = Site::new("low-cpu");
    site.apply(&strict()).done();
    for way in ["cpu", "mark"] {
        let error = site.apply(&low("generic", &format!("low_priority = [\"{way}\"]"))).failed(2);
        let faults = error["faults"].as_array().unwrap();
        let said = faults.iter().find(|fault| fault["severity"] == "error").map(|fault| fault["line"].clone());
        assert_eq!(said, Some(json!(14)), "{way}: the mode cannot do it: {error}");
    }
    let text = low("native", "low_priority = [\"cpu\"]").replace("cpu = 0", "cpu = 100000");
    let error = site.apply(&text).failed(2);
    let fault = &error["faults"][0];
    assert_eq!((&fault["line"], &fault["column"]), (&json!(6), &json!(7)), "{error}");
    assert!(fault["message"].as_str().unwrap().contains("CPU 100000 does not run"), "{error}");
    assert_eq!(site.status()["generation"], 1);
    assert!(!Path::new(&site.pins.path().join("marks")).exists());
}
