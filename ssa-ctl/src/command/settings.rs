//! A service in; what it does with frames besides its rule out, for people and as JSON.

use serde_json::{Value, json};

use crate::config::{Established, Service};

/// By what it knows connections, the fair share and the low priority, where any of them is set.
pub(super) fn words(service: &Service) -> Option<String> {
    let known = service.established.map(|by| match by {
        Established::Socket => "known by socket".to_owned(),
        Established::Flows => "known by flows".to_owned(),
    });
    let fair = service.fair.as_ref();
    let fair = fair.map(|fair| format!("fair share {} of a /{}, above {}/s", fair.share, fair.prefix, fair.above));
    let low = service.has_suspects().then(|| {
        let ways = service.low_priority.iter().map(|way| way.name().to_owned());
        let rate = service.low_priority_rate.map(|rate| format!("{rate}/s"));
        let words: Vec<_> = ways.chain(rate).collect();
        if words.is_empty() {
            "low priority in the counters alone".to_owned()
        } else {
            format!("low priority {}", words.join(", "))
        }
    });
    let words: Vec<_> = [known, fair, low].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// The same as JSON has it; nothing where nothing is set.
pub(super) fn json(service: &Service) -> Option<Value> {
    let mut object = json!({});
    if let Some(established) = &service.established {
        object["established"] = json!(established);
    }
    if let Some(fair) = &service.fair {
        object["fair"] = json!(fair);
    }
    if service.has_suspects() {
        object["low_priority"] = json!(service.low_priority);
        object["low_priority_rate"] = json!(service.low_priority_rate);
    }
    object.as_object().is_some_and(|keys| !keys.is_empty()).then_some(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Source};

    fn service(settings: &str) -> Service {
        let text = format!(
            "version = 1\n[host]\ninterfaces = [\"eth0\"]\n[host.low_priority]\ncpu = 1\n[[service]]\nname = \"a\"\n\
             prefixes = [\"2001:db8::/64\"]\nrule = \"hash(48):16 any:*\"\n{settings}"
        );
        config::parse(Source { path: "test".into(), text }).unwrap().config.services.remove(0)
    }

    #[test]
    fn what_is_set_is_said() {
        let plain = service("");
        assert_eq!((words(&plain), json(&plain)), (None, None));
        let all = service(
            "on_mismatch = \"lowprio\"\nlow_priority = [\"dscp\", \"cpu\"]\nlow_priority_rate = 500\n\
             established = \"flows\"\n[service.fair]\nprefix = 56\nshare = \"5%\"\n",
        );
        let expected = "known by flows; fair share 5% of a /56, above 1000/s; low priority dscp, cpu, 500/s";
        assert_eq!(words(&all).as_deref(), Some(expected));
        let expected = json!({
            "established": "flows",
            "fair": { "prefix": 56, "share": "5%", "above": 1000 },
            "low_priority": ["dscp", "cpu"],
            "low_priority_rate": 500,
        });
        assert_eq!(json(&all), Some(expected));
        // Who fails the rule is dropped, and who has too large a share gets what is usual.
        let shared = service("[service.fair]\nprefix = 48\nshare = \"10%\"\nabove = 7\n");
        assert_eq!(words(&shared).as_deref(), Some("fair share 10% of a /48, above 7/s; low priority dscp"));
    }
}
