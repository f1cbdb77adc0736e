//! What an issuer may say in; what is believed of it out.

use super::*;

const HERE: Ipv6Addr = Ipv6Addr::LOCALHOST;
const NOW: u64 = 1_700_000_000;

fn question() -> Question {
    Question { service: "web".into(), object: None, replica: 0, count: 2 }
}

fn said(status: u16, body: &str) -> Result<Issued, IssueError> {
    read(&Said { status, retry_after: None, body: body.into() }, HERE, &question(), NOW)
}

fn answer(source: &str, addresses: &str, more: &str) -> String {
    format!("{{\"service\":\"web\",\"source\":\"{source}\",\"addresses\":[{addresses}],{more}}}")
}

#[test]
fn an_answer_holds_for_its_time_and_no_longer() {
    let address = "\"2001:db8::1\"";
    let until = |more: &str| {
        let issued = said(200, &answer("::1", address, more)).unwrap();
        (issued.again - NOW, issued.valid_until.map(|end| end - NOW))
    };
    assert_eq!(until("\"valid_until\":null,\"ttl\":300"), (300, None));
    assert_eq!(until("\"valid_until\":1700000035,\"ttl\":30"), (30, Some(35)));
    // Whatever it says, it is asked again, and not without an end.
    assert_eq!(until("\"valid_until\":1700000035,\"ttl\":4294967295"), (35, Some(35)));
    assert_eq!(until("\"valid_until\":null,\"ttl\":4294967295"), (u64::from(MOST_TTL), None));
    assert_eq!(until("\"valid_until\":null,\"ttl\":0"), (1, None));
}

#[test]
fn what_is_no_answer_to_the_question_is_refused() {
    let times = "\"valid_until\":null,\"ttl\":300";
    let three = "\"2001:db8::1\",\"2001:db8::2\",\"2001:db8::3\"";
    let cases = [
        (answer("2001:db8::5", "\"2001:db8::1\"", times), "it is for 2001:db8::5, as which"),
        (answer("::1", "", times), "it has 0 addresses, and 2 were asked for"),
        (answer("::1", three, times), "it has 3 addresses"),
        (answer("::1", "\"2001:db8::1\"", "\"valid_until\":1700000000,\"ttl\":300"), "refused already"),
        (answer("::1", "\"192.0.2.1\"", times), "invalid IPv6"),
        (answer("::1", "\"2001:db8::1\"", times).replace("web", "www"), "another service"),
        (format!("{{\"more\":{}", "[".repeat(10_000)), "EOF while parsing a list"),
        (String::new(), "EOF"),
    ];
    for (body, expected) in cases {
        let error = said(200, &body).unwrap_err().to_string();
        assert!(error.starts_with("the issuer's answer cannot be used: ") && error.contains(expected), "{error}");
    }
}

#[test]
fn an_error_is_said_in_its_words_and_never_more() {
    let refused = |body: &str| said(403, body).unwrap_err().to_string();
    let error = refused("{\"error\":{\"code\":\"invalid\",\"message\":\"no\\u001b[31m way\",\"hint\":null}}");
    assert_eq!(error, "the issuer gives no address (403): no\\u{1b}[31m way");
    assert_eq!(refused("<html>"), "the issuer gives no address (403): it does not say why");
    let long = refused(&format!("{{\"error\":{{\"message\":\"{}\"}}}}", "x".repeat(10_000)));
    assert!(long.len() < 300, "{long}");
    // A redirection leads nowhere.
    assert!(matches!(said(302, ""), Err(IssueError::Refused { status: 302, .. })));
}

#[test]
fn an_issuer_by_tls_has_certificates_and_no_other_has() {
    assert!(matches!(Issuer::new("https://issuer.example", "web", None), Err(IssueError::Roots(_))));
    for pem in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(Roots::from_pem(pem.as_bytes()), Err(IssueError::Roots(_))), "{pem}");
    }
}
