//! The text of a source prefix, or of a reason, in; what can be blocked, or what is wrong with it, out.

use ipnet::Ipv6Net;
use ssa_client::apl::specials;
use ssa_common::layout::{BLOCK_TEXT, SHORTEST_BLOCK};

use crate::{
    config::{Refusal, WordError},
    sources,
};

/// Reads a prefix that can be blocked, or an address, which is a prefix of 128 bits.
pub(super) fn parse(text: &str) -> Result<Ipv6Net, Refusal> {
    let prefix = sources::parse(text)?;
    let refuse = |message: String, help: String| Err(Refusal { message, help });
    if prefix.prefix_len() < SHORTEST_BLOCK {
        let bounds = format!("a prefix that is blocked has {SHORTEST_BLOCK} to 128 bits");
        return refuse(format!("`{text}` cannot be blocked"), bounds);
    }
    // What comes from there is dropped without a list.
    if let Some((kind, _)) = specials().find(|(_, net)| net.contains(&prefix)) {
        let help = "such sources are bad-source, but for neighbour discovery: they need no list";
        return refuse(format!("`{text}` is {kind}"), help.into());
    }
    Ok(prefix)
}

/// Reads a reason: words behind each other, and not too long.
pub(super) fn reason(text: &str) -> Result<String, WordError> {
    let mut reason = String::new();
    for word in text.split_whitespace() {
        if !reason.is_empty() {
            reason.push(' ');
        }
        reason += word;
        if reason.len() > BLOCK_TEXT {
            return Err(WordError("a reason has 128 octets at most"));
        }
    }
    if reason.chars().any(is_unseen) {
        return Err(WordError("a reason is text that can be seen, without control and format characters"));
    }
    Ok(reason)
}

/// Characters that make a terminal show other text than there is: controls, and the general category Cf of Unicode 16.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_as_they_are_written() {
        for (text, prefix) in [
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("2000::/16", "2000::/16"),
            ("fd00::/64", "fd00::/64"),
            ("64:ff9b::/96", "64:ff9b::/96"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), prefix);
        }
    }

    #[test]
    fn what_cannot_be_blocked_is_told_with_what_would_be_right() {
        for (text, message, help) in [
            ("2000::/15", "cannot be blocked", "16 to 128"),
            ("::/0", "cannot be blocked", "16 to 128"),
            ("2001:db8::/129", "is not a prefix", "128 at most"),
            ("fe80::/64", "link-local", "bad-source"),
            ("ff02::1", "multicast", "bad-source"),
            ("::1", "loopback", "bad-source"),
            ("::", "unspecified", "bad-source"),
            ("::ffff:192.0.2.1", "v4-mapped", "bad-source"),
        ] {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.message.contains(message), "{text}: {refusal}");
            assert!(refusal.help.contains(help), "{text}: {}", refusal.help);
        }
    }

    #[test]
    fn reasons_are_short_text() {
        assert_eq!(reason("  a\tb \n c\u{2028}d ").unwrap(), "a b c d");
        assert!(reason(&"ä".repeat(64)).is_ok());
        assert!(reason(&"ä".repeat(65)).is_err() && reason("a\u{1b}[m").is_err());
        for unseen in ['\u{202e}', '\u{200b}', '\u{2066}', '\u{ad}', '\u{feff}', '\u{e0041}', '\u{7f}', '\u{9b}'] {
            assert!(reason(&format!("a{unseen}b")).is_err(), "{unseen:?}");
        }
        assert!(reason("für immer 永 🚫").is_ok());
    }
}
