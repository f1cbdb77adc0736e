//! In: the root Cargo.toml and ARCHITECTURE.md. Out: complaints about dependencies that the latter does not mention.

use super::{Complaint, File};

const MANIFEST: &str = "Cargo.toml";
const DOCUMENT: &str = "ARCHITECTURE.md";

/// What we depend on is a decision, and has its line in the document.
pub(super) fn check(files: &[File]) -> Vec<Complaint> {
    let named = |path: &str| files.iter().find(|file| file.path == path);
    let Some(manifest) = named(MANIFEST) else {
        return Vec::new();
    };
    let document = named(DOCUMENT).map_or("", |file| &file.text);
    dependencies(&manifest.text)
        .filter(|(_, name)| !document.contains(&format!("`{name}`")))
        .map(|(line, name)| manifest.complaint(line, format!("{DOCUMENT} does not mention `{name}`")))
        .collect()
}

/// Line and name of each entry under `[workspace.dependencies]`.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(manifest.lines())
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .filter_map(|(number, line)| Some((number, line.split_once('=')?.0.split('.').next()?.trim())))
        .filter(|(_, key)| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::check;

    #[test]
    fn every_dependency_has_its_line() {
        let manifest =
            "[workspace.dependencies]\na-b = { version = \"1\" }\n# c = 1\nd.version = \"1\"\n\n[profile.dev]\ne = 1\n";
        let files = [file("Cargo.toml", manifest), file("ARCHITECTURE.md", "| `d` | reads |\n")];
        assert_eq!(said(check(&files)), ["Cargo.toml:2: ARCHITECTURE.md does not mention `a-b`"]);
        assert_eq!(check(&files[..1]).len(), 2);
    }
}
