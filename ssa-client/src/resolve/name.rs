//! A name as people write it in; the DNS name of a service, or why it is none, out. And such names as text.

use std::net::IpAddr;

use hickory_resolver::proto::rr::Name;
use ssa_common::quote::Quoted;

use super::ResolveError;
use crate::record::LABEL;

/// Octets of a label.
const LABEL_OCTETS: usize = 63;

/// The name of a service, taken as absolute.
pub(super) fn absolute(text: &str) -> Result<Name, ResolveError> {
    let mut name = Name::from_utf8(text).ok().filter(|name| name.iter().next().is_some() && !is_address(text));
    let name = name.as_mut().ok_or_else(|| refused(text, why(text)))?;
    name.set_fqdn(true);
    Ok(name.to_lowercase())
}

/// Where the records of a service are.
pub(super) fn label(owner: &Name) -> Result<Name, ResolveError> {
    let no_room = format!("there is no room for the label {LABEL} below it, as a name has 255 octets at most");
    owner.prepend_label(LABEL).map_err(|_| refused(&shown(owner), no_room))
}

/// The name in letters that cannot be taken for anything else: whoever has a zone chooses its octets.
pub(super) fn shown(name: &Name) -> String {
    name.to_ascii()
}

fn refused(name: &str, error: String) -> ResolveError {
    ResolveError::Name { name: name.to_owned(), error }
}

fn is_address(text: &str) -> bool {
    text.trim_matches(['[', ']', '.']).parse::<IpAddr>().is_ok()
}

/// What is wrong with a text that is no name of a service.
fn why(text: &str) -> String {
    let labels = text.strip_suffix('.').unwrap_or(text);
    if labels.is_empty() {
        return "a service has a name below the root".into();
    }
    if is_address(text) {
        return "an address has no rule, and is called as it is".into();
    }
    let is_label = |label: &str| (1..=LABEL_OCTETS).contains(&label.len()) && Name::from_utf8(label).is_ok();
    match labels.split('.').find(|label| !is_label(label)) {
        Some(label) => format!(
            "`{}` is no label, which has 1 to 63 letters, digits and hyphens, and at its begin perhaps an underscore",
            Quoted(label)
        ),
        None => "it is too long, as a name has 255 octets at most".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        absolute(text).unwrap_err().to_string()
    }

    #[test]
    fn names_are_absolute_and_in_lower_case() {
        for (text, expected) in [
            ("Svc.Example", "svc.example."),
            ("svc.example.", "svc.example."),
            ("_svc.example", "_svc.example."),
            ("größe.example", "xn--gre-6ka8i.example."),
            ("1.2.3.4.example", "1.2.3.4.example."),
        ] {
            assert_eq!(shown(&absolute(text).unwrap()), expected);
        }
        assert_eq!(shown(&label(&absolute("svc.example").unwrap()).unwrap()), "_ssa.svc.example.");
    }

    #[test]
    fn octets_of_a_name_are_shown_as_numbers() {
        let hostile: [&[u8]; 3] = [b"\x1b[2j", b"xn--\x1b[2j-abc", b"example"];
        let name = shown(&Name::from_labels(hostile).unwrap());
        assert_eq!(name, "\\033\\[2j.xn--\\033\\[2j-abc.example.");
    }

    #[test]
    fn what_is_no_name_of_a_service_is_refused_in_our_words() {
        for (text, why) in [
            ("", "below the root"),
            (".", "below the root"),
            ("..", "`` is no label"),
            ("a..b", "`` is no label"),
            (".a", "`` is no label"),
            ("a b.example", "`a b` is no label, which has 1 to 63 letters"),
            ("\x1b[2J.example", "`\\u{1b}[2J` is no label"),
            ("a\u{202e}.example", "`a\\u{202e}` is no label"),
            ("::1", "an address has no rule"),
            ("[::1]", "an address has no rule"),
            ("192.0.2.1", "an address has no rule"),
            ("192.0.2.1.", "an address has no rule"),
        ] {
            let said = refusal(text);
            assert!(said.contains(why) && said.contains(" is not a DNS name of a service: "), "{text}: {said}");
            assert!(!said.contains("Err(") && !said.contains(char::is_control) && !said.contains('\u{202e}'), "{said}");
        }
        let long = refusal(&format!("{}.example", "a".repeat(64)));
        assert!(long.contains(&format!("`{}` is no label", "a".repeat(64))), "{long}");
        assert!(refusal(&["a"; 130].join(".")).contains("255 octets"));
        let full = absolute(&["a"; 126].join(".")).unwrap();
        assert!(label(&full).unwrap_err().to_string().contains("no room for the label _ssa"));
    }
}
