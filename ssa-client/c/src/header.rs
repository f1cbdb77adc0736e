//! What is exported in; how C would declare it, and whether the header does so, out.

use std::{
    collections::BTreeSet,
    ffi::{c_char, c_void},
    mem::{align_of, size_of},
};

use crate::{
    border::{In, Out, Text},
    connect,
    failure::{Message, ROOM, Status},
    selector::{self, KeyOfC, Progress, Selector},
    service::{self, Prefix, Service},
};

const HEADER: &str = include_str!("../include/ssa_client.h");

/// A type of arguments or results, as C writes it.
pub(crate) trait Declared {
    /// The declaration of a variable, or of what gives it.
    fn declared(of: &str) -> String;
}

macro_rules! declared {
    ($($type:ty => $start:literal $(, $end:literal)?;)+) => {
        $(impl Declared for $type {
            fn declared(of: &str) -> String {
                format!(concat!($start, "{}" $(, $end)?), of)
            }
        })+
    };
}

declared! {
    () => "void ";
    Status => "ssa_status ";
    i32 => "int32_t ";
    u16 => "uint16_t ";
    u32 => "uint32_t ";
    u64 => "uint64_t ";
    usize => "size_t ";
    *const c_char => "const char *";
    *mut c_void => "void *";
    Text<'_> => "const char *";
    Option<Progress> => "ssa_progress ";
    In<'_, [u8; 16]> => "const uint8_t ", "[16]";
    In<'_, KeyOfC> => "const ssa_key *";
    Out<'_, [u8; 16]> => "uint8_t ", "[16]";
    Out<'_, i32> => "int32_t *";
    Out<'_, Message> => "ssa_message *";
    Out<'_, Prefix> => "ssa_prefix *";
}

/// The opaque types.
trait Handle: Send + Sync {
    const NAME: &'static str;
}

impl Handle for Service {
    const NAME: &'static str = "ssa_service";
}

impl Handle for Selector {
    const NAME: &'static str = "ssa_selector";
}

#[cfg(feature = "resolve")]
impl Handle for crate::resolve::Resolver {
    const NAME: &'static str = "ssa_resolver";
}

impl<T: Handle> Declared for Option<&T> {
    fn declared(of: &str) -> String {
        format!("const {} *{of}", T::NAME)
    }
}

impl<T: Handle> Declared for Option<Box<T>> {
    fn declared(of: &str) -> String {
        format!("{} *{of}", T::NAME)
    }
}

impl<T: Handle> Declared for Out<'_, Option<Box<T>>> {
    fn declared(of: &str) -> String {
        format!("{} **{of}", T::NAME)
    }
}

/// A function with declared arguments that gives a `R`.
pub(crate) fn function<R: Declared>(name: &str, arguments: &[String]) -> String {
    let arguments = if arguments.is_empty() { "void".to_owned() } else { arguments.join(", ") };
    R::declared(&format!("{name}({arguments})"))
}

/// The header's declarations: what ends with a semicolon outside of braces, without comments and with single spaces.
fn declarations() -> Vec<String> {
    let mut code = String::new();
    let mut rest = HEADER;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("a comment ends").1;
    }
    code.push_str(rest);
    let lines = code.lines().filter(|line| !line.starts_with('#') && !line.contains("extern \"C\""));
    let code = lines.collect::<Vec<_>>().join(" ");
    let (mut found, mut depth, mut one) = (Vec::new(), 0, String::new());
    for letter in code.chars() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == ';' && depth == 0 {
            found.push(one.split_whitespace().collect::<Vec<_>>().join(" "));
            one.clear();
        } else if depth >= 0 {
            one.push(letter);
        }
    }
    found
}

/// The numbers of an enumeration of the header: the first that has this one.
fn numbers(first: &str) -> Vec<(String, i32)> {
    let body = declarations().into_iter().find(|one| one.starts_with("enum {") && one.contains(&format!("{first} =")));
    let body = body.expect("an enumeration");
    let body = body.trim_start_matches("enum {").trim_end_matches('}').to_owned();
    let number = |one: &str| {
        let (name, number) = one.split_once('=').expect("a number");
        (name.trim().to_owned(), number.trim().parse().expect("a number"))
    };
    body.split(',').map(number).collect()
}

#[test]
fn the_header_declares_what_is_exported_and_nothing_else() {
    let mut exported = BTreeSet::new();
    exported.extend(service::prototypes());
    exported.extend(selector::prototypes());
    exported.extend(connect::prototypes());
    #[cfg(feature = "resolve")]
    exported.extend(crate::resolve::prototypes());
    let is_function = |one: &String| one.ends_with(')') && !one.starts_with("typedef");
    let mut declared: BTreeSet<_> = declarations().into_iter().filter(is_function).collect();
    if cfg!(not(feature = "resolve")) {
        declared.retain(|one| !one.contains("ssa_resolve"));
    }
    let only = |one: &BTreeSet<String>, other| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!((only(&exported, &declared), only(&declared, &exported)), (vec![], vec![]), "exported, declared");
    assert!(exported.len() > 20);
}

#[test]
fn the_header_has_our_numbers() {
    let words = |status: Status| {
        let name = format!("{status:?}");
        let split = name.chars().enumerate().flat_map(|(at, letter)| {
            let begins = letter.is_uppercase() && at > 0;
            begins.then_some('_').into_iter().chain([letter.to_ascii_uppercase()])
        });
        (format!("SSA_{}", split.collect::<String>()), status as i32)
    };
    assert_eq!(numbers("SSA_OK"), Status::ALL.map(words));
    let dnssec = ["IGNORED", "CHECKED", "REQUIRED"].map(|name| format!("SSA_DNSSEC_{name}"));
    assert_eq!(numbers("SSA_DNSSEC_IGNORED"), dnssec.into_iter().zip(0..).collect::<Vec<_>>());
    assert!(HEADER.contains(&format!("#define SSA_CLIENT_ABI {}\n", service::ABI)));
    assert!(HEADER.contains("#define SSA_ANY_REPLICA UINT32_MAX\n"));
}

#[test]
fn the_header_has_our_structures() {
    let declarations = declarations();
    let has = |one: &str| assert!(declarations.iter().any(|found| found == one), "{one}");
    has(&format!("typedef struct ssa_message {{ char text[{ROOM}]; }} ssa_message"));
    has("typedef struct ssa_prefix { uint8_t address[16]; uint8_t length; } ssa_prefix");
    has("typedef struct ssa_key { uint32_t number; uint8_t secret[16]; } ssa_key");
    has("typedef int32_t (*ssa_progress)(uint64_t attempts, void *context)");
    assert_eq!([size_of::<Message>(), align_of::<Message>()], [ROOM, 1]);
    assert_eq!([size_of::<Prefix>(), align_of::<Prefix>()], [17, 1]);
    assert_eq!([size_of::<KeyOfC>(), align_of::<KeyOfC>()], [20, 4]);
}
