//! Configs that are refused, as data: the text, the place, and what must be said there.

use crate::endpoint_cases;

/// A config without a fault.
pub const GOOD: &str = r#"version = 1
[host]
interfaces = ["eth0"]
[[service]]
name = "web"
prefixes = ["2001:db8:ac10:fe01::/64"]
rule = "hash(48):12 any:*"
"#;

/// A config that is refused.
pub struct Case {
    /// What is wrong with it, in short.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Line and column of the fault.
    pub at: &'static str,
    /// What its message must contain.
    pub message: &'static str,
    /// What its help must contain.
    pub help: &'static str,
    /// How many faults the text has.
    pub faults: usize,
}

/// A line of a good config replaced; place, words of the message, words of the help.
pub type Changed = (usize, &'static str, &'static str, &'static str, &'static str);
/// Lines added to [`GOOD`], whose first is line 8.
type Added = (&'static str, &'static str, &'static str, &'static str);
/// A text of its own, and how many faults it has.
type Whole = (&'static str, &'static str, &'static str, &'static str, usize);

const WHOLE: &[Whole] = &[
    ("", "1:1", "has no `version`", "add version = 1", 2),
    ("# nothing\n", "1:1", "has no service", "add a table [[service]]", 2),
    ("version = 1\n", "1:1", "has no service", "add a table [[service]]", 1),
    ("version = 1\nservice = []\n", "1:1", "has no service", "add a table [[service]]", 1),
    ("version = 1\n[service]\nname = \"web\"\n", "2:1", "must be a list of tables", "two pairs of brackets", 1),
    (
        "version = 1\nhost = 5\n[[service]]\nname = \"a\"\nprefixes = [\"2001:db8::/64\"]\nrule = \"any:64\"\n",
        "2:8",
        "must be a table, and is a number",
        "[host]",
        1,
    ),
    ("version = 1\nversion = 1\n", "2:1", "duplicate key", "take one of the two away", 1),
    ("version = 1\n[host]\n[host]\n", "3:2", "duplicate key", "take one of the two away", 1),
    ("version = 1\n[[service]]\nname = \"we", "3:11", "the string has no end", "close the string", 1),
    ("version = 1\n[[service]]\nprefixes = [\"2001:db8::/64\", ", "3:29", "unclosed array", "close the list with ]", 1),
    ("version = 1\n[[service", "2:10", "unclosed array table", "close the header", 1),
    ("version = 1\n[[service]]\nrule =", "3:7", "value", "", 1),
    ("version = 1\n[[service]]\nrule", "3:5", "key with no value", "", 1),
    ("version = 1\n[[service]]\nname = web\n", "3:8", "string values must be quoted", "in quotes", 1),
];

