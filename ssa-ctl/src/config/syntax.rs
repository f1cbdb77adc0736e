//! The errors of the TOML parser in; faults that say what would be right out.

use super::fault::Fault;

const TOO_DEEP: &str = "too many levels of brackets or dots";

/// Faults of a text that is not TOML.
pub(super) fn faults(text: &str, errors: &[toml::de::Error]) -> Vec<Fault> {
    let mut faults: Vec<_> = errors.iter().map(|error| fault(text, error)).collect();
    faults.sort_by_key(Fault::start);
    faults.dedup();
    faults
}

fn fault(text: &str, error: &toml::de::Error) -> Fault {
    let message = error.message();
    let (what, expected) = match message.split_once(", expected ") {
        Some((what, expected)) => (what, Some(expected)),
        None => (message, None),
    };
    let what = match what {
        _ if is_open_string(what) => "the string has no end",
        "cannot recurse further; max recursion depth met" | "recursion limit" => TOO_DEEP,
        other => other,
    };
    let span = error.span().unwrap_or(text.len()..text.len());
    let help = help(what).map_or_else(
        || match expected {
            Some("nothing") => "leave it away".into(),
            Some(expected) => format!("here stands {expected}"),
            None => "write it as TOML does: KEY = VALUE, or [TABLE] (https://toml.io)".into(),
        },
        str::to_owned,
    );
    Fault::error(span, what, help)
}

/// What the parser says where a quote is missing.
fn is_open_string(what: &str) -> bool {
    what.starts_with("invalid ") && what.ends_with(" string")
}

fn help(what: &str) -> Option<&'static str> {
    Some(match what {
        "duplicate key" => "each key stands once in its table: take one of the two away",
        "string values must be quoted" => "write the value in quotes, as in name = \"web\"",
        "unclosed array" => "close the list with ]",
        "unclosed table" => "close the header with ], as in [host]",
        "unclosed array table" => "close the header with ]], as in [[service]]",
        "unclosed inline table" => "close the table with }",
        "missing comma between array elements" => "put a comma between two entries",
        TOO_DEEP => "a config needs no more than three levels",
        "key with no value" | "missing value" | "missing value for key" => "write a value, as in skew = 5",
        "the string has no end" => "close the string with the quote it began with, on the same line",
        _ => return None,
    })
}
