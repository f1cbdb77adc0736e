//! A config and a wish in; the config with the wish fulfilled, or why not, out. Nothing is written anywhere.

mod endpoints;
mod keys;
mod slices;

pub use self::{
    endpoints::{add_endpoint, remove_endpoint, set_drain},
    keys::{add_key, retire_key},
    slices::{merge, split, unpin},
};
use super::{
    fault::Severity,
    model::{Config, Service},
    parse,
    refusal::Refusal,
    source::Source,
    text::to_toml,
    words::Enforce,
};

fn refuse<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { message: message.into(), help: help.into() })
}

/// Changes for which share of the sources a service's verdicts are enforced.
///
/// # Errors
/// Where there is no such service.
pub fn set_enforce(config: &Config, service: &str, enforce: Enforce) -> Result<Config, Refusal> {
    edit(config, service, |service| {
        service.enforce = enforce;
        Ok(())
    })
}

/// A config with one service changed, which reads as a config.
fn edit(
    config: &Config,
    name: &str,
    change: impl FnOnce(&mut Service) -> Result<(), Refusal>,
) -> Result<Config, Refusal> {
    let mut config = config.clone();
    change(service_mut(&mut config, name)?)?;
    valid(config)
}

fn service_mut<'a>(config: &'a mut Config, name: &str) -> Result<&'a mut Service, Refusal> {
    let (index, _) = config.named(name)?;
    Ok(&mut config.services[index])
}

/// A config that would be refused as a file is no result of an edit: what would be said of the file is said of the edit.
fn valid(config: Config) -> Result<Config, Refusal> {
    let source = Source { path: "/edited.toml".into(), text: to_toml(&config) };
    let Err(faults) = parse(source) else { return Ok(config) };
    match faults.items().iter().find(|fault| fault.severity == Severity::Error) {
        Some(fault) => refuse(&fault.message, &fault.help),
        None => Ok(config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A config with two endpoints, of which `web` takes all, and `shop` lists its own.
    pub(super) fn config() -> Config {
        let text = "version = 1\n\
                    [[endpoint]]\nname = \"a\"\naddress = \"2001:db8:e::a\"\n\
                    [[endpoint]]\nname = \"b\"\naddress = \"2001:db8:e::b\"\n\
                    [[service]]\nname = \"web\"\nprefixes = [\"2001:db8::/64\"]\nslice_bits = 4\n\
                    rule = \"hash(48):4 any:12 mac(48,key=k1):48\"\n\
                    [[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"/k1\"\n\
                    [[service]]\nname = \"shop\"\nprefixes = [\"2001:db8:1::/64\"]\nrule = \"any:*\"\n\
                    slice_bits = 4\nendpoints = [\"a\", \"b\"]\npinned = [\"0-3 a\", \"6 b\"]\n\
                    owners = [\"0-7 a\", \"8-15 b\"]\n\
                    [[service]]\nname = \"plain\"\nprefixes = [\"2001:db8:2::/64\"]\nrule = \"any:*\"\n";
        parse(Source { path: "/test.toml".into(), text: text.into() }).unwrap().config
    }

    /// Runs as a config has them.
    pub(super) fn texts(runs: &[crate::config::Run]) -> Vec<String> {
        runs.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn enforcement_changes_alone() {
        let off = set_enforce(&config(), "web", Enforce::OFF).unwrap();
        assert_eq!(off.services[0].enforce, Enforce::OFF);
        assert_eq!(set_enforce(&off, "web", Enforce::ON).unwrap(), config());
        assert!(set_enforce(&off, "www", Enforce::ON).unwrap_err().help.contains("are web, shop, plain"));
    }
}
