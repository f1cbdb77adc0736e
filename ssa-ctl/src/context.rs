//! The world as an argument: where a command writes, which pins it means, what time it is.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use comfy_table::{Table, presets::NOTHING};
use serde::Serialize;

/// What a command is given besides its arguments.
pub struct Context<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Warnings, progress and errors.
    pub err: &'a mut dyn Write,
    /// Results are one JSON object.
    pub json: bool,
    /// `err` is a terminal: progress may be drawn on it.
    pub terminal: bool,
    /// Where the pins are.
    pub pin_root: PathBuf,
    /// The time.
    pub now: SystemTime,
}

impl Context<'_> {
    /// Prints one JSON object.
    pub fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        // Whole: standard output hands each line to the kernel by itself, and there may be a hundred thousand.
        let text = serde_json::to_string_pretty(object)?;
        writeln!(self.out, "{text}")
    }

    /// Prints a table for people: a header and rows.
    pub fn table<const N: usize>(
        &mut self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(NOTHING).set_header(header);
        table.add_rows(rows);
        writeln!(self.out, "{}", table.trim_fmt())
    }

    /// Unix seconds.
    pub fn unix(&self) -> u64 {
        unix(self.now)
    }
}

/// Unix seconds of a moment.
pub fn unix(time: SystemTime) -> u64 {
    since_1970(time).as_secs()
}

/// The time since the begin of 1970; none before.
pub fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
