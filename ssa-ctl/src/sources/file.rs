//! A path in; the text of a file of source prefixes, and what each line of it has, out.

use std::{fs::File, io::Read, path::Path};

use anyhow::Context as _;
use ssa_common::layout::BLOCKS;

use crate::{
    config::Refusal,
    failure::{Code, Failure},
};

/// Octets of a file, at most.
const MOST_OCTETS: usize = 32 << 20;
/// Prefixes of a file, at most: as many as can be blocked.
pub const MOST: usize = BLOCKS;

/// Reads a file, or standard input where the path is `-`, as text in UTF-8. A byte order mark is left away.
///
/// # Errors
/// Where it cannot be read, is no text, or has more than 32 MiB: no more of it is read then.
pub fn read(path: &Path) -> Result<String, Failure> {
    if path.as_os_str() == "-" {
        return text(&mut std::io::stdin().lock(), "standard input");
    }
    let shown = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read {shown}"));
    text(&mut file.map_err(|error| Failure::from(error).code(Code::Invalid).hint(FORM))?, &shown)
}

const FORM: &str = "name a file of prefixes, one a line";

fn text(from: &mut dyn Read, shown: &str) -> Result<String, Failure> {
    let invalid = |error: anyhow::Error| Failure::from(error).code(Code::Invalid).hint(FORM);
    let mut octets = Vec::new();
    let read = from.take(MOST_OCTETS as u64 + 1).read_to_end(&mut octets);
    read.with_context(|| format!("cannot read {shown}")).map_err(invalid)?;
    if octets.len() > MOST_OCTETS {
        let message = format!("{shown} has more than {} MiB", MOST_OCTETS >> 20);
        return Err(Failure::new(Code::Invalid, message).hint("aggregate its prefixes, or split it"));
    }
    let mut text = String::from_utf8(octets).with_context(|| format!("{shown} is no text")).map_err(invalid)?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// The lines that have a prefix: its number, the prefix, and what stands behind `#` or `;`.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let (prefix, behind) = line.split_once(['#', ';']).unwrap_or((line, ""));
        let (prefix, behind) = (prefix.trim(), behind.trim());
        (!prefix.is_empty()).then_some((number, prefix, behind))
    })
}

/// A file that has more prefixes than can be.
pub fn too_many() -> Refusal {
    Refusal {
        message: format!("there are more than {MOST} prefixes"),
        help: "aggregate them, or take others away".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, repeat};

    use super::*;

    #[test]
    fn lines_are_read_whatever_ends_them() {
        let wanted = [(2, "2001:db8::/32", "ours; all"), (4, "::1", ""), (5, "x y", "")];
        for end in ["\n", "\r\n"] {
            let text = ["\u{feff}# a list", " 2001:db8::/32\t#ours; all ", "", "::1;", "x y"].join(end);
            let text = self::text(&mut Cursor::new(text), "it").unwrap();
            assert_eq!(lines(&text).collect::<Vec<_>>(), wanted);
        }
    }

    #[test]
    fn no_more_is_read_than_may_be() {
        let refused = |from: &mut dyn Read| {
            let failure = text(from, "it").unwrap_err();
            (failure.code, failure.error.to_string())
        };
        assert_eq!(refused(&mut repeat(0)), (Code::Invalid, "it has more than 32 MiB".to_owned()));
        assert_eq!(refused(&mut Cursor::new([b'a', 0xff])), (Code::Invalid, "it is no text".to_owned()));
        assert_eq!(text(&mut repeat(b'#').take(32 << 20), "it").unwrap().len(), 32 << 20);
        let failure = read(Path::new("/nowhere/never.txt")).unwrap_err();
        assert_eq!(failure.error.to_string(), "cannot read /nowhere/never.txt");
    }
}
