//! Where a call comes from. What a header says about that counts only when a
//! reverse proxy that was named in the settings says it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};

use crate::config::Config;

/// Where a call comes from, as far as limits tell callers apart; `None` over the
/// Unix socket. Who has one IPv6 address has the other ones of its /64 too.
pub fn of(config: &Config, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip();
    let forwarded = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    Some(network(client(peer, forwarded, &config.trusted_proxies)))
}

/// The nearest address that is not a trusted proxy's. Proxies append whom they
/// heard from, so what stands further left may be anybody's invention.
fn client<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[IpAddr],
) -> IpAddr {
    let mut nearest = peer.to_canonical();
    for hop in forwarded.rev().flat_map(|value| value.rsplit(',')) {
        if !trusted.contains(&nearest) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => nearest = address.to_canonical(),
            Err(_) => break,
        }
    }
    nearest
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::direct("192.0.2.1", &[], "192.0.2.1")]
    #[case::forged("192.0.2.1", &["198.51.100.9"], "192.0.2.1")]
    #[case::proxied("10.0.0.1", &["198.51.100.9"], "198.51.100.9")]
    #[case::forged_through_a_proxy("10.0.0.1", &["203.0.113.5, 198.51.100.9"], "198.51.100.9")]
    #[case::two_headers("10.0.0.1", &["203.0.113.5", "198.51.100.9"], "198.51.100.9")]
    #[case::two_proxies("10.0.0.1", &["198.51.100.9, 10.0.0.2"], "198.51.100.9")]
    #[case::nonsense("10.0.0.1", &["198.51.100.9, unknown"], "10.0.0.1")]
    #[case::mapped("::ffff:10.0.0.1", &["198.51.100.9"], "198.51.100.9")]
    fn only_trusted_proxies_say_who_calls(
        #[case] peer: &str,
        #[case] forwarded: &[&str],
        #[case] expected: &str,
    ) {
        let trusted = ["10.0.0.1", "10.0.0.2"].map(|proxy| proxy.parse().unwrap());
        let found = client(peer.parse().unwrap(), forwarded.iter().copied(), &trusted);
        assert_eq!(found.to_string(), expected);
    }

    #[rstest]
    #[case("192.0.2.1", "192.0.2.1")]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    fn addresses_of_one_network_count_together(#[case] address: &str, #[case] expected: &str) {
        assert_eq!(network(address.parse().unwrap()).to_string(), expected);
    }
}
