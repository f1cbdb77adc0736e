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
static BINARY: LazyLock<PathBuf> = LazyLock::new(|| program(&["--package", "ssa-ctl", "--bin", "ssa-ctl"]));
/// The example server, likewise.
static UDP_ECHO: LazyLock<PathBuf> = LazyLock::new(|| program(&["--package", "ssa-tests", "--example", "udp_echo"]));
/// The client's library for C, likewise.
static C_LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let files = build(&["--package", "ssa-client-c"], |message| message["filenames"].as_array().cloned());
    let is_library = |path: &PathBuf| path.file_name().is_some_and(|name| name == "libssa_client.so");
    let mut files = files.iter().flatten().filter_map(Value::as_str).map(PathBuf::from);
    files.find(is_library).expect("cargo says where it put the library")
});

/// The example of content addressing, likewise.
static STORE: LazyLock<PathBuf> = LazyLock::new(|| program(&["--package", "ssa-store", "--bin", "ssa-store"]));

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

/// Where the client's library for C is.
pub(crate) fn c_library_path() -> &'static Path {
    C_LIBRARY.as_path()
}

/// Where the example of content addressing `ssa-store` is.
pub fn ssa_store_path() -> &'static Path {
    STORE.as_path()
}

fn program(what: &[&str]) -> PathBuf {
    let programs = build(what, |message| Some(PathBuf::from(message["executable"].as_str()?)));
    programs.into_iter().next_back().expect("cargo says where it put the program")
}

/// What `take` finds in the messages of cargo, in their order.
fn build<T>(what: &[&str], take: impl Fn(&Value) -> Option<T>) -> Vec<T> {
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
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    messages.filter_map(|message: Value| take(&message)).collect()
}
