//! README.md and the documents with walks in; their walks run in a fresh namespace, and what they show held against what is said.
//!
//! A block that begins with `sh walk` is run by bash, in order, in one folder; `exit=N` is the exit code of its last
//! command. The `text` block after it shows lines of what it prints: numbers may differ, and `…` ends a line early.

use std::{fs, path::Path};

use ssa_common::layout;
use ssa_tests::ssa_ctl;

use crate::place::Place;

const DOCUMENTS: [&str; 13] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/clients.md",
    "docs/config.md",
    "docs/dns.md",
    "docs/load-sharing.md",
    "docs/metrics.md",
    "docs/operate.md",
    "docs/queue.md",
    "docs/rules.md",
    "docs/slices.md",
    "docs/speed.md",
    "docs/testing.md",
];

/// Commands that no walk runs: they build, install, or open a shell for the reader.
const NOT_RUN: [&str; 16] = [
    "cargo xtask ",
    "sudo env \"PATH=$PATH\" \"HOME=$HOME\" cargo xtask ",
    "cargo build --release --package ssa-ctl",
    "sudo install target/release/ssa-ctl /usr/local/sbin/",
    "mkdir ssa-try && cd ssa-try",
    "printf '",
    "sudo unshare --net bash",
    "sudo install -m 0644 deploy/systemd/ssa-metrics.service /etc/systemd/system/",
    "sudo systemctl enable --now ssa-metrics.service",
    "sudo install -m 0644 deploy/systemd/ssa-detect.service /etc/systemd/system/",
    "sudo systemctl enable --now ssa-detect.service",
    "sudo install -m 0644 deploy/systemd/ssa-client@.service /etc/systemd/system/",
    "sudo systemctl enable --now ssa-client@",
    "sudo install -d -m 0700 /etc/ssa && cd /etc/ssa",
    "ssa-ctl ",
    "sudo rm ",
];

/// A fenced block.
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn read(document: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (line, content) in (1..).zip(text.lines()) {
        match (content.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => open = Some(Block { line, info: info.into(), text: String::new() }),
            (None, Some(block)) => {
                block.text.push_str(content);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The exit code that a block of a walk ends with; none for other blocks.
fn exit_code(info: &str) -> Option<i32> {
    let rest = info.strip_prefix("sh walk")?.trim();
    Some(if rest.is_empty() { 0 } else { rest.strip_prefix("exit=").and_then(|code| code.parse().ok()).expect(info) })
}

/// The first line shown that is not said, where those before it are.
fn missing<'a>(shown: &'a str, said: &str) -> Option<&'a str> {
    let mut said = said.lines();
    let mut shown = shown.lines().filter(|line| !line.trim().is_empty());
    shown.find(|line| !said.any(|other| alike(line, other)))
}

fn alike(shown: &str, said: &str) -> bool {
    let number = |word: &str| word.trim_matches(['+', '-', '(', ')', ',']).parse::<f64>().is_ok();
    let (mut shown, mut said) = (shown.split_whitespace(), said.split_whitespace());
    loop {
        match (shown.next(), said.next()) {
            (Some("…"), Some(_)) | (None, None) => return true,
            (Some(one), Some(other)) if one == other || number(one) && number(other) => {}
            _ => return false,
        }
    }
}

/// Runs the walk of a document.
fn walk(document: &str) {
    let text = read(document);
    let blocks = blocks(&text);
    let place = Place::new();
    let mut steps = 0;
    for (index, block) in blocks.iter().enumerate() {
        let Some(code) = exit_code(&block.info) else { continue };
        steps += 1;
        let (left, said) = place.run(&block.text);
        let at = format!("{document}:{}\n{}", block.line, block.text);
        assert_eq!(left, Some(code), "{at}says:\n{said}");
        if let Some(shown) = blocks.get(index + 1).filter(|next| next.info == "text")
            && let Some(line) = missing(&shown.text, &said)
        {
            panic!("{at}does not say `{}` there, but:\n{said}", line.trim());
        }
    }
    assert!(steps > 2, "{document} has {steps} steps");
    assert!(!place.has_pins(), "{document} leaves its pins");
}

#[test]
fn the_walk_of_the_readme_goes_as_it_says() {
    walk("README.md");
}

#[test]
fn the_walk_of_the_operators_goes_as_it_says() {
    walk("docs/operate.md");
}

#[test]
fn the_walk_of_the_clients_goes_as_it_says() {
    walk("docs/clients.md");
}

#[test]
fn the_walk_of_the_endpoints_goes_as_it_says() {
    walk("docs/slices.md");
}

#[test]
fn the_walk_of_the_queues_goes_as_it_says() {
    walk("docs/queue.md");
}

#[test]
fn the_walk_of_the_dns_goes_as_it_says() {
    walk("docs/dns.md");
}

#[test]
fn the_layout_version_that_is_shown_is_ours() {
    const WORDS: &str = "layout version ";
    let mut found = 0;
    for document in DOCUMENTS {
        for line in read(document).lines() {
            let Some((_, rest)) = line.split_once(WORDS) else { continue };
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if !digits.is_empty() {
                assert_eq!(digits, layout::VERSION.to_string(), "{document}: {line}");
                found += 1;
            }
        }
    }
    assert!(found >= 2, "{found}");
}

#[test]
fn no_command_is_shown_that_nobody_knows() {
    for document in DOCUMENTS {
        let text = read(document);
        for block in blocks(&text).iter().filter(|block| block.info == "sh") {
            for line in block.text.lines().filter(|line| !line.starts_with('#')) {
                assert!(NOT_RUN.iter().any(|known| line.starts_with(known)), "{document}:{}: {line}", block.line);
            }
        }
    }
}

/// What the documents have between backquotes, or in a line of a shell block, that begins with these words.
fn shown(start: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for document in DOCUMENTS {
        let text = read(document);
        let inline = text.split('`').filter(|part| !part.contains('\n'));
        let lines = text.lines();
        let both = inline.chain(lines).filter(|part| part.starts_with(start));
        found.extend(both.map(|part| (document, part.to_owned())));
    }
    found
}

#[test]
fn every_command_of_ours_that_is_shown_exists() {
    let commands = shown("ssa-ctl ");
    assert!(commands.len() > 20, "{}", commands.len());
    for (document, line) in commands {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        // The words of a command: those of `endpoint host on` are three.
        let depth = match words[0] {
            "endpoint" => 3,
            "block" | "client" | "dns" | "key" | "slice" => 2,
            _ => 1,
        };
        let names = words.iter().take(depth).take_while(|word| !word.starts_with('-'));
        let output = ssa_ctl().args(names).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{document}: {line}");
        let options = words.iter().filter(|word| word.starts_with("--"));
        for option in options {
            assert!(help.contains(option.split('=').next().unwrap()), "{document}: {line}: no {option}");
        }
    }
}

#[test]
fn every_task_that_is_shown_exists() {
    let source = read("xtask/src/main.rs");
    let tasks = source.split_once("enum Task {").expect("the tasks").1.split("\n}").next().unwrap().to_lowercase();
    let tasks: Vec<&str> = tasks.lines().map(|line| line.trim().trim_end_matches(',')).collect();
    let shown = shown("cargo xtask ");
    assert!(shown.iter().any(|(_, line)| line == "cargo xtask demo"));
    assert!(shown.iter().any(|(_, line)| line == "cargo xtask test"));
    for (document, line) in shown {
        let name = line.split_whitespace().nth(2).unwrap();
        let known = tasks.iter().any(|task| task.split('(').next() == Some(name));
        assert!(known, "{document}: {line}");
    }
}
