//! In: nothing but the search path. Out: the programs that tests, demo and bench call and that are not there.

use std::env;
use std::path::Path;

/// A program, or the whole path of a file that is none, the Debian package it comes in, and what for.
pub(crate) struct Program {
    name: &'static str,
    /// Debian's package.
    pub(crate) package: &'static str,
    why: &'static str,
}

const PROGRAMS: &[Program] = &[
    program("bpftool", "bpftool", "an observer that is not ours: programs, maps and links as the kernel sees them"),
    program("/etc/powerdns/pdns.d/bind.conf", "pdns-backend-bind", "zone files for PowerDNS"),
    program(
        "/usr/lib/python3/dist-packages/dns/version.py",
        "python3-dnspython",
        "reads and writes address prefix lists, by somebody else's reading of the standard",
    ),
    program("c++", "g++", "takes the header of the client's C library, as programs of C++ do"),
    program("capsh", "libcap2-bin", "takes capabilities away one by one"),
    program("cc", "gcc", "programs that call the client's C library, and a static one that calls nothing of ours"),
    program("curl", "curl", "a program that nobody has changed, in a cgroup and outside; scrapes"),
    program("dig", "bind9-dnsutils", "a DNS client that is not ours, and nsupdate"),
    program("ethtool", "ethtool", "counters of veth receivers, offload switches"),
    program("ip", "iproute2", "namespaces, veth pairs, AnyIP routes"),
    program("kdig", "knot-dnsutils", "another DNS client"),
    program("knotd", "knot", "a name server that loads and signs our records"),
    program("mount", "mount", "bpffs"),
    program("named", "bind9", "a name server that loads our records and takes updates of them"),
    program("nft", "nftables", "a peer that the bench measures the filter against"),
    program("nm", "binutils", "what the client's C library exports; readelf comes with it"),
    program("nsd", "nsd", "a name server that loads our records"),
    program("nsenter", "util-linux", "enters a namespace and, unlike `ip netns exec`, keeps the pins in sight"),
    program("pdns_server", "pdns-server", "a name server that loads our records"),
    program("ps", "procps", "nothing of ours may be left running"),
    program("python3", "python3", "another: TCP and UDP of a language of its own; calls the client's C library"),
    program("tcpdump", "tcpdump", "frames as they arrive, seen by somebody else"),
    program("tshark", "tshark", "reads captures of events, by somebody else's reading of the format"),
    program("xdp-filter", "xdp-tools", "a peer that the bench measures the filter against"),
    program("xdp-loader", "xdp-tools", "somebody else's program on the hook"),
];

/// The units of services that packages bring. Tests run these programs themselves.
pub(crate) const SERVICES: [(&str, &str); 4] =
    [("bind9", "named.service"), ("knot", "knot.service"), ("nsd", "nsd.service"), ("pdns-server", "pdns.service")];

/// The folders of administration programs, which a user's search path often lacks.
pub(crate) const ADMIN_DIRS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// What is not there.
pub(crate) fn missing() -> Vec<&'static Program> {
    PROGRAMS.iter().filter(|program| !installed(program.name)).collect()
}

/// Is a program of this name on the search path, or where administrators' programs are? Or is this file there?
pub(crate) fn installed(name: &str) -> bool {
    if name.starts_with('/') {
        return Path::new(name).is_file();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(ADMIN_DIRS.iter().map(Into::into)).any(|dir| is_program(&dir.join(name)))
}

/// One line for each: name, package, reason.
pub(crate) fn explain(programs: &[&Program]) -> String {
    let line = |p: &&Program| format!("  {} (Debian's package {}): {}\n", p.name, p.package, p.why);
    programs.iter().map(line).collect()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

const fn program(name: &'static str, package: &'static str, why: &'static str) -> Program {
    Program { name, package, why }
}
