//! A prefix of a service whose key is elsewhere in; the address that its issuer gives for it, held against the rule, out.

use ssa_common::rule::Request;

use super::{ConnectError, compute::Found};
use crate::{Selector, issue::IssueError, selector::Issued};

/// Asks for an address in each prefix at once, and takes that of this one.
pub(super) async fn find(
    selector: &Selector,
    issued: &Issued,
    prefix: usize,
    request: Request,
) -> Result<Found, ConnectError> {
    let Issued { issuer, count, .. } = issued;
    let given = issuer.addresses(request.source.into(), request.object, request.replica, *count).await?;
    let address = selector.believed(prefix, &request, &given.addresses)?;
    Ok(Found { address, epoch_end: Some(given.again), valid_until: given.valid_until })
}

impl From<IssueError> for ConnectError {
    fn from(error: IssueError) -> Self {
        Self::Issue(error)
    }
}
