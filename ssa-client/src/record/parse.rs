//! The text of a record in; the record, or why it is refused, out.

use ssa_common::rule::Rule;

use super::{DEFAULT_SKEW, MOST_SKEW, Objects, Record, RecordError};

/// Reads a record that begins with `v=VERSION`.
pub(super) fn record(text: &str, version: &str) -> Result<Record, RecordError> {
    let rest = versioned(text, version)?;
    if text.contains(';') {
        return Err(RecordError::Semicolon);
    }
    let (mut salt, mut skew, mut objects) = (None, None, None);
    let mut rest = rest.trim_start_matches(' ');
    // The rule is last: it has blanks itself.
    while !rest.starts_with("rule=") {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        match word.split_once('=').unwrap_or((word, "")) {
            ("salt", value) => once("salt", &mut salt, read_salt(value)?)?,
            ("skew", value) => once("skew", &mut skew, read_skew(value)?)?,
            ("obj", value) => once("obj", &mut objects, read_objects(value)?)?,
            ("v", _) => return Err(RecordError::Twice("v")),
            ("", "") => return Err(RecordError::NoRule),
            (key, _) if key.starts_with(char::is_uppercase) => return Err(RecordError::Unknown(key.into())),
            _ => {}
        }
        rest = after.trim_start_matches(' ');
    }
    let mut rule = Rule::parse(&rest["rule=".len()..]);
    Ok(Record {
        rule: rule.as_mut().map_err(|errors| RecordError::Rule(errors.swap_remove(0)))?.clone(),
        salt: salt.unwrap_or_default(),
        skew: skew.unwrap_or(DEFAULT_SKEW),
        objects: objects.unwrap_or_default(),
    })
}

/// What comes after the version. A TXT record whose version does not even begin like ours is somebody else's.
fn versioned<'a>(text: &'a str, version: &str) -> Result<&'a str, RecordError> {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let found = first.strip_prefix("v=").ok_or(RecordError::NotOurs)?;
    let family = version.trim_end_matches(|c: char| c.is_ascii_digit());
    match found {
        _ if found == version => Ok(rest),
        _ if found.starts_with(family) => Err(RecordError::Version(found.into())),
        _ => Err(RecordError::NotOurs),
    }
}

fn once<T>(key: &'static str, place: &mut Option<T>, value: T) -> Result<(), RecordError> {
    place.replace(value).map_or(Ok(()), |_| Err(RecordError::Twice(key)))
}

fn read_salt(value: &str) -> Result<[u8; 16], RecordError> {
    let good = value.len() == 32 && value.bytes().all(|octet| octet.is_ascii_hexdigit());
    let salt = good.then(|| u128::from_str_radix(value, 16).ok()).flatten();
    salt.map(u128::to_be_bytes).ok_or_else(|| refused("salt", value, "it is 32 hexadecimal digits"))
}

fn read_skew(value: &str) -> Result<u32, RecordError> {
    let good = value.bytes().all(|octet| octet.is_ascii_digit());
    let skew = value.parse().ok().filter(|skew| good && *skew <= MOST_SKEW);
    skew.ok_or_else(|| refused("skew", value, "it is 0 to 3600, in seconds"))
}

fn read_objects(value: &str) -> Result<Objects, RecordError> {
    let objects = (value == Objects::Sha256.name()).then_some(Objects::Sha256);
    objects.ok_or_else(|| refused("obj", value, "sha256 is the only one known here"))
}

fn refused(key: &'static str, value: &str, help: &'static str) -> RecordError {
    RecordError::Value { key, value: value.into(), help }
}

#[cfg(test)]
mod tests {
    use std::{error::Error as _, time::Duration};

    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_not_said_is_usual() {
        let plain = Record::parse_value("v=1 rule=hash(48):14 any:*").unwrap();
        assert_eq!(plain, Record::new(rule("hash(48):14 any:*")));
        assert_eq!((plain.salt, plain.skew, plain.objects), ([0; 16], 5, Objects::Sha256));
        assert_eq!(plain.to_string(), "v=1 rule=hash(48):14 any:*");
        assert_eq!(plain.to_txt(), "v=ssa1 rule=hash(48):14 any:*");
        assert_eq!(Record::parse_txt(&plain.to_txt()).unwrap(), plain);
    }

