//! Configs and what is said besides in; the records of their services out.

use super::*;
use crate::config::{self, Source};

fn config(settings: &str) -> Config {
    let text = format!(
        "version = 1\n[host]\ninterfaces = [\"eth0\"]\n[[service]]\nname = \"web\"\n\
         prefixes = [\"2001:db8:1::/64\", \"2001:db8:2::/64\"]\n{settings}\n\
         [[service]]\nname = \"odd_1\"\nprefixes = [\"2001:db8:3::/56\"]\nrule = \"any:*\"\n"
    );
    config::parse(Source { path: "test".into(), text }).unwrap().config
}

fn published(config: &Config, change: impl FnOnce(&mut Publishing)) -> Result<Vec<Published>, Refusal> {
    let (zone, services) = (zone("example.com").unwrap(), vec!["web".to_owned()]);
    let mut publishing = Publishing {
        zone,
        services,
        names: Vec::new(),
        ports: Vec::new(),
        anchors: Vec::new(),
        excluded: Vec::new(),
        ttl: None,
    };
    change(&mut publishing);
    publish(config, &publishing)
}

fn text(published: &[Published]) -> Vec<String> {
    published.iter().flat_map(Published::entries).map(|entry| entry.to_string()).collect()
}

#[test]
fn a_service_has_the_four_records_of_the_design() {
    let config = config("rule = \"hash(48):14 any:*\"\nallow = [\"tcp/443\", \"udp/443\", \"icmpv6\"]");
    assert_eq!(
        text(&published(&config, |_| ()).unwrap()),
        [
            "web.example.com. 300 IN AAAA 2001:db8:1::1",
            "_ssa.web.example.com. 300 IN APL 2:2001:db8:1::/64 2:2001:db8:2::/64",
            "_ssa.web.example.com. 300 IN SVCB 1 web.example.com. mandatory=key65400 port=443 \
         key65400=\"v=1 rule=hash\\(48\\):14 any:*\"",
            "_ssa.web.example.com. 300 IN TXT \"v=ssa1 rule=hash(48):14 any:*\"",
        ]
    );
}

#[test]
fn what_is_said_goes_before_what_is_usual() {
    let config = config("rule = \"any:*\"\nskew = 9\nsalt = \"000102030405060708090a0b0c0d0e0f\"");
    let published = published(&config, |publishing| {
        publishing.names = vec!["web=@".parse().unwrap()];
        publishing.ports = vec!["8443".parse().unwrap()];
        publishing.anchors = vec!["none".parse().unwrap()];
        publishing.ttl = Some(Seconds(3600));
    });
    let published = published.unwrap();
    assert_eq!(
        text(&published),
        [
            "_ssa.example.com. 3600 IN APL 2:2001:db8:1::/64 2:2001:db8:2::/64",
            "_ssa.example.com. 3600 IN SVCB 1 example.com. mandatory=key65400 port=8443 \
         key65400=\"v=1 salt=000102030405060708090a0b0c0d0e0f skew=9 rule=any:*\"",
            "_ssa.example.com. 3600 IN TXT \"v=ssa1 salt=000102030405060708090a0b0c0d0e0f skew=9 rule=any:*\"",
        ]
    );
    assert!(published[0].warnings(Some(Seconds(3600))).is_empty());
}

