//! A service in; the addresses by which programs call it, and what is left out of those that DNS has, out.

use std::net::Ipv6Addr;

use ssa_client::source::source_for;

use super::Args;
use crate::{
    client::callable::{sorted, wrong},
    command::current::Current,
    context::Context,
    failure::{Code, Failure},
};

/// The addresses under which programs know the service.
pub(super) struct Called {
    pub addresses: Vec<Ipv6Addr>,
    /// Why others of its name are left out.
    left: Vec<String>,
}

impl Called {
    /// Finds them.
    pub(super) async fn find(args: &Args, current: &Current<'_>) -> Result<Self, Failure> {
        let service = current.service();
        if service.is_of_addresses() {
            let failure = Failure::new(Code::Invalid, format!("{} has no rule", service.name));
            return Err(failure.hint("programs reach it as it is"));
        }
        for address in &args.anchors {
            if let Some(why) = wrong(*address, source_for) {
                let failure = Failure::new(Code::Invalid, format!("{address} cannot be an anchor: it {why}"));
                return Err(failure.hint("name an address that programs call and that is nobody else's"));
            }
        }
        if !args.anchors.is_empty() {
            return Ok(Self { addresses: args.anchors.clone(), left: Vec::new() });
        }
        let (addresses, left) = sorted(&args.target.anchors(service).await?, service, source_for);
        if addresses.is_empty() {
            return Err(
                Failure::new(Code::Failed, left.join("; ")).hint("say which address programs call: --anchor ADDRESS")
            );
        }
        Ok(Self { addresses, left })
    }

    /// Says what is left out, to whoever has not been told so before.
    pub(super) fn warn(&self, context: &mut Context<'_>, before: &[String]) {
        for left in self.left.iter().filter(|left| !before.contains(left)) {
            // It goes on when nobody reads any more.
            let _ = writeln!(context.err, "warning: {left}");
        }
    }

    /// The same again: what is found now, and what of it is new.
    pub(super) fn replace(&mut self, context: &mut Context<'_>, found: Self) {
        found.warn(context, &self.left);
        *self = found;
    }
}
