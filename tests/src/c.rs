//! Programs of C and of Python in; the same, built against the client's C library or finding it when they run, out.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::{binary::c_library_path, net::output_of};

/// The name by which programs find the library when they run.
pub const SONAME: &str = "libssa_client.so.1";
/// What no source of ours is warned of.
const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// The library as it lies where it is installed, and programs built against it; gone with its owner.
#[derive(Debug)]
pub struct Installed(TempDir);

impl Installed {
    /// Puts the library of this workspace into a folder of its own.
    ///
    /// # Errors
    /// Where there is no room for a folder.
    pub fn new() -> Result<Self> {
        let folder = TempDir::new().context("no folder can be made for the library")?;
        for name in [SONAME, "libssa_client.so"] {
            symlink(c_library_path(), folder.path().join(name)).with_context(|| format!("{name} cannot be made"))?;
        }
        Ok(Self(folder))
    }

    /// The library itself.
    pub fn library(&self) -> PathBuf {
        self.0.path().join(SONAME)
    }

    /// Builds a program of one C source, whose path begins at the root of the workspace. `more` is for the compiler.
    ///
    /// # Errors
    /// Where the compiler has anything to say, a warning included.
    pub fn compile(&self, source: &str, more: &[&str]) -> Result<PathBuf> {
        let folder = self.0.path();
        let program = folder.join(Path::new(source).file_stem().context("a source has a name")?);
        let mut command = compiler("cc");
        command
            .args(["-std=c11", "-g"])
            .args(more)
            .arg(root().join(source))
            .arg("-o")
            .arg(&program)
            .arg("-L")
            .arg(folder);
        command.args(["-lssa_client", "-pthread"]).arg(format!("-Wl,-rpath,{}", folder.display()));
        output_of(&mut command).map(|_| program)
    }

    /// Lets compilers and programs find header and library as if they were installed for all.
    pub fn for_compilers<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let folder = self.0.path();
        command.env("CPATH", headers()).env("LIBRARY_PATH", folder).env("LD_LIBRARY_PATH", folder);
        // What is checked out stays as it is.
        command.env("PYTHONDONTWRITEBYTECODE", "1")
    }

    /// Lets a Python program find the library and the module that calls it.
    pub fn for_python<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SSA_CLIENT_LIBRARY", self.library()).env("PYTHONPATH", root().join("examples/python"));
        // What is checked out stays as it is.
        command.env("PYTHONDONTWRITEBYTECODE", "1")
    }
}

/// A compiler that takes no warning and knows the header.
pub fn compiler(name: &str) -> Command {
    let mut command = Command::new(name);
    command.args(WARNINGS).arg("-I").arg(headers());
    command
}

fn headers() -> PathBuf {
    root().join("ssa-client/c/include")
}

/// Where the header is.
pub fn header() -> PathBuf {
    headers().join("ssa_client.h")
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
