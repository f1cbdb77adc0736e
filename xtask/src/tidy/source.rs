//! In: one Rust file. Out: complaints about its first line, its length, and what it must not say.

use super::lexer::{code_only, has_word, without_comments};
use super::{Complaint, File};

const LONG: usize = 300;
const LENGTH_REASON: &str = "//! Length: ";
const SLEEP_REASON: &str = "// sleep:";

/// What has no place in a finished file, and what to say of it.
const UNFINISHED: &[(&str, &str)] = &[
    ("todo!", "is not finished"),
    ("unimplemented!", "is not finished"),
    ("dbg!", "is left over from a search"),
    ("#[ignore", "hides a test: a skip is earned while running, printed and counted"),
];

/// The names that an error usually has.
const ERROR_NAMES: [&str; 3] = ["e", "err", "error"];
const FORMATTING: [&str; 3] = ["format!(", "anyhow!(", "bail!("];

/// All complaints about one file but those on the list of `unsafe` files itself.
pub(super) fn check(file: &File, unsafe_files: &[&str]) -> Vec<Complaint> {
    let mut complaints = header(file);
    complaints.extend(words(file, unsafe_files));
    complaints.extend(sleeps(file));
    complaints.extend(flattened_errors(file));
    complaints
}

/// The list of `unsafe` files names no other files than those.
pub(super) fn check_list(files: &[File], unsafe_files: &[&str]) -> Vec<Complaint> {
    let says_unsafe =
        |path: &str| files.iter().any(|file| file.path == path && has_word(&code_only(&file.text), "unsafe"));
    unsafe_files
        .iter()
        .filter(|path| !says_unsafe(path))
        .map(|path| Complaint {
            path: "xtask/src/tidy.rs".to_owned(),
            line: 1,
            message: format!("UNSAFE_FILES names {path}, which has no `unsafe`"),
        })
        .collect()
}

fn header(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    if !file.text.starts_with("//! ") {
        complaints.push(file.complaint(1, "begins without a `//!` line that says what comes in and what goes out"));
    }
    let length = file.text.lines().count();
    let mut doc = file.text.lines().take_while(|line| line.starts_with("//!"));
    if length > LONG && !doc.any(|line| line.starts_with(LENGTH_REASON)) {
        complaints.push(file.complaint(
            length,
            format!("{length} lines: split it where the second idea begins, or give the reason as `{LENGTH_REASON}…`"),
        ));
    }
    complaints
}

fn words(file: &File, unsafe_files: &[&str]) -> Vec<Complaint> {
    let may_be_unsafe = unsafe_files.contains(&file.path.as_str());
    let mut complaints = Vec::new();
    for (number, line) in numbered(&code_only(&file.text)) {
        if !may_be_unsafe && has_word(line, "unsafe") {
            complaints.push(file.complaint(number, "`unsafe` outside the files that xtask/src/tidy.rs names"));
        }
        for (word, why) in UNFINISHED.iter().filter(|(word, _)| has_start_of_word(line, word)) {
            complaints.push(file.complaint(number, format!("`{word}` {why}")));
        }
    }
    complaints
}

/// A test that sleeps waits too long or not long enough; one that must says why.
fn sleeps(file: &File) -> Vec<Complaint> {
    let code = code_only(&file.text);
    let tests_begin = if file.path.split('/').any(|part| part == "tests") {
        1
    } else {
        numbered(&code).find(|(_, line)| line.contains("#[cfg(test)]")).map_or(usize::MAX, |(number, _)| number)
    };
    let lines: Vec<&str> = file.text.lines().collect();
    let reason_at = |number: usize| {
        let above = lines[..number - 1].iter().rev().take_while(|line| line.trim_start().starts_with("//"));
        lines[number - 1].contains(SLEEP_REASON) || above.into_iter().any(|line| line.contains(SLEEP_REASON))
    };
    numbered(&code)
        .filter(|(number, line)| *number >= tests_begin && has_start_of_word(line, "sleep("))
        .filter(|(number, _)| !reason_at(*number))
        .map(|(number, _)| file.complaint(number, format!("a test sleeps without a reason: `{SLEEP_REASON} …`")))
        .collect()
}

