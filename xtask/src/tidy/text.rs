//! In: one text file. Out: complaints about its line ends, and about names of places that only one machine has.

use super::{Complaint, File};

/// Folders of somebody's machine.
const MACHINE_PATHS: [&str; 3] = ["/work/", "/root/", "/home/"];
/// Where packages come from is the business of a machine's own set-up, and no program's or document's.
const REGISTRIES: [&str; 10] = [
    "deb.debian.org",
    "files.pythonhosted.org",
    "index.crates.io",
    "proxy.golang.org",
    "pypi.org",
    "registry.npmjs.org",
    "security.debian.org",
    "snapshot.debian.org",
    "static.crates.io",
    "static.rust-lang.org",
];
/// Made by cargo, and this file.
const MAY_NAME_PLACES: [&str; 2] = ["Cargo.lock", "xtask/src/tidy/text.rs"];

/// All complaints about one file.
pub(super) fn check(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        complaints.push(file.complaint(file.text.lines().count(), "no line end at the end of the file"));
    }
    if file.text.ends_with("\n\n") {
        complaints.push(file.complaint(file.text.lines().count(), "empty lines at the end of the file"));
    }
    for (number, line) in (1..).zip(file.text.split('\n')) {
        if line.ends_with('\r') {
            complaints.push(file.complaint(number, "the line ends in CR LF"));
        } else if line.ends_with([' ', '\t']) {
            complaints.push(file.complaint(number, "white space at the end of the line"));
        }
        if !MAY_NAME_PLACES.contains(&file.path.as_str()) {
            let paths = MACHINE_PATHS.iter().filter(|path| begins_a_path(line, path));
            let hosts = REGISTRIES.iter().filter(|host| line.contains(*host));
            complaints
                .extend(paths.chain(hosts).map(|place| file.complaint(number, format!("names a place: {place}"))));
        }
    }
    complaints
}

/// `/root/` in `/root/x`, and not in `docs/root/x`.
fn begins_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.}*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::check;

    #[test]
    fn line_ends_are_lf_with_nothing_before() {
        let text = "good\nspace \ntab\t\nreturn\r\nno end";
        assert_eq!(
            said(check(&file("a.md", text))),
            [
                "a.md:5: no line end at the end of the file",
                "a.md:2: white space at the end of the line",
                "a.md:3: white space at the end of the line",
                "a.md:4: the line ends in CR LF",
            ]
        );
        assert!(check(&file("a.md", "")).is_empty());
        assert_eq!(said(check(&file("a.md", "a\n\n"))), ["a.md:2: empty lines at the end of the file"]);
    }

    #[test]
    fn places_of_one_machine_are_not_named() {
        let text = "cd /work/x\ndocs/work/x\nhttps://pypi.org/simple\n$DIR/root/x\n${DIR}/root/x\n";
        assert_eq!(
            said(check(&file("a.sh", text))),
            ["a.sh:1: names a place: /work/", "a.sh:3: names a place: pypi.org"]
        );
        assert!(check(&file("Cargo.lock", text)).is_empty());
    }
}
