//! Rule text in; a rule, or every fault of it with its place and what would be right, out.

use alloc::{format, string::String, vec, vec::Vec};
use core::{fmt, ops::Range, str::FromStr};

use super::{
    arguments::{Arguments, Piece},
    model::{Field, Kind, Rule, Width},
    place,
};
use crate::{
    layout::{FIELDS, HASHED},
    quote::Quoted,
};

/// One fault of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Where, in octets of the rule's text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl RuleError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: help.into() }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl core::error::Error for RuleError {}

const KINDS: &str = "the kinds are any, const, src, object, hash, mac, pow, replica, keyid";

impl Rule {
    /// Parses a rule's text.
    ///
    /// # Errors
    /// Every fault that can be told without a prefix, in the order of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<RuleError>> {
        let whole = Piece { text, at: 0 };
        if text.is_empty() {
            return Err(vec![whole.error("the rule is empty", "write at least one field, such as any:*")]);
        }
        let mut errors = Vec::new();
        let mut fields = Vec::new();
        for piece in whole.split(' ') {
            match field(&piece) {
                Ok(field) => fields.push(field),
                Err(error) => errors.push(error),
            }
        }
        let rule = Self { fields };
        errors.extend(together(&rule));
        errors.extend(rule.fields.iter().filter_map(|field| match field.width {
            Width::Bits(width) => place::fits(field, width).err(),
            Width::Rest => None,
        }));
        errors.sort_by_key(|error| error.span.start);
        if errors.is_empty() { Ok(rule) } else { Err(errors) }
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    /// Parses a rule's text, with the first of its faults.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::parse(text).map_err(|mut errors| errors.swap_remove(0))
    }
}

/// The faults of fields that are right each by itself.
fn together(rule: &Rule) -> Vec<RuleError> {
    let mut errors = Vec::new();
    let mut at_most = |limit: usize, what: &str, help: &str, counts: &dyn Fn(&Field) -> bool| {
        if let Some(field) = rule.fields.iter().filter(|field| counts(field)).nth(limit) {
            errors.push(RuleError::new(field.span.clone(), format!("more than {what}"), help));
        }
    };
    at_most(FIELDS, "8 fields", "a rule has 1 to 8 fields; merge neighbours of one kind", &|_| true);
    at_most(HASHED, "2 hashed fields", "a rule has at most 2 of hash, mac and pow", &|f| f.kind.letter().is_some());
    at_most(1, "one mac", "a rule has at most one mac field", &|f| matches!(f.kind, Kind::Mac { .. }));
    at_most(1, "one keyid", "a rule has at most one keyid field", &|f| f.kind == Kind::KeyId);
    at_most(1, "one field of width *", "give all fields but one a number of bits", &|f| f.width == Width::Rest);
    if rule.mac().is_none()
        && let Some(field) = rule.fields.iter().find(|field| field.kind == Kind::KeyId)
    {
        let help = "add a mac field whose key it numbers, or use any";
        errors.push(RuleError::new(field.span.clone(), "keyid without a mac", help));
    }
    errors
}

fn field(piece: &Piece<'_>) -> Result<Field, RuleError> {
    let form = "a field is KIND:WIDTH or KIND(ARGUMENTS):WIDTH, and one space stands between two fields";
    if piece.text.is_empty() {
        let at = piece.at.saturating_sub(1);
        return Err(RuleError::new(at..at + 1, "a space too many", form));
    }
    let Some(colon) = piece.text.rfind(':') else {
        return Err(piece.error(format!("field `{}` has no width", Quoted(piece.text)), form));
    };
    let (head, width) = piece.parts(colon);
    let (name, arguments) = match head.text.find('(') {
        None => (head, None),
        Some(open) if head.text.ends_with(')') => {
            let (name, mut rest) = head.parts(open);
            rest.text = &rest.text[..rest.text.len() - 1];
            (name, Some(rest))
        }
        Some(_) => return Err(head.error(format!("`{}` has no closing bracket", Quoted(head.text)), form)),
    };
    let arguments = arguments.map(|inside| inside.split(',').collect::<Vec<_>>()).unwrap_or_default();
    Ok(Field {
        kind: kind(&name, Arguments::new(name.clone(), arguments))?,
        width: parse_width(&width)?,
        span: piece.span(),
    })
}

fn parse_width(piece: &Piece<'_>) -> Result<Width, RuleError> {
    if piece.text == "*" {
        return Ok(Width::Rest);
    }
    let short = matches!(piece.text.len(), 1..=3) && piece.text.bytes().all(|octet| octet.is_ascii_digit());
    match piece.text.parse() {
        Ok(bits @ 1..=112) if short => Ok(Width::Bits(bits)),
        _ => Err(piece.error(
            format!("`{}` is not a width", Quoted(piece.text)),
            "a width is 1 to 112 bits, or * for what the other fields leave",
        )),
    }
}

fn kind(name: &Piece<'_>, mut arguments: Arguments<'_>) -> Result<Kind, RuleError> {
    let kind = match name.text {
        "any" => Kind::Any,
        "const" => Kind::Const(arguments.hexadecimal()?),
        "src" => Kind::Src(arguments.copied()?),
        "object" => Kind::Object(arguments.copied()?),
        "hash" => Kind::Hash { source_bits: arguments.number("P, the source bits", 1, 128)? },
        "mac" => Kind::Mac {
            source_bits: arguments.number("P, the source bits", 1, 128)?,
            key: arguments.key()?,
            period: arguments.period()?,
        },
        "pow" => Kind::Pow {
            source_bits: arguments.number("P, the source bits", 1, 64)?,
            zeros: arguments.zeros()?,
            period: arguments.period()?,
        },
        "replica" => Kind::Replica { count: arguments.number("K, the replicas", 1, u32::MAX)? },
        "keyid" => Kind::KeyId,
        other => return Err(name.error(format!("`{}` is not a kind of field", Quoted(other)), KINDS)),
    };
    arguments.end()?;
    Ok(kind)
}
