//! A document's script in; its exit code and what it said out, in a namespace and with pins and a cgroup that go with their owner.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use ssa_tests::{
    c::{Installed, root},
    net::{ControlGroup, Namespace, PinRoot, output_of},
    ssa_ctl_path,
};
use tempfile::TempDir;

/// Where the documents say that the pins are.
const PINS: &str = "/sys/fs/bpf/ssa";
/// Where they say that configs and keys are.
const FOLDER: &str = "/etc/ssa";
/// The namespace that walks make by name.
const CLIENT: &str = "ssa-client";
/// The cgroup that one of them makes.
const CGROUP: &str = "/sys/fs/cgroup/clients";

/// A place to run a walk, removed on drop.
pub struct Place {
    namespace: Namespace,
    pins: PinRoot,
    folder: TempDir,
    client: String,
    cgroup: ControlGroup,
    library: Option<Installed>,
}

impl Place {
    /// One where `ssa-ctl` is installed.
    pub fn new() -> Self {
        let namespace = Namespace::new("walk").unwrap();
        let pins = PinRoot::new();
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let program = folder.path().join("bin/ssa-ctl");
        let binary = ssa_ctl_path().display();
        let script = format!("#!/bin/sh\nexec '{binary}' --pin-root '{}' \"$@\"\n", pins.path().display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let client = format!("{}-client", namespace.name());
        Self { namespace, pins, folder, client, cgroup: ControlGroup::new("walk").unwrap(), library: None }
    }

    /// One where the client's library for C is installed too, beside its examples.
    pub fn with_the_c_library() -> Self {
        let mut place = Self::new();
        place.library = Some(Installed::new().unwrap());
        symlink(root().join("examples"), place.work().join("examples")).unwrap();
        place
    }

    /// Whether anything is loaded.
    pub fn has_pins(&self) -> bool {
        self.pins.path().exists()
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Runs a block; its exit code, and all that it said, in the names of the document.
    pub fn run(&self, script: &str) -> (Option<i32>, String) {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = [self.folder.path().join("bin")].into_iter().chain(env::split_paths(&path));
        let pins = self.pins.path().to_string_lossy();
        let cgroup = self.cgroup.path().to_string_lossy();
        let script = script.replace(CLIENT, &self.client).replace(PINS, &pins).replace(CGROUP, &cgroup);
        let script = format!("exec 2>&1\n{script}");
        let mut command = self.namespace.command("timeout");
        if let Some(library) = &self.library {
            library.for_compilers(&mut command);
        }
        let output = command
            .args(["60", "bash", "-euo", "pipefail", "-c", &script])
            .current_dir(self.work())
            .env("PATH", env::join_paths(path).unwrap())
            .env_remove("SSA_LOG")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let said = said.replace(&*pins, PINS).replace(&self.client, CLIENT).replace(&*cgroup, CGROUP);
        let said = said.replace(&*self.work().to_string_lossy(), FOLDER);
        (output.status.code(), said)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Only a walk that failed leaves anything.
        for name in [self.namespace.name(), &self.client] {
            let running = output_of(Command::new("ip").args(["netns", "pids", name])).unwrap_or_default();
            for number in running.split_whitespace().filter_map(|number| number.parse().ok()) {
                let _ = Pid::from_raw(number).map(|process| kill_process(process, Signal::KILL));
            }
        }
        let _ = fs::remove_dir_all(Path::new("/etc/netns").join(&self.client));
        let _ = Command::new("ip").args(["netns", "del", &self.client]).stderr(Stdio::null()).status();
    }
}
