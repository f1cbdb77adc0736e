//! A config in; the records that `ssa-ctl dns zone` prints of it, and what clients of others hear of a server, out.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;
use ssa_client::apl::List;
use ssa_tests::net::{Namespace, output_of};

/// The zone of these tests.
pub const ZONE: &str = "example.com";
/// What every zone has at its top.
pub const TOP: &str = "example.com. 300 IN SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 60\n\
                       example.com. 300 IN NS ns.example.com.\n\
                       ns.example.com. 300 IN AAAA ::1\n";
/// Prefixes of the service that has many.
pub const MANY: usize = 200;

/// Names and types to data, each as text and in order.
pub type Records = BTreeMap<(String, String), Vec<String>>;

/// Services of all sorts: a plain one, one whose rule has a key, a salt, a skew and periods, one with many prefixes.
pub fn config() -> String {
    let many: Vec<_> = (0..MANY).map(|number| format!("\"2001:db8:{:x}:{number:x}::/64\"", 0x1000 + number)).collect();
    format!(
        r#"version = 1
        [host]
        interfaces = ["eth0"]
        [[service]]
        name = "web"
        prefixes = ["2001:db8:ac10:fe01::/64", "2001:db8:ac10:fe02::/64"]
        rule = "hash(48):14 any:*"
        allow = ["tcp/443", "udp/443", "icmpv6"]
        [[service]]
        name = "hop"
        prefixes = ["2001:db8:b::/48"]
        rule = "hash(48):14 mac(64,key=k1,period=30s):48 any:*"
        salt = "000102030405060708090a0b0c0d0e0f"
        skew = 2
        [[service.keys]]
        name = "k1"
        number = 1
        file = "k1.key"
        [[service]]
        name = "wide"
        prefixes = [{}]
        rule = "any:*"
        "#,
        many.join(", ")
    )
}

/// `ssa-ctl dns zone` of a config file.
pub fn dns_zone(namespace: &Namespace, config: &Path, arguments: &[&str]) -> String {
    let mut command = namespace.ssa_ctl("unused");
    command.args(["dns", "zone", "--zone", ZONE, "--config"]).arg(config).args(arguments);
    output_of(&mut command).unwrap()
}

/// The same as names and types to data.
pub fn records(namespace: &Namespace, config: &Path) -> Records {
    let object: Value = serde_json::from_str(&dns_zone(namespace, config, &["--json"])).unwrap();
    let mut records = Records::new();
    let services = object["services"].as_array().unwrap().iter();
    for record in services.flat_map(|service| service["records"].as_array().unwrap()) {
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        // Clients of others escape no parentheses.
        let data = text("data").replace(r"\(", "(").replace(r"\)", ")");
        records.entry((text("name"), text("type"))).or_default().push(data);
    }
    for data in records.values_mut() {
        data.sort();
    }
    records
}

/// The same as a client hears it, asked for each name and type. `client` is `dig` or `kdig`.
pub fn heard(namespace: &Namespace, client: &str, asked: &Records) -> Records {
    let ask = |(name, kind): &(String, String)| {
        let answer = output_of(ask(namespace, client, name, kind).arg("+short")).unwrap();
        let lines = answer.lines().map(str::trim).filter(|line| !line.is_empty());
        // Lists may be spelled in other ways.
        let canonical = |line: &str| match kind.as_str() {
            "APL" => line.parse::<List>().unwrap().to_string(),
            _ => line.to_owned(),
        };
        let mut data: Vec<_> = lines.map(canonical).collect();
        data.sort();
        data
    };
    asked.keys().map(|key| (key.clone(), ask(key))).collect()
}

/// A question to the name server in the namespace.
pub fn ask(namespace: &Namespace, client: &str, name: &str, kind: &str) -> Command {
    let mut command = namespace.command(client);
    command.args(["@::1", name, kind, "+retry=2", "+time=5"]);
    command
}

/// `ssa-ctl dns query`: its exit code and its object.
pub fn query(namespace: &Namespace, name: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut command = namespace.ssa_ctl("unused");
    let output = command.args(["--json", "dns", "query", name, "--server", "::1"]).args(arguments).output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}
