//! What a person wants of a service in; a wish for connections to it, out.

use ssa_client::connect::Wish;
use ssa_common::rule::object_id;

use crate::failure::{Code, Failure};

/// What is wanted of a service.
#[derive(clap::Args)]
pub(super) struct Wished {
    /// The service's port; the one that DNS says, if not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    #[command(flatten)]
    chosen: Chosen,
}

/// Which of all that a service has is wanted.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Chosen {
    /// The object that is wanted: 0x and 32 hexadecimal digits, the number of a block, or a name
    #[arg(long, value_name = "ID", value_parser = object_id)]
    pub object: Option<u128>,
    /// The replica that is wanted, counted from 0; the first that answers, if not given
    #[arg(long, value_name = "R")]
    pub replica: Option<u32>,
}

impl Wished {
    /// The wish, of a service that has this port by what is known of it.
    pub(super) fn of(&self, service: &str, port: Option<u16>) -> Result<Wish, Failure> {
        let port = self.port.or(port).ok_or_else(|| {
            Failure::new(Code::Invalid, format!("nobody says on which port {service} is")).hint("add --port PORT")
        })?;
        let Chosen { object, replica } = self.chosen;
        Ok(Wish { object, replica, port })
    }
}
