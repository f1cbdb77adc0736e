//! The version of the ABI in; the name by which programs find a library of that version at run time out.

/// Counts on when a program that was built with an older header could go wrong.
const ABI: u32 = 1;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=SSA_CLIENT_ABI={ABI}");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libssa_client.so.{ABI}");
}
