//! A path in; the octets of a file that holds a secret of ours alone, or why it is none, out.

use std::{
    fs::File,
    io::Read,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use super::refusal::Refusal;

/// Reads a regular file that belongs to us or to root, and that nobody else may open. Never waits, and follows no link.
/// `missing` says what to do where there is none. Of a file with more than `most` octets, one more is read.
///
/// # Errors
/// Where the file is not that.
pub fn read(path: &Path, most: u64, missing: &str) -> Result<Vec<u8>, Refusal> {
    let shown = path.display();
    let refuse = |message: String, help: String| Err(Refusal { message, help });
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let file: File = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(Errno::NOENT) => return refuse(format!("the key file {shown} does not exist"), missing.to_owned()),
        Err(Errno::LOOP) => {
            return refuse(format!("the key file {shown} is a symbolic link"), "name the file itself".into());
        }
        Err(errno) => {
            let reason = std::io::Error::from(errno);
            return refuse(format!("the key file {shown} cannot be read: {reason}"), "check its permissions".into());
        }
    };
    let Ok(metadata) = file.metadata() else {
        return refuse(format!("the key file {shown} cannot be examined"), "check its file system".into());
    };
    if !metadata.is_file() {
        let help = "folders, pipes and devices are no key files: name a regular file".into();
        return refuse(format!("the key file {shown} is not a regular file"), help);
    }
    let me = rustix::process::geteuid().as_raw();
    if ![0, me].contains(&metadata.uid()) {
        let message = format!("the key file {shown} belongs to the user {}", metadata.uid());
        return refuse(message, format!("whoever owns it knows the key: chown {me} {shown}"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let message = format!("the key file {shown} has the mode {mode:04o}, so that others can reach the key");
        return refuse(message, format!("chmod 0600 {shown}"));
    }
    let mut octets = Vec::new();
    if file.take(most + 1).read_to_end(&mut octets).is_err() {
        return refuse(format!("the key file {shown} cannot be read"), "check its file system".into());
    }
    Ok(octets)
}
