//! A path and a text in; a file with all of it, or the one that was there before, out.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::Context as _;

use crate::failure::{Code, Failure};

/// Anybody may read it: `node_exporter` is another user.
const MODE: u32 = 0o644;

/// Writes a file beside it and renames that. Whoever reads the path meanwhile finds the old text or the new one.
///
/// # Errors
/// Where the file cannot be made or replaced: with its name.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let shown = path.display();
    let name = path.file_name().filter(|_| !path.is_dir()).ok_or_else(|| {
        Failure::new(Code::Invalid, format!("{shown} is no name of a file")).hint("name a file, such as ssa.prom")
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Nobody collects a file whose name ends otherwise than in `.prom`.
    let mut aside = OsString::from(".");
    aside.push(name);
    aside.push(format!(".{}", std::process::id()));
    let aside = folder.join(aside);
    let written =
        whole(&aside, text).and_then(|()| fs::rename(&aside, path)).and_then(|()| File::open(folder)?.sync_all());
    written
        .inspect_err(|_| {
            // It may never have been there.
            let _ = fs::remove_file(&aside);
        })
        .with_context(|| format!("cannot write {shown}"))
        .map_err(|error| {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            match kind {
                Some(io::ErrorKind::NotFound) => {
                    Failure::from(error).hint(format!("make the folder first: mkdir -p {}", folder.display()))
                }
                Some(io::ErrorKind::PermissionDenied) => Failure::from(error).code(Code::NotPermitted),
                _ => error.into(),
            }
        })
}

fn whole(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    // Whatever the umask.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ssa.prom");
        for text in ["first\n", "second\n"] {
            write(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, MODE);
            assert_eq!(names(folder.path()), ["ssa.prom"]);
        }
    }

    #[test]
    fn whoever_reads_the_old_file_reads_on_in_it() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ssa.prom");
        write(&path, "first\n").unwrap();
        let old = File::open(&path).unwrap();
        write(&path, "second, and longer\n").unwrap();
        assert_eq!(io::read_to_string(old).unwrap(), "first\n");
    }

    #[test]
    fn a_failure_names_the_file_and_leaves_what_was_there() {
        let folder = TempDir::new().unwrap();
        let missing = folder.path().join("missing/ssa.prom");
        let failure = write(&missing, "text").unwrap_err();
        assert!(failure.error.to_string().contains("missing/ssa.prom"), "{failure:?}");
        assert!(failure.hint.unwrap().contains("mkdir"));
        assert_eq!(write(folder.path(), "text").unwrap_err().code, Code::Invalid);
        assert!(names(folder.path()).is_empty());
    }
}
