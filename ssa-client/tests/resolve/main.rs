//! Records on a name server in; what a client makes of them out.

mod server;

use std::{error::Error as _, fs, path::Path, process::Command, time::Duration};

use ipnet::Ipv6Net;
use server::{Server, aaaa, apl, cname, svcb, svcb_with, txt};
use ssa_client::{
    Service,
    record::RecordError,
    resolve::{AnchorsError, Dnssec, Options, Refused, ResolveError, Resolver, trust_anchors},
};

const RULE: &str = "v=1 rule=hash(48):14 any:*";

fn resolver(server: &Server) -> Resolver {
    Resolver::new(&Options { servers: vec![server.address], ..Options::default() }).unwrap()
}

/// What a client makes of these records: name, TTL, data.
async fn resolve(records: Vec<server::Entry>) -> Result<Service, ResolveError> {
    let server = Server::start(records).await;
    resolver(&server).resolve("svc.example").await
}

fn nets<const N: usize>(texts: [&str; N]) -> Vec<Ipv6Net> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn refused(result: Result<Service, ResolveError>) -> Refused {
    match result {
        Err(ResolveError::Refused { refused, .. }) => refused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_service_is_what_its_records_say() {
    let service = resolve(vec![
        ("_ssa.svc.example.", 300, svcb(1, ".", Some(443), RULE)),
        ("_ssa.svc.example.", 120, apl("2:2001:db8:2::/48 1:192.0.2.0/24 !2:2001:db8:2:8::/64")),
        ("_ssa.svc.example.", 120, apl("2:2001:db8:1::/48")),
        ("svc.example.", 60, apl("2:2001:db8:9::/48")),
    ])
    .await
    .unwrap();
    assert_eq!(service.name, "svc.example");
    assert_eq!(service.prefixes, nets(["2001:db8:2::/48", "2001:db8:1::/48"]));
    assert_eq!(service.excluded, nets(["2001:db8:2:8::/64"]));
    assert_eq!(service.record.to_string(), RULE);
    assert_eq!((service.port, service.ttl, service.authenticated), (Some(443), Duration::from_mins(2), false));
}

#[tokio::test]
async fn txt_stands_in_where_there_is_no_svcb_and_the_name_itself_where_no_list_is_below() {
    let service = resolve(vec![
        ("_ssa.svc.example.", 300, txt(&["v=spf1 -all"])),
        ("_ssa.svc.example.", 300, txt(&["v=ssa1 skew=7 rule=", "any:*"])),
        ("svc.example.", 60, apl("2:2001:db8:9::/48")),
    ])
    .await
    .unwrap();
    assert_eq!((service.record.to_string().as_str(), service.record.skew), ("v=1 skew=7 rule=any:*", 7));
    assert_eq!((service.prefixes, service.port), (nets(["2001:db8:9::/48"]), None));
    assert_eq!(service.ttl, Duration::from_mins(1));
}

#[tokio::test]
async fn a_rule_of_a_later_version_may_stand_beside_one_that_is_understood() {
    let service = resolve(vec![
        ("_ssa.svc.example.", 300, svcb(1, ".", Some(1), "v=2 rule=new(7)")),
        ("_ssa.svc.example.", 300, svcb(2, ".", Some(2), RULE)),
        ("_ssa.svc.example.", 300, svcb(3, ".", Some(3), "v=1 rule=any:*")),
        ("_ssa.svc.example.", 300, apl("2:2001:db8:1::/48")),
    ])
    .await
    .unwrap();
    assert_eq!((service.port, service.record.to_string().as_str()), (Some(2), RULE));
}

#[tokio::test]
async fn what_is_not_understood_is_refused_and_the_txt_beside_it_not_asked() {
    let list = || ("_ssa.svc.example.", 300, apl("2:2001:db8:1::/48"));
    let fallback = || ("_ssa.svc.example.", 300, txt(&["v=ssa1 rule=any:*"]));
    let later = vec![("_ssa.svc.example.", 300, svcb(1, ".", None, "v=2 rule=any:*")), list(), fallback()];
    assert!(matches!(refused(resolve(later).await), Refused::Record(RecordError::Version(_))));
    // 65399 is nobody's, and no ALPN is spoken here.
    for key in [65399, 1] {
        let needy = vec![("_ssa.svc.example.", 300, svcb_with(1, RULE, &[65400, key])), list(), fallback()];
        assert_eq!(refused(resolve(needy).await), Refused::Mandatory(key));
    }
    let two = vec![fallback(), ("_ssa.svc.example.", 300, txt(&["v=ssa1 rule=any:64"])), list()];
    assert_eq!(refused(resolve(two).await), Refused::Ambiguous);
    let broken = vec![fallback(), ("_ssa.svc.example.", 300, server::octets(42, vec![0, 2, 64, 9, 1]))];
    assert!(matches!(refused(resolve(broken).await), Refused::List(_)));
}

#[tokio::test]
async fn mandatory_parameters_that_are_known_are_no_obstacle() {
    let service = resolve(vec![
        ("_ssa.svc.example.", 300, svcb_with(1, RULE, &[3, 65400])),
        ("_ssa.svc.example.", 300, apl("2:2001:db8:1::/48")),
    ]);
    assert_eq!(service.await.unwrap().port, Some(7443));
}

#[tokio::test]
async fn a_rule_without_prefixes_is_not_offered_and_an_empty_list_is_none() {
    let rule = || ("_ssa.svc.example.", 300, svcb(1, ".", None, RULE));
    let above = || ("svc.example.", 300, apl("2:2001:db8:1::/48"));
    assert!(matches!(resolve(vec![rule()]).await, Err(ResolveError::NoPrefix { .. })));
    // It is there, so nobody looks further.
    let empty = vec![rule(), ("_ssa.svc.example.", 300, apl("")), above()];
    let empty = resolve(empty).await;
    assert!(matches!(empty, Err(ResolveError::NoPrefix { .. })), "{empty:?}");
    assert_eq!(resolve(vec![rule(), above()]).await.unwrap().prefixes, nets(["2001:db8:1::/48"]));
}

#[tokio::test]
async fn a_name_without_a_rule_has_addresses() {
    let server = Server::start(vec![
        ("svc.example.", 300, aaaa("2001:db8::1")),
        ("svc.example.", 300, aaaa("2001:db8::2")),
        ("svc.example.", 300, apl("2:2001:db8:1::/48")),
    ])
    .await;
    let resolver = resolver(&server);
    assert!(matches!(resolver.resolve("svc.example").await, Err(ResolveError::NoService { .. })));
    let service = resolver.resolve_or_addresses("svc.example.").await.unwrap();
    assert_eq!(service.prefixes, nets(["2001:db8::1/128", "2001:db8::2/128"]));
    assert_eq!((service.record.rule.to_string().as_str(), service.ttl), ("any:*", Duration::from_mins(5)));
    let nobody = resolver.resolve_or_addresses("nobody.example").await;
    assert!(matches!(nobody, Err(ResolveError::NoService { .. })), "{nobody:?}");
}

#[tokio::test]
async fn aliases_are_followed_to_an_end() {
    let service = resolve(vec![
        ("_ssa.svc.example.", 30, svcb(0, "real.example.", None, "")),
        ("real.example.", 300, svcb(1, ".", Some(5), RULE)),
        ("real.example.", 300, apl("2:2001:db8:1::/48")),
    ])
    .await
    .unwrap();
    assert_eq!((service.port, service.ttl), (Some(5), Duration::from_secs(30)));
    let circle = resolve(vec![("_ssa.svc.example.", 30, svcb(0, "_ssa.svc.example.", None, ""))]).await;
    assert_eq!(refused(circle), Refused::Circle);
}

#[tokio::test]
async fn names_that_lead_on_without_end_are_no_answer_and_those_that_end_are() {
    let rule = || ("end.example.", 300, svcb(1, ".", None, RULE));
    let list = || ("end.example.", 300, apl("2:2001:db8:1::/48"));
    let first = |target| ("_ssa.svc.example.", 300, cname(target));
    let chain = ["a.example.", "b.example.", "c.example.", "d.example.", "e.example.", "f.example.", "g.example."];
    let linked = |names: &[&'static str]| -> Vec<server::Entry> {
        let pairs = names.windows(2).map(|pair| (pair[0], 300, cname(pair[1])));
        pairs.chain(names.last().map(|last| (*last, 300, cname("end.example.")))).collect()
    };
    let found = resolve([vec![first("a.example."), rule(), list()], linked(&chain[..2])].concat()).await;
    assert_eq!(found.unwrap().prefixes, nets(["2001:db8:1::/48"]));
    for records in [
        vec![first("_ssa.svc.example.")],
        vec![first("a.example."), ("a.example.", 300, cname("_ssa.svc.example."))],
        vec![first("a.example."), ("a.example.", 300, cname("a.example."))],
        [vec![first("a.example."), rule(), list()], linked(&chain)].concat(),
    ] {
        let error = resolve(records).await.unwrap_err();
        assert_eq!(error.to_string(), "DNS has no answer for _ssa.svc.example. SVCB");
        assert_eq!(error.source().unwrap().to_string(), "too many CNAME records lead from name to name");
    }
    // It ends, and there is no rule at its end.
    let nothing = resolve(vec![first("a.example."), ("a.example.", 300, cname("nobody.example."))]).await;
    assert!(matches!(nothing, Err(ResolveError::NoService { .. })), "{nothing:?}");
}

#[tokio::test]
async fn what_no_service_can_have_is_not_used() {
    let rule = |port| ("_ssa.svc.example.", 300, svcb(1, ".", Some(port), RULE));
    let list = |text| ("_ssa.svc.example.", 300, apl(text));
    let special = "2:::/0 2:fe80::/64 2:ff0e::/64 2:::ffff:0.0.0.0/96 2:2001:db8::/124";
    let server = Server::start(vec![rule(0), list(special), list("2:2001:db8:1::/48")]).await;
    let seen = resolver(&server).look("svc.example").await.unwrap();
    assert_eq!((seen.service.prefixes, seen.service.port), (nets(["2001:db8:1::/48"]), None));
    let unused: Vec<_> = seen.unused.iter().map(|unused| unused.prefix).collect();
    assert_eq!(unused, nets(["::/0", "fe80::/64", "ff0e::/64", "::ffff:0:0/96", "2001:db8::/124"]));
    let error = resolve(vec![rule(1), list("2:ff0e::/64")]).await.unwrap_err();
    assert!(matches!(error, ResolveError::NoPrefix { .. }), "{error:?}");
    assert!(error.to_string().ends_with("; ff0e::/64 is multicast"), "{error}");
}

#[tokio::test]
async fn what_records_say_reaches_no_terminal_as_it_is() {
    let hostile = format!("v=1 rule=\x1b[2J{}", "x".repeat(300));
    let error = resolve(vec![("_ssa.svc.example.", 300, svcb(1, ".", None, &hostile))]).await.unwrap_err();
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let said = causes.join(": ");
    assert!(said.contains("`\\u{1b}[2Jxx") && said.contains("xx…`") && !said.contains(char::is_control), "{said}");
}

#[test]
fn trust_anchors_are_records_of_keys_in_a_file_of_bounded_length() {
    let folder = std::env::temp_dir().join(format!("ssa-anchors-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let with = |text: &str| {
        let path = folder.join("anchor");
        fs::write(&path, text).unwrap();
        trust_anchors(&path)
    };
    let key = format!("example.com. 3600 IN DNSKEY 257 3 13 {}==\n", "A".repeat(86));
    assert!(with(&key).is_ok());
    assert!(matches!(with(""), Err(AnchorsError::NoKey)));
    assert!(matches!(with("; nothing\n\n"), Err(AnchorsError::NoKey)));
    assert!(matches!(with("hello\n"), Err(AnchorsError::NotUnderstood(_))));
    assert!(matches!(with(&key.repeat(10_000)), Err(AnchorsError::TooLong)));
    let pipe = folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [folder.as_path(), &pipe, Path::new("/dev/zero")] {
        assert!(matches!(trust_anchors(path), Err(AnchorsError::NotRegular)), "{}", path.display());
    }
    assert!(matches!(trust_anchors(&folder.join("none")), Err(AnchorsError::Unread(_))));
    fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_service_is_kept_for_half_a_period_at_most_and_asked_for_once() {
    let server = Server::start(vec![
        ("_ssa.svc.example.", 300, svcb(1, ".", None, "v=1 rule=pow(64,zeros=4,period=20s):*")),
        ("_ssa.svc.example.", 300, apl("2:2001:db8:1::/48")),
        ("_ssa.now.example.", 0, svcb(1, ".", None, RULE)),
        ("_ssa.now.example.", 300, apl("2:2001:db8:1::/48")),
    ])
    .await;
    let resolver = resolver(&server);
    assert_eq!(resolver.resolve("svc.example").await.unwrap().ttl, Duration::from_secs(10));
    assert_eq!(server.questions(), 2);
    let again = resolver.resolve("SVC.example.").await.unwrap();
    assert!(again.ttl < Duration::from_secs(10) && again.prefixes == nets(["2001:db8:1::/48"]));
    assert_eq!(server.questions(), 2);
    for asked in [4, 6] {
        assert_eq!(resolver.resolve("now.example").await.unwrap().ttl, Duration::ZERO);
        assert_eq!(server.questions(), asked);
    }
}

#[tokio::test]
async fn what_must_be_signed_and_is_not_is_not_used() {
    let records = vec![
        ("_ssa.svc.example.", 300, svcb(1, ".", None, RULE)),
        ("_ssa.svc.example.", 300, apl("2:2001:db8:1::/48")),
    ];
    let server = Server::start(records).await;
    let options =
        Options { servers: vec![server.address], dnssec: Dnssec::Required(None), timeout: Duration::from_secs(1) };
    let found = Resolver::new(&options).unwrap().resolve("svc.example").await;
    assert!(matches!(found, Err(ResolveError::Dns { .. } | ResolveError::NotAuthenticated { .. })), "{found:?}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_and_a_name_that_is_none_are_named() {
    let silent = tokio::net::UdpSocket::bind("[::1]:0").await.unwrap();
    let servers = vec![silent.local_addr().unwrap()];
    let options = Options { servers, timeout: Duration::from_millis(100), ..Options::default() };
    let resolver = Resolver::new(&options).unwrap();
    let error = resolver.resolve("svc.example").await.unwrap_err();
    assert_eq!(error.to_string(), "DNS has no answer for _ssa.svc.example. SVCB");
    for name in ["svc..example", "", ".", "::1"] {
        let error = resolver.resolve_or_addresses(name).await.unwrap_err();
        assert!(matches!(error, ResolveError::Name { .. }), "{error}");
    }
}
