//! The program `ssa-store` in; what it keeps, gives, copies and refuses, with exit codes and messages, out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use serde_json::Value;
use ssa_tests::{
    net::{Namespace, Running, address, output_of, route},
    ssa_store_path,
};
use tempfile::TempDir;

const PREFIX: &str = "2001:db8:b10b::/64";
const RULE: &str = "replica(2):1 object(117):11 any:*";
/// Two endpoints of one host. The first is called at addresses of the service, on the port that clients take.
const ONE: &str = "[2001:db8:e::a]:443";
const OTHER: &str = "[2001:db8:e::a]:444";
/// Octets of a block.
const BLOCK: usize = 4096;

/// A host with two endpoints.
struct There {
    host: Namespace,
    folder: TempDir,
    servers: Vec<Running>,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl There {
    fn new(label: &str) -> Self {
        let host = Namespace::new(label).unwrap();
        address(&host, "lo", "2001:db8:e::a/128").unwrap();
        route(&host, &["local", PREFIX, "dev", "lo"]).unwrap();
        Self { host, folder: TempDir::new().unwrap(), servers: Vec::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command(ssa_store_path());
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    /// The words that make a server.
    fn serving<'a>(dir: &'a str, port: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let words = ["serve", "--prefix", PREFIX, "--rule", RULE, "--slice-bits", "12", "--dir", dir, "--listen", port];
        [&words[..], more].concat()
    }

    fn serve(&mut self, dir: &str, port: &str, more: &[&str]) {
        let mut command = self.command(&Self::serving(dir, port, more));
        let mut server = Running::start(command.stdin(Stdio::null()).stderr(Stdio::piped())).unwrap();
        let mut line = String::new();
        BufReader::new(server.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, format!("listening at {port}\n"));
        self.servers.push(server);
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Whoever is refused reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Ended { code: output.status.code(), out: output.stdout, err: String::from_utf8(output.stderr).unwrap() }
    }

    /// A client that was given prefix and rule.
    fn client(&self, words: &[&str], input: &[u8]) -> Ended {
        let service = ["--prefix", PREFIX, "--rule", RULE];
        self.run(&[&words[..1], &service, &words[1..]].concat(), input)
    }

    /// What an endpoint holds, by slice.
    fn held(&self, endpoint: &str) -> Vec<(String, u64)> {
        let mut curl = self.host.command("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*", &format!("http://{endpoint}/slices")]);
        let held: Value = serde_json::from_str(&output_of(&mut curl).unwrap()).unwrap();
        let count = |(slice, count): (&String, &Value)| (slice.clone(), count.as_u64().unwrap());
        held.as_object().unwrap().iter().map(count).collect()
    }
}

fn done(out: &[u8]) -> Ended {
    Ended { code: Some(0), out: out.to_vec(), err: String::new() }
}

fn failed(message: &str) -> Ended {
    Ended { code: Some(1), out: Vec::new(), err: format!("error: {message}\n") }
}

#[test]
fn objects_and_blocks_are_kept_copied_and_forgotten() {
    let mut there = There::new("store");
    there.serve("one", "[::]:443", &["--peer", "2001:db8:e::/64"]);
    there.serve("other", "[::]:444", &["--peer", "2001:db8:e::/64", "--no-wait"]);

    // Objects, in both replicas.
    fs::write(there.folder.path().join("cat.jpeg"), b"a cat").unwrap();
    assert_eq!(there.client(&["put", "photos/cat.jpeg", "cat.jpeg"], b""), done(b""));
    assert_eq!(there.client(&["get", "photos/cat.jpeg"], b""), done(b"a cat"));
    assert_eq!(there.client(&["put", "photos/cat.jpeg", "-"], b"another cat"), done(b""));
    assert_eq!(there.client(&["get", "photos/cat.jpeg"], b""), done(b"another cat"));
    assert_eq!(there.client(&["get", "dog"], b""), failed("there is no object dog"));
    let held = there.held(ONE);
    assert_eq!(held.iter().map(|(_, count)| count).collect::<Vec<_>>(), [&1, &1], "a slice for each replica: {held:?}");

    // Blocks: what the last one lacks are zeros, and so is what was never written.
    let octets: Vec<u8> = (0..251).cycle().take(BLOCK + 904).collect();
    assert_eq!(there.client(&["write", "1048576"], &octets), done(b""));
    let expected = [&octets[..], &vec![0; 2 * BLOCK - octets.len()], &vec![0; BLOCK]].concat();
    assert_eq!(there.client(&["read", "1048576", "3"], b""), done(&expected));
    assert_eq!(there.client(&["read", "1048577"], b""), done(&expected[BLOCK..2 * BLOCK]));
    assert_eq!(there.held(ONE).iter().map(|(_, count)| count).sum::<u64>(), 2 + 4);

    // A slice moves: it is sealed where it was, and copied.
    let slice = &held[0].0;
    let not_sealed =
        format!("{ONE} refuses DELETE /slices/{slice}, 409: the slice is not sealed: copy it first, and move it");
    assert_eq!(there.run(&["forget", slice, "--at", ONE], b""), failed(&not_sealed));
    assert_eq!(there.run(&["copy", slice, "--from", ONE, "--to", OTHER], b""), done(b"1 objects copied\n"));
    assert_eq!(there.held(OTHER), [(slice.clone(), 1)]);
    assert_eq!(there.client(&["get", "photos/cat.jpeg"], b""), done(b"another cat"), "it is read all the time");
    let sealed = there.client(&["put", "photos/cat.jpeg", "cat.jpeg", "--timeout", "1"], b"");
    let why = "the server says 503: the slice is sealed, as it is about to move: try again";
    assert!([0, 1].map(|replica| failed(&format!("replica {replica}: {why}"))).contains(&sealed), "{sealed:?}");
    assert_eq!(there.client(&["delete", "photos/cat.jpeg", "--timeout", "1"], b"").code, Some(1));

    // To where it is, and slices that are none, nothing is copied, and nothing sealed.
    let same = there.run(&["copy", slice, "--from", OTHER, "--to", OTHER], b"");
    assert_eq!(same, failed(&format!("{OTHER} is where the slice is, and where it is to be: name two endpoints")));
    for words in [&["copy", "4096", "--from", ONE, "--to", OTHER][..], &["reopen", "4096", "--at", ONE]] {
        let none = there.run(words, b"");
        assert!(
            none.code == Some(1) && none.err.ends_with(", 404: there is no such slice: they are 0 to 4095\n"),
            "{none:?}"
        );
    }

    // It does not move after all; then it does.
    assert_eq!(there.run(&["reopen", slice, "--at", ONE], b""), done(b""));
    assert_eq!(there.client(&["put", "photos/cat.jpeg", "cat.jpeg"], b""), done(b""));
    assert_eq!(there.run(&["copy", slice, "--from", ONE, "--to", OTHER], b""), done(b"1 objects copied\n"));
    assert_eq!(there.run(&["forget", slice, "--at", ONE], b""), done(b"1 objects removed\n"));
    assert!(there.held(ONE).iter().all(|(other, _)| other != slice));
    let stale = there.run(&["copy", slice, "--from", ONE, "--to", OTHER], b"");
    let why = format!("of slice {slice}, and {ONE} does not: has the slice moved already? If not, forget it there\n");
    assert!(stale.code == Some(1) && stale.err.ends_with(&why), "{stale:?}");
    assert_eq!(there.client(&["get", "photos/cat.jpeg"], b""), done(b"a cat"), "the other replica has it");

    assert_eq!(there.client(&["delete", "0x00000000000000000000000000100000"], b""), done(b""));
    assert_eq!(there.client(&["read", "1048576"], b""), done(&[0; BLOCK]));
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    let mut there = There::new("storeno");
    there.serve("one", "[::]:443", &[]);
    let large = vec![0; (16 << 20) + 1];
    fs::write(there.folder.path().join("large"), &large).unwrap();
    let short = "0x7";
    for (words, message) in [
        (&["put", "large", "large"][..], "more than "),
        (&["put", "none", "none"], "none cannot be read: No such file or directory"),
        (&["put", short, "large"], "more than "),
        (&["get", short], "0x"),
        (
            &["get", "cat", "--port", "9", "--timeout", "2"],
            "no address can be connected to; cannot connect to [2001:db8:b10b:",
        ),
    ] {
        let ended = there.client(words, b"");
        assert!(ended.code == Some(1) && ended.out.is_empty(), "{words:?}: {ended:?}");
        assert!(ended.err.starts_with("error: ") && ended.err.contains(message), "{words:?}: {ended:?}");
    }
    // Whole slices are for peers, at the endpoint's own address.
    let no_peer =
        format!("{ONE} refuses PUT /slices/7/sealed, 403: 2001:db8:e::a is no peer: whole slices are for peers alone");
    assert_eq!(there.run(&["copy", "7", "--from", ONE, "--to", OTHER], b""), failed(&no_peer));
    let nobody = there.run(&["reopen", "7", "--at", OTHER], b"");
    assert!(nobody.err.starts_with(&format!("error: {OTHER} cannot be asked for /slices/7/sealed: ")), "{nobody:?}");

    let serve = |rule: &str, bits: &str, dir: &str, listen: &str| {
        there.run(
            &["serve", "--prefix", PREFIX, "--rule", rule, "--slice-bits", bits, "--dir", dir, "--listen", listen],
            b"",
        )
    };
    for (ended, message) in [
        (
            serve("any:*", "12", "two", "[::]:445"),
            "slice bits are bits of a field `any`, which says nothing of the object",
        ),
        (serve(RULE, "21", "two", "[::]:445"), "21 slice bits: there are 0 to 20"),
        (serve("object(0):65", "12", "two", "[::]:445"), "the rule does not fit the prefix: "),
        (serve("nothing", "12", "two", "[::]:445"), "the rule nothing cannot be read: "),
        (serve(RULE, "12", "large", "[::]:445"), "large cannot hold objects: "),
        (serve(RULE, "12", "one", "[::]:445"), "one cannot hold objects: another server has it\n"),
        (serve(RULE, "12", "two", "[::]:443"), "cannot listen at [::]:443: "),
    ] {
        assert!(ended.code == Some(1) && ended.err.starts_with(&format!("error: {message}")), "{message}: {ended:?}");
    }
    // Where there is no room for what was read, it has not been read.
    assert_eq!(there.client(&["put", "cat", "-"], b"a cat"), done(b""));
    let mut get = there.command(&["get", "--prefix", PREFIX, "--rule", RULE, "cat"]);
    let ended = get.stdout(fs::File::create("/dev/full").unwrap()).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1), "{said}");
    assert!(said.starts_with("error: standard output cannot be written: No space left on device"), "{said}");
    // What cannot be meant is said by the reader of arguments.
    for (words, word) in [
        (&["get", "cat"][..], "--name-of-service"),
        (&["get", "cat", "--prefix", PREFIX], "--rule"),
        (&["read", "x", "--name-of-service", "a"], "invalid value 'x' for '<FIRST>'"),
        (&["copy", "7", "--from", "nowhere", "--to", OTHER], "invalid value 'nowhere' for '--from"),
        (&["melt"], "unrecognized subcommand 'melt'"),
        (&[], "Usage: ssa-store <COMMAND>"),
    ] {
        let ended = there.run(words, b"");
        assert!(ended.code == Some(2) && ended.out.is_empty() && ended.err.contains(word), "{words:?}: {ended:?}");
    }
}
