//! The BPF crate in, its object in `OUT_DIR` out.

use std::process::{Command, Stdio};

use aya_build::{Package, Toolchain, build_ebpf};

/// The toolchain that `cargo xtask setup` links where the distribution has a compiler with a BPF `core`.
const LINKED: &str = "bpf";

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../ssa-common/src");
    let linked = Command::new("rustup")
        .args(["run", LINKED, "rustc", "-V"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let toolchain = if linked {
        // SAFETY: nothing else runs in this process yet. aya-ebpf alone may use its one unstable feature.
        unsafe { std::env::set_var("RUSTC_BOOTSTRAP", "aya_ebpf") };
        Toolchain::Custom(LINKED)
    } else {
        Toolchain::Nightly
    };
    build_ebpf([Package { name: "ssa-ebpf", root_dir: "../ssa-ebpf", ..Package::default() }], toolchain)
}
