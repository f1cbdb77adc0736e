//! A report in; lines and bars for people, of at most 80 columns but for what the config says, out.

use std::io;

use super::{
    Report,
    bots::{Bots, Case},
    plot,
    reach::{Bits, Reach},
    spread::{Loaded, OfEndpoints, OfSlices, Predicted},
    statistics::Evenness,
};
use crate::context::Context;

/// Endpoints that are shown of each end, where there are more than twice as many.
const SHOWN: usize = 10;
/// Columns of a bar.
const BAR: usize = 24;

pub(super) fn print(context: &mut Context<'_>, report: &Report<'_>) -> io::Result<()> {
    writeln!(context.out, "service    {}: {}", report.service, report.rule)?;
    writeln!(context.out, "clients    {} {}, to {}", report.clients, report.from, report.prefix)?;
    slices(context, report.slices, &report.bins)?;
    match report.endpoints {
        Some(of) => endpoints(context, of)?,
        None => writeln!(context.out, "endpoints  none: the slices have no owners")?,
    }
    if let Some(reach) = &report.attacker {
        writeln!(context.out)?;
        attacker(context, reach)?;
    }
    if let Some(of) = &report.bots {
        writeln!(context.out)?;
        bots(context, of)?;
    }
    if let Some(path) = &report.chart {
        writeln!(context.out, "\nchart      {}", path.display())?;
    }
    Ok(())
}

fn slices(context: &mut Context<'_>, slices: &OfSlices, bins: &[u64]) -> io::Result<()> {
    let OfSlices { count, occupied, mean, max, max_over_mean, test } = slices;
    writeln!(context.out, "slices     {occupied} of {count} used; {mean:.2} clients each, at most {max}")?;
    writeln!(context.out, "           max/mean {max_over_mean:.3}")?;
    tested(context, test.as_ref())?;
    let each = count.div_ceil(bins.len());
    writeln!(context.out, "           a block for each {}:", counted(&each, "slice"))?;
    writeln!(context.out, "           [{}]", plot::heights(bins))
}

fn tested(context: &mut Context<'_>, test: Option<&Evenness>) -> io::Result<()> {
    let Some(Evenness { chi_square, degrees_of_freedom, p_value, .. }) = test else { return Ok(()) };
    writeln!(
        context.out,
        "           chi-square {chi_square:.1} ({degrees_of_freedom} degrees of freedom), p {p_value:.3}"
    )
}

