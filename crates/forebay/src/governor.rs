//! A rate limit on failed publishes: nobody guesses stream keys, or fills the log, from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use media::Host;

/// What a limit counts in.
const MINUTE: Duration = Duration::from_secs(60);
/// Addresses with a history at a time; those beyond share one.
const ADDRESSES: usize = 10_000;

/// Token buckets by address: full at first, one token taken by each failure, filled again within a minute.
///
/// The `governor` crate takes a token whenever it is asked; here only failures cost, and a look is free.
#[derive(Debug)]
pub(crate) struct Governor {
    per_minute: u32,
    spent: HashMap<Host, Spent>,
}

/// The failures of one address, less what time has forgiven.
#[derive(Clone, Copy, Debug)]
struct Spent {
    failures: f64,
    at: Instant,
}

impl Governor {
    /// `per_minute` failures at once, and so many a minute from then on.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            spent: HashMap::new(),
        }
    }

    /// Whether a publish from `address` is looked at.
    pub(crate) fn allows(&self, address: IpAddr, now: Instant) -> bool {
        let spent = self.spent.get(&self.place(address));
        spent.is_none_or(|spent| self.left(*spent, now) + 1.0 <= f64::from(self.per_minute))
    }

    /// Counts a failed publish from `address`.
    pub(crate) fn failed(&mut self, address: IpAddr, now: Instant) {
        if self.spent.len() >= ADDRESSES {
            let (per_minute, spent) = (f64::from(self.per_minute), &mut self.spent);
            spent.retain(|_, spent| forgiven(*spent, per_minute, now) > 0.0);
        }
        let place = self.place(address);
        let before = self
            .spent
            .get(&place)
            .map_or(0.0, |spent| self.left(*spent, now));
        // Never deeper than empty: a minute of quiet forgives everything.
        let failures = (before + 1.0).min(f64::from(self.per_minute));
        self.spent.insert(place, Spent { failures, at: now });
    }

    fn left(&self, spent: Spent, now: Instant) -> f64 {
        forgiven(spent, f64::from(self.per_minute), now)
    }

    /// Whose failures those of `address` count with.
    fn place(&self, address: IpAddr) -> Host {
        let host = address.into();
        if self.spent.contains_key(&host) || self.spent.len() < ADDRESSES {
            host
        } else {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED).into()
        }
    }
}

/// What is left of `spent` by now.
fn forgiven(spent: Spent, per_minute: f64, now: Instant) -> f64 {
    let minutes = now.saturating_duration_since(spent.at).as_secs_f64() / MINUTE.as_secs_f64();
    (spent.failures - per_minute * minutes).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn an_address_that_fails_too_often_is_not_looked_at_for_a_while() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut governor = Governor::new(30);
        for _ in 0..29 {
            governor.failed(four(1), begun);
        }
        assert!(governor.allows(four(1), begun), "the thirtieth");
        governor.failed(four(1), begun);
        assert!(!governor.allows(four(1), begun), "the thirty-first");
        assert!(governor.allows(four(2), begun), "another is not to blame");
        assert!(!governor.allows(four(1), at(1)));
        assert!(governor.allows(four(1), at(2)), "one is forgiven");
        governor.failed(four(1), at(2));
        assert!(!governor.allows(four(1), at(2)));
    }

    #[test]
    fn a_host_with_many_ipv6_addresses_is_one() {
        let now = Instant::now();
        let mut governor = Governor::new(1);
        governor.failed("2001:db8::1".parse().expect("an address"), now);
        assert!(!governor.allows("2001:db8::2:3".parse().expect("an address"), now));
        assert!(governor.allows("2001:db8:0:1::1".parse().expect("an address"), now));
        governor.failed(four(1), now);
        let mapped = "::ffff:192.0.2.1".parse().expect("an address");
        assert!(!governor.allows(mapped, now));
    }

    #[test]
    fn many_addresses_cost_a_bounded_number_of_entries() {
        let begun = Instant::now();
        let mut governor = Governor::new(1);
        let nth = |n: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n));
        for n in 0..20_000 {
            governor.failed(nth(n), begun);
        }
        assert_eq!(governor.spent.len(), ADDRESSES + 1);
        assert!(
            !governor.allows(nth(20_001), begun),
            "strangers share one history"
        );
        governor.failed(nth(20_001), begun + Duration::from_secs(600));
        assert_eq!(governor.spent.len(), 1, "what is forgiven is forgotten");
    }
}
