//! In: the files that git tracks. Out: a line `path:line: message` for each thing that clippy cannot say, and an error if
//! there was one.

mod actions;
mod dependencies;
mod lexer;
mod links;
mod source;
mod text;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

/// The only files that may say `unsafe`. A name that needs no place here any more must leave it.
const UNSAFE_FILES: &[&str] = &[
    "ssa-client/c/src/border.rs",
    "ssa-ctl/build.rs",
    "ssa-ctl/src/kernel/sys.rs",
    "ssa-ebpf/src/client.rs",
    "ssa-ebpf/src/clock.rs",
    "ssa-ebpf/src/counters.rs",
    "ssa-ebpf/src/events.rs",
    "ssa-ebpf/src/hops.rs",
    "ssa-ebpf/src/image.rs",
    "ssa-ebpf/src/known.rs",
    "ssa-ebpf/src/lookup.rs",
    "ssa-ebpf/src/maps.rs",
    "ssa-ebpf/src/mark.rs",
    "ssa-ebpf/src/outline/address.rs",
    "ssa-ebpf/src/outline/layers.rs",
    "ssa-ebpf/src/outline/onward.rs",
    "ssa-ebpf/src/outline/rule.rs",
    "ssa-ebpf/src/outline/suspect.rs",
    "ssa-ebpf/src/packet.rs",
    "ssa-ebpf/src/refused.rs",
    "ssa-ebpf/src/shares.rs",
    "ssa-ebpf/src/sockets.rs",
    "ssa-ebpf/src/suspects.rs",
];

/// Texts that are kept word for word as others wrote them.
const VERBATIM: &[&str] = &["LICENSE-APACHE", "LICENSES/GPL-2.0-only.txt"];

/// A text file of the repository.
struct File {
    /// From the root, with `/`.
    path: String,
    text: String,
}

/// Something to put right.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Complaint {
    path: String,
    line: usize,
    message: String,
}

/// Prints all complaints.
pub(crate) fn run(sh: &Shell) -> Result<()> {
    let files = tracked_files(sh)?;
    let complaints = inspect(&files);
    for complaint in &complaints {
        println!("{complaint}");
    }
    match complaints.len() {
        0 => println!("tidy: {} files, nothing to say", files.len()),
        n => bail!("tidy has {n} complaints"),
    }
    Ok(())
}

fn inspect(files: &[File]) -> BTreeSet<Complaint> {
    let mut complaints = BTreeSet::new();
    for file in files {
        if !VERBATIM.contains(&file.path.as_str()) {
            complaints.extend(text::check(file));
        }
        if file.has_extension("rs") {
            complaints.extend(source::check(file, UNSAFE_FILES));
        }
        if file.has_extension("md") {
            complaints.extend(links::check(file, files));
        }
    }
    complaints.extend(source::check_list(files, UNSAFE_FILES));
    complaints.extend(actions::check(files));
    complaints.extend(dependencies::check(files));
    complaints
}

/// Binary files, and files deleted but not yet committed so, are left out.
fn tracked_files(sh: &Shell) -> Result<Vec<File>> {
    let root = sh.current_dir();
    // A checkout may belong to somebody else than root, who runs the tests.
    let safe = format!("safe.directory={}", root.display());
    let list = cmd!(sh, "git -c {safe} ls-files -z").quiet().read().context("cannot list the tracked files")?;
    let mut files = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        let full: PathBuf = root.join(path);
        if !full.is_file() {
            continue;
        }
        let bytes = fs::read(&full).with_context(|| format!("cannot read {path}"))?;
        if let Ok(text) = String::from_utf8(bytes)
            && !text.contains('\0')
        {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

impl File {
    fn has_extension(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
    }

    /// `line` counts from 1.
    fn complaint(&self, line: usize, message: impl Into<String>) -> Complaint {
        Complaint { path: self.path.clone(), line, message: message.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, File};

    /// A file of the checks' own tests.
    pub(super) fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    /// Lines and messages, as the tests compare them.
    pub(super) fn said(complaints: impl IntoIterator<Item = Complaint>) -> Vec<String> {
        complaints.into_iter().map(|complaint| complaint.to_string()).collect()
    }

    #[test]
    fn a_complaint_can_be_clicked() {
        assert_eq!(file("a/b.rs", "").complaint(7, "no").to_string(), "a/b.rs:7: no");
    }
}
