//! An interface in; what its driver can do for suspects, as far as the kernel or its sources say, out. And which CPUs run.

use std::{fs, io, path::Path};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto, socket_with,
    sockopt::{Timeout, set_socket_timeout},
};

use super::{
    netlink::Interface,
    version::{is_before, release},
};

/// Drivers that leave no room in front of frames: they call `xdp_prepare_buff` without it (Linux 6.18).
const WITHOUT_ROOM: [&str; 5] = ["ena", "hv_netvsc", "mvneta", "cpsw", "cpsw-switch"];
/// The first Linux whose tun leaves some.
const TUN_WITH_ROOM: (u32, u32) = (6, 15);

/// Why a program can write nothing in front of the frames of an interface in native mode, where that is known.
pub fn without_room(interface: &Interface) -> Option<String> {
    if let Some(driver) = interface.driver().filter(|driver| WITHOUT_ROOM.contains(&driver.as_str())) {
        return Some(format!("its driver {driver} leaves no room in front of frames"));
    }
    let is_tun = Path::new(&format!("/sys/class/net/{}/tun_flags", interface.name)).exists();
    let release = release();
    (is_tun && is_before(&release, TUN_WITH_ROOM))
        .then(|| format!("the tun of Linux {release} leaves no room in front of frames"))
}

/// Whether a CPU runs. Where the kernel does not say, it does.
pub fn is_online(cpu: u32) -> bool {
    let Ok(list) = fs::read_to_string("/sys/devices/system/cpu/online") else { return true };
    lists(&list, cpu)
}

/// Whether a list such as `0-3,5` has a number.
fn lists(list: &str, number: u32) -> bool {
    list.trim().split(',').any(|run| {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        first.parse().is_ok_and(|first: u32| first <= number) && last.parse().is_ok_and(|last: u32| number <= last)
    })
}

/// Whether the driver of an interface can send frames elsewhere than to the stack in native mode; nothing where the kernel
/// does not say (before Linux 6.3).
pub fn redirects(interface: &Interface) -> Option<bool> {
    features(interface.index).ok().map(|features| features & REDIRECT != 0)
}

/// `NETDEV_XDP_ACT_REDIRECT` of `linux/netdev.h`.
const REDIRECT: u64 = 1 << 1;
/// `GENL_ID_CTRL`, `CTRL_CMD_GETFAMILY`, `CTRL_ATTR_FAMILY_ID` and `CTRL_ATTR_FAMILY_NAME` of `linux/genetlink.h`.
const CONTROL: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
/// `NETDEV_CMD_DEV_GET`, `NETDEV_A_DEV_IFINDEX` and `NETDEV_A_DEV_XDP_FEATURES` of `linux/netdev.h`.
const GET_DEVICE: u8 = 1;
const INDEX: u16 = 1;
const FEATURES: u16 = 3;

/// What the driver of an interface can do in native mode, in bits of `linux/netdev.h` (Linux 6.3).
fn features(interface: u32) -> io::Result<u64> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let family = ask(CONTROL, GET_FAMILY, FAMILY_NAME, b"netdev\0")?;
    let family = attribute(&family, FAMILY_ID).and_then(|octets| octets.try_into().ok()).ok_or_else(missing)?;
    let device = ask(u16::from_ne_bytes(family), GET_DEVICE, INDEX, &interface.to_ne_bytes())?;
    let features = attribute(&device, FEATURES).and_then(|octets| octets.try_into().ok()).ok_or_else(missing)?;
    Ok(u64::from_ne_bytes(features))
}

/// Octets of the header of a netlink message, and of that of generic netlink behind it.
const HEADER: usize = 16;
const GENERIC: usize = 4;
/// The longest message that is asked for.
const LONGEST: usize = 16_384;
/// The kernel answers at once.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Asks one question with one attribute; the attributes of the answer.
fn ask(family: u16, command: u8, kind: u16, value: &[u8]) -> io::Result<Vec<u8>> {
    const REQUEST: u16 = 1;
    const ERROR: u16 = 2;
    let refused = || io::Error::from(io::ErrorKind::InvalidData);
    let length = |octets: usize| u16::try_from(octets).map_err(io::Error::other);
    let mut attribute = [length(4 + value.len())?.to_ne_bytes(), kind.to_ne_bytes()].concat();
    attribute.extend(value);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    let octets = u32::from(length(HEADER + GENERIC + attribute.len())?);
    let mut message = octets.to_ne_bytes().to_vec();
    message.extend([family.to_ne_bytes(), REQUEST.to_ne_bytes()].concat());
    // Sequence and sender, which the kernel fills in for one; command and version.
    message.extend([0; 8]);
    message.extend([command, 1, 0, 0]);
    message.extend(attribute);

    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::GENERIC))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    sendto(&socket, &message, SendFlags::empty(), &netlink::SocketAddrNetlink::new(0, 0))?;
    let mut answer = vec![0; LONGEST];
    let (received, _) = recv(&socket, answer.as_mut_slice(), RecvFlags::empty())?;
    answer.truncate(received);
    let kind = answer.get(4..6).map(|octets| u16::from_ne_bytes([octets[0], octets[1]])).ok_or_else(refused)?;
    if kind == ERROR {
        return Err(refused());
    }
    Ok(answer.get(HEADER + GENERIC..).ok_or_else(refused)?.to_vec())
}

/// The value of the first attribute of a kind.
fn attribute(mut octets: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let head: [u8; 4] = octets.get(..4)?.try_into().ok()?;
        let [length, kind] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_ne_bytes);
        let length = usize::from(length);
        let value = octets.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        octets = octets.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_have_runs() {
        assert!(["0", "0-3", "1,0", "2-5,0-0"].iter().all(|list| lists(list, 0)));
        assert!(["1", "1-3\n", "", "2,4-6", "x", "-"].iter().all(|list| !lists(list, 0)));
        assert!(lists("0-3,5,7-12\n", 5) && lists("0-3,5,7-12\n", 12) && !lists("0-3,5,7-12\n", 6));
    }

    #[test]
    fn attributes_are_found_by_their_kind() {
        let mut octets = vec![];
        for (kind, value) in [(1_u16, &[7_u8, 0][..]), (3, &[1, 2, 3]), (2, &[])] {
            octets.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            octets.extend(kind.to_ne_bytes());
            octets.extend(value);
            octets.resize(octets.len().next_multiple_of(4), 0);
        }
        assert_eq!(attribute(&octets, 1), Some(&[7, 0][..]));
        assert_eq!(attribute(&octets, 3), Some(&[1, 2, 3][..]));
        assert_eq!(attribute(&octets, 2), Some(&[][..]));
        assert_eq!(attribute(&octets, 9), None);
        assert_eq!(attribute(&octets[..7], 3), None);
        assert_eq!(attribute(&[0; 8], 3), None);
    }
}
