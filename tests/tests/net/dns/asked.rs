//! Records that somebody writes by hand in; what `dns query` makes of them out.

use serde_json::json;

use super::{
    expected::{TOP, query},
    name_server::{Kind, NameServer},
};

/// A service, beside one that nobody can have; rules that do not fit, with a key and without; text that a terminal would obey,
/// and text without end; and one address, of the old kind.
const HAND: &str = r#"
_ssa.part.example.com.  300 IN TXT "v=ssa1 rule=any:*"
_ssa.part.example.com.  300 IN APL 2:ff0e::/64 2:2001:db8:2::/64 2:::/0
_ssa.none.example.com.  300 IN TXT "v=ssa1 rule=any:*"
_ssa.none.example.com.  300 IN APL 2:fe80::/64
_ssa.short.example.com. 300 IN TXT "v=ssa1 rule=any:16"
_ssa.short.example.com. 300 IN APL 2:2001:db8:2::/64
_ssa.keyed.example.com. 300 IN TXT "v=ssa1 rule=mac(48,key=k1):64"
_ssa.keyed.example.com. 300 IN APL 2:2001:db8:2::/64
_ssa.unfit.example.com. 300 IN TXT "v=ssa1 rule=mac(48,key=k1):32"
_ssa.unfit.example.com. 300 IN APL 2:2001:db8:2::/64
_ssa.hostile.example.com. 300 IN TXT "v=ssa1 rule=\027[2J((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
old.example.com.        300 IN A 192.0.2.1
"#;

#[test]
fn what_no_client_can_follow_is_no_service() {
    let server = NameServer::start(Kind::Bind, &(TOP.to_owned() + HAND));
    let asked = |name: &str| query(&server.namespace, &format!("{name}.example.com"), &[]);
    let (code, said) = asked("part");
    assert_eq!((code, &said["prefixes"]), (Some(0), &json!(["2001:db8:2::/64"])), "{said:#}");
    assert_eq!(said["unused"], json!(["ff0e::/64", "::/0"]));
    let (code, said) = asked("keyed");
    assert_eq!((code, &said["key"], &said["unused"]), (Some(0), &json!("k1"), &json!([])), "{said:#}");
    for (name, words) in [
        ("none", "it is not offered; fe80::/64 is link-local"),
        ("short", "the rule does not fit 2001:db8:2::/64: the rule has 16 bits"),
        ("unfit", "the rule does not fit 2001:db8:2::/64: the rule has 32 bits"),
        ("hostile", "`\\u{1b}[2J((("),
    ] {
        let (code, said) = asked(name);
        let message = said["error"]["message"].as_str().unwrap();
        assert!(code == Some(1) && message.contains(words) && message.chars().count() < 400, "{said:#}");
    }

    let said = |arguments: &[&str]| {
        let output = server.namespace.ssa_ctl("unused").args(arguments).args(["--server", "::1"]).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (_, text) = said(&["dns", "query", "part.example.com"]);
    assert!(text.contains("::/0 holds unspecified addresses"), "{text}");
    let (code, text) = said(&["dns", "query", "hostile.example.com"]);
    assert!(code == Some(1) && !text.contains('\x1b') && text.contains("((…`"), "{text}");
    let (code, text) = said(&["connect", "old.example.com", "--port", "1"]);
    assert!(code == Some(1) && text.contains("no IPv6 address (AAAA)"), "{text}");
}
