//! The octets of a question in; those of its answer out, by other servers or by a rule.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ssa_client::resolve::Options;
use ssa_common::rule::Key;

use super::{
    computed::{Computed, Found, Rules},
    kept::unkept,
    message::{Asked, Over, Read, Wanted, Why},
    relay,
};
use crate::{
    command::{resolving::Resolving, wished::Chosen},
    failure::Failure,
};

/// How long each try to find a rule may take.
const TRY: Duration = Duration::from_secs(1);

/// Whom to ask, and what makes addresses.
pub(super) struct Answers {
    servers: Vec<SocketAddr>,
    rules: Rules,
}

impl Answers {
    /// Needs a runtime.
    pub(super) fn new(resolving: &Resolving, chosen: Chosen, keys: Vec<Key>) -> Result<Arc<Self>, Failure> {
        let options = Options { timeout: TRY, ..resolving.options()? };
        Ok(Arc::new(Self { servers: resolving.servers().to_vec(), rules: Rules::new(&options, chosen, keys)? }))
    }

    /// The answer; none to what is no question.
    pub(super) async fn answer(&self, question: &[u8], over: Over) -> Option<Vec<u8>> {
        let asked = match Asked::read(question) {
            Read::Asked(asked) => asked,
            Read::Refused(answer) => return Some(answer),
            Read::Nothing => return None,
        };
        let passed_on = async {
            let answer = relay::ask(&self.servers, question, over).await;
            answer.or_else(|| asked.failed(Why::NobodyReached, "no server answers"))
        };
        let wanted = asked.wanted();
        if wanted == Wanted::Else {
            return passed_on.await;
        }
        // Most names have no rule, and their programs wait.
        let name = asked.name();
        let (rule, passed_on) = tokio::join!(self.rules.of(&name), passed_on);
        let followed = match rule {
            Found::Rule(followed) => followed,
            Found::Nothing => return passed_on,
            // It may have one: then what it has is good for nobody, and had better be asked for again soon.
            Found::Unknown => return passed_on.map(unkept),
        };
        if wanted == Wanted::Legacy {
            return asked.addresses(&[], 0, over);
        }
        match self.rules.compute(&followed).await {
            Ok(Computed { addresses, ttl }) => asked.addresses(&addresses, ttl, over),
            Err(why) => {
                tracing::warn!("{name} has no answer: {why}");
                asked.failed(Why::Other, &why)
            }
        }
    }
}
