//! Sentences in; text for people out: wrapped, coloured on a terminal, or nothing at all where JSON is wanted.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const WIDTH: usize = 96;

/// Where the story goes.
#[derive(Clone, Copy, Debug)]
pub struct Tell {
    silent: bool,
    styled: bool,
}

impl Tell {
    /// On standard output; `silent` where that is for JSON.
    pub fn new(silent: bool) -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { silent, styled: wanted && io::stdout().is_terminal() }
    }

    /// A chapter begins.
    pub fn headline(&self, text: &str) {
        self.print(&format!("\n{}\n\n", self.bold(text)));
    }

    /// A paragraph.
    pub fn sentence(&self, text: &str) {
        for line in wrap(text, WIDTH) {
            self.print(&format!("{line}\n"));
        }
    }

    /// What was done and what came of it.
    pub fn outcome(&self, right: bool, text: &str) {
        let mark = if right { self.painted("32", "ok") } else { self.painted("1;31", "WRONG") };
        for (number, line) in wrap(text, WIDTH - 4).into_iter().enumerate() {
            self.print(&if number == 0 { format!("  {mark}  {line}\n") } else { format!("      {line}\n") });
        }
    }

    /// What another program said, as it said it.
    pub fn quote(&self, text: &str) {
        for line in text.lines() {
            let line = if line.is_empty() { String::new() } else { format!("      {}", self.painted("2", line)) };
            self.print(&format!("{line}\n"));
        }
    }

    /// Whether nobody is told anything.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// A step that may take longer than a second: shown while it lasts, on a terminal.
    pub fn progress(&self, what: &'static str, length: u64) -> ProgressBar {
        if self.silent {
            return ProgressBar::hidden();
        }
        let template = if length > 0 { "      {spinner} {msg} {pos}/{len}" } else { "      {spinner} {msg}" };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        // On anything but a terminal it draws nothing.
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr()).with_style(style);
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// Text in bold, where there are colours.
    pub fn bold(&self, text: &str) -> String {
        self.painted("1", text)
    }

    fn painted(self, code: &str, text: &str) -> String {
        if self.styled { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Whoever reads no more (`| head`) does not keep the demo from taking everything down.
    pub fn print(&self, text: &str) {
        if !self.silent {
            let _ = io::stdout().lock().write_all(text.as_bytes());
        }
    }
}

/// Lines of at most `width` characters, broken at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("endless", 3), ["endless"]);
    }
}
