//! In: a step in words and the command that does it. Out: one line before it starts, a spinner while it runs on a
//! terminal, its output in a log; on failure the name of that log and its end.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, thread};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use xshell::{Cmd, Shell};

const SPINNER_AFTER: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(50);
const TAIL_LINES: usize = 15;

/// Where the steps of one task are told and logged.
pub(crate) struct Progress {
    task: &'static str,
    log: PathBuf,
}

impl Progress {
    /// Starts the log of `task` afresh.
    pub(crate) fn start(sh: &Shell, task: &'static str) -> Result<Self> {
        let log = scratch_dir(sh)?.join(format!("{task}.log"));
        File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        Ok(Self { task, log })
    }

    /// One line to the person who waits.
    pub(crate) fn say(&self, line: &str) {
        eprintln!("{}: {line}", self.task);
    }

    /// Says what is done, then does it.
    pub(crate) fn step(&self, what: &str, cmd: Cmd<'_>) -> Result<()> {
        self.say(what);
        let shown = cmd.to_string();
        let status = self.run_logged(&shown, cmd.into()).with_context(|| format!("cannot run `{shown}`"))?;
        if status.success() {
            return Ok(());
        }
        bail!("`{shown}` failed ({status}); {} ends:\n{}", self.log.display(), tail(&self.log))
    }

    fn run_logged(&self, shown: &str, mut command: Command) -> Result<ExitStatus> {
        let mut log = File::options().append(true).open(&self.log)?;
        writeln!(log, "$ {shown}")?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn()?;

        let spinner = ProgressBar::new_spinner()
            .with_style(ProgressStyle::with_template("       {spinner} {elapsed}").expect("a fixed template"));
        let mut waited = Duration::ZERO;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            thread::sleep(POLL);
            waited += POLL;
            if waited > SPINNER_AFTER {
                spinner.tick();
            }
        };
        spinner.finish_and_clear();
        Ok(status)
    }
}

/// The folder for what tasks leave behind; below the target folder, and so never in the repository.
fn scratch_dir(sh: &Shell) -> Result<PathBuf> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let dir = sh.current_dir().join(target).join("xtask");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(TAIL_LINES);
    lines[first..].iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
