//! A path and octets in; a file with all of them, or the one that was there before, out.

use std::{
    ffi::OsString,
    fs::{self, File, FileType, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::failure::{Code, Failure};

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// The mode that it gets, whatever the umask.
    pub mode: u32,
    /// A regular file that is there already is replaced.
    pub replace: bool,
}

impl Manner {
    /// Whether a file could be written here, as far as that is known before.
    ///
    /// # Errors
    /// Where something else is there: what it is.
    pub fn check(self, path: &Path) -> Result<(), Failure> {
        let shown = path.display();
        if path.file_name().is_none() {
            let failure = Failure::new(Code::Invalid, format!("{shown} is no name of a file"));
            return Err(failure.hint("name a file"));
        }
        // What cannot be examined cannot be written either, and that says why.
        let Ok(found) = path.symlink_metadata() else { return Ok(()) };
        let (kind, right) = kind(found.file_type());
        match kind {
            Some(kind) => Err(Failure::new(Code::Invalid, format!("{shown} is {kind}")).hint(right)),
            None if self.replace => Ok(()),
            None => Err(exists(path)),
        }
    }

    /// Writes a file beside it and renames that. Whoever reads the path meanwhile finds the old octets or the new ones, and
    /// whoever has the old file open keeps that. What comes later may be written to what is given back.
    ///
    /// # Errors
    /// Where something else is there, or the file cannot be made: with its name, and nothing is left beside it.
    pub fn write(self, path: &Path, octets: &[u8]) -> Result<File, Failure> {
        self.check(path)?;
        let (folder, aside) = beside(path);
        self.place(path, &aside, octets).and_then(|file| Ok((file, File::open(folder)?.sync_all()?).0)).map_err(
            |error| {
                // It may never have been there.
                let _ = fs::remove_file(&aside);
                if error.kind() == io::ErrorKind::AlreadyExists { exists(path) } else { refused(path, error) }
            },
        )
    }

    fn place(self, path: &Path, aside: &Path, octets: &[u8]) -> io::Result<File> {
        // Of somebody with our number who was killed.
        match fs::remove_file(aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(self.mode).open(aside)?;
        file.set_permissions(Permissions::from_mode(self.mode))?;
        file.write_all(octets)?;
        file.sync_all()?;
        let flags = if self.replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        renameat_with(CWD, aside, CWD, path, flags)?;
        Ok(file)
    }
}

/// The folder of a file, and a name in it that ends otherwise: so nobody collects it.
fn beside(path: &Path) -> (&Path, PathBuf) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut aside = OsString::from(".");
    aside.push(path.file_name().unwrap_or_default());
    aside.push(format!(".{}", std::process::id()));
    (folder, folder.join(aside))
}

/// What a path is where that is no regular file, and what would be right.
fn kind(found: FileType) -> (Option<&'static str>, &'static str) {
    const REGULAR: &str = "only a regular file is replaced: name that, or a new one";
    let kind = match () {
        () if found.is_file() => return (None, ""),
        () if found.is_dir() => return (Some("a folder"), "name a file in it"),
        () if found.is_symlink() => return (Some("a symbolic link"), "links are not followed: name the file itself"),
        () if found.is_fifo() => "a FIFO",
        () if found.is_socket() => "a socket",
        () => "a device",
    };
    (Some(kind), REGULAR)
}

fn exists(path: &Path) -> Failure {
    let failure = Failure::new(Code::Invalid, format!("there is a file {} already", path.display()));
    failure.hint("take another name, or replace it with --force")
}

/// A file that cannot be written.
pub fn refused(path: &Path, error: io::Error) -> Failure {
    let kind = error.kind();
    let failure = Failure::from(Err::<(), _>(error).context(format!("cannot write {}", path.display())).unwrap_err());
    match kind {
        io::ErrorKind::PermissionDenied => failure.code(Code::NotPermitted),
        io::ErrorKind::NotFound => {
            failure.hint(format!("make the folder first: mkdir -p {}", beside(path).0.display()))
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use rustix::fs::{FileType as Kind, Mode, mknodat};
    use tempfile::TempDir;

    use super::*;

    const REPLACE: Manner = Manner { mode: 0o644, replace: true };
    const NEW: Manner = Manner { mode: 0o600, replace: false };

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ssa.prom");
        for (text, manner) in [("first\n", REPLACE), ("second\n", Manner { mode: 0o600, ..REPLACE })] {
            manner.write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!((mode(&path), names(folder.path())), (manner.mode, vec!["ssa.prom".into()]));
        }
        let failure = NEW.write(&path, b"third\n").unwrap_err();
        assert!(failure.code == Code::Invalid && failure.hint.unwrap().contains("--force"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
    }

    #[test]
    fn whoever_reads_the_old_file_reads_on_in_it() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ssa.prom");
        REPLACE.write(&path, b"first\n").unwrap();
        let old = File::open(&path).unwrap();
        let mut new = REPLACE.write(&path, b"second, and ").unwrap();
        new.write_all(b"longer\n").unwrap();
        assert_eq!(io::read_to_string(old).unwrap(), "first\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "second, and longer\n");
    }

    #[test]
    fn what_is_no_regular_file_stays_and_is_named() {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "kept").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink(at("nothing"), at("loose")).unwrap();
        mknodat(CWD, at("fifo"), Kind::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let before = names(folder.path());
        for (name, kind) in [
            ("", "a folder"),
            ("link", "a symbolic link"),
            ("loose", "a symbolic link"),
            ("fifo", "a FIFO"),
            ("socket", "a socket"),
        ] {
            for manner in [REPLACE, NEW] {
                let path = if name.is_empty() { folder.path().to_owned() } else { at(name) };
                let failure = manner.write(&path, b"lost").unwrap_err();
                let said = failure.error.to_string();
                assert_eq!((failure.code, said), (Code::Invalid, format!("{} is {kind}", path.display())));
                assert!(failure.hint.is_some());
            }
        }
        assert_eq!((fs::read_to_string(at("file")).unwrap().as_str(), names(folder.path())), ("kept", before));
        assert_eq!(NEW.write(Path::new("/"), b"").unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn a_failure_names_the_file() {
        let folder = TempDir::new().unwrap();
        let failure = REPLACE.write(&folder.path().join("missing/ssa.prom"), b"text").unwrap_err();
        assert!(failure.error.to_string().contains("missing/ssa.prom"), "{failure:?}");
        assert!(failure.hint.unwrap().contains("mkdir"));
        assert!(names(folder.path()).is_empty());
    }
}