    #[test]
    fn all_is_read_in_any_order() {
        let text = "v=1  skew=0 obj=sha256 note future=yes note salt=000102030405060708090A0B0C0D0E0F rule=object(0):*";
        let record = Record::parse_value(text).unwrap();
        let salt = std::array::from_fn(|index| u8::try_from(index).unwrap());
        assert_eq!(record, Record { salt, skew: 0, ..Record::new(rule("object(0):*")) });
        assert_eq!(record.to_string(), "v=1 salt=000102030405060708090a0b0c0d0e0f skew=0 rule=object(0):*");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let unknown = |key: &str| RecordError::Unknown(key.into());
        let cases = [
            ("", RecordError::NotOurs),
            ("rule=any:*", RecordError::NotOurs),
            ("V=1 rule=any:*", RecordError::NotOurs),
            ("v=2 rule=any:*", RecordError::Version("2".into())),
            ("v=1x rule=any:*", RecordError::Version("1x".into())),
            ("v=1", RecordError::NoRule),
            ("v=1 skew=5 ", RecordError::NoRule),
            ("v=1 Twist=yes rule=any:*", unknown("Twist")),
            ("v=1 Twist rule=any:*", unknown("Twist")),
            ("v=1 Rule=any:*", unknown("Rule")),
            ("v=1 skew=5 skew=5 rule=any:*", RecordError::Twice("skew")),
            ("v=1 v=1 rule=any:*", RecordError::Twice("v")),
            ("v=1 note=a;b rule=any:*", RecordError::Semicolon),
            ("v=1 skew=3601 rule=any:*", refused("skew", "3601", "it is 0 to 3600, in seconds")),
            ("v=1 skew=+5 rule=any:*", refused("skew", "+5", "it is 0 to 3600, in seconds")),
            ("v=1 skew= rule=any:*", refused("skew", "", "it is 0 to 3600, in seconds")),
            ("v=1 salt=00 rule=any:*", refused("salt", "00", "it is 32 hexadecimal digits")),
            ("v=1 obj=md5 rule=any:*", refused("obj", "md5", "sha256 is the only one known here")),
        ];
        for (text, error) in cases {
            assert_eq!(Record::parse_value(text), Err(error), "{text}");
        }
        for text in ["v=1 rule=", "v=1 rule=any:* note=1", "v=1 rule= any:*", "v=1 rule=Any:*"] {
            assert!(matches!(Record::parse_value(text), Err(RecordError::Rule(_))), "{text}");
        }
    }

    #[test]
    fn what_an_error_quotes_is_fit_for_a_terminal_and_short() {
        let said = |text: &str| {
            let error = Record::parse_value(text).unwrap_err();
            error.source().map_or_else(|| error.to_string(), ToString::to_string)
        };
        let hostile = format!("\x1b[2J\u{9b}1m\u{202e}{}", "x".repeat(50_000));
        for before in ["v=1", "v=1 A", "v=1 salt=", "v=1 skew=", "v=1 obj=", "v=1 rule=", "v=1 rule=any:", "v=1 rule=("]
        {
            for after in ["", ":64", ")", " rule=any:*"] {
                let said = said(&format!("{before}{hostile}{after}"));
                let hidden = said.contains(char::is_control) || said.contains('\u{202e}');
                assert!(!hidden && said.chars().count() < 400, "{before}…{after}: {said}");
                assert!(
                    said.contains("\\u{1b}[2J\\u{9b}1m\\u{202e}xxx") && said.contains("x…`"),
                    "{before}…{after}: {said}"
                );
            }
        }
        for (before, after) in [
            ("const(", "):64"),
            ("hash(", "):14"),
            ("hash(48,", "):14"),
            ("mac(48,key=", "):64"),
            ("mac(48,key=k,period=", "):64"),
            ("pow(48,zeros=", "):64"),
            ("src(", "):64"),
        ] {
            let said = said(&format!("v=1 rule={before}{hostile}{after}"));
            assert!(said.contains("`\\u{1b}[2J") && said.contains("x…`"), "{before}: {said}");
        }
        let brackets = said(&format!("v=1 rule={}", "(".repeat(50_000)));
        assert!(brackets.contains("((…`") && brackets.len() < 400, "{brackets}");
    }

    #[test]
    fn txt_records_of_others_are_told_from_ours() {
        for text in ["v=spf1 -all", "hello", "v=1 rule=any:*"] {
            assert_eq!(Record::parse_txt(text), Err(RecordError::NotOurs), "{text}");
        }
        assert_eq!(Record::parse_txt("v=ssa2 rule=any:*"), Err(RecordError::Version("ssa2".into())));
        assert_eq!(Record::parse_value("v=ssa1 rule=any:*"), Err(RecordError::Version("ssa1".into())));
    }

    #[test]
    fn records_are_kept_for_half_the_shortest_period() {
        let longest = |text: &str| Record::new(rule(text)).longest_ttl();
        assert_eq!(longest("hash(48):14 any:*"), None);
        assert_eq!(longest("mac(64,key=k,period=30s):64"), Some(Duration::from_secs(15)));
        let both = "mac(48,key=k,period=5m):32 pow(48,zeros=8,period=3s):*";
        assert_eq!(longest(both), Some(Duration::from_secs(1)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_written_is_read(
            salt: [u8; 16],
            skew in 0..=MOST_SKEW,
            text in r"hash\([1-9]\):14 any:\*|mac\(64,key=[a-z]{1,9},period=[1-9]{1,3}[smh]\):48|object\([1-6]\):\*",
        ) {
            let record = Record { rule: rule(&text), salt, skew, objects: Objects::Sha256 };
            prop_assert_eq!(&Record::parse_value(&record.to_string()), &Ok(record.clone()));
            prop_assert_eq!(Record::parse_txt(&record.to_txt()), Ok(record));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn noise_is_refused_in_peace(text in r"v=1( (v|obj|salt|skew|x|X|rule|)=?[a-f0-9:*()]{0,40}){0,4}|\PC{0,40}") {
            if let Ok(record) = Record::parse_value(&text) {
                prop_assert_eq!(Record::parse_value(&record.to_string()), Ok(record));
            }
        }
    }
}
