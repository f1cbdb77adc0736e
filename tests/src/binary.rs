//! Nothing in; the programs of this workspace, built, and a command that runs `ssa-ctl`, out.

use std::{
    env,
    path::{Path, PathBuf},
    process,
    sync::LazyLock,
    time::Duration,
};

use serde_json::Value;

/// Longest run of a command. Whoever waits longer hangs.
const LONGEST_RUN: Duration = Duration::from_mins(1);

/// The program, built once for each process of tests, as the tests themselves are.
static BINARY: LazyLock<PathBuf> = LazyLock::new(|| build(&["--package", "ssa-ctl", "--bin", "ssa-ctl"]));
/// The example server, likewise.
static UDP_ECHO: LazyLock<PathBuf> = LazyLock::new(|| build(&["--package", "ssa-tests", "--example", "udp_echo"]));

/// The example of content addressing, likewise.
static STORE: LazyLock<PathBuf> = LazyLock::new(|| build(&["--package", "ssa-store", "--bin", "ssa-store"]));

/// A run of `ssa-ctl`, which is killed after a minute.
pub fn ssa_ctl() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(BINARY.as_path());
    command.timeout(LONGEST_RUN).env_remove("SSA_LOG");
    command
}

/// Where the program is.
pub fn ssa_ctl_path() -> &'static Path {
    BINARY.as_path()
}

/// Where the example server `udp_echo` is.
pub fn udp_echo_path() -> &'static Path {
    UDP_ECHO.as_path()
}

/// Where the example of content addressing `ssa-store` is.
pub fn ssa_store_path() -> &'static Path {
    STORE.as_path()
}

fn build(what: &[&str]) -> PathBuf {
    // TARGET/PROFILE/deps/NAME
    let tests = env::current_exe().expect("a process knows its program");
    let profile = tests.ancestors().nth(2).expect("cargo puts tests into a folder");
    let target = profile.parent().expect("cargo puts profiles into a folder");
    let mut cargo = process::Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--message-format", "json"]).args(what);
    cargo.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{what:?} cannot be built:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    };
    messages.lines().filter_map(executable).next_back().expect("cargo says where it put the program")
}
