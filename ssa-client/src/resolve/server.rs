//! An address as people write it in; a name server, with its port, out.

use std::net::{IpAddr, SocketAddr};

/// The port of name servers.
const PORT: u16 = 53;

/// A name server, such as `::1`, `::1#5353` or `[::1]:5353`.
///
/// # Errors
/// What would be right, where it is none.
pub fn server(text: &str) -> Result<SocketAddr, &'static str> {
    let (address, port) = text.split_once('#').unwrap_or((text, ""));
    let whole = text.parse().or_else(|_| {
        let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().map_err(drop)?;
        let port = if text.contains('#') { port.parse().map_err(drop)? } else { PORT };
        Ok::<_, ()>(SocketAddr::new(address, port))
    });
    whole
        .ok()
        .filter(|server| server.port() != 0)
        .ok_or("an address, with a port or without, such as ::1, ::1#5353 or [::1]:5353")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_ports_in_the_ways_that_are_usual() {
        let cases = [
            ("::1", "[::1]:53"),
            ("[::1]", "[::1]:53"),
            ("::1#5353", "[::1]:5353"),
            ("[::1]:5353", "[::1]:5353"),
            ("127.0.0.1", "127.0.0.1:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("127.0.0.1#5353", "127.0.0.1:5353"),
        ];
        for (text, expected) in cases {
            assert_eq!(server(text).unwrap().to_string(), expected, "{text}");
        }
        for wrong in
            ["", "localhost", "::1#", "::1#x", "::1#65536", "::1#0", "[::1]:0", "127.0.0.1#0", "127.0.0.1:", "#53"]
        {
            assert!(server(wrong).is_err(), "{wrong}");
        }
    }
}