const CHANGED: &[Changed] = &[
    (1, "version = 2", "1:11", "version 2 of the config format is not known", "reads version = 1"),
    (1, "version = \"1\"", "1:11", "`version` must be a number, and is a string", "whole number"),
    (1, "version = 1\nservices = 1", "2:1", "`services` is not a key of the config", "did you mean `service`?"),
    (2, "[hosts]", "2:2", "`hosts` is not a key of the config", "did you mean `host`?"),
    (2, "[[gateway]]\nname = \"a\"\n[host]", "2:3", "`gateway` is not a key", "version, host, endpoint, service"),
    (3, "interface = [\"eth0\"]", "3:1", "`interface` is not a key of [host]", "did you mean `interfaces`?"),
    (3, "interfaces = \"eth0\"", "3:14", "must be a list of strings, and is a string", "interfaces = [\"eth0\"]"),
    (3, "interfaces = [\"eth0\", 1]", "3:23", "must be a string, and is a number", "interfaces = "),
    (3, "interfaces = [\"eth0\", \"eth0\"]", "3:23", "eth0 is named twice", "once"),
    (3, "interfaces = [\"../eth0\"]", "3:15", "cannot be the name of an interface", "1 to 15 characters"),
    (3, "interfaces = [\"\"]", "3:15", "cannot be the name of an interface", "1 to 15 characters"),
    (3, "interfaces = [\"sixteen-letters-\"]", "3:15", "cannot be the name of an interface", "1 to 15 characters"),
    (3, "mode = \"offload\"", "3:8", "`mode` cannot be \"offload\"", "\"native\" or \"generic\""),
    (5, "", "4:1", "has no `name`", "add name = \"web\""),
    (5, "name = 5", "5:8", "must be a string", "name = \"web\""),
    (5, "name = \"\"", "5:8", "cannot be a service's name", "1 to 63 letters"),
    (5, "name = \"a b\"", "5:8", "\"a b\" cannot be a service's name", "1 to 63 letters"),
    (5, "name = \"../a\"", "5:8", "cannot be a service's name", "1 to 63 letters"),
    (5, "name = \"-rf\"", "5:8", "cannot be a service's name", "begins with a letter or a digit"),
    (5, "name = \"a\\u0000b\"", "5:8", "cannot be a service's name", "1 to 63 letters"),
    (5, "name = \"wäb\"", "5:8", "cannot be a service's name", "1 to 63 letters"),
    (6, "", "4:1", "has no `prefixes`", "add prefixes = "),
    (6, "prefixes = []", "6:12", "has no prefix", "prefixes = [\"2001:db8"),
    (
        6,
        "prefixes = [\"2001:db8:ac10:fe01::1/64\"]",
        "6:13",
        "has bits set after its first 64",
        "write 2001:db8:ac10:fe01::/64",
    ),
    (6, "prefixes = [\"::/0\"]", "6:13", "every address there is", "16 to 120 bits"),
    (6, "prefixes = [\"2001:db8::/129\"]", "6:13", "128 bits, not 129", "16 to 120 bits"),
    (6, "prefixes = [\"2001:db8::/128\"]", "6:13", "prefix of /128", "16 to 120 bits"),
    (6, "prefixes = [\"192.0.2.0/24\"]", "6:13", "is an IPv4 prefix", "write an IPv6 prefix"),
    (6, "prefixes = [\"fe80::/64\"]", "6:13", "is link-local", "fe80::/10"),
    (6, "prefixes = [\"ff02::/64\"]", "6:13", "is multicast", "ff00::/8"),
    (6, "prefixes = [\"::1/128\"]", "6:13", "is loopback", "::1/128"),
    (6, "prefixes = [\"::/128\"]", "6:13", "is unspecified", "::/128"),
    (6, "prefixes = [\"::ffff:192.0.2.0/120\"]", "6:13", "is v4-mapped", "no service has"),
    (6, "prefixes = [\"2001:db8::\"]", "6:13", "has no prefix length", "write 2001:db8::/64"),
    (6, "prefixes = [\"web\"]", "6:13", "is not a prefix", "write an IPv6 prefix"),
    (6, "prefixes = [\"2001:db8::/64\", \"2001:db8::/64\"]", "6:30", "is listed twice", "take one of the two away"),
    (
        6,
        "prefixes = [\"2001:db8::/64\", \"2001:db8::/56\"]",
        "6:30",
        "2001:db8::/56 overlaps 2001:db8::/64",
        "one prefix of one",
    ),
    (6, "prefixes = [\"2001:db8::/64\" \"2001:db8:1::/64\"]", "6:29", "missing comma", "put a comma"),
    (7, "", "4:1", "has no `rule`", "add rule = "),
    (7, "rule = \"\"", "7:9", "the rule is empty", "at least one field"),
    (7, "rule = \"hash(48):12 any:51\"", "7:9", "the rule has 63 bits, and a /64 leaves 64", "add any:1"),
    (7, "rule = \"hash(48):12 any:53\"", "7:9", "the rule has 65 bits, and a /64 leaves 64", "take 1 bits away"),
    (7, "rule = \"hash(48):12 any:* any:*\"", "7:27", "more than one field of width *", "a number of bits"),
    (
        7,
        "rule = \"any:1 any:1 any:1 any:1 any:1 any:1 any:1 any:1 any:*\"",
        "7:57",
        "more than 8 fields",
        "1 to 8 fields",
    ),
    (7, "rule = \"hash(48):12 hash(32):12 hash(16):12 any:*\"", "7:33", "more than 2 hashed fields", "at most 2"),
    (7, "rule = \"mac(48,key=k1):48 any:*\"", "7:9", "no key in the ring k1", "[[service.keys]]"),
    (7, "rule = 'mac(48,key=k1):48 any:*'", "7:9", "no key in the ring k1", "[[service.keys]]"),
    (7, "rule = \"\"\"mac(48,key=k1):48 any:*\"\"\"", "7:11", "no key in the ring k1", "[[service.keys]]"),
    (7, "rule = \"m\\u0061c(48,key=k1):48 any:*\"", "7:8", "no key in the ring k1", "[[service.keys]]"),
    (7, "rule = \"any:16 pow(48,zeros=18,period=0s):48\"", "7:39", "`0s` is not a period", "at least one second"),
    (7, "rule = \"keyid:8 any:*\"", "7:9", "keyid without a mac", "add a mac field"),
    (7, "rule = \"any:16 any:44 bla:4\"", "7:23", "`bla` is not a kind of field", "any, const, src"),
    (7, "rule = \"src(100):32 any:*\"", "7:9", "end past bit 127", "begin at bit 96"),
    (7, "rule = \"pow(48,zeros=41):64\"", "7:22", "`41` cannot be Z", "1 to 40"),
];

