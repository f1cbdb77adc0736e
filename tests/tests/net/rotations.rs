//! Keys that change and epochs that end under clients that go on, in; that nothing of theirs is dropped, and who comes too
//! late, out.

use std::{
    collections::BTreeSet,
    fs,
    io::copy,
    net::{Ipv6Addr, TcpListener},
    ops::Range,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use ssa_client::{
    Selector,
    connect::{Datagrams, Wish, tcp},
};
use ssa_tests::net::{Namespace, StopAtEnd, rounds, size, wait_until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    join,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    client::{SECRET, WISH, ask, client, keyed, site, who},
    servers::{ask_tcp, ask_udp},
    site::{CLIENT, PREFIX, Site},
    stream::LONGEST,
};

/// Seconds of an epoch while keys change, and the rule.
const PERIOD: u64 = 3;
const RULE: &str = "any:16 mac(48,key=k1,period=3s):48";
/// Seconds of an epoch for those who are late, and by which the epoch before is still accepted.
const LATE_PERIOD: u64 = 10;
const LATE_SKEW: u64 = 4;
const LATE_RULE: &str = "any:16 mac(48,key=k1,period=10s):48";
/// Where the server of the connection that lasts listens.
const ECHO: Wish = Wish { port: 7444, ..WISH };
/// How long a client thinks.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a client waits that is not expected to hear anything.
const SHORT: Duration = Duration::from_millis(300);
/// Epochs that may be missed by a machine that is busy.
const TRIES: u32 = 6;

/// What the clients are given, and how far they are with it.
struct Clients {
    /// The newest key's number, and what computes addresses with it.
    newest: Mutex<(u32, Arc<Selector>)>,
    /// The key with which newcomers come and with which datagrams are sent: none before it, from then on.
    uses: [AtomicU32; 2],
    stop: AtomicBool,
}

/// What they have done.
struct Done {
    visits: u64,
    datagrams: u64,
    /// Words on the connection that lasts, and the address that it began with.
    words: u64,
    called: Ipv6Addr,
}

impl Clients {
    fn new(selector: Arc<Selector>) -> Self {
        Self { newest: Mutex::new((1, selector)), uses: Default::default(), stop: AtomicBool::new(false) }
    }

    fn newest(&self) -> (u32, Arc<Selector>) {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All clients are to use this from now on.
    fn give(&self, number: u32, selector: Arc<Selector>) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = (number, selector);
    }

    /// Whether nothing of an older key is on its way any more.
    fn all_use(&self, number: u32) -> bool {
        self.uses.iter().all(|uses| uses.load(Ordering::SeqCst) == number)
    }

    /// What a client takes when all that it has asked before is answered.
    fn take(&self, place: usize) -> (u32, Arc<Selector>) {
        let (number, selector) = self.newest();
        self.uses[place].store(number, Ordering::SeqCst);
        (number, selector)
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }

    /// All of them at once, until they are told to stop.
    async fn run(&self) -> Done {
        let stream = tcp(&self.newest().1, &ECHO, LONGEST).await.unwrap();
        let std::net::SocketAddr::V6(called) = stream.peer_addr().unwrap() else { panic!("an IPv4 peer") };
        let (visits, datagrams, words) = join!(self.visit(), self.send(), self.talk(stream));
        Done { visits, datagrams, words, called: *called.ip() }
    }

    /// One connection after the other.
    async fn visit(&self) -> u64 {
        let mut visits = 0;
        while self.goes_on() {
            let (number, selector) = self.take(0);
            let (name, _) = who(&selector).await.unwrap_or_else(|error| panic!("with key {number}: {error}"));
            assert_eq!(name, "host");
            visits += 1;
            pause().await;
        }
        visits
    }

    /// One datagram after the other, each when that before is answered.
    async fn send(&self) -> u64 {
        let mut sent = 0;
        while self.goes_on() {
            let (number, selector) = self.take(1);
            let datagrams = Datagrams::open(&selector, &WISH).await.unwrap();
            while self.goes_on() && (sent == 0 || self.newest().0 == number) {
                assert_eq!(ask(&datagrams).await, "host");
                sent += 1;
                pause().await;
            }
        }
        sent
    }

    /// Word after word on one connection.
    async fn talk(&self, mut stream: TcpStream) -> u64 {
        let (mut words, mut heard) = (0, [0; 4]);
        while self.goes_on() {
            stream.write_all(b"word").await.unwrap();
            timeout(LONGEST, stream.read_exact(&mut heard)).await.expect("the connection to go on").unwrap();
            assert_eq!(&heard, b"word");
            words += 1;
            pause().await;
        }
        words
    }
}

/// Between two steps of a client.
async fn pause() {
    // sleep: clients think before they go on.
    sleep(PAUSE).await;
}

/// A server that gives back what it hears, on one connection.
fn start_echo(namespace: &Namespace) {
    let listener = namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, ECHO.port))).unwrap().unwrap();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // A client that goes away has its own way to notice.
        let _ = copy(&mut &stream, &mut &stream);
    });
}

