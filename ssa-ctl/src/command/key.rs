//! `key`: key files and key rings; names and numbers out, a secret never.

use std::{
    fs,
    io::Write,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Subcommand;
use rand::{TryRng, rngs::SysRng};
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    config::{self, Config, KeyRef, edit, keys},
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
};

/// Make key files, and change the key rings of the running config
///
/// The rule field `mac` is computed with a key. A service has rings of keys, by name; each key has a number, the newest
/// the highest. The secret itself lies in a file of mode 0600 and is never printed.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(New),
    Add(Add),
    Retire(Retire),
    List(List),
}

/// Make a key file with a random secret
///
/// The file must not exist. It gets the mode 0600, whatever the umask, and holds 32 hexadecimal digits.
#[derive(clap::Args)]
struct New {
    /// The file to make
    file: PathBuf,
}

/// Add a key to a ring of the running config
///
/// The newest key has the highest number. Clients need it before their packets are made with it; without a `keyid` field
/// the filter tries the two newest keys.
#[derive(clap::Args)]
struct Add {
    /// The service's name
    service: String,
    /// The ring's name, as in mac(64,key=NAME)
    name: String,
    /// The key's number
    number: u32,
    /// The key file
    file: PathBuf,
}

/// Take a key out of a ring of the running config
///
/// Packets that are made with it are refused from then on. The key file stays.
#[derive(clap::Args)]
struct Retire {
    /// The service's name
    service: String,
    /// The ring's name, as in mac(64,key=NAME)
    name: String,
    /// The key's number
    number: u32,
}

/// List the keys of all services, and whether their files can be used
#[derive(clap::Args)]
struct List {
    /// Take this config file instead of the running config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs one of the commands on keys.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        Command::New(args) => new(context, args),
        Command::Add(args) => add(context, args),
        Command::Retire(Retire { service, name, number }) => {
            super::change(context, false, |config| edit::retire_key(config, service, name, *number))
        }
        Command::List(args) => list(context, args),
    }
}

fn new(context: &mut Context<'_>, New { file: path }: &New) -> Outcome {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| not_made(path, errno))?;
    if let Err(error) = write_key(file.into()) {
        // Half a key is none.
        let _ = fs::remove_file(path);
        return Err(error.context(format!("cannot write the key file {}", path.display())).into());
    }
    if context.json {
        context.object(&json!({ "file": path }))?;
    } else {
        writeln!(context.out, "{} holds a new key", path.display())?;
    }
    Ok(Exit::Done)
}

fn not_made(path: &Path, errno: Errno) -> Failure {
    let failure = Failure::from(
        anyhow::Error::new(std::io::Error::from(errno)).context(format!("cannot make the key file {}", path.display())),
    );
    match errno {
        Errno::EXIST => failure.hint("a key is never overwritten: give another name, or remove the file yourself"),
        Errno::NOENT => failure.hint("make its folder first, of mode 0700"),
        Errno::ACCESS | Errno::PERM => failure.code(Code::NotPermitted),
        _ => failure,
    }
}

fn write_key(mut file: fs::File) -> anyhow::Result<()> {
    // The umask may have taken even the owner's bits away.
    rustix::fs::fchmod(file.as_fd(), Mode::RUSR | Mode::WUSR)?;
    let mut secret = [0; 16];
    SysRng.try_fill_bytes(&mut secret).context("the kernel gives no random octets")?;
    writeln!(file, "{:032x}", u128::from_be_bytes(secret))?;
    file.sync_all()?;
    Ok(())
}

fn add(context: &mut Context<'_>, Add { service, name, number, file }: &Add) -> Outcome {
    let file = std::path::absolute(file)?;
    keys::read(&file).map_err(Failure::refused)?;
    let key = KeyRef { name: name.clone(), number: *number, file };
    super::change(context, false, |config| edit::add_key(config, service, key))
}

/// A key as `list` shows it.
#[derive(Serialize)]
struct Listed<'a> {
    service: &'a str,
    ring: &'a str,
    number: u32,
    file: &'a Path,
    state: &'static str,
    problem: Option<String>,
}

fn list(context: &mut Context<'_>, args: &List) -> Outcome {
    let config = super::config_of(context, args.config.as_deref())?;
    let keys = listed(&config);
    if context.json {
        context.object(&json!({ "keys": keys }))?;
    } else if keys.is_empty() {
        writeln!(context.out, "no service has keys")?;
    } else {
        let rows = keys.iter().map(|key| {
            let state = key.problem.clone().unwrap_or_else(|| key.state.to_owned());
            [key.service.to_owned(), key.ring.to_owned(), key.number.to_string(), key.file.display().to_string(), state]
        });
        context.table(["SERVICE", "RING", "NUMBER", "FILE", "STATE"], rows)?;
    }
    Ok(Exit::Done)
}

fn listed(config: &Config) -> Vec<Listed<'_>> {
    let of_service = |service: &config::Service| service.keys.len();
    let mut listed = Vec::with_capacity(config.services.iter().map(of_service).sum());
    for service in &config.services {
        listed.extend(service.keys.iter().map(|key| {
            let problem = keys::read(&key.file).err();
            let state = match &problem {
                None => "ok",
                Some(_) if !key.file.exists() => "missing",
                Some(_) => "refused",
            };
            let problem = problem.map(|refusal| refusal.message);
            Listed { service: &service.name, ring: &key.name, number: key.number, file: &key.file, state, problem }
        }));
    }
    listed
}
