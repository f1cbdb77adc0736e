//! Nothing in; a namespace, a folder and programs on the path, where the commands of a document are run as they stand, out.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    process::{Command, Stdio},
};

use ssa_tests::{
    c::{Installed, root},
    net::{Namespace, PinRoot},
    ssa_ctl_path,
};
use tempfile::TempDir;

/// Where the documents say that the pins are.
const PINS: &str = "/sys/fs/bpf/ssa";
/// Where they say that configs and keys are.
const FOLDER: &str = "/etc/ssa";
/// The namespace that the walk of README.md makes by name.
const CLIENT: &str = "ssa-client";

/// A place to run a walk, removed on drop.
pub struct Place {
    namespace: Namespace,
    pins: PinRoot,
    folder: TempDir,
    client: String,
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
        Self { namespace, pins, folder, client, library: None }
    }

    /// One where the client's library for C is installed too, beside its examples.
    pub fn with_the_c_library() -> Self {
        let mut place = Self::new();
        place.library = Some(Installed::new().unwrap());
        symlink(root().join("examples"), place.work().join("examples")).unwrap();
        place
    }

    /// Whether anything is pinned.
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
        let script = format!("exec 2>&1\n{}", script.replace(CLIENT, &self.client).replace(PINS, &pins));
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
        let said = said.replace(&*pins, PINS).replace(&self.client, CLIENT);
        let said = said.replace(&*self.work().to_string_lossy(), FOLDER);
        (output.status.code(), said)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Only a walk that failed leaves it.
        let _ = Command::new("ip").args(["netns", "del", &self.client]).stderr(Stdio::null()).status();
    }
}
