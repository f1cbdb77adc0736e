//! Configs with endpoints that are refused, as data, and those that are warned of.

use crate::config_cases::{Case, Changed, changed};

/// A config with endpoints and without a fault.
pub const SLICED: &str = r#"version = 1
[host]
interfaces = ["eth0"]
[[endpoint]]
name = "a"
address = "2001:db8:e::a"
[[endpoint]]
name = "b"
address = "2001:db8:e::b"
[[service]]
name = "web"
prefixes = ["2001:db8:ac10:fe01::/64"]
rule = "hash(48):4 any:*"
slice_bits = 4
steer = "route"
[[service]]
name = "plain"
prefixes = ["2001:db8:ac10:fe02::/64"]
rule = "any:*"
"#;

const REFUSED: &[Changed] = &[
    (3, "endpoint = \"c\"", "3:12", "there is no endpoint named \"c\"", "the endpoints are a, b"),
    (3, "endpoint = 1", "3:12", "must be a string", "endpoint = \"a\""),
    (5, "", "4:1", "has no `name`", "add name = "),
    (5, "name = \"b\"\nweight = 2", "9:8", "two endpoints named b", "a name of its own"),
    (5, "name = \"a b\"", "5:8", "\"a b\" cannot be an endpoint's name", "1 to 63 letters"),
    (5, "name = \"-rf\"", "5:8", "cannot be an endpoint's name", "begins with a letter or a digit"),
    (5, "name = \"../a\"", "5:8", "cannot be an endpoint's name", "1 to 63 letters"),
    (6, "", "4:1", "has no `address`", "add address = "),
    (6, "address = \"2001:db8:e::b\"", "9:11", "the endpoint a has the address 2001:db8:e::b already", "of its own"),
    (6, "address = \"2001:db8:ac10:fe01::a\"", "6:11", "a prefix of the service web", "in no prefix of a service"),
    (6, "address = \"2001:db8:ac10:fe02::a\"", "6:11", "a prefix of the service plain", "in no prefix of a service"),
    (6, "address = \"::\"", "6:11", "`::` is unspecified", "a global or a unique local one"),
    (6, "address = \"::1\"", "6:11", "`::1` is loopback", "a global or a unique local one"),
    (6, "address = \"ff02::1\"", "6:11", "is multicast", "no endpoint has an address in ff00::/8"),
    (6, "address = \"fe80::1\"", "6:11", "is link-local", "a global or a unique local one"),
    (6, "address = \"::ffff:192.0.2.1\"", "6:11", "is v4-mapped", "a global or a unique local one"),
    (6, "address = \"192.0.2.1\"", "6:11", "`192.0.2.1` is an IPv4 address", "write an IPv6 address"),
    (6, "address = \"2001:db8:e::a/128\"", "6:11", "is a prefix", "write 2001:db8:e::a"),
    (6, "address = \"fe80::1%eth0\"", "6:11", "is not an IPv6 address", "such as 2001:db8:e::a"),
    (6, "address = \"a.example\"", "6:11", "is not an IPv6 address", "such as 2001:db8:e::a"),
    (6, "address = 6", "6:11", "must be a string", "address = "),
    (6, "address = \"fd00::a\"\nweight = 0", "7:10", "`weight` cannot be 0", "1 to 65535"),
    (6, "address = \"fd00::a\"\nweight = -1", "7:10", "`weight` cannot be -1", "1 to 65535"),
    (6, "address = \"fd00::a\"\nweight = 65536", "7:10", "`weight` cannot be 65536", "1 to 65535"),
    (6, "address = \"fd00::a\"\nweight = 0.5", "7:10", "with a fraction", "whole number"),
    (6, "address = \"fd00::a\"\ndomain = \"\"", "7:10", "cannot be the name of a failure domain", "1 to 63 characters"),
    (6, "address = \"fd00::a\"\ndomain = \"a\\u0000\"", "7:10", "name of a failure domain", "control character"),
    (6, "address = \"fd00::a\"\nmac = \"01:00:5e:00:00:01\"", "7:7", "`mac` cannot be", "not multicast"),
    (6, "address = \"fd00::a\"\nmac = \"ff:ff:ff:ff:ff:ff\"", "7:7", "`mac` cannot be", "not broadcast"),
    (6, "address = \"fd00::a\"\nmac = \"00:00:00:00:00:00\"", "7:7", "`mac` cannot be", "not zero"),
    (6, "address = \"fd00::a\"\nmac = \"02:00:5e:10:00\"", "7:7", "`mac` cannot be", "write six octets"),
    (6, "address = \"fd00::a\"\ndrain = 1", "7:9", "must be true or false", "without quotes"),
    (6, "address = \"fd00::a\"\nwait = 1", "7:1", "`wait` is not a key of [[endpoint]]", "name, address, weight"),
    (15, "endpoints = []", "15:13", "leaves the slices to nobody", "leave `endpoints` away"),
    (15, "endpoints = \"a\"", "15:13", "must be a list of strings", "endpoints = [\"a\", \"b\"]"),
    (15, "endpoints = [\"a\", \"c\"]", "15:19", "there is no endpoint named \"c\"", "the endpoints are a, b"),
    (15, "endpoints = [\"a\", \"a\"]", "15:19", "lists a twice", "once"),
    (15, "steer = \"l3\"", "15:9", "`steer` cannot be \"l3\"", "\"route\" or \"l2\" or \"ip6ip6\""),
    (15, "pinned = [\"7 c\"]", "15:11", "there is no endpoint named \"c\"", "the endpoints are a, b"),
    (15, "pinned = [\"7\"]", "15:11", "`pinned` cannot have \"7\"", "\"0-15 a\""),
    (15, "pinned = [\"8-7 a\"]", "15:11", "`pinned` cannot have \"8-7 a\"", "not behind its last"),
    (
        15,
        "pinned = [\"0-16 a\"]",
        "15:11",
        "`pinned` has slice 16, which is not there",
        "4 slice bits number the slices 0 to 15",
    ),
    (
        15,
        "pinned = [\"4-7 a\", \"0-4 b\"]",
        "15:20",
        "slice 4 is in two runs of `pinned`",
        "each slice stands in one run",
    ),
    (15, "pinned = [\"0-7 a\", \"1 b\", \"9 a\"]", "15:20", "slice 1 is in two runs", "each slice stands in one run"),
    (
        15,
        "pinned = [\"7 b\"]\nendpoints = [\"a\"]",
        "15:11",
        "`pinned` has b, which is no endpoint of the service web",
        "add it",
    ),
    (
        15,
        "owners = [\"7 b\"]\nendpoints = [\"a\"]",
        "15:11",
        "`owners` has b, which is no endpoint",
        "take the run away",
    ),
    (15, "owners = [\"7 c\"]", "15:11", "there is no endpoint named \"c\"", "the endpoints are a, b"),
    (15, "owners = [\"16 a\"]", "15:11", "`owners` has slice 16", "0 to 15"),
    (15, "owners = [\"0-1 a\", \"1 b\"]", "15:20", "slice 1 is in two runs of `owners`", "take it out of one"),
    (15, "owners = \"0-1 a\"", "15:10", "must be a list of strings", "owners = "),
    (15, "handover = \"5\"", "15:12", "`handover` cannot be \"5\"", "\"0s\", \"90s\""),
    (15, "handover = \"35041h\"", "15:12", "`handover` cannot be \"35041h\"", "to \"35040h\""),
    (15, "handover = 300", "15:12", "must be a string", "handover = \"5m\""),
    (15, "slice_counters = \"on\"", "15:18", "must be true or false", "without quotes"),
    (
        18,
        "prefixes = [\"2001:db8:f::/64\"]\nendpoints = [\"a\"]",
        "19:13",
        "`endpoints` says nothing",
        "slice_bits = 12",
    ),
    (18, "prefixes = [\"2001:db8:f::/64\"]\nsteer = \"l2\"", "19:9", "`steer` says nothing", "slice_bits = 12"),
    (18, "prefixes = [\"2001:db8:f::/64\"]\npinned = [\"0 a\"]", "19:10", "`pinned` says nothing", "slice_bits = 12"),
    (18, "prefixes = [\"2001:db8:f::/64\"]\nowners = [\"0 a\"]", "19:10", "`owners` says nothing", "slice_bits = 12"),
    (18, "prefixes = [\"2001:db8:f::/64\"]\nhandover = \"5m\"", "19:12", "`handover` says nothing", "slice_bits = 12"),
    (
        18,
        "prefixes = [\"2001:db8:f::/64\"]\nslice_counters = true",
        "19:18",
        "`slice_counters` says",
        "slice_bits = 12",
    ),
];

