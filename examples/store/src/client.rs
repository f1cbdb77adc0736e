//! What is wanted in; it, from the first replica that has it, or written to all, out.

use std::{
    fmt, io,
    net::{Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ssa_client::{
    Selector,
    connect::{ConnectError, Wish, tcp},
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{
    BLOCK, Wanted,
    http::{Answer, ask},
};

/// Between two writes to a slice that is sealed.
const PAUSE: Duration = Duration::from_millis(100);

/// A client of a store.
#[derive(Clone, Debug)]
pub struct Client {
    selector: Arc<Selector>,
    port: u16,
    patience: Duration,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its octets.
    pub octets: Vec<u8>,
    /// The address that it came from.
    pub from: Ipv6Addr,
}

/// Why something was not read, or not written everywhere.
#[derive(Debug)]
pub enum StoreError {
    /// The name is no name.
    Name(String),
    /// Nobody can be reached.
    Connect(ConnectError),
    /// A connection broke.
    Io(io::Error),
    /// A server would not do it.
    Refused {
        /// The status of HTTP.
        status: u16,
        /// What it said.
        said: String,
    },
    /// It took too long.
    TimedOut(Duration),
    /// One replica is not as it should be; those before are.
    Replica {
        /// Which, counted from 0.
        replica: u32,
        /// What is wrong.
        error: Box<Self>,
    },
}

impl Client {
    /// A client that computes addresses so, and waits for so long for one object.
    pub fn new(selector: Arc<Selector>, port: u16, patience: Duration) -> Self {
        Self { selector, port, patience }
    }

    /// Reads from the replica that answers first; from the others, where it has no such object. None where none has.
    ///
    /// # Errors
    /// Where nobody answers, or somebody cannot read.
    pub async fn get(&self, wanted: &Wanted) -> Result<Option<Found>, StoreError> {
        let replicas = self.selector.replicas();
        // With one replica, the second look would be the same as the first.
        let looks = [None].into_iter().chain((0..replicas).map(Some)).take(if replicas > 1 { 17 } else { 1 });
        let mut failure = None;
        for replica in looks {
            match self.ask("GET", wanted, replica, &[]).await {
                Ok((Answer { status: 200, octets }, from)) => return Ok(Some(Found { octets, from })),
                Ok((Answer { status: 404, .. }, _)) => {}
                Ok((answer, _)) => failure = Some(refused(&answer)),
                // Nobody answers: it was asked of all.
                Err(error) if replica.is_none() && matches!(error, StoreError::Connect(_)) => return Err(error),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Writes to all replicas, one after the other. Writing again what was written does no harm.
    ///
    /// # Errors
    /// Where a replica was not written: which, the error says, and those after it were not tried.
    pub async fn put(&self, wanted: &Wanted, octets: &[u8]) -> Result<(), StoreError> {
        self.change("PUT", wanted, octets).await
    }

    /// Removes it from all replicas, where it is there.
    ///
    /// # Errors
    /// As of [`put`](Self::put).
    pub async fn delete(&self, wanted: &Wanted) -> Result<(), StoreError> {
        self.change("DELETE", wanted, &[]).await
    }

    /// A block: zeros where it was never written.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub async fn read(&self, number: u64) -> Result<Vec<u8>, StoreError> {
        let found = self.get(&Wanted::Block(number)).await?;
        Ok(found.map_or_else(|| vec![0; BLOCK], |found| found.octets))
    }

    async fn change(&self, method: &str, wanted: &Wanted, octets: &[u8]) -> Result<(), StoreError> {
        for replica in 0..self.selector.replicas() {
            let one = self.change_one(method, wanted, replica, octets).await;
            one.map_err(|error| StoreError::Replica { replica, error: Box::new(error) })?;
        }
        Ok(())
    }

    /// One replica; again where its slice is sealed, as then it is about to move.
    async fn change_one(&self, method: &str, wanted: &Wanted, replica: u32, octets: &[u8]) -> Result<(), StoreError> {
        let end = Instant::now() + self.patience;
        loop {
            let (answer, _) = self.ask(method, wanted, Some(replica), octets).await?;
            match answer.status {
                200..=299 => return Ok(()),
                404 if method == "DELETE" => return Ok(()),
                503 if Instant::now() < end => sleep(PAUSE).await,
                _ => return Err(refused(&answer)),
            }
        }
    }

    async fn ask(
        &self,
        method: &str,
        wanted: &Wanted,
        replica: Option<u32>,
        octets: &[u8],
    ) -> Result<(Answer, Ipv6Addr), StoreError> {
        let end = Instant::now() + self.patience;
        let object = Some(wanted.id().map_err(StoreError::Name)?);
        let wish = Wish { object, replica, port: self.port };
        let stream = tcp(&self.selector, &wish, self.patience).await.map_err(StoreError::Connect)?;
        let called = match stream.peer_addr().map_err(StoreError::Io)? {
            SocketAddr::V6(address) => *address.ip(),
            SocketAddr::V4(address) => address.ip().to_ipv6_mapped(),
        };
        let answer = timeout_at(end, ask(stream, method, &wanted.path(), octets)).await;
        let answer = answer.map_err(|_| StoreError::TimedOut(self.patience))?.map_err(StoreError::Io)?;
        Ok((answer, called))
    }
}

fn refused(answer: &Answer) -> StoreError {
    StoreError::Refused { status: answer.status, said: answer.text() }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(said) => f.write_str(said),
            Self::Connect(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the connection broke: {error}"),
            Self::Refused { status, said } => write!(f, "the server says {status}: {said}"),
            Self::TimedOut(patience) => write!(f, "no answer within {} s", patience.as_secs_f32()),
            Self::Replica { replica, error } => write!(f, "replica {replica}: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}
