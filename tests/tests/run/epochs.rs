//! Times at the edges of epochs, deadlines and ages in; what the loaded program accepts then, to the second, out.

use ssa_common::{
    rows::ClockRow,
    rule::{Compiled, Key, Request, Rule, Secrets},
    verdict::Reason,
};
use ssa_ctl::{kernel::sandbox::Sandbox, plan::numbers::Numbers};
use ssa_tests::run::{Config, load};

use crate::{
    packet::tcp,
    random::{Random, destination},
};

const SOURCE: u128 = 0x2001_0db8_0077_0001_0203_0405_0607_0809;
const PERIOD: u64 = 30;
/// Any epoch.
const EPOCH: u64 = 56_789_012;
const BEGIN: u64 = EPOCH * PERIOD;
const RING: [Key; 1] = [Key { number: 1, secret: *b"sixteen octets.." }];

/// A skew, and the first and last second, counted from the begin of an epoch, in which the epoch is accepted.
const EDGES: [(u32, i64, i64); 5] = [(0, 0, 29), (1, -1, 30), (5, -5, 34), (16, -16, 45), (30, -30, 59)];
const RULES: [(&str, Reason); 3] = [
    ("mac(64,key=k,period=30s):64", Reason::MacMismatch),
    ("hash(48):14 mac(64,key=k,period=30s):50", Reason::MacMismatch),
    ("pow(64,zeros=9,period=30s):64", Reason::PowMissing),
];

/// A service for tests: the `number`th /64.
struct Service {
    number: u64,
    rule: &'static str,
    more: String,
}

impl Service {
    fn configure(&self, config: Config) -> Config {
        let Self { number, rule, more } = self;
        let lines =
            format!("name = \"s{number}\"\nprefixes = [\"2001:db8:0:{number:x}::/64\"]\nrule = \"{rule}\"\n{more}");
        let config = config.service(&lines);
        if lines.contains("mac(") { config.key("k", RING[0].number, RING[0].secret) } else { config }
    }

    fn compile(&self, rule: &str) -> Compiled {
        let prefix = u128::from(0x2001_0db8_0000_0000 + self.number) << 64;
        let placed = rule.parse::<Rule>().unwrap().place(prefix, 64).unwrap();
        placed.compile(&Secrets { salt: [0; 16], ring: &RING }, 0)
    }

    /// What a client computes in the middle of `epoch`, chosen so that it holds in no epoch near.
    fn address(&self, epoch: u64) -> u128 {
        let compiled = self.compile(self.rule);
        let request = Request { source: SOURCE, time: epoch * PERIOD + PERIOD / 2, ..Request::default() };
        let conforms = |address, epoch| compiled.conforms(SOURCE, address, epoch * PERIOD) == Reason::Conform;
        let mut drawn = (0..1000).map(|seed| destination(&compiled, &request, &mut Random(seed)));
        drawn.find(|&address| (epoch - 5..=epoch + 5).filter(|&epoch| conforms(address, epoch)).count() == 1).unwrap()
    }
}

fn sandbox(services: &[Service]) -> Sandbox {
    let config = services.iter().fold(Config::default(), |config, service| service.configure(config));
    load(&config.tables(&Numbers::default()).0)
}

fn reason(sandbox: &mut Sandbox, address: u128) -> Reason {
    sandbox.judge(&tcp(SOURCE, address, 0), None).unwrap().reason
}

#[test]
fn epochs_are_accepted_to_the_second() {
    for (rule, refused) in RULES {
        let service = |(number, (skew, ..)): (u64, &(u32, i64, i64))| Service {
            number,
            rule,
            more: format!("skew = {skew}\nallow_weak = true\n"),
        };
        let services: Vec<_> = (1..).zip(&EDGES).map(service).collect();
        let mut sandbox = sandbox(&services);
        for (service, &(skew, first, last)) in services.iter().zip(&EDGES) {
            let addresses: Vec<_> = (EPOCH - 2..=EPOCH + 2).map(|epoch| (epoch, service.address(epoch))).collect();
            // Both edges of the window, and a second on either side, of each of the five epochs.
            let period = PERIOD.cast_signed();
            let edges = (-2..=2).flat_map(|epoch| [first, last + 1].map(|edge| edge + epoch * period));
            for second in edges.flat_map(|edge| edge - 2..=edge + 1) {
                sandbox.set_clock(BEGIN.strict_add_signed(second)).unwrap();
                for &(epoch, address) in &addresses {
                    let own = second - (epoch.cast_signed() - EPOCH.cast_signed()) * period;
                    let expected = if (first..=last).contains(&own) { Reason::Conform } else { refused };
                    let found = reason(&mut sandbox, address);
                    assert_eq!(found, expected, "{rule} skew {skew} epoch {epoch} second {own}");
                }
            }
        }
    }
}

