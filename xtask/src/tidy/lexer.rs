//! In: Rust source. Out: the same lines with comments, or comments and literals, turned into spaces; so that a word that
//! is found is code.

/// Source in which only code is left.
pub(super) fn code_only(source: &str) -> String {
    blank(source, |part| part == Part::Code)
}

/// Source in which code and literals are left.
pub(super) fn without_comments(source: &str) -> String {
    blank(source, |part| part != Part::Comment)
}

/// Is `word` in this line, and not as a part of a longer one?
pub(super) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

fn blank(source: &str, keep: impl Fn(Part) -> bool) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let (part, end) = next_part(&chars, at);
        for &c in &chars[at..end] {
            out.push(if c == '\n' || keep(part) { c } else { ' ' });
        }
        at = end;
    }
    out
}

/// The part that begins at `at`, and where it ends. Code comes word by word.
fn next_part(chars: &[char], at: usize) -> (Part, usize) {
    let rest = &chars[at..];
    match rest {
        ['/', '/', ..] => (Part::Comment, at + line_length(rest)),
        ['/', '*', ..] => (Part::Comment, at + block_comment_length(rest)),
        ['"', ..] => (Part::Literal, at + string_length(rest)),
        ['\'', '\\', ..] => (Part::Literal, at + quoted_length(rest, '\'')),
        // A lifetime has no closing quote after one character.
        ['\'', _, '\'', ..] => (Part::Literal, at + 3),
        [first, ..] if is_word(*first) => {
            let word = rest.iter().take_while(|c| is_word(**c)).count();
            let prefix: String = rest[..word].iter().collect();
            match raw_string_length(&rest[word..]) {
                Some(length) if matches!(prefix.as_str(), "r" | "br" | "cr") => (Part::Literal, at + word + length),
                _ => (Part::Code, at + word),
            }
        }
        _ => (Part::Code, at + 1),
    }
}

fn line_length(rest: &[char]) -> usize {
    rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn block_comment_length(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(rest: &[char]) -> usize {
    quoted_length(rest, '"')
}

/// From the opening quote to behind the closing one; a backslash takes the next character with it.
fn quoted_length(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// What follows an `r`: hashes, a quote, and the text up to a quote with as many hashes.
fn raw_string_length(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    if rest.get(hashes) != Some(&'"') {
        return None;
    }
    let mut closing = vec!['"'];
    closing.extend(vec!['#'; hashes]);
    let body = &rest[hashes + 1..];
    let end = body.windows(closing.len()).position(|window| *window == closing[..]);
    Some(end.map_or(rest.len(), |end| hashes + 1 + end + closing.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{code_only, has_word, without_comments};

    #[test]
    fn comments_and_literals_go_and_lines_stay() {
        let source = "a(\"x // y\"); // z\nb('c'); /* d /* e */\nf */ g::<'h>()";
        assert_eq!(code_only(source), "a(        );     \nb(   );             \n     g::<'h>()");
        assert_eq!(without_comments(source), "a(\"x // y\");     \nb('c');             \n     g::<'h>()");
    }

    #[test]
    fn escapes_and_raw_strings_end_where_rust_ends_them() {
        assert_eq!(code_only(r#"("\"", '\'', b'"') x"#).trim_end(), "(    ,     , b   ) x");
        assert_eq!(code_only("r#\"a\"b\"# x").trim_start(), "x");
        assert_eq!(code_only("r#type x"), "r#type x");
        assert_eq!(code_only("\"open").trim(), "");
    }

    #[test]
    fn a_word_is_not_a_part_of_one() {
        assert!(has_word("pub unsafe fn", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
    }
}
