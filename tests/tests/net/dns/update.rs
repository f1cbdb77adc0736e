//! The form for `nsupdate`, given to BIND, for one config and for the next; exactly what is published out.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use super::{
    expected::{TOP, config, dns_zone, heard, query, records},
    name_server::{Kind, NameServer},
};

fn update(command: &mut Command, text: &str) {
    let mut process = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(format!("server ::1\n{text}").as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_update_replaces_what_was_published() {
    let server = NameServer::start(Kind::Bind, TOP);
    let path = server.path().join("ssa.toml");
    fs::write(&path, config()).unwrap();
    assert_eq!(query(&server.namespace, "web.example.com", &[]).0, Some(1));
    update(&mut server.command("nsupdate"), &dns_zone(&server.namespace, &path, &["--format", "nsupdate"]));
    let published = records(&server.namespace, &path);
    assert_eq!(heard(&server.namespace, "dig", &published), published, "{}", server.log());

    let changed = config().replace("fe02::/64", "fe03::/64").replace("skew = 2", "skew = 9");
    fs::write(&path, changed).unwrap();
    let next = records(&server.namespace, &path);
    assert_ne!(next, published);
    update(&mut server.command("nsupdate"), &dns_zone(&server.namespace, &path, &["--format", "nsupdate"]));
    assert_eq!(heard(&server.namespace, "dig", &next), next, "and nothing of before: {}", server.log());
}
