//! Numbers of objects in; those objects written and read by many clients at a time, and who answered, out.

use std::{
    future::Future,
    net::Ipv6Addr,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result, anyhow, ensure};
use ssa_client::Selector;
use ssa_store::{Client, Wanted};
use tokio::{runtime::Runtime, task::JoinSet};

use super::{
    PATIENCE,
    site::{OBJECT_BITS, service},
};
use crate::{
    demo::{Tell, site::PORT},
    net::Namespace,
    stop::Stop,
};

/// Requests at a time.
const AT_A_TIME: usize = 64;
/// The octets of an object are as many as its number says, below this.
const LONGEST: usize = 1500;
/// Complaints that are shown, at most.
const SHOWN: usize = 10;

/// The clients of one host.
#[derive(Clone)]
pub(super) struct Clients {
    client: Client,
}

/// What came of many requests.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Object and the address that it came from or went to.
    pub(super) found: Vec<(u32, Ipv6Addr)>,
    pub(super) failed: usize,
    /// Some of what went wrong.
    pub(super) faults: Vec<String>,
}

impl Clients {
    pub(super) fn new() -> Result<Self> {
        let selector = Arc::new(Selector::new(&service()?, &[])?);
        Ok(Self { client: Client::new(selector, PORT, PATIENCE) })
    }

    /// Writes objects, with all their replicas.
    pub(super) fn write(&self, at: &Namespace, objects: Range<u32>, tell: Tell, stop: &Stop) -> Result<Outcome> {
        let write = |client: Client, number: u32| async move {
            client.put(&object(number), &octets(number)).await?;
            Ok(Ipv6Addr::UNSPECIFIED)
        };
        let (label, objects): (_, Vec<_>) = ("objects are written", objects.collect());
        at.enter(|| runtime()?.block_on(self.each(label, &objects, tell, stop, write)))?
    }

    /// Reads objects and compares them with what was written.
    pub(super) fn read(&self, at: &Namespace, objects: &[u32], tell: Tell, stop: &Stop) -> Result<Outcome> {
        at.enter(|| runtime()?.block_on(self.each("objects are read", objects, tell, stop, read)))?
    }

    /// Reads objects again and again until it is time to end, at least once each; and counts the rounds.
    pub(super) fn read_until(
        &self,
        at: &Namespace,
        objects: &[u32],
        stop: &Stop,
        (rounds, end): (&AtomicUsize, &AtomicBool),
    ) -> Result<Outcome> {
        at.enter(|| -> Result<Outcome> {
            let (runtime, mut all, silent) = (runtime()?, Outcome::default(), Tell::new(true));
            loop {
                let is_last = end.load(Ordering::SeqCst);
                let some = runtime.block_on(self.each("", objects, silent, stop, read))?;
                rounds.fetch_add(1, Ordering::SeqCst);
                all.found.extend(some.found);
                all.failed += some.failed;
                all.faults.extend(some.faults);
                if is_last {
                    return Ok(all);
                }
            }
        })?
    }

    /// Writes blocks by their numbers, and reads them and as many that were never written.
    pub(super) fn blocks(&self, at: &Namespace, count: u32) -> Result<()> {
        let client = &self.client;
        at.enter(|| {
            runtime()?.block_on(async {
                for number in 0..count {
                    client.put(&Wanted::Block(number.into()), &block(number)).await?;
                }
                for number in 0..2 * count {
                    let expected = if number < count { block(number) } else { vec![0; ssa_store::BLOCK] };
                    let read = client.read(number.into()).await?;
                    ensure!(read == expected, "block {number} is not what was written to it");
                }
                Ok(())
            })
        })?
    }

    /// Does something with each object, many at a time.
    async fn each<F>(
        &self,
        label: &'static str,
        objects: &[u32],
        tell: Tell,
        stop: &Stop,
        work: impl Fn(Client, u32) -> F,
    ) -> Result<Outcome>
    where
        F: Future<Output = Result<Ipv6Addr>> + 'static + Send,
    {
        let progress = tell.progress(label, objects.len() as u64);
        let mut outcome = Outcome::default();
        let mut waiting = objects.iter();
        let mut requests = JoinSet::new();
        loop {
            stop.check()?;
            while requests.len() < AT_A_TIME
                && let Some(&number) = waiting.next()
            {
                let request = work(self.client.clone(), number);
                requests.spawn(async move { (number, request.await) });
            }
            let Some(done) = requests.join_next().await else { break };
            progress.inc(1);
            match done.map_err(|error| anyhow!(error).context("a client panicked"))? {
                (number, Ok(address)) => outcome.found.push((number, address)),
                (number, Err(error)) => {
                    outcome.failed += 1;
                    if outcome.faults.len() < SHOWN {
                        outcome.faults.push(format!("object {number}: {error:#}"));
                    }
                }
            }
        }
        progress.finish_and_clear();
        Ok(outcome)
    }
}

async fn read(client: Client, number: u32) -> Result<Ipv6Addr> {
    let found = client.get(&object(number)).await?.context("nobody has it")?;
    ensure!(found.octets == octets(number), "it is not what was written");
    Ok(found.from)
}

fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("clients have no runtime")
}

/// The object of a number, by a name.
fn object(number: u32) -> Wanted {
    Wanted::Object(format!("photos/2026/{number}.jpeg"))
}

/// What is written there.
fn octets(number: u32) -> Vec<u8> {
    number.to_be_bytes().into_iter().cycle().take(number as usize % LONGEST).collect()
}

fn block(number: u32) -> Vec<u8> {
    (number + 1).to_be_bytes().into_iter().cycle().take(ssa_store::BLOCK).collect()
}

/// The slice bits of an object: those of its replicas follow.
pub(super) fn low_bits(number: u32) -> Result<usize> {
    let id = object(number).id().map_err(|wrong| anyhow!(wrong))?;
    Ok(usize::try_from(id & ((1 << OBJECT_BITS) - 1))?)
}