#[test]
fn a_proof_of_work_has_all_its_zero_bits() {
    let service = Service { number: 1, rule: "pow(64,zeros=12):64", more: String::new() };
    let mut sandbox = sandbox(std::slice::from_ref(&service));
    let [easier, wanted] = ["pow(64,zeros=11):64", service.rule].map(|rule| service.compile(rule));
    let request = Request { source: SOURCE, ..Request::default() };
    let (mut short, mut enough) = (0, 0);
    for seed in 0.. {
        let address = destination(&easier, &request, &mut Random(seed));
        let expected = wanted.conforms(SOURCE, address, 0);
        if expected == Reason::Conform {
            enough += 1;
        } else {
            short += 1;
        }
        assert_eq!(reason(&mut sandbox, address), expected, "{address:#x}");
        if short > 20 && enough > 20 {
            break;
        }
    }
}

#[test]
fn the_previous_rule_ends_at_its_deadline() {
    let previous = "hash(48):64";
    let more = format!("[service.previous]\nrule = \"{previous}\"\nuntil = {BEGIN}\n");
    let service = Service { number: 1, rule: "src(0):64", more };
    let mut sandbox = sandbox(std::slice::from_ref(&service));
    let request = Request { source: SOURCE, ..Request::default() };
    let of = |rule| destination(&service.compile(rule), &request, &mut Random(1));
    let (old, new) = (of(previous), of(service.rule));
    for second in [-3600, -2, -1, 0, 1, 3600] {
        sandbox.set_clock(BEGIN.strict_add_signed(second)).unwrap();
        let expected = if second < 0 { Reason::Conform } else { Reason::FieldMismatch };
        assert_eq!(reason(&mut sandbox, old), expected, "second {second}");
        assert_eq!(reason(&mut sandbox, old ^ 1), Reason::FieldMismatch);
        assert_eq!(reason(&mut sandbox, new), Reason::Conform);
    }
}

/// A policy, and whether a good and a bad address conform once the clock is stale.
const POLICIES: [(&str, bool, bool); 3] = [("last", true, false), ("open", true, true), ("closed", false, false)];

#[test]
fn a_stale_clock_does_what_the_service_says() {
    for (rule, refused) in RULES {
        let service = |(number, (policy, ..)): (u64, &(&str, bool, bool))| {
            let more = format!("max_age = \"60s\"\nstale_clock = \"{policy}\"\nallow_weak = true\n");
            Service { number, rule, more }
        };
        let services: Vec<_> = (1..).zip(&POLICIES).map(service).collect();
        let mut sandbox = sandbox(&services);
        let hertz = u64::from(sandbox.ticks().hertz());
        for (service, &(policy, good, bad)) in services.iter().zip(&POLICIES) {
            let (right, wrong) = (service.address(EPOCH), service.address(EPOCH + 4));
            // One second either side of the age.
            for (age, stale) in [(0, false), (59, false), (61, true), (1_000_000, true)] {
                let jiffies = sandbox.ticks().now();
                let offset = ((BEGIN + PERIOD / 2) * hertz).wrapping_sub(jiffies);
                let published = jiffies.saturating_sub(age * hertz);
                sandbox.instance().publish(ClockRow { offset, published }).unwrap();
                let expected = |accepted| if accepted { Reason::Conform } else { refused };
                let expected = if stale { [expected(good), expected(bad)] } else { [Reason::Conform, refused] };
                let found = [right, wrong].map(|address| reason(&mut sandbox, address));
                assert_eq!(found, expected, "{rule} {policy} at the age of {age} s");
            }
        }
    }
}
