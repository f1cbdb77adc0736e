//! Text in; names of zones and of services in them, whose labels every server takes, out.

use hickory_proto::rr::Name;
use ssa_client::record::LABEL;

use crate::config::Refusal;

/// Octets of a label.
const LABEL_OCTETS: usize = 63;
/// The word for the zone itself.
const ZONE_ITSELF: &str = "@";

/// The name of a zone.
///
/// # Errors
/// Where a label is none of a host's name, or there is none.
pub fn zone(text: &str) -> Result<Name, String> {
    labels(text.strip_suffix('.').unwrap_or(text), "example.com")
}

/// The name in `zone` that a service is published at: labels relative to it, or `@` for the zone's own name.
pub(super) fn owner(text: &str, service: &str, zone: &Name) -> Result<Name, Refusal> {
    let refused = |message: String| Refusal {
        message: format!("the service {service} has no name in {zone}: {message}"),
        help: format!("say under which name, as in --name {service}=www, or --name {service}=@ for the zone itself"),
    };
    if text == ZONE_ITSELF {
        return Ok(zone.clone());
    }
    let owner = labels(text, "www").map_err(refused)?;
    owner.append_domain(zone).map_err(|_| refused(format!("{text} is too long there")))
}

/// The name below a service's that its records are at.
///
/// # Errors
/// Where there is no room for one more label.
pub fn below(owner: &Name) -> Result<Name, Refusal> {
    owner.prepend_label(LABEL).map_err(|_| Refusal {
        message: format!("there is no room for the label {LABEL} below {owner}"),
        help: "take a shorter name: a name has 255 octets at most".into(),
    })
}

/// A fully qualified name of labels as hosts have them (RFC 1123 §2.1), in lower case.
fn labels(text: &str, example: &str) -> Result<Name, String> {
    for label in text.split('.') {
        let inside = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        let ends = !label.starts_with('-') && !label.ends_with('-');
        if label.is_empty() || label.len() > LABEL_OCTETS || !inside || !ends {
            return Err(format!(
                "`{label}` is no label: it has 1 to 63 letters, digits and hyphens, none of these at an end, as in {example}"
            ));
        }
    }
    let name = Name::from_labels(text.split('.').map(str::as_bytes));
    name.map(|name| name.to_lowercase()).map_err(|_| format!("`{text}` is too long: a name has 255 octets at most"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_labels_that_hosts_have() {
        assert_eq!(zone("Example.COM").unwrap().to_string(), "example.com.");
        assert_eq!(zone("example.com.").unwrap(), zone("example.com").unwrap());
        for wrong in ["", ".", "a..b", "-a.example", "a-.example", "a_b.example", "ä.example", "a b"] {
            assert!(zone(wrong).unwrap_err().contains("is no label"), "{wrong}");
        }
        assert!(zone(&"a".repeat(64)).unwrap_err().contains("is no label"));
        assert!(zone(&["a"; 130].join(".")).unwrap_err().contains("too long"));
    }

    #[test]
    fn services_have_names_in_the_zone() {
        let zone = zone("example.com").unwrap();
        let named = |text| owner(text, "web", &zone).map(|name| name.to_string());
        assert_eq!(named("web").unwrap(), "web.example.com.");
        assert_eq!(named("Web.eu").unwrap(), "web.eu.example.com.");
        assert_eq!(named("@").unwrap(), "example.com.");
        let refusal = named("web_1").unwrap_err();
        assert!(
            refusal.message.contains("`web_1` is no label") && refusal.help.contains("--name web=www"),
            "{refusal:?}"
        );
        let long = ["a"; 122].join(".");
        assert!(named(&long).unwrap_err().message.contains("too long"));
        let nearly = owner(&["a"; 120].join("."), "web", &zone).unwrap();
        assert!(below(&nearly).unwrap_err().help.contains("255"));
        assert_eq!(below(&zone).unwrap().to_string(), "_ssa.example.com.");
    }
}
