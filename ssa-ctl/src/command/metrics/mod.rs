//! `metrics`: counters and state out, for Prometheus: printed, as a file, or over HTTP.

mod listen;

use std::{net::SocketAddr, path::PathBuf};

use serde_json::json;

use crate::{
    context::Context,
    failure::{Exit, Outcome},
    file::Manner,
    metrics::{Format, families, object, text},
    observe::reading::Reading,
};

/// Print counters and state for Prometheus, once or at each scrape
///
/// Prints text as Prometheus reads it, and with --json the same as one object. The names of the metrics are stable.
#[derive(clap::Args)]
pub struct Args {
    /// Serve them over HTTP, at /metrics of this address, until interrupted
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address, conflicts_with = "textfile")]
    listen: Option<SocketAddr>,
    /// Write them to a file for the textfile collector of the node exporter, whole or not at all
    #[arg(long, value_name = "FILE")]
    textfile: Option<PathBuf>,
}

/// Anybody may read it: `node_exporter` is another user.
const TEXTFILE: Manner = Manner { mode: 0o644, replace: true };

/// Says what is to be measured.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    if let Some(address) = args.listen {
        return listen::serve(context, address);
    }
    let families = families(&Reading::take(&context.pin_root)?);
    if let Some(path) = &args.textfile {
        TEXTFILE.write(path, text(&families, Format::Plain)?.as_bytes())?;
        if context.json {
            context.object(&json!({ "textfile": path, "metrics": families.len() }))?;
        }
    } else if context.json {
        context.object(&object(&families))?;
    } else {
        // Whole: standard output hands each line to the kernel by itself.
        write!(context.out, "{}", text(&families, Format::Open)?)?;
    }
    Ok(Exit::Done)
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "not an address and a port, such as [::1]:9477")
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_a_port() {
        assert!(address("[::1]:9477").is_ok_and(|address| address.ip().is_loopback() && address.port() == 9477));
        assert!(address("127.0.0.1:0").is_ok());
        for wrong in ["::1", "localhost:9477", ":9477", "[::1]", "[::1]:65536", ""] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
