//! Connections that begin with a SYN cookie, at the new owner of a slice whose previous owner still has connections.

use crate::{
    fleet::{Fleet, called, service},
    handover::{connect, start},
};

/// A slice that moves.
const SLICE: u32 = 3;
const CONNECTIONS: u16 = 20;

#[test]
fn a_connection_that_a_cookie_begins_stays_with_the_new_owner() {
    let fleet = Fleet::new("cookie");
    fleet.set_lan_mtu(1600);
    fleet.apply(&service("ip6ip6", "handover = \"10m\""));
    fleet.endpoints.iter().for_each(start);
    for host in fleet.hosts() {
        host.move_slices((SLICE, SLICE), "a");
        host.move_slices((SLICE, SLICE), "b");
    }
    let (previous, owner) = (fleet.endpoint("a"), fleet.endpoint("b"));
    // Always, and not only where a queue is full: the listener then keeps nothing of a SYN.
    owner.namespace.run("sysctl", ["-q", "-w", "net.ipv4.tcp_syncookies=2"]).unwrap();
    let before = previous.packets(&["received"]);
    for last in 1..=CONNECTIONS {
        let (_, name) = connect(&fleet.client, called(SLICE, last)).unwrap();
        assert_eq!(name, "b", "connection {last}");
    }
    let cookies = owner.namespace.run("nstat", ["-asz", "TcpExtSyncookiesRecv"]).unwrap();
    assert!(are_counted(&cookies), "{cookies}");
    assert_eq!(owner.packets(&["treatments", "forward"]), 0, "sent on to the previous owner");
    assert_eq!(previous.packets(&["received"]), before, "the previous owner got something");
}

/// Whether `nstat` tells of as many cookies.
fn are_counted(table: &str) -> bool {
    let wanted = ["TcpExtSyncookiesRecv".to_owned(), CONNECTIONS.to_string()];
    table.lines().any(|line| line.split_whitespace().take(2).eq(wanted.iter().map(String::as_str)))
}
