//! Who counts as one peer.

use std::net::{IpAddr, Ipv6Addr};

/// What limits for each peer count by: an IPv4 address, or the whole /64 that one host has of IPv6 addresses
/// and picks from as it likes (RFC 4291 §2.5.1, RFC 8981).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Host(IpAddr);

impl From<IpAddr> for Host {
    /// An IPv4 address is the same one when it comes in the form of IPv6.
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(six) => {
                let [a, b, c, d, ..] = six.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            four @ IpAddr::V4(_) => four,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_address_or_a_whole_64() {
        let host = |text: &str| Host::from(text.parse::<IpAddr>().expect("an address"));
        let cases = [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("2001:db8::1", "2001:db8::ffff:2:3", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ];
        for (one, other, same) in cases {
            assert_eq!(host(one) == host(other), same, "{one} and {other}");
        }
    }
}
