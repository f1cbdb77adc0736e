//! `check`: a config file in; all its faults and warnings, and how strong its rules are, out. Needs no privilege.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    config::{self, Checked, Forgery, Service},
    context::Context,
    failure::{Exit, Outcome},
    output,
};

/// Read a config, and say what is wrong with it
///
/// Says all faults at once, each with line, column and what would be right, and warns of rules that do less than they
/// seem to. For a rule with a `mac` it prints what share of random packets the filter lets through. Nothing is changed
/// and no privilege is needed; key files are not read.
///
/// Exit codes: 0 the config can be applied; 2 it cannot.
#[derive(clap::Args)]
pub struct Args {
    /// The config file
    file: PathBuf,
}

/// Checks a config.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let checked = config::read(&args.file)?;
    if context.json {
        context.object(&object(&checked))?;
    } else {
        text(context, &checked)?;
    }
    Ok(Exit::Done)
}

fn object(checked: &Checked) -> Value {
    let service = |service: &Service| {
        json!({
            "name": service.name,
            "prefixes": service.prefixes,
            "rule": service.rule.to_string(),
            "slices": 1u32 << service.slice_bits,
            "forgery": config::forgery(service),
        })
    };
    json!({
        "file": checked.source.path,
        "services": checked.config.services.iter().map(service).collect::<Vec<_>>(),
        "warnings": checked.located_warnings(),
    })
}

fn text(context: &mut Context<'_>, checked: &Checked) -> std::io::Result<()> {
    let warnings = checked.render_warnings(output::is_styled(context));
    write!(context.err, "{warnings}")?;
    let services = &checked.config.services;
    let rows = services.iter().map(|service| {
        [
            service.name.clone(),
            service.prefixes.len().to_string(),
            (1u32 << service.slice_bits).to_string(),
            config::forgery(service).map_or_else(|| "-".into(), share),
            service.rule.to_string(),
        ]
    });
    context.table(["SERVICE", "PREFIXES", "SLICES", "RANDOM PACKETS PASS", "RULE"], rows)?;
    let path = checked.source.path.display();
    match checked.warnings.len() {
        0 => writeln!(context.out, "\n{path} can be applied"),
        1 => writeln!(context.out, "\n{path} can be applied, with 1 warning"),
        warnings => writeln!(context.out, "\n{path} can be applied, with {warnings} warnings"),
    }
}

fn share(Forgery { accepted, bits }: Forgery) -> String {
    format!("{accepted}/2^{bits}")
}