fn unix() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// The names under `key` of what the service has counted.
fn moved(site: &Site, key: &str) -> BTreeSet<String> {
    let stats = site.ctl(["stats"]).done();
    let counts = stats["services"]["web"][key].as_object().unwrap();
    let is_moved = |count: &Value| count["packets"] != 0;
    counts.iter().filter(|(_, count)| is_moved(count)).map(|(name, _)| name.clone()).collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

fn reason(site: &Site, name: &str) -> u64 {
    site.packets(&["reasons", name])
}

fn by_key(number: u32, secret: &str) -> Arc<Selector> {
    keyed(&[PREFIX], &format!("skew=1 rule={RULE}"), number, secret)
}

/// Adds a key, waits until all clients have it, and retires the one before.
fn rotate(site: &Site, clients: &Clients, number: u32, secret: &str) {
    let file = site.file(&format!("k{number}.key"), secret);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let [new, old] = [number, number - 1].map(|number| number.to_string());
    site.ctl(["key", "add", "web", "k1", &new, file.to_str().unwrap()]).done();
    clients.give(number, by_key(number, secret));
    wait_until("all clients to use the new key", LONGEST, || clients.all_use(number)).unwrap();
    site.ctl(["key", "retire", "web", "k1", &old]).done();
}

#[test]
fn keys_change_and_epochs_end_and_no_client_is_dropped() {
    let site = site("rotations", RULE, "skew = 1\nestablished = \"socket\"\n");
    start_echo(&site.host);
    let clients = Clients::new(by_key(1, SECRET));
    let count: u32 = size(10, 100);
    let secrets: Vec<String> = (0..count).map(|_| format!("{:032x}", rand::random::<u128>() | 1)).collect();
    let begin = unix().as_secs() / PERIOD;
    let done = thread::scope(|scope| {
        let running = scope.spawn(|| client(&site, clients.run()));
        let end = StopAtEnd(&clients.stop);
        wait_until("the clients to come", LONGEST, || clients.all_use(1)).unwrap();
        for (number, secret) in (2..).zip(rounds("rotations", count).map(|round| &secrets[round as usize])) {
            rotate(&site, &clients, number, secret);
        }
        let ended = || unix().as_secs() / PERIOD >= begin + 2;
        wait_until("epochs to end", Duration::from_secs(3 * PERIOD), ended).unwrap();
        drop(end);
        running.join().unwrap()
    });

    // Each key was used by all that compute anew; the connection that lasts has outlived all but the last.
    let Done { visits, datagrams, words, called } = done;
    println!("{count} rotations: {visits} new connections, {datagrams} datagrams, {words} words on one connection");
    let rotations = u64::from(count);
    assert!(visits > rotations && datagrams > rotations && words > rotations, "{visits} {datagrams} {words}");
    assert_eq!(moved(&site, "reasons"), names(["conform", "established"]));
    assert_eq!(moved(&site, "treatments"), names(["pass"]));
    assert!(reason(&site, "conform") >= visits + datagrams && reason(&site, "established") > 0);

    // What was let in was let in by its key, and by its connection.
    let before = reason(&site, "conform");
    let now = |number: u32, secret| {
        by_key(number, secret).address(CLIENT.parse().unwrap(), None, 0, unix().as_secs()).unwrap()
    };
    let (last, retired) = (&secrets[secrets.len() - 1], &secrets[secrets.len() - 2]);
    for refused in [called, now(count, retired), now(1, SECRET)] {
        ask_udp(&site.client, refused, SHORT).unwrap_err();
    }
    assert_eq!((reason(&site, "mac-mismatch"), reason(&site, "conform")), (3, before));
    assert_eq!(ask_udp(&site.client, now(count + 1, last), LONGEST).unwrap(), "host");
    assert_eq!((reason(&site, "mac-mismatch"), reason(&site, "conform")), (3, before + 1));
    assert_eq!(site.packets(&["treatments", "drop"]), 3);
}

/// Does the work within these seconds of an epoch. Where the machine takes longer, again in the next.
fn within<T>(seconds: &Range<u64>, work: impl Fn() -> T) -> T {
    for _ in 0..TRIES {
        let is_within = || seconds.contains(&(unix().as_secs() % LATE_PERIOD));
        wait_until("that part of an epoch", Duration::from_secs(2 * LATE_PERIOD), is_within).unwrap();
        let epoch = unix().as_secs() / LATE_PERIOD;
        let done = work();
        if is_within() && unix().as_secs() / LATE_PERIOD == epoch {
            return done;
        }
    }
    panic!("{TRIES} times it took longer than {seconds:?} of an epoch");
}

#[test]
fn who_is_an_epoch_late_is_let_in_within_the_skew_and_who_is_two_late_is_not() {
    let site = site("late", LATE_RULE, &format!("skew = {LATE_SKEW}\n"));
    let selector = keyed(&[PREFIX], &format!("skew={LATE_SKEW} rule={LATE_RULE}"), 1, SECRET);
    let late = |epochs: u64| {
        let time = unix().as_secs() - epochs * LATE_PERIOD;
        selector.address(CLIENT.parse().unwrap(), None, 0, time).unwrap()
    };
    let counts = || [reason(&site, "conform"), reason(&site, "mac-mismatch"), site.packets(&["treatments", "drop"])];
    // Who is heard of those who are so many epochs late, and what their datagrams have moved.
    let heard = || {
        let before = counts();
        let heard = [0, 1, 2].map(|epochs| ask_udp(&site.client, late(epochs), SHORT).is_ok());
        let after = counts();
        (heard, [0, 1, 2].map(|place| after[place] - before[place]))
    };
    assert_eq!(within(&(0..LATE_SKEW), heard), ([true, true, false], [2, 1, 1]));
    assert_eq!(within(&(0..LATE_SKEW), || ask_tcp(&site.client, late(1)).unwrap()), "host");
    assert_eq!(within(&(LATE_SKEW + 1..LATE_PERIOD), heard), ([true, false, false], [1, 2, 2]));
}