const ADDED: &[Added] = &[
    ("slice_bits = 21", "8:14", "`slice_bits` cannot be 21", "0 to 20"),
    ("slice_bits = -1", "8:14", "`slice_bits` cannot be -1", "0 to 20"),
    ("slice_bits = 1.5", "8:14", "must be a number, and is a number with a fraction", "whole number"),
    ("slice_bts = 12", "8:1", "`slice_bts` is not a key of [[service]]", "did you mean `slice_bits`?"),
    ("wait = 12", "8:1", "`wait` is not a key of [[service]]", "name, prefixes, rule"),
    ("enforce = \"101%\"", "8:11", "`enforce` cannot be \"101%\"", "\"0%\" to \"100%\""),
    ("enforce = true", "8:11", "must be a string, and is true or false", "enforce = \"on\""),
    ("on_mismatch = \"reject\"", "8:15", "cannot be \"reject\"", "\"drop\" or \"lowprio\""),
    ("low_priority = [\"dscp\", \"fast\"]", "8:25", "cannot have \"fast\"", "\"dscp\", \"cpu\", \"mark\""),
    ("low_priority = [\"mark\", \"mark\"]", "8:25", "lists \"mark\" twice", "list it once"),
    ("low_priority = []\non_mismatch = \"lowprio\"", "8:16", "makes no difference", "low_priority_rate"),
    ("low_priority = [\"cpu\"]", "8:17", "the host names none", "[host.low_priority] with cpu = 1"),
    ("low_priority_rate = 0", "8:21", "cannot be 0", "1 to 10000000"),
    ("[host.low_priority]\nqueue = 32", "9:9", "cannot be 32", "64 to 16384"),
    ("[host.low_priority]\npriority = \"1\"", "9:12", "cannot be \"1\"", "as in \"1:20\""),
    ("[host.low_priority]\nmarks = 1", "9:1", "is not a key of [host.low_priority]", "did you mean `mark`?"),
    ("allow = []", "8:9", "takes no protocol at all", "leave `allow` away"),
    ("allow = [\"tcp/443\", \"tcp/0\"]", "8:21", "cannot have \"tcp/0\"", "1 to 65535"),
    ("allow = [\"icmpv6/1\"]", "8:10", "cannot have \"icmpv6/1\"", "leave the port away"),
    ("allow = [\"http\"]", "8:10", "cannot have \"http\"", "tcp, udp or sctp"),
    ("allow = [\"tcp\", \"6\"]", "8:17", "lists tcp twice", "once"),
    (
        "allow = [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]",
        "8:81",
        "has 17 entries",
        "at most 16",
    ),
    ("salt = \"0011\"", "8:8", "a salt is 32 hexadecimal digits", "16 octets"),
    ("salt = \"+0112233445566778899aabbccddeeff\"", "8:8", "a salt is 32 hexadecimal digits", "16 octets"),
    ("skew = 3601", "8:8", "`skew` cannot be 3601", "0 to 3600"),
    ("allow_weak = \"yes\"", "8:14", "must be true or false, and is a string", "without quotes"),
    ("deny_source_in_service = 1", "8:26", "must be true or false", "without quotes"),
    ("max_age = \"1d\"", "8:11", "`max_age` cannot be \"1d\"", "\"24h\""),
    ("max_age = 90", "8:11", "must be a string, and is a number", "max_age = \"24h\""),
    ("stale_clock = \"drop\"", "8:15", "cannot be \"drop\"", "\"last\" or \"open\" or \"closed\""),
    ("established = \"tcp\"", "8:15", "cannot be \"tcp\"", "\"socket\" or \"flows\""),
    ("established = true", "8:15", "must be a string, and is true or false", "\"socket\" or \"flows\""),
    ("fair = \"5%\"", "8:8", "must be a table, and is a string", "[service.fair]"),
    ("fair = { share = \"5%\" }", "8:8", "has no `prefix`", "add prefix = 56"),
    ("fair = { prefix = 48 }", "8:8", "has no `share`", "add share = "),
    ("fair = { prefix = 49, share = \"5%\" }", "8:19", "source prefixes of /49 are not counted", "48 for sites"),
    ("fair = { prefix = 0, share = \"5%\" }", "8:19", "`prefix` cannot be 0", "1 to 128"),
    ("fair = { prefix = 48, share = \"100%\" }", "8:31", "`share` cannot be \"100%\"", "\"1%\" to \"99%\""),
    ("fair = { prefix = 48, share = \"0%\" }", "8:31", "`share` cannot be \"0%\"", "\"1%\" to \"99%\""),
    ("fair = { prefix = 48, share = 5 }", "8:31", "must be a string, and is a number", "share = "),
    ("fair = { prefix = 48, share = \"5%\", above = 0 }", "8:45", "`above` cannot be 0", "1 to 10000000"),
    (
        "fair = { prefix = 48, share = \"5%\", rate = 1 }",
        "8:37",
        "`rate` is not a key of [service.fair]",
        "prefix, share",
    ),
    ("previous = { rule = \"any:64\" }", "8:12", "has no `until`", "add until = "),
    ("previous = { until = 5 }", "8:12", "has no `rule`", "add rule = "),
    ("previous = { rule = \"any:63\", until = 5 }", "8:22", "the rule has 63 bits", "add any:1"),
    ("previous = { rule = \"any:64\", until = 2026-01-31T12:00:00 }", "8:39", "no moment", "with its offset"),
    ("previous = { rule = \"any:64\", until = -5 }", "8:39", "no moment", "Unix seconds"),
    ("previous = { rule = \"any:64\", until = 5, salt = 5 }", "8:42", "`salt` is not a key", "rule, until"),
    (
        "[[service.keys]]\nname = \"k 1\"\nnumber = 1\nfile = \"k\"",
        "9:8",
        "cannot be the name of a key ring",
        "1 to 63",
    ),
    ("[[service.keys]]\nname = \"k1\"\nnumber = -1\nfile = \"k\"", "10:10", "`number` cannot be -1", "0 to 4294967295"),
    (
        "[[service.keys]]\nname = \"k1\"\nnumber = 4294967296\nfile = \"k\"",
        "10:10",
        "cannot be 4294967296",
        "0 to 4294967295",
    ),
    ("[[service.keys]]\nname = \"k1\"\nfile = \"k\"", "8:1", "has no `number`", "add number = 1"),
    ("[[service.keys]]\nname = \"k1\"\nnumber = 1", "8:1", "has no `file`", "add file = "),
    (
        "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"\"",
        "11:8",
        "cannot be the path of a file",
        "name the key file",
    ),
    (
        "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"a\\u0000\"",
        "11:8",
        "cannot be the path",
        "name the key file",
    ),
    (
        "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"a\"\nsecret = \"5\"",
        "12:1",
        "`secret` is not a key",
        "name, number, file",
    ),
    ("[service.keys]\nname = \"k1\"", "8:1", "must be a list of tables", "[[service.keys]]"),
    (
        "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"a\"\n[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"b\"",
        "14:10",
        "two keys with the number 1",
        "a number of its own",
    ),
    (
        "[[service]]\nname = \"web\"\nprefixes = [\"2001:db8::/64\"]\nrule = \"any:64\"",
        "9:8",
        "two services named web",
        "of its own",
    ),
    (
        "[[service]]\nname = \"b\"\nprefixes = [\"2001:db8:ac10:fe01:8000::/72\"]\nrule = \"any:*\"",
        "10:13",
        "overlaps 2001:db8:ac10:fe01::/64 of the service web",
        "one prefix of one service",
    ),
];

