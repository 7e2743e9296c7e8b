//! Which addresses may be called. Names are resolved by our own resolver,
//! right before connecting, so that what was checked is what is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The longest address.
const MAX_URL_BYTES: usize = 2048;

/// An address that is never called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("Invalid url given")]
pub struct InvalidUrl;

/// Reads an address: http or https, a host, no login in it; and not
/// of this machine or network, unless `allow_local`.
pub fn check_url(text: &str, allow_local: bool) -> Result<Url, InvalidUrl> {
    let url = Url::parse(text.trim()).map_err(|_| InvalidUrl)?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let has_login = !url.username().is_empty() || url.password().is_some();
    let is_local = match url.host() {
        None => return Err(InvalidUrl),
        Some(Host::Ipv4(address)) => is_local(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_local(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost")
                || name.to_ascii_lowercase().ends_with(".localhost")
        }
    };
    if is_web && !has_login && text.len() <= MAX_URL_BYTES && (allow_local || !is_local) {
        Ok(url)
    } else {
        Err(InvalidUrl)
    }
}

/// Whether an address is not of the open internet: this machine, a private or
/// shared network, link-local (where clouds keep their metadata), multicast, or
/// reserved; also when an IPv4 address is wrapped in an IPv6 one.
pub fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => is_local_v6(address),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    let wrapped = |at: usize| {
        let octets = address.octets();
        Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3])
    };
    match address.segments() {
        // ::, ::1, IPv4-mapped and IPv4-compatible.
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] => is_local_v4(wrapped(12)),
        // IPv4-translated, and NAT64.
        [0, 0, 0, 0, 0xffff, 0, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => {
            is_local_v4(wrapped(12))
        }
        [0x64, 0xff9b, 1, ..] => true,
        // 6to4.
        [0x2002, ..] => is_local_v4(wrapped(2)),
        // Teredo, documentation, and the rest of 2001::/23.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => true,
        // Only 2000::/3 is given out.
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

/// Resolves names to addresses of the open internet only.
#[derive(Clone, Copy, Debug)]
pub struct GuardedResolver {
    /// Any address will do.
    pub allow_local: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_local = self.allow_local;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| allow_local || !is_local(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err("it leads to this machine or a private network".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1")]
    #[case("127.9.9.9")]
    #[case("0.0.0.0")]
    #[case("0.1.2.3")]
    #[case("10.0.0.1")]
    #[case("172.16.0.1")]
    #[case("192.168.1.1")]
    #[case("100.64.0.1")]
    #[case("169.254.169.254")]
    #[case("192.0.0.192")]
    #[case("198.18.0.1")]
    #[case("224.0.0.1")]
    #[case("255.255.255.255")]
    #[case("::")]
    #[case("::1")]
    #[case("::ffff:127.0.0.1")]
    #[case("::ffff:169.254.169.254")]
    #[case("::127.0.0.1")]
    #[case("64:ff9b::10.0.0.1")]
    #[case("2002:7f00:1::")]
    #[case("2001::1")]
    #[case("fc00::1")]
    #[case("fd00:ec2::254")]
    #[case("fe80::1")]
    #[case("ff02::1")]
    fn addresses_of_this_machine_and_network_are_local(#[case] address: &str) {
        assert!(is_local(address.parse().unwrap()));
    }

    #[rstest]
    #[case("1.1.1.1")]
    #[case("172.32.0.1")]
    #[case("100.128.0.1")]
    #[case("2606:4700::1111")]
    #[case("::ffff:1.1.1.1")]
    #[case("64:ff9b::1.1.1.1")]
    fn addresses_of_the_internet_are_not(#[case] address: &str) {
        assert!(!is_local(address.parse().unwrap()));
    }

    #[rstest]
    #[case("https://example.com/hook")]
    #[case("http://example.com:8080/?a=b")]
    #[case("https://1.1.1.1/")]
    fn web_addresses_are_taken(#[case] url: &str) {
        assert!(check_url(url, false).is_ok());
    }

    #[rstest]
    #[case("")]
    #[case("example.com")]
    #[case("gopher://example.com/")]
    #[case("file:///etc/passwd")]
    #[case("https://user:secret@example.com/")]
    #[case("https://user@example.com/")]
    #[case("http://127.0.0.1:9/")]
    #[case("http://2130706433/")]
    #[case("http://0x7f.1/")]
    #[case("http://[::ffff:127.0.0.1]/")]
    #[case("http://localhost/")]
    #[case("http://LOCALHOST./")]
    #[case("http://a.localhost/")]
    fn other_addresses_are_refused(#[case] url: &str) {
        assert_eq!(check_url(url, false), Err(InvalidUrl));
    }

    #[test]
    fn local_addresses_can_be_allowed() {
        assert!(check_url("http://127.0.0.1:9/", true).is_ok());
        assert!(check_url("gopher://127.0.0.1:9/", true).is_err());
    }

    #[tokio::test]
    async fn a_name_is_resolved_to_allowed_addresses_only() {
        let resolve = |allow_local| {
            let name: Name = "localhost".parse().unwrap();
            GuardedResolver { allow_local }.resolve(name)
        };
        assert!(resolve(true).await.is_ok());
        let error = resolve(false).await.err().unwrap();
        assert!(error.to_string().contains("private network"), "{error}");
    }
}
