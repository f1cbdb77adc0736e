//! Slices and the endpoints' own addresses in; their objects copied, and forgotten where they were, out.
//!
//! A slice is sealed where it is, copied, and moved by `ssa-ctl slice move`; then it is forgotten. In between it is read at
//! both ends, and writes wait: no object is missing at any moment, and none is written where it would be lost.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

use crate::http::{Answer, ask};

/// How long an endpoint may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Seals a slice at one endpoint and copies its objects to another, and says how many. Again does no harm.
///
/// # Errors
/// Where both are the same, either cannot be asked, the service has no such slice, or where the other one has objects of the slice that the first has not.
pub async fn copy(slice: u32, from: SocketAddr, to: SocketAddr) -> Result<usize> {
    ensure!(from != to, "{from} is where the slice is, and where it is to be: name two endpoints");
    done(from, "PUT", &format!("/slices/{slice}/sealed"), &[]).await?;
    let (ids, there) = (ids(slice, from).await?, ids(slice, to).await?);
    if let Some(stale) = there.iter().find(|id| !ids.contains(id)) {
        bail!(
            "{to} holds {stale} of slice {slice}, and {from} does not: has the slice moved already? If not, forget it there"
        );
    }
    done(to, "DELETE", &format!("/slices/{slice}/sealed"), &[]).await?;
    for id in &ids {
        let path = format!("/slices/{slice}/{id}");
        let object = done(from, "GET", &path, &[]).await?;
        done(to, "PUT", &path, &object.octets).await?;
    }
    Ok(ids.len())
}

/// Lets a slice be written again where it is: it is not going to move.
///
/// # Errors
/// Where the endpoint cannot be asked.
pub async fn reopen(slice: u32, at: SocketAddr) -> Result<()> {
    done(at, "DELETE", &format!("/slices/{slice}/sealed"), &[]).await.map(drop)
}

/// Removes a slice that has moved away, with its objects, and says how many they were.
///
/// # Errors
/// Where the endpoint cannot be asked, or the slice is not sealed there.
pub async fn forget(slice: u32, at: SocketAddr) -> Result<usize> {
    let answer = done(at, "DELETE", &format!("/slices/{slice}"), &[]).await?;
    answer.text().parse().with_context(|| format!("{at} does not say how many objects it had"))
}

/// How many objects an endpoint has of each slice.
///
/// # Errors
/// Where it cannot be asked.
pub async fn held(at: SocketAddr) -> Result<BTreeMap<u32, usize>> {
    let answer = done(at, "GET", "/slices", &[]).await?;
    serde_json::from_slice(&answer.octets).with_context(|| format!("{at} does not say what it holds"))
}

/// What an endpoint has been asked, and how often.
///
/// # Errors
/// Where it cannot be asked.
pub async fn counts(at: SocketAddr) -> Result<BTreeMap<String, u64>> {
    let answer = done(at, "GET", "/counts", &[]).await?;
    let counts: Value = serde_json::from_slice(&answer.octets)?;
    serde_json::from_value(counts).with_context(|| format!("{at} does not say what it has counted"))
}

async fn ids(slice: u32, at: SocketAddr) -> Result<Vec<String>> {
    let answer = done(at, "GET", &format!("/slices/{slice}"), &[]).await?;
    Ok(answer.text().lines().map(str::to_owned).collect())
}

/// Asks an endpoint, which does it.
async fn done(at: SocketAddr, method: &str, path: &str, octets: &[u8]) -> Result<Answer> {
    let asked = async { ask(TcpStream::connect(at).await?, method, path, octets).await };
    let answer = timeout(PATIENCE, asked).await.with_context(|| format!("{at} does not answer"))?;
    let answer = answer.with_context(|| format!("{at} cannot be asked for {path}"))?;
    ensure!(answer.status < 300, "{at} refuses {method} {path}, {}: {}", answer.status, answer.text());
    Ok(answer)
}
