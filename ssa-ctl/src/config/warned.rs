//! Two configs in; what `check` warns of in the second, and not in the first, out.

use std::collections::HashMap;

use super::{fault::Fault, model::Config, parse, source::Source, text::to_toml};

/// The header of a service's table in a config's text.
const SERVICE: &str = "[[service]]";

/// What an operator should know of `want` that was not so in `had`.
pub fn new_warnings(had: &Config, want: &Config) -> Vec<String> {
    let mut known: HashMap<String, usize> = HashMap::new();
    for warning in warnings(had) {
        *known.entry(warning).or_default() += 1;
    }
    let is_new = |warning: &String| match known.get_mut(warning) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    warnings(want).into_iter().filter(is_new).collect()
}

/// All warnings of a config that can be applied, each with its service, as there is no text to point at.
fn warnings(config: &Config) -> Vec<String> {
    let text = to_toml(config);
    let service = |fault: &Fault| {
        let before = text.get(..fault.start())?;
        let count = before.lines().filter(|line| *line == SERVICE).count();
        Some(config.services.get(count.checked_sub(1)?)?.name.as_str())
    };
    let told = |fault: &Fault| {
        let Fault { message, help, .. } = fault;
        match service(fault).filter(|name| !message.split([' ', ',']).any(|word| word == *name)) {
            Some(name) => format!("{name}: {message}; {help}"),
            None => format!("{message}; {help}"),
        }
    };
    let checked = parse(Source { path: "/running.toml".into(), text: text.clone() });
    checked.map_or_else(|_| Vec::new(), |checked| checked.warnings.iter().map(told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::edit;

    fn config(services: &[(&str, &str, u8)]) -> Config {
        let endpoint = |name: &str| {
            format!("[[endpoint]]\nname = \"{name}\"\naddress = \"fd00::{name}\"\ndomain = \"of {name}\"\n")
        };
        let service = |(number, (name, rule, bits)): (usize, &(&str, &str, u8))| {
            format!(
                "[[service]]\nname = \"{name}\"\nprefixes = [\"2001:db8:{number}::/64\"]\nrule = \"{rule}\"\n\
                 slice_bits = {bits}\n"
            )
        };
        let endpoints = ["a", "b", "c"].map(endpoint).concat();
        let services: String = services.iter().enumerate().map(service).collect();
        let text = format!("version = 1\n{endpoints}{services}");
        parse(Source { path: "/test.toml".into(), text }).unwrap().config
    }

    const APART: &str = "object(118):10 replica(3):2 any:*";

    #[test]
    fn what_was_so_before_is_not_said_again() {
        let had = config(&[("web", "any:*", 4), ("blocks", APART, 12)]);
        assert_eq!(new_warnings(&had, &had), [""; 0]);
        let merged = edit::merge(&had, "blocks", Some(10)).unwrap();
        let [warning] = &new_warnings(&had, &merged)[..] else { panic!("{:?}", new_warnings(&had, &merged)) };
        assert!(warning.starts_with("blocks: replica(3):2 does not lie within the 10 slice bits"), "{warning}");
        assert!(warning.contains("; put it among the first 10 bits"), "{warning}");
        assert_eq!(new_warnings(&merged, &had), [""; 0]);
        let other = edit::merge(&merged, "web", Some(3)).unwrap();
        assert_eq!(new_warnings(&merged, &other), [""; 0]);
    }

    #[test]
    fn the_same_of_another_service_is_said() {
        let two = config(&[("blocks", APART, 10), ("files", APART, 12)]);
        let merged = edit::merge(&two, "files", Some(10)).unwrap();
        let [warning] = &new_warnings(&two, &merged)[..] else { panic!("{:?}", new_warnings(&two, &merged)) };
        assert!(warning.starts_with("files: "), "{warning}");
    }

    #[test]
    fn endpoints_that_go_or_drain_are_looked_at() {
        let had = config(&[("blocks", APART, 12)]);
        for less in [edit::set_drain(&had, "c", true), edit::remove_endpoint(&had, "c")] {
            let [warning] = &new_warnings(&had, &less.unwrap())[..] else { panic!() };
            assert!(warning.starts_with("the service blocks has 2 endpoints for 3 replicas"), "{warning}");
        }
    }
}