/// `format!("{e}")` and its like: the causes of the error are lost.
fn flattened_errors(file: &File) -> Vec<Complaint> {
    let text = without_comments(&file.text);
    let code = code_only(&file.text);
    let mut complaints = Vec::new();
    for (at, _) in FORMATTING.iter().flat_map(|name| code.match_indices(name)) {
        // Both texts have the same characters, though not the same bytes.
        let start = code[..at].chars().count();
        let call: String = text.chars().skip(start).skip_while(|c| *c != '(').skip(1).collect();
        let Some(literal) = call.trim_start().strip_prefix('"').and_then(|call| call.split('"').next()) else {
            continue;
        };
        if ERROR_NAMES.iter().any(|name| literal.contains(&format!("{{{name}}}"))) {
            let line = code[..at].matches('\n').count() + 1;
            complaints.push(
                file.complaint(line, "an error's causes are lost in a text: add `.context(…)` to the error itself"),
            );
        }
    }
    complaints
}

/// Is `word` in this line, not as the end of a longer word? What follows is not asked.
fn has_start_of_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_'))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::{check, check_list};

    fn complaints(path: &str, text: &str) -> Vec<String> {
        said(check(&file(path, text), &["fenced.rs"]))
    }

    #[test]
    fn first_line_is_a_headline() {
        assert!(complaints("a.rs", "//! In: a. Out: b.\n").is_empty());
        assert!(complaints("a.rs", "use std::fmt;\n")[0].starts_with("a.rs:1: begins without"));
    }

    #[test]
    fn long_files_have_a_reason() {
        let body = "fn f() {}\n".repeat(300);
        assert!(complaints("a.rs", &format!("//! In.\n{body}"))[0].starts_with("a.rs:301: 301 lines"));
        assert!(complaints("a.rs", &format!("//! In.\n//! Length: a table.\n{body}")).is_empty());
        assert_eq!(complaints("a.rs", &format!("//! In.\n{body}//! Length: too late.\n")).len(), 1);
    }

    #[test]
    fn unsafe_is_fenced() {
        let text = "//! In.\n#![forbid(unsafe_code)] // unsafe\nunsafe fn f() {}\n";
        assert_eq!(complaints("a.rs", text), ["a.rs:3: `unsafe` outside the files that xtask/src/tidy.rs names"]);
        assert!(complaints("fenced.rs", text).is_empty());
    }

    #[test]
    fn the_fence_has_no_gaps() {
        let files = [file("a.rs", "unsafe {}"), file("b.rs", "// unsafe")];
        assert!(check_list(&files, &["a.rs"]).is_empty());
        assert_eq!(check_list(&files, &["b.rs", "c.rs"]).len(), 2);
    }

    #[test]
    fn nothing_unfinished() {
        let text = "//! In.\nfn f() { todo!() }\n#[ignore = \"slow\"]\nlet s = \"dbg!\";\nmy_dbg!();\n";
        let said = complaints("a.rs", text);
        assert_eq!(said.len(), 2);
        assert!(said[0].starts_with("a.rs:2: `todo!`") && said[1].starts_with("a.rs:3: `#[ignore`"));
    }

    #[test]
    fn tests_sleep_for_a_reason() {
        let asleep = "//! In.\nthread::sleep(SECOND);\n";
        assert_eq!(
            complaints("tests/net.rs", asleep),
            ["tests/net.rs:2: a test sleeps without a reason: `// sleep: …`"]
        );
        assert!(complaints("src/watch.rs", asleep).is_empty());
        assert_eq!(complaints("src/watch.rs", "//! In.\n#[cfg(test)]\nsleep(1)\n").len(), 1);
        let excused = "//! In.\n// sleep: the kernel says\n// nothing when it is done.\nthread::sleep(SECOND);\n";
        assert!(complaints("tests/net.rs", excused).is_empty());
    }

    #[test]
    fn errors_keep_their_causes() {
        assert_eq!(complaints("a.rs", "//! é\nanyhow!(\n    \"no: {e}\"\n)\n").len(), 1);
        assert_eq!(complaints("a.rs", "//! In.\nformat!(\"{error}\")\n").len(), 1);
        assert!(complaints("a.rs", "//! In.\nformat!(\"{e:#} {name}\")\n").is_empty());
        assert!(complaints("a.rs", "//! In.\n// format!(\"{e}\")\n").is_empty());
    }
}
