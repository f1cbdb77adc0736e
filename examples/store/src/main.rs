//! The command line in; a server of objects, or a client's answer, out.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, SocketAddrV6},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Parser, Subcommand};
use ipnet::Ipv6Net;
use ssa_client::{
    Selector, Service,
    record::Record,
    resolve::{Options, Resolver},
};
use ssa_store::{BLOCK, Client, Disk, LARGEST, Places, Server, Wanted, copy, forget, reopen};
use tokio::net::TcpListener;

/// An object store whose clients compute where each object is
///
/// An example of content addressing: the address of an object follows from its id by the rule of the service, and leads to
/// an endpoint that holds it.
#[derive(Parser)]
#[command(name = "ssa-store")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the objects of this endpoint's slices
    Serve(Serve),
    /// Write an object to all replicas
    Put {
        #[command(flatten)]
        store: Store,
        /// The object's name, or 0x and the 32 digits of its id
        name: String,
        /// The file with its octets; - is standard input
        file: PathBuf,
    },
    /// Read an object to standard output
    Get {
        #[command(flatten)]
        store: Store,
        /// The object's name, or 0x and the 32 digits of its id
        name: String,
    },
    /// Remove an object from all replicas
    Delete {
        #[command(flatten)]
        store: Store,
        /// The object's name, or 0x and the 32 digits of its id
        name: String,
    },
    /// Read blocks of 4096 octets to standard output
    Read {
        #[command(flatten)]
        store: Store,
        /// The number of the first block
        first: u64,
        /// How many
        #[arg(default_value_t = 1)]
        count: u64,
    },
    /// Write standard input to blocks; what the last one lacks are zeros
    Write {
        #[command(flatten)]
        store: Store,
        /// The number of the first block
        first: u64,
    },
    /// Seal a slice at one endpoint and copy it to another, before `ssa-ctl slice move`
    Copy {
        /// The slice's number
        slice: u32,
        /// The own address and port of the endpoint that has it, such as `[2001:db8:e::a]:443`
        #[arg(long)]
        from: SocketAddr,
        /// The own address and port of the endpoint that it moves to
        #[arg(long)]
        to: SocketAddr,
    },
    /// Remove a slice that was copied, after `ssa-ctl slice move`
    Forget {
        /// The slice's number
        slice: u32,
        /// The own address and port of the endpoint that had it
        #[arg(long)]
        at: SocketAddr,
    },
    /// Let a sealed slice be written again: it does not move
    Reopen {
        /// The slice's number
        slice: u32,
        /// The own address and port of the endpoint that has it
        #[arg(long)]
        at: SocketAddr,
    },
}

#[derive(clap::Args)]
struct Serve {
    #[command(flatten)]
    service: ByHand,
    /// The slice bits of the service
    #[arg(long)]
    slice_bits: u8,
    /// The folder of the objects, which no other server has
    #[arg(long)]
    dir: PathBuf,
    /// Where to listen
    #[arg(long, default_value = "[::]:443")]
    listen: SocketAddrV6,
    /// Who may copy, seal and forget slices, at this endpoint's own address
    #[arg(long, value_name = "PREFIX")]
    peer: Vec<Ipv6Net>,
    /// Do not wait for the disk: what was written last may be gone after a power failure
    #[arg(long)]
    no_wait: bool,
}

#[derive(clap::Args)]
struct ByHand {
    /// A prefix of the service
    #[arg(long, required = true)]
    prefix: Vec<Ipv6Net>,
    /// The rule of the service
    #[arg(long)]
    rule: String,
}

/// The service that a client calls
#[derive(clap::Args)]
struct Store {
    /// Its name in DNS
    #[arg(long, required_unless_present = "rule")]
    name_of_service: Option<String>,
    /// A prefix, in place of DNS
    #[arg(long, requires = "rule", conflicts_with = "name_of_service")]
    prefix: Vec<Ipv6Net>,
    /// The rule, in place of DNS
    #[arg(long, requires = "prefix")]
    rule: Option<String>,
    /// The port, if not the one that DNS says
    #[arg(long)]
    port: Option<u16>,
    /// Seconds to wait for one object
    #[arg(long, default_value_t = 10)]
    timeout: u64,
}