/// `1 slice`, `2 slices`.
fn counted(count: &impl ToString, what: &str) -> String {
    let count = count.to_string();
    if count == "1" { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn endpoints(context: &mut Context<'_>, of: &OfEndpoints) -> io::Result<()> {
    let OfEndpoints { max_over_mean, test, busiest, predicted, list, .. } = of;
    let count = list.len();
    writeln!(context.out, "endpoints  {count}; max/mean {max_over_mean:.3}")?;
    tested(context, test.as_ref())?;
    writeln!(context.out, "           the busiest has {} clients", busiest.load)?;
    let if_even = if predicted.by == "even" { ", if sources fell evenly" } else { "" };
    let Predicted { load, sigma, .. } = predicted;
    writeln!(context.out, "           expected of the busiest: {}{if_even}", plus_minus(*load, *sigma))?;
    let most = list.iter().map(|endpoint| endpoint.share).fold(f64::MIN_POSITIVE, f64::max);
    let heads = ["ENDPOINT", "SLICES", "LOAD", "SHARE", "OF MEAN"];
    writeln!(context.out, " {:<16} {:>7} {:>9} {:>8} {:>8}", heads[0], heads[1], heads[2], heads[3], heads[4])?;
    let left_out = list.len().saturating_sub(2 * SHOWN);
    for (place, endpoint) in list.iter().enumerate() {
        if left_out == 0 || place < SHOWN || place >= SHOWN + left_out {
            writeln!(context.out, "{}", row(endpoint, most).trim_end())?;
        } else if place == SHOWN {
            writeln!(context.out, " … {left_out} others; --json has them all")?;
        }
    }
    Ok(())
}

fn row(endpoint: &Loaded, most: f64) -> String {
    let Loaded { endpoint, slices, load, share, over_expected, .. } = endpoint;
    let over = over_expected.map_or_else(|| "drained".to_owned(), |over| format!("{over:.3}"));
    let (name, percent, bar) = (plot::cut(endpoint, 16), share * 100.0, plot::bar(share / most, BAR));
    format!(" {name:<16} {slices:>7} {load:>9} {percent:>7.3}% {over:>8} {bar}")
}

/// `6390 ± 41`.
fn plus_minus(mean: f64, sigma: f64) -> String {
    if sigma > 0.0 { format!("{mean:.0} ± {sigma:.0}") } else { format!("{mean:.0}") }
}

fn attacker(context: &mut Context<'_>, reach: &Reach) -> io::Result<()> {
    let about = if reach.exact { "" } else { "about " };
    let part = |(count, share): (f64, f64), what| {
        format!("{about}{} ({:.3}%)", counted(&format!("{count:.0}"), what), share * 100.0)
    };
    match reach.slices.zip(reach.slices_share) {
        Some(slices) => {
            write!(context.out, "attacker   {} reaches {}", reach.prefix, part(slices, "slice"))?;
            if let Some(endpoints) = reach.endpoints.zip(reach.endpoints_share) {
                write!(context.out, ",\n           {}", part(endpoints, "endpoint"))?;
            }
            writeln!(context.out)?;
        }
        None => writeln!(context.out, "attacker   {} does not know its slices without the key", reach.prefix)?,
    }
    for Bits { field, bits, choice, source_bits } in &reach.fields {
        let what = match *choice {
            "any" => "chosen freely".to_owned(),
            "work" => "chosen freely, with work for each".to_owned(),
            "sources" => format!("chosen among 2^{source_bits} sources"),
            "key" => "unknown without the key".to_owned(),
            _ => "no choice".to_owned(),
        };
        writeln!(context.out, "           {field}, {}: {what}", counted(&bits, "slice bit"))?;
    }
    if let Some(key) = &reach.key {
        writeln!(context.out, "           without a key of the ring {key} no address conforms")?;
    }
    Ok(())
}

fn bots(context: &mut Context<'_>, bots: &Bots) -> io::Result<()> {
    let Bots { count, rate, prefix_length, mean, forced, gathered, naive, clients_over, .. } = bots;
    writeln!(
        context.out,
        "bots       {count}, each in a /{prefix_length} and as loud as {}",
        counted(&rate, "client")
    )?;
    writeln!(context.out, "           {mean:.1} clients' worth of attack on an endpoint, on average")?;
    let heads = ["BOTS", "BUSIEST", "OF MEAN", "CLIENTS THERE", "GOOD THERE"];
    writeln!(context.out, " {:<10} {:>22} {:>9} {:>14} {:>11}", heads[0], heads[1], heads[2], heads[3], heads[4])?;
    for (name, case) in [("forced", forced), ("gathered", gathered), ("naive", naive)] {
        let Case { load, sigma, over_mean, clients, good_there, .. } = case;
        let busiest = plus_minus(*load, *sigma);
        let [clients, good] = [clients, good_there].map(|part| format!("{:.2}%", part * 100.0));
        writeln!(context.out, " {name:<10} {busiest:>22} {over_mean:>9.2} {clients:>14} {good:>11}")?;
    }
    writeln!(context.out, " forced: as the rule has it; gathered: as far as their prefixes let them choose;")?;
    writeln!(context.out, " naive: without a rule. CLIENTS THERE: the good clients that use this endpoint;")?;
    writeln!(context.out, " GOOD THERE: the good traffic in all that arrives at it.")?;
    let over = clients_over.iter().map(|over| format!("{:.2}% over {}", over.clients * 100.0, over.times));
    let over: Vec<_> = over.collect();
    writeln!(
        context.out,
        " Good clients whose endpoint has so many times the mean attack, forced:\n {}",
        over.join(", ")
    )
}
