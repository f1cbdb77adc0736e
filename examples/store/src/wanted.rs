//! A name or a number in; what is wanted, as an id for the rule and as a path for HTTP, out, and back.

use std::fmt::Write as _;

use ssa_common::rule::object_id;

/// The octets of a block.
pub const BLOCK: usize = 4096;

/// An object by its name, or a block by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An object, of any length. A name may also be `0x` and the 32 digits of an id.
    Object(String),
    /// A block of [`BLOCK`] octets, zeros until it is written.
    Block(u64),
}

impl Wanted {
    /// The id that the rule is given.
    ///
    /// # Errors
    /// Where a name begins with `0x` and is no id.
    pub fn id(&self) -> Result<u128, String> {
        match self {
            Self::Object(name) => object_id(name),
            Self::Block(number) => Ok((*number).into()),
        }
    }

    /// The path of a request.
    pub fn path(&self) -> String {
        match self {
            Self::Object(name) => format!("/objects/{}", escaped(name)),
            Self::Block(number) => format!("/blocks/{number}"),
        }
    }

    /// What is wanted by a path; none where it is no path of an object or of a block.
    pub fn of_path(path: &str) -> Option<Self> {
        if let Some(name) = path.strip_prefix("/objects/") {
            return unescaped(name).filter(|name| !name.is_empty()).map(Self::Object);
        }
        path.strip_prefix("/blocks/")?.parse().ok().map(Self::Block)
    }
}

/// Octets that need it as `%XX` (RFC 3986 §2.1); `/` stays, as names have parts.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for octet in name.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet) {
            text.push(octet.into());
        } else {
            // A string takes all that is written.
            let _ = write!(text, "%{octet:02X}");
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        octets.push(u8::try_from(digit()? << 4 | digit()?).ok()?);
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_back_to_its_object() {
        for name in ["photos/2026/cat.jpeg", "100 % ü/?#", "..", "0x00000000000000000000000000000007"] {
            let wanted = Wanted::Object(name.into());
            assert!(wanted.path().bytes().all(|octet| octet.is_ascii_graphic() && octet != b'?' && octet != b'#'));
            assert_eq!(Wanted::of_path(&wanted.path()), Some(wanted));
        }
        assert_eq!(Wanted::of_path(&Wanted::Block(7).path()), Some(Wanted::Block(7)));
        for wrong in ["/objects/", "/objects/%", "/objects/%f", "/objects/%ff", "/blocks/x", "/blocks/-1", "/", ""] {
            assert_eq!(Wanted::of_path(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_number_as_name_is_the_block_of_that_number() {
        assert_eq!(Wanted::Object("7".into()).id(), Wanted::Block(7).id());
        assert!(Wanted::Object("0x7".into()).id().is_err());
    }
}