fn main() -> ExitCode {
    let command = Args::parse().command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.context("there is no runtime").and_then(|runtime| runtime.block_on(run(command)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve(serve) => self::serve(serve).await,
        Command::Put { store, name, file } => {
            Ok(store.client().await?.put(&Wanted::Object(name), &octets(&file)?).await?)
        }
        Command::Get { store, name } => {
            let found = store.client().await?.get(&Wanted::Object(name.clone())).await?;
            let Some(found) = found else { bail!("there is no object {name}") };
            print(&found.octets)
        }
        Command::Delete { store, name } => Ok(store.client().await?.delete(&Wanted::Object(name)).await?),
        Command::Read { store, first, count } => {
            let client = store.client().await?;
            for number in first..first.saturating_add(count) {
                print(&client.read(number).await?)?;
            }
            Ok(())
        }
        Command::Write { store, first } => {
            let client = store.client().await?;
            for (number, block) in (first..).zip(octets("-".as_ref())?.chunks(BLOCK)) {
                let mut whole = [0; BLOCK];
                whole[..block.len()].copy_from_slice(block);
                client.put(&Wanted::Block(number), &whole).await?;
            }
            Ok(())
        }
        Command::Copy { slice, from, to } => {
            print(format!("{} objects copied\n", copy(slice, from, to).await?).as_bytes())
        }
        Command::Forget { slice, at } => print(format!("{} objects removed\n", forget(slice, at).await?).as_bytes()),
        Command::Reopen { slice, at } => reopen(slice, at).await,
    }
}

async fn serve(serve: Serve) -> Result<()> {
    let service = serve.service.service("objects")?;
    let places = Places::new(&service, serve.slice_bits)?;
    let dir = serve.dir.display();
    let disk = Disk::open(&serve.dir, !serve.no_wait).with_context(|| format!("{dir} cannot hold objects"))?;
    let listener = TcpListener::bind(SocketAddr::V6(serve.listen)).await;
    let listener = listener.with_context(|| format!("cannot listen at {}", serve.listen))?;
    eprintln!("listening at {}", listener.local_addr()?);
    Server::new(places, disk, serve.peer).serve(listener).await;
    Ok(())
}

/// Says it on standard output, all of it.
fn print(octets: &[u8]) -> Result<()> {
    let mut out = io::stdout();
    out.write_all(octets).and_then(|()| out.flush()).context("standard output cannot be written")
}

/// The octets of a file, or of standard input.
fn octets(file: &std::path::Path) -> Result<Vec<u8>> {
    let mut octets = Vec::new();
    let most = LARGEST as u64 + 1;
    if file.as_os_str() == "-" {
        io::stdin().take(most).read_to_end(&mut octets).context("standard input cannot be read")?;
    } else {
        let open = fs::File::open(file).and_then(|open| open.take(most).read_to_end(&mut octets));
        open.with_context(|| format!("{} cannot be read", file.display()))?;
    }
    ensure!(octets.len() <= LARGEST, "more than {LARGEST} octets: write them in parts");
    Ok(octets)
}

impl ByHand {
    fn service(&self, name: &str) -> Result<Service> {
        service(name, &self.prefix, &self.rule)
    }
}

fn service(name: &str, prefixes: &[Ipv6Net], rule: &str) -> Result<Service> {
    let rule = rule.parse().with_context(|| format!("the rule {rule} cannot be read"))?;
    Ok(Service::new(name, prefixes, Record::new(rule)))
}

impl Store {
    async fn client(&self) -> Result<Client> {
        let service = match (&self.name_of_service, &self.rule) {
            (Some(name), _) => Resolver::new(&Options::default())?.resolve(name).await?,
            (None, Some(rule)) => service("objects", &self.prefix, rule)?,
            (None, None) => bail!("name the service, or give its prefix and its rule"),
        };
        let port = self.port.or(service.port).unwrap_or(443);
        let selector = Arc::new(Selector::new(&service, &[])?);
        Ok(Client::new(selector, port, Duration::from_secs(self.timeout)))
    }
}
