//! In: one Markdown file, and the names of all. Out: complaints about links to files and headings that are not there.

use std::collections::HashMap;

use super::{Complaint, File};

/// Links to the outside are not followed.
pub(super) fn check(file: &File, files: &[File]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (line, target) in links(&file.text) {
        if target.contains(':') {
            continue;
        }
        let (path, heading) = target.split_once('#').unwrap_or((target, ""));
        let Some(path) = resolve(&file.path, path) else {
            complaints.push(file.complaint(line, format!("the link {target} leaves the repository")));
            continue;
        };
        let there = files.iter().find(|other| other.path == path);
        let folder = path.is_empty() || files.iter().any(|other| other.path.starts_with(&format!("{path}/")));
        if there.is_none() && !folder {
            complaints.push(file.complaint(line, format!("the link {target} leads nowhere: there is no {path}")));
        } else if !heading.is_empty() && !there.is_some_and(|other| headings(&other.text).any(|found| found == heading))
        {
            complaints.push(file.complaint(line, format!("the link {target} leads nowhere: no such heading")));
        }
    }
    complaints
}

/// Line and target of `[text](target "title")` and `[name]: target`, outside code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        if let Some((name, target)) = line.split_once("]: ")
            && name.starts_with('[')
        {
            found.extend(first_word(target).map(|target| (number, target)));
        }
        for (at, _) in line.match_indices("](") {
            let inside = &line[at + 2..];
            let in_code = line[..at].matches('`').count() % 2 == 1;
            if let Some((target, _)) = inside.split_once(')')
                && !in_code
            {
                found.extend(first_word(target).map(|target| (number, target)));
            }
        }
    }
    found
}

/// The anchors that GitHub makes: small letters, no punctuation, hyphens for spaces, numbers for repetitions.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    prose(text).filter(|(_, line)| line.starts_with('#')).map(move |(_, line)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let anchor: String = title
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let before = seen.entry(anchor.clone()).or_default();
        *before += 1;
        if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
    })
}

/// The lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// `target` as seen from the file `from`, as a path from the root; none if it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn first_word(target: &str) -> Option<&str> {
    target.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::check;

    #[test]
    fn links_lead_somewhere() {
        let files = [
            file("README.md", ""),
            file("docs/rules.md", "# The `src` field, in full\n# Twice\n# Twice\n```\n# not one\n```\n"),
        ];
        let good = "[a](rules.md) [b](../README.md \"title\") [c](rules.md#the-src-field-in-full) [d](../docs/)\n\
                    [e](https://example.org/x) `[f](nowhere)` [g](rules.md#twice-1)\n```\n[h](nowhere)\n```\n";
        assert!(check(&file("docs/config.md", good), &files).is_empty());
        let bad = "# Here\n[a](rule.md)\n[b](#here)\n[c]: gone.md\n[d](rules.md#not-one) [e](../../x)\n";
        let this = || file("docs/config.md", bad);
        let [readme, rules] = files;
        assert_eq!(
            said(check(&this(), &[readme, rules, this()])),
            [
                "docs/config.md:2: the link rule.md leads nowhere: there is no docs/rule.md",
                "docs/config.md:4: the link gone.md leads nowhere: there is no docs/gone.md",
                "docs/config.md:5: the link rules.md#not-one leads nowhere: no such heading",
                "docs/config.md:5: the link ../../x leaves the repository",
            ]
        );
    }
}
