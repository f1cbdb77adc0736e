//! The names of namespaces and pin roots in; those of processes that are gone removed. A kill leaves no time to.

use std::{
    env, fs, io,
    path::Path,
    process::{self, Command},
    sync::Once,
};

use tempfile::TempDir;

use super::{cgroup, namespace, pins, process::output_of};

/// What the names of temporary folders begin with; the process id follows.
const FOLDER: &str = "ssa-demo-";

/// A temporary folder that the next process removes if this one cannot: it may hold keys.
pub fn scratch() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(&format!("{FOLDER}{}-", process::id())).tempdir()
}

/// Removes what processes that are gone left behind, once in this process.
pub(super) fn remove_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another process that starts now may be faster; what cannot be removed is in nobody's way.
        for name in abandoned(namespace::NAMES, "ssa-") {
            let _ = output_of(Command::new("ip").args(["netns", "del", &name]));
        }
        for name in abandoned(pins::BPFFS, pins::NAME) {
            let _ = fs::remove_dir_all(Path::new(pins::BPFFS).join(name));
        }
        if let Some(mount) = cgroup::mount() {
            for name in abandoned(&mount, cgroup::NAME) {
                let _ = fs::remove_dir(mount.join(name));
            }
        }
        let temporary = env::temp_dir();
        for name in abandoned(&temporary, FOLDER) {
            let _ = fs::remove_dir_all(temporary.join(name));
        }
    });
}

/// The names of what a process has made and not removed: namespaces, pin roots and temporary folders.
pub fn left_by(process: u32) -> Vec<String> {
    let folders = [(Path::new(namespace::NAMES), "ssa-"), (Path::new(pins::BPFFS), pins::NAME)];
    let all = folders.into_iter().flat_map(|(folder, prefix)| owned(folder, prefix, |id| id == process));
    all.chain(owned(&env::temp_dir(), FOLDER, |id| id == process)).collect()
}

/// The names in a folder that belong to processes that are gone.
fn abandoned(folder: impl AsRef<Path>, prefix: &str) -> Vec<String> {
    owned(folder.as_ref(), prefix, |id| !Path::new(&format!("/proc/{id}")).exists())
}

/// The names in a folder that belong to processes of which this holds.
fn owned(folder: &Path, prefix: &str, of: impl Fn(u32) -> bool) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| owner(name, prefix).is_some_and(&of)).collect()
}

/// The process that made `PREFIX` `PID-…`.
fn owner(name: &str, prefix: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn only_our_names_have_owners() {
        assert_eq!(owner("ssa-12-0-client", "ssa-"), Some(12));
        assert_eq!(owner("ssa-test-12-3", "ssa-test-"), Some(12));
        for other in ["ssa", "ssa-test", "ssa-12", "ssa-x-0-client", "other-12-0"] {
            assert_eq!(owner(other, "ssa-"), None, "{other}");
        }
    }
}