#[test]
fn a_port_is_one_or_none() {
    let said = |text: &str| text.parse::<Said<Maybe<Port>>>().map(|said| said.value.0.map(|Port(port)| port));
    assert_eq!((said("1"), said("web=65535"), said("none")), (Ok(Some(1)), Ok(Some(65_535)), Ok(None)));
    for wrong in ["0", "web=0", "65536", "", "x"] {
        assert!(said(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn records_are_not_kept_for_longer_than_half_a_period() {
    let config = config("rule = \"hash(48):14 pow(48,zeros=8,period=1m):*\"");
    let ttl = |asked: Option<u32>| {
        let published = published(&config, |publishing| publishing.ttl = asked.map(Seconds)).unwrap().remove(0);
        (published.ttl, published.warnings(asked.map(Seconds)))
    };
    assert_eq!(ttl(None), (30, Vec::new()));
    assert_eq!(ttl(Some(10)), (10, Vec::new()));
    let (seconds, warnings) = ttl(Some(31));
    assert_eq!(seconds, 30);
    assert!(warnings[0].starts_with("web: a TTL of 31 s is too long"), "{warnings:?}");
}

#[test]
fn a_port_is_taken_from_the_protocols_if_it_is_the_only_one() {
    let port = |allow: &str| {
        let config = config(&format!("rule = \"any:*\"\nallow = [{allow}]"));
        published(&config, |_| ()).unwrap()[0].port
    };
    assert_eq!(port("\"icmpv6\", \"udp/53\""), Some(53));
    assert_eq!(port("\"tcp/80\", \"tcp/443\""), None);
    assert_eq!(port("\"tcp\", \"udp/443\""), None);
    assert_eq!(port("\"icmpv6\""), None);
}

#[test]
fn parts_of_prefixes_are_taken_out() {
    let config = config("rule = \"any:*\"");
    let excluded = |texts: &[&str]| {
        let said = texts.iter().map(|text| text.parse().unwrap()).collect();
        published(&config, |publishing| publishing.excluded = said)
    };
    let some = excluded(&["web=2001:db8:2::/80", "2001:db8:1:0:8000::/65"]).unwrap();
    let apl = some[0].entries()[1].to_string();
    assert!(apl.ends_with("2:2001:db8:2::/64 !2:2001:db8:2::/80 !2:2001:db8:1:0:8000::/65"), "{apl}");
    for other in ["web=2001:db8:3:0:8000::/65", "web=2001:db8:1::/64", "2001:db8:1::/64", "2001:db8:4::/80"] {
        assert!(excluded(&[other]).unwrap_err().message.contains("is no part of a prefix"), "{other}");
    }
}

#[test]
fn many_prefixes_are_several_lists() {
    let prefixes: Vec<_> = (0..200).map(|number| format!("\"2001:db8:{number:x}::/48\"")).collect();
    let text = format!(
        "version = 1\n[host]\ninterfaces = [\"eth0\"]\n[[service]]\nname = \"web\"\nrule = \"any:*\"\n\
         prefixes = [{}]\n",
        prefixes.join(", ")
    );
    let config = config::parse(Source { path: "test".into(), text }).unwrap().config;
    let entries = published(&config, |_| ()).unwrap()[0].entries();
    let lists =
        entries.into_iter().filter_map(|entry| if let Data::Apl(items) = entry.data { Some(items) } else { None });
    let lists: Vec<_> = lists.collect();
    assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 64, 8]);
    let all: Vec<_> = config.services[0].prefixes.iter().copied().map(Item::of).collect();
    assert_eq!(lists.concat(), all, "in their order");
}

#[test]
fn services_have_names_and_each_its_own() {
    let config = config("rule = \"any:*\"");
    let refused = |change: &dyn Fn(&mut Publishing)| published(&config, change).unwrap_err();
    let refusal = refused(&|publishing| publishing.services = vec!["mail".into()]);
    assert!(refusal.help.contains("the services are web, odd_1"));
    let refusal = refused(&|publishing| publishing.services.clear());
    assert!(refusal.help.contains("--name odd_1=www"));
    let refusal = refused(&|publishing| {
        publishing.services.clear();
        publishing.names = vec!["www".parse().unwrap()];
    });
    assert_eq!(refusal.message, "web and odd_1 would both be www.example.com.");
    let refusal = refused(&|publishing| publishing.names = vec!["mail=www".parse().unwrap()]);
    assert!(refusal.message.contains("no service named mail"));
}

#[test]
fn nothing_is_said_twice() {
    let config = config("rule = \"any:*\"");
    let names = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let twice = published(&config, |publishing| publishing.names = names(&["web=a", "odd_1=b", "web=c"])).unwrap_err();
    assert_eq!(twice.message, "--name says two things of web");
    let twice = published(&config, |publishing| publishing.names = names(&["a", "b"])).unwrap_err();
    assert_eq!(twice.message, "--name says two things of all services");
    assert!(published(&config, |publishing| publishing.names = names(&["a", "web=b", "odd_1=c"])).is_ok());
}
