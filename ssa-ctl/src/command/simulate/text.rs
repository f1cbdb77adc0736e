//! A report in; lines and bars for people, of at most 80 columns but for what the config says, out.

use std::io;

use super::{
    Report,
    bots::{Bots, Case},
    plot,
    reach::{Field, Reach},
    spread::{Endpoint, OfEndpoints, OfSlices},
    statistics::ChiSquare,
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
    writeln!(context.out, "           max/mean {max_over_mean:.3}{}", tested(test.as_ref()))?;
    let each = count.div_ceil(bins.len());
    let unit = if each == 1 { "slice".to_owned() } else { format!("{each} slices") };
    writeln!(context.out, "           [{}] a block for each {unit}", plot::heights(bins))
}

fn tested(test: Option<&ChiSquare>) -> String {
    test.map_or_else(String::new, |test| {
        let ChiSquare { chi_square, degrees_of_freedom, p_value, .. } = test;
        format!(", chi-square {chi_square:.1} with {degrees_of_freedom} degrees of freedom, p {p_value:.3}")
    })
}

fn endpoints(context: &mut Context<'_>, of: &OfEndpoints) -> io::Result<()> {
    let OfEndpoints { max_over_mean, test, busiest, predicted, list, .. } = of;
    let count = list.len();
    writeln!(context.out, "endpoints  {count}; max/mean {max_over_mean:.3}{}", tested(test.as_ref()))?;
    let if_even = if predicted.by == "even" { ", if sources fell evenly" } else { "" };
    writeln!(
        context.out,
        "           the busiest has {}; {:.0} ± {:.0} are expected of the busiest{if_even}",
        busiest.load, predicted.load, predicted.sigma,
    )?;
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

fn row(endpoint: &Endpoint, most: f64) -> String {
    let Endpoint { endpoint, slices, load, share, over_expected, .. } = endpoint;
    let over = over_expected.map_or_else(|| "drained".to_owned(), |over| format!("{over:.3}"));
    let (name, percent, bar) = (plot::cut(endpoint, 16), share * 100.0, plot::bar(share / most, BAR));
    format!(" {name:<16} {slices:>7} {load:>9} {percent:>7.3}% {over:>8} {bar}")
}

fn attacker(context: &mut Context<'_>, reach: &Reach) -> io::Result<()> {
    let about = if reach.exact { "" } else { "about " };
    match reach.slices.zip(reach.slices_share) {
        Some((slices, share)) => {
            write!(
                context.out,
                "attacker   {} reaches {about}{slices:.0} slices ({:.3}%)",
                reach.prefix,
                share * 100.0
            )?;
            if let Some((endpoints, share)) = reach.endpoints.zip(reach.endpoints_share) {
                write!(context.out, ", {about}{endpoints:.0} endpoints ({:.3}%)", share * 100.0)?;
            }
            writeln!(context.out)?;
        }
        None => writeln!(context.out, "attacker   {} does not know its slices without the key", reach.prefix)?,
    }
    for Field { field, bits, choice, source_bits } in &reach.fields {
        let what = match *choice {
            "any" => "chosen freely".to_owned(),
            "work" => "chosen freely, with work for each".to_owned(),
            "sources" => format!("chosen among 2^{source_bits} sources"),
            "key" => "unknown without the key".to_owned(),
            _ => "no choice".to_owned(),
        };
        writeln!(context.out, "           {field}, {bits} slice bits: {what}")?;
    }
    if let Some(key) = &reach.key {
        writeln!(context.out, "           without a key of the ring {key} no address conforms")?;
    }
    Ok(())
}

fn bots(context: &mut Context<'_>, bots: &Bots) -> io::Result<()> {
    let Bots { count, rate, prefix_length, mean, forced, gathered, naive, .. } = bots;
    writeln!(
        context.out,
        "bots       {count}, each in a /{prefix_length} and as loud as {rate} clients; {mean:.0} an endpoint"
    )?;
    writeln!(
        context.out,
        " {:<10} {:>20} {:>8} {:>13} {:>11} {:>9}",
        "BOTS", "BUSIEST", "OF MEAN", "CLIENTS THERE", "GOOD THERE", "GOOD ALL"
    )?;
    for (name, case) in [("forced", forced), ("gathered", gathered), ("naive", naive)] {
        let Case { load, sigma, over_mean, clients, good_there, good } = case;
        let busiest = format!("{load:.0} ± {sigma:.0}");
        let [clients, good_there, good] = [clients, good_there, good].map(|part| format!("{:.2}%", part * 100.0));
        writeln!(context.out, " {name:<10} {busiest:>20} {over_mean:>8.2} {clients:>13} {good_there:>11} {good:>9}")?;
    }
    writeln!(context.out, " forced: as the rule has it; gathered: with what choice their prefixes leave them;")?;
    writeln!(context.out, " naive: without a rule. GOOD is the part of good traffic in all that arrives.")?;
    let over: Vec<_> =
        bots.clients_over.iter().map(|over| format!("{:.2}% above {}", over.clients * 100.0, over.times)).collect();
    writeln!(context.out, " Good clients on endpoints by times of the mean attack: {}", over.join(", "))
}