/// Every case.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &(text, at, message, help, faults) in WHOLE {
        cases.push(Case { name: format!("{text:?}"), text: text.into(), at, message, help, faults });
    }
    cases.extend(CHANGED.iter().map(|case| changed(GOOD, case)));
    for &(lines, at, message, help) in ADDED {
        cases.push(Case { name: lines.into(), text: format!("{GOOD}{lines}\n"), at, message, help, faults: 1 });
    }
    cases.extend(long());
    cases.extend(endpoint_cases::cases());
    cases
}

/// A good config with one line of it replaced.
pub fn changed(good: &str, &(number, line, at, message, help): &Changed) -> Case {
    let mut lines: Vec<&str> = good.lines().collect();
    lines[number - 1] = line;
    let text = lines.join("\n") + "\n";
    Case { name: format!("line {number}: {line}"), text, at, message, help, faults: 1 }
}

/// Cases too long to be written down.
fn long() -> Vec<Case> {
    let long_name = GOOD.replace("\"web\"", &format!("\"{}\"", "x".repeat(256)));
    let lengths: Vec<_> = (0..17).map(|n| format!("\"2001:db8:{n:x}::/{}\"", n + 48)).collect();
    let lengths = GOOD.replace("\"2001:db8:ac10:fe01::/64\"", &lengths.join(","));
    let key = |number| format!("[[service.keys]]\nname = \"k1\"\nnumber = {number}\nfile = \"k\"\n");
    let keys = GOOD.replace("hash(48):12", "keyid:4 mac(48,key=k1):48") + &(1..=9).map(key).collect::<String>();
    let weak = GOOD.replace("hash(48):12", "mac(48,key=k1):23") + &key(1);
    let slices = GOOD.replace("fe01::/64", "fe01::/112") + "slice_bits = 17\n";
    let case = |name: &str, text, at, message, help| Case { name: name.into(), text, at, message, help, faults: 1 };
    vec![
        case("a name of 256 characters", long_name, "5:8", "cannot be a service's name", "1 to 63"),
        case("17 prefix lengths", lengths, "6:301", "17th prefix length", "at most 16"),
        case("nine keys in a ring", keys, "41:8", "more than 8 keys", "key retire"),
        case("a weak mac", weak, "7:9", "forged once in 2^23", "allow_weak = true"),
        case("slice bits past the suffix", slices, "8:14", "17 slice bits do not fit behind a /112", "at most 16"),
    ]
}
