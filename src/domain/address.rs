//! Addresses of this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where something is asked from this machine that listens there: on every address is on the loopback one too.
#[must_use]
pub fn asked_at(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

/// Whether the host of a URL, a name or an address, can only mean this machine.
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_asked_on_the_loopback_one_of_its_kind() {
        for (listen, asked) in [
            ("0.0.0.0:8884", "127.0.0.1:8884"),
            ("[::]:8884", "[::1]:8884"),
            ("10.0.0.7:8884", "10.0.0.7:8884"),
            ("[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(asked_at(listen.parse().unwrap()).to_string(), asked);
        }
    }

    #[test]
    fn only_loopback_addresses_and_their_name_are_this_machine() {
        for host in ["localhost", "127.0.0.1", "127.8.0.1", "::1", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "localhost.example", "128.0.0.1", "0.0.0.0", "[::1", "localhost]", "[::2]"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