/// A line of [`SLICED`] replaced, and what is warned of; nothing, where it is empty.
const WARNED: &[(usize, &str, &str)] = &[
    (14, "slice_bits = 4", ""),
    (15, "steer = \"ip6ip6\"\nhandover = \"0s\"\nslice_counters = true", ""),
    (15, "owners = [\"0-7 a\", \"8-15 b\"]\npinned = [\"7 b\"]", ""),
    (15, "owners = [\"0-14 a\"]", ""),
    (15, "owners = [\"0-15 a\"]", "`owners` lists all slices of the service web, and has none for b"),
    (15, "owners = [\"0-15 a\"]\npinned = [\"7 b\"]", ""),
    (15, "owners = [\"0-15 a\"]\nendpoints = [\"a\"]", "no service uses the endpoint b"),
    (15, "handover = \"35040h\"", ""),
    (6, "address = \"fd00::a\"\ndomain = \"rack 7\"\nmac = \"02:00:5E:10:00:01\"\ndrain = true\nweight = 65535", ""),
    (15, "endpoints = [\"a\"]", "no service uses the endpoint b"),
    (15, "endpoints = [\"a\"]\nsteer = \"l2\"", "no service uses the endpoint b"),
    (15, "endpoints = [\"a\"]\nsteer = \"ip6ip6\"", ""),
    (13, "rule = \"replica(2):1 hash(48):3 any:*\"", ""),
    (13, "rule = \"hash(48):3 replica(2):1 any:*\"", ""),
    (13, "rule = \"hash(48):4 replica(1):2 any:*\"", ""),
    (13, "rule = \"hash(48):4 replica(2):1 any:*\"", "replica(2):1 does not lie within the 4 slice bits"),
    (13, "rule = \"hash(48):3 replica(4):2 any:*\"", "replica(4):2 does not lie within the 4 slice bits"),
    (13, "rule = \"replica(2):1 hash(48):2 replica(2):1 any:*\"", "replica(2):1 is not the first replica field"),
    (13, "rule = \"replica(3):2 hash(48):2 any:*\"", "the service web has 2 endpoints for 3 replicas"),
];

