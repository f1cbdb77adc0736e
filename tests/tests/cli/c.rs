//! The header and the library for C; whether compilers take the one and the other exports it, and what becomes of misuse, out.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
};

use ssa_tests::{
    c::{Installed, SONAME, compiler, header, root},
    net::output_of,
};
use tempfile::TempDir;

/// The functions that the header declares.
fn declared() -> BTreeSet<String> {
    let text = fs::read_to_string(header()).unwrap();
    let names =
        text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && !line.starts_with("typedef"));
    let names = names.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next());
    let names: BTreeSet<_> = names.map(str::to_owned).collect();
    assert!(names.len() > 20 && names.iter().all(|name| name.starts_with("ssa_")), "{names:?}");
    names
}

#[test]
fn compilers_of_c_and_of_cpp_take_the_header() {
    let folder = TempDir::new().unwrap();
    for (name, program, standard) in [
        ("one.c", "cc", "c99"),
        ("one.c", "cc", "c11"),
        ("one.c", "cc", "c17"),
        ("one.cc", "c++", "c++11"),
        ("one.cc", "c++", "c++20"),
    ] {
        let source = folder.path().join(name);
        // Twice, and nothing before it.
        fs::write(&source, "#include <ssa_client.h>\n#include <ssa_client.h>\nint main() { return 0; }\n").unwrap();
        let mut command = compiler(program);
        command.arg(format!("-std={standard}")).args(["-Wstrict-aliasing", "-Wshadow", "-fsyntax-only"]).arg(&source);
        output_of(&mut command).unwrap();
    }
}

#[test]
fn the_library_exports_what_the_header_declares() {
    let installed = Installed::new().unwrap();
    let said = output_of(Command::new("nm").args(["--dynamic", "--defined-only"]).arg(installed.library())).unwrap();
    let exported: BTreeSet<_> =
        said.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect();
    assert_eq!(exported, declared());
    let said = output_of(Command::new("readelf").arg("--dynamic").arg(installed.library())).unwrap();
    assert!(said.lines().any(|line| line.contains("(SONAME)") && line.ends_with(&format!("[{SONAME}]"))), "{said}");
}

#[test]
fn the_example_of_python_knows_every_function() {
    let installed = Installed::new().unwrap();
    let mut command = Command::new("python3");
    command.args(["-c", "import ssa_client; print(*ssa_client._FUNCTIONS)"]);
    let said = output_of(installed.for_python(&mut command)).unwrap();
    assert_eq!(said.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>(), declared());
}

/// Numbers that have no room raise an error: none is cut to another number.
const REFUSED: &str = "import ctypes, ssa_client
service = ssa_client.Service('web', '2001:db8::/64', 'v=1 rule=src(0):64')
selector = ssa_client.Selector(service)
for call in (lambda: selector.connect(-1), lambda: selector.connect(65536), lambda: selector.address('::1', None, 1 << 32),
             lambda: selector.address('::1', when=-1), lambda: selector.valid_until(1 << 64),
             lambda: ssa_client.Selector(service, [(1 << 32, bytes(16))]),
             lambda: ssa_client.Selector(service, [(7, bytes([1] * 16)), (7, bytes([2] * 16))])):
    try:
        print('taken', call())
    except (ctypes.ArgumentError, ValueError):
        print('number')
    except ssa_client.Failure as failure:
        print(failure.status, failure)
";

#[test]
fn the_example_of_python_cuts_no_number() {
    let installed = Installed::new().unwrap();
    let mut command = Command::new("python3");
    let said = output_of(installed.for_python(command.args(["-c", REFUSED]))).unwrap();
    let expected = ["number"; 6].into_iter().chain(["1 two keys have the number 7"]);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// Under the compiler's sanitizers: no octet is read or written that is not the caller's, and nothing is left.
#[test]
fn misuse_is_refused_and_leaves_nothing() {
    let installed = Installed::new().unwrap();
    let program = installed.compile("tests/clients/misuse.c", &SANITIZERS).unwrap();
    let output = Command::new("timeout").arg("60").arg(program).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty() && output.stdout.is_empty(), "{said}");
}

/// The check before would see it if something was.
#[test]
fn what_is_left_would_be_seen() {
    let (installed, folder) = (Installed::new().unwrap(), TempDir::new().unwrap());
    let text = fs::read_to_string(root().join("tests/clients/misuse.c")).unwrap();
    let first = "ssa_selector_free(selector);\n";
    assert!(text.contains(first));
    let source = folder.path().join("leak.c");
    fs::write(&source, text.replacen(first, "", 1)).unwrap();
    let program = installed.compile(source.to_str().unwrap(), &SANITIZERS).unwrap();
    let output = Command::new("timeout").arg("60").arg(program).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("detected memory leaks"), "{said}");
}

const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

#[test]
fn examples_say_how_they_are_called() {
    let installed = Installed::new().unwrap();
    let program = installed.compile("examples/c/ssa_call.c", &[]).unwrap();
    for words in [&[][..], &["web"], &["-P", "0", "web", "hi"], &["-p", "::/64", "web", "hi"], &["-x", "web", "hi"]] {
        let output = Command::new(&program).args(words).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("usage: ssa_call ["), "{words:?}: {said}");
    }
    let mut command = Command::new("python3");
    command.arg(root().join("examples/python/ssa_client.py")).args(["--record", "v=1 rule=any:*", "web", "hi"]);
    let output = installed.for_python(&mut command).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
