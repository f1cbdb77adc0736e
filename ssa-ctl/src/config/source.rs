//! A path in; the text of a config file, and where in it an octet stands, out.

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};

use super::fault::{Fault, Faults};

/// Octets of a config file, at most.
pub const MAX_OCTETS: usize = 1 << 20;

/// A config as text, and where it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// A place in a text as people count: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl Source {
    /// Reads a file: a regular one of at most [`MAX_OCTETS`], in UTF-8. A byte order mark is left away.
    ///
    /// # Errors
    /// Where the file cannot be a config, whatever its text means.
    pub fn read(path: &Path) -> Result<Self, Faults> {
        let octets =
            octets(path).map_err(|fault| Faults::one(Self { path: path.into(), text: String::new() }, fault))?;
        let too_long = octets.len() > MAX_OCTETS;
        let bad = std::str::from_utf8(&octets).err().map(|error| error.valid_up_to());
        let text = String::from_utf8_lossy(&octets);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        let mark = octets.len().min(3) * usize::from(octets.starts_with("\u{feff}".as_bytes()));
        let fault = if too_long {
            let end = text.floor_char_boundary(MAX_OCTETS);
            Some(Fault::error(end..end, "the file has more than 1 MiB", "a config has at most 1 MiB"))
        } else {
            bad.map(|at| not_utf8(at - mark, octets[at])).or_else(|| control_character(&text))
        };
        let source = Self { path: path.into(), text };
        fault.map_or(Ok(source.clone()), |fault| Err(Faults::one(source, fault)))
    }

    /// Line and column of an octet of the text.
    pub fn position(&self, octet: usize) -> Position {
        let before = &self.text[..self.text.floor_char_boundary(octet)];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }

    /// The line that `octet` stands in, without its end.
    pub(super) fn line(&self, octet: usize) -> Range<usize> {
        let octet = self.text.floor_char_boundary(octet);
        let start = self.text[..octet].rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[octet..].find('\n').map_or(self.text.len(), |end| octet + end);
        start..start + self.text[start..end].trim_end_matches('\r').len()
    }
}

/// Opens a file; none where it is not a regular one, such as a FIFO. Never waits.
///
/// # Errors
/// Where there is none, or it may not be read.
pub fn open_regular(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file: File = rustix::fs::open(path, flags, Mode::empty())?.into();
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Reads one octet more than a config may have, so that longer files can be told.
fn octets(path: &Path) -> Result<Vec<u8>, Fault> {
    let cannot = |reason: io::Error| {
        Fault::nowhere(format!("the file cannot be read: {reason}"), "give the path of a config file in TOML")
    };
    let Some(file) = open_regular(path).map_err(cannot)? else {
        let kind = "the path is not that of a regular file";
        return Err(Fault::nowhere(kind, "folders, pipes and devices are not read: give a file in TOML"));
    };
    let mut octets = Vec::new();
    file.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets).map_err(cannot)?;
    Ok(octets)
}

fn not_utf8(at: usize, octet: u8) -> Fault {
    let length = char::REPLACEMENT_CHARACTER.len_utf8();
    let message = format!("the octet {octet:#04x} is not UTF-8 here");
    Fault::error(at..at + length, message, "a config is TOML text in UTF-8: is this the right file?")
}

/// TOML has control characters nowhere (v1.0.0, "Spec"); said once, and not once for each of a binary file.
pub(super) fn control_character(text: &str) -> Option<Fault> {
    let bad = |c: &char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
    let (at, found) = text.char_indices().find(|(_, c)| bad(c))?;
    let message = format!("the control character {:#04x} cannot stand in a config", u32::from(found));
    Some(Fault::error(at..at + 1, message, "a config is TOML text: is this the right file?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = Source { path: PathBuf::new(), text: "a = 1\r\nbä = 2\n".into() };
        let at = |octet| {
            let Position { line, column } = source.position(octet);
            (line, column)
        };
        assert_eq!((at(0), at(5), at(7), at(8), at(10)), ((1, 1), (1, 6), (2, 1), (2, 2), (2, 3)));
        assert_eq!(at(1000), (3, 1));
        assert_eq!(&source.text[source.line(3)], "a = 1");
        assert_eq!(&source.text[source.line(9)], "bä = 2");
    }
}