/// Every case that is refused.
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = REFUSED.iter().map(|case| changed(SLICED, case)).collect();
    let case = |name: &str, text, at, message, help| Case { name: name.into(), text, at, message, help, faults: 1 };
    let drain = SLICED.replace("address = \"2001:db8:e::", "drain = true\naddress = \"2001:db8:e::");
    let start = SLICED.find("[[endpoint]]").unwrap();
    let end = SLICED.find("[[service]]").unwrap();
    let none = |steer: &str| {
        let steer = format!("steer = \"{steer}\"");
        format!("{}{}", &SLICED[..start], SLICED[end..].replace("steer = \"route\"", &steer))
    };
    let endpoint = |n| format!("[[endpoint]]\nname = \"e{n}\"\naddress = \"2001:db8:e:1::{n:x}\"\n");
    let one = crate::config_cases::GOOD.replacen('\n', "\nendpoint = 1\n", 1);
    let many = |count| SLICED.to_owned() + &(0..count).map(endpoint).collect::<String>();
    cases.extend([
        case(
            "all endpoints drain",
            drain,
            "16:14",
            "every endpoint of the service web is draining",
            "leave one of them in",
        ),
        case("one table", one, "2:12", "must be a list of tables, and is a number", "[[endpoint]], in two pairs"),
        case("l2 to nobody", none("l2"), "8:14", "steers by l2, and has no endpoint", "add a table [[endpoint]]"),
        case("ip6ip6 to nobody", none("ip6ip6"), "8:14", "steers by ip6ip6", "add a table [[endpoint]]"),
        case("4096 endpoints", many(4094), "12300:8", "the config has 4096 endpoints", "at most 4095 endpoints"),
    ]);
    cases
}

/// Names, texts, and what is warned of: nothing, where it is empty.
pub fn warned() -> Vec<(String, String, &'static str)> {
    let text = |&(number, line, _): &(usize, &'static str, &str)| changed(SLICED, &(number, line, "", "", "")).text;
    let mut cases: Vec<_> = WARNED.iter().map(|case| (case.1.to_owned(), text(case), case.2)).collect();
    let apart = SLICED.replace("hash(48):4", "replica(2):1 hash(48):3");
    let domain = |of_b| {
        let named = apart.replace("name = \"a\"\n", "name = \"a\"\ndomain = \"x\"\n");
        named.replace("name = \"b\"\n", &format!("name = \"b\"\n{of_b}"))
    };
    let moved = "rule = \"any:* replica(2):1 const(0x0):60\"";
    let lengths = SLICED.replace("fe01::/64\"", "fe01::/64\", \"2001:db8:f::/63\"");
    let mut add = |name: &str, text: String, message| cases.push((name.to_owned(), text, message));
    add("one domain for two replicas", domain("domain = \"x\"\n"), "are in 1 domains, for 2 replicas");
    add("two domains for two replicas", domain("domain = \"y\"\n"), "");
    add("a domain, and an endpoint by itself", domain(""), "");
    add(
        "more endpoints than slices",
        SLICED.replace("slice_bits = 4", "slice_bits = 1") + "[[endpoint]]\nname = \"c\"\naddress = \"fd00::c\"\n",
        "has 3 endpoints and 2 slices",
    );
    add(
        "a replica that moves",
        lengths.replace("rule = \"hash(48):4 any:*\"", moved),
        "replica(2):1 does not lie within",
    );
    let cut = "slice_bits = 4\nsteer = \"route\"\n";
    add("endpoints without slices", SLICED.replace(cut, ""), "no service uses the endpoint b");
    add("slices without endpoints", crate::config_cases::GOOD.to_owned() + "slice_bits = 12\n", "");
    cases
}
