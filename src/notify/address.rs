//! Where outgoing webhooks may go: to public addresses, asked after the name was resolved.
//!
//! Whoever may write an endpoint must not make this server knock on its own neighbours: on a cloud's metadata, on a
//! database that trusts the network, on itself. The resolver is the client's own, so that the address that was looked at
//! is the one that is connected to.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Doubt {
    #[error("it is no http or https address")]
    NoUrl,
    #[error("it is not https: what is sent could be read on its way")]
    Plain,
    #[error("it holds a name or a password; whoever receives checks the signature instead")]
    Credentials,
    #[error("{0} is no public address; HALO_WEBHOOKS_PRIVATE=true allows it")]
    Private(String),
}

/// May something be sent there, as far as the address itself says? Names are looked at again when they are resolved.
pub fn sound(text: &str, private: bool) -> Result<Url, Doubt> {
    let url = Url::parse(text).map_err(|_| Doubt::NoUrl)?;
    match url.scheme() {
        "https" => {}
        "http" if private => {}
        "http" => return Err(Doubt::Plain),
        _ => return Err(Doubt::NoUrl),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Doubt::Credentials);
    }
    let host = url.host_str().ok_or(Doubt::NoUrl)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(ip) if !private && !is_public(ip) => Err(Doubt::Private(bare.to_owned())),
        Err(_) if !private && (bare == "localhost" || bare.ends_with(".localhost")) => {
            Err(Doubt::Private(bare.to_owned()))
        }
        _ => Ok(url),
    }
}

/// Resolves names to public addresses alone.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(
                    Box::new(Doubt::Private(name.as_str().to_owned())) as Box<dyn std::error::Error + Send + Sync>
                );
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Reached from anywhere: none of the special ranges of IANA's registries (RFC 6890 and its updates).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let embedded = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    // An IPv4 address in another dress leads to that address.
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff | 0) | (0x64, 0xff9b, 0, 0, 0, 0) => return is_public_v4(embedded(g, h)),
        (0x2002, ..) => return is_public_v4(embedded(b, c)),
        _ => {}
    }
    // Everything that is given out for use between networks lies in 2000::/3.
    (0x2000..0x4000).contains(&a) && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)) && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guards: each range of `is_public_v4` and `is_public_v6`.
    #[test]
    fn neighbours_are_no_public_addresses() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::127.0.0.1",
            "2001::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "100.128.0.1", "172.32.0.1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_is_looked_at_before_it_is_kept() {
        assert!(sound("https://example.com/hook?x=1", false).is_ok());
        assert_eq!(sound("http://example.com/hook", false), Err(Doubt::Plain));
        assert_eq!(sound("ftp://example.com", true), Err(Doubt::NoUrl));
        assert_eq!(sound("nothing", true), Err(Doubt::NoUrl));
        assert_eq!(sound("https://me:secret@example.com", false), Err(Doubt::Credentials));
        for private in [
            "https://127.0.0.1/",
            "https://[::1]:8443/",
            "https://localhost/",
            "https://2130706433/",
            "https://0x7f.1/",
        ] {
            assert!(matches!(sound(private, false), Err(Doubt::Private(_))), "{private}");
        }
        assert!(sound("http://127.0.0.1:9000/hook", true).is_ok());
    }

    /// The guard: the filter in `PublicOnly`. A name that anybody may point at this machine must not lead here.
    #[tokio::test]
    async fn a_name_that_leads_home_is_not_followed() {
        let resolved = PublicOnly.resolve("localhost".parse().unwrap()).await;
        let cause = resolved.err().expect("it is this machine").to_string();
        assert!(cause.contains("no public address"), "{cause}");
    }
}
