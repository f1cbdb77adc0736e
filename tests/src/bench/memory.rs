//! Numbers of services and of slices in; the memory that their filter takes in the kernel, and that `apply` takes, out.

use std::{
    collections::BTreeMap,
    fs,
    os::fd::{AsFd, AsRawFd as _},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use aya::{maps::MapData, programs::ProgramInfo};
use rustix::pipe::{PipeFlags, fcntl_getpipe_size, pipe_with};

use super::{
    Context,
    figure::{Better, Figure, Goal, Spread},
    site::{Site, sliced, text},
};

/// What the kernel's side may take with 16 services of 16,384 slices each, in octets.
const GOAL: f64 = 16.0 * 1024.0 * 1024.0;
/// An id, services, and bits of the number of a slice where they have slices, which then are counted.
const CONFIGS: [(&str, usize, Option<u8>); 4] =
    [("1", 1, None), ("16", 16, None), ("16-sliced", 16, Some(14)), ("4095", 4095, None)];
/// Longest run of `apply`.
const LONGEST: Duration = Duration::from_mins(1);

/// Measures memory.
///
/// # Errors
/// Where a config cannot be applied, or `status` says another size than the kernel.
pub fn run(context: &Context) -> Result<Vec<Figure>> {
    let phase = context.phase("memory", CONFIGS.len() as u64);
    let mut figures = Vec::new();
    for (id, services, bits) in CONFIGS {
        figures.extend(of(context, id, services, bits)?);
        phase.step()?;
    }
    Ok(figures)
}

fn of(context: &Context, id: &str, services: usize, bits: Option<u8>) -> Result<[Figure; 4]> {
    let site = Site::new(context)?;
    let config = bits.map_or_else(|| text(services, 48), |bits| sliced(services, bits, true));
    let apply = peak_of_apply(context, &site, &site.file("config.toml", &config)?)?;
    let (maps, programs) = (maps(site.pins())?, programs(site.pins())?);
    let stated = site.said(&["status"])?["memory"]["bytes"].as_f64().context("status states no memory")?;
    let all = maps + programs;
    // It counts rows. The kernel counts what is around them too.
    ensure!((stated / all - 1.0).abs() < 0.01, "status states {stated} octets, and the kernel {all}");
    let plural = if services == 1 { "" } else { "s" };
    let slices = bits.map_or_else(String::new, |bits| format!(" of {} counted slices each", 1 << bits));
    let of = |what: &str, name: &str, octets, goal: Option<f64>| Figure {
        id: format!("memory/{what}/{id}"),
        name: format!("{name}, {services} service{plural}{slices}"),
        unit: "octets".into(),
        better: Better::Lower,
        spread: Spread::of(vec![octets]),
        rounds: 1,
        goal: goal.map(Goal::AtMost),
        ratios: BTreeMap::new(),
    };
    Ok([
        of("kernel", "kernel memory", all, bits.map(|_| GOAL)),
        of("maps", "maps", maps, None),
        of("programs", "programs", programs, None),
        of("apply", "most memory of apply", apply, None),
    ])
}

/// What the kernel says that all maps take.
fn maps(pins: &Path) -> Result<f64> {
    pinned(&pins.join("maps"), |pin| locked(MapData::from_pin(pin)?.fd()))
}

/// What the kernel says that all programs take: pages of instructions, and the machine's code.
fn programs(pins: &Path) -> Result<f64> {
    let of = |pin: &Path| {
        let info = ProgramInfo::from_pin(pin)?;
        Ok(locked(info.fd()?)? + f64::from(info.size_jitted()))
    };
    pinned(&pins.join("progs"), of)
}

/// What the kernel says that an object takes.
fn locked(object: impl AsFd) -> Result<f64> {
    let path = format!("/proc/thread-self/fdinfo/{}", object.as_fd().as_raw_fd());
    let said = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let octets = said.lines().find_map(|line| line.strip_prefix("memlock:")?.trim().parse().ok());
    octets.with_context(|| format!("{path} says nothing of memory"))
}

fn pinned(folder: &Path, of: impl Fn(&Path) -> Result<f64>) -> Result<f64> {
    fs::read_dir(folder)?.map(|entry| of(&entry?.path())).sum()
}

/// The most octets that a first `apply` has in memory at a time.
///
/// What the kernel says of a process that has ended counts this process in, which started it. So it is asked while it
/// runs: it has done its work when it says so, and saying it is held up by a pipe that is full.
fn peak_of_apply(context: &Context, site: &Site, file: &str) -> Result<f64> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::write(&writer, &vec![0; fcntl_getpipe_size(&writer)?])?;
    let mut command = site.command(&["apply", file]);
    command.stdout(Stdio::from(writer)).stderr(Stdio::null());
    let mut child = site.enter(|| command.spawn())?.context("cannot run ssa-ctl")?;
    let of = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap_or_default();
    let writes = format!("{} 0x1 ", libc::SYS_write);
    let waited = context.wait_until("apply to say what it did", LONGEST, || of("syscall").starts_with(&writes));
    let status = of("status");
    // The pipe has nobody to read it any more.
    drop(reader);
    if waited.is_err() {
        child.kill()?;
    }
    child.wait()?;
    waited?;
    let kibibytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok());
    kibibytes.map(|of: f64| of * 1024.0).context("the kernel says nothing of the memory of apply")
}
