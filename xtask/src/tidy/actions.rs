//! In: the BPF crate. Out: complaints unless the XDP action codes are in exactly one of its files.

use super::lexer::{code_only, has_word};
use super::{Complaint, File};

const CRATE: &str = "ssa-ebpf/";
const CODES: [&str; 5] = ["XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT"];

/// Verdicts become actions in one place, so that each is counted on the way out.
pub(super) fn check(files: &[File]) -> Vec<Complaint> {
    let users: Vec<(&File, usize)> = files
        .iter()
        .filter(|file| file.path.starts_with(CRATE) && file.has_extension("rs"))
        .filter_map(|file| Some((file, first_use(&file.text)?)))
        .collect();
    match users.as_slice() {
        [_] => Vec::new(),
        [] => vec![Complaint {
            path: format!("{CRATE}src/main.rs"),
            line: 1,
            message: "no file of the crate turns verdicts into XDP action codes".to_owned(),
        }],
        many => {
            let message = format!("XDP action codes are in {} files, and belong in one", many.len());
            many.iter().map(|(file, line)| file.complaint(*line, message.clone())).collect()
        }
    }
}

fn first_use(text: &str) -> Option<usize> {
    let code = code_only(text);
    let mut lines = (1..).zip(code.lines());
    lines.find(|(_, line)| CODES.iter().any(|word| has_word(line, word))).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, said};
    use super::check;

    #[test]
    fn action_codes_are_in_one_file() {
        let exit = || file("ssa-ebpf/src/exit.rs", "\nxdp_action::XDP_PASS\n");
        let comment = file("ssa-ebpf/src/parse.rs", "// XDP_DROP\n");
        assert!(check(&[exit(), comment, file("tests/run.rs", "XDP_DROP")]).is_empty());
        assert_eq!(
            said(check(&[exit(), file("ssa-ebpf/src/main.rs", "XDP_DROP")])),
            [
                "ssa-ebpf/src/exit.rs:2: XDP action codes are in 2 files, and belong in one",
                "ssa-ebpf/src/main.rs:1: XDP action codes are in 2 files, and belong in one",
            ]
        );
        assert_eq!(check(&[]).len(), 1);
    }
}
