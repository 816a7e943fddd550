//! A rate limit on failed publishes: nobody guesses stream keys, or fills the log, from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use media::Host;

/// What a limit counts in.
const MINUTE: Duration = Duration::from_secs(60);
/// Hosts with a history at a time.
const HOSTS: usize = 10_000;
/// How often room is made for others, at most: all of them are looked at.
const ROOM_EVERY: Duration = Duration::from_secs(1);

/// Token buckets by host: full at first, one token taken by each failure, filled again within a minute.
///
/// The `governor` crate takes a token whenever it is asked; here only failures cost, and a look is free.
///
/// When many fail at once, who failed least is forgotten first: nobody is barred for what others do, and who
/// guesses keys stays known.
#[derive(Debug)]
pub(crate) struct Governor {
    per_minute: u32,
    spent: HashMap<Host, Spent>,
    /// When room was last made.
    roomy: Option<Instant>,
}

/// The failures of one host, less what time has forgiven.
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
            roomy: None,
        }
    }

    /// Whether a publish from `address` is looked at.
    pub(crate) fn allows(&self, address: IpAddr, now: Instant) -> bool {
        self.failures(address.into(), now) + 1.0 <= f64::from(self.per_minute)
    }

    /// Counts a failed publish from `address`.
    pub(crate) fn failed(&mut self, address: IpAddr, now: Instant) {
        let host = address.into();
        if !self.spent.contains_key(&host) && !self.has_room(now) {
            return;
        }
        // Never deeper than empty: a minute of quiet forgives everything.
        let failures = (self.failures(host, now) + 1.0).min(f64::from(self.per_minute));
        self.spent.insert(host, Spent { failures, at: now });
    }

    /// What counts against `host` by now.
    fn failures(&self, host: Host, now: Instant) -> f64 {
        let spent = self.spent.get(&host);
        spent.map_or(0.0, |spent| spent.left(self.per_minute, now))
    }

    /// Whether there is room for another host, or can be made. In a second that more new ones fail than fit,
    /// the last of them go uncounted.
    fn has_room(&mut self, now: Instant) -> bool {
        if self.spent.len() < HOSTS {
            return true;
        }
        let recent = |at| now.saturating_duration_since(at) < ROOM_EVERY;
        if self.roomy.is_some_and(recent) {
            return false;
        }
        self.roomy = Some(now);
        let per_minute = self.per_minute;
        self.spent
            .retain(|_, spent| spent.left(per_minute, now) > 0.0);
        if self.spent.len() >= HOSTS {
            self.forget_half(now);
        }
        true
    }

    /// Forgets the half that failed least.
    fn forget_half(&mut self, now: Instant) {
        let per_minute = self.per_minute;
        let left = |spent: &Spent| spent.left(per_minute, now);
        let mut failures: Vec<f64> = self.spent.values().map(left).collect();
        let mut surplus = failures.len() / 2;
        let (_, &mut median, _) = failures.select_nth_unstable_by(surplus, f64::total_cmp);
        self.spent.retain(|_, spent| {
            let goes = surplus > 0 && left(spent) <= median;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

impl Spent {
    /// What is left of it by now.
    fn left(self, per_minute: u32, now: Instant) -> f64 {
        let minutes = now.saturating_duration_since(self.at).as_secs_f64() / MINUTE.as_secs_f64();
        (self.failures - f64::from(per_minute) * minutes).max(0.0)
    }
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

    fn nth(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into()
    }

    #[test]
    fn many_hosts_cost_a_bounded_number_of_entries() {
        let begun = Instant::now();
        let mut governor = Governor::new(1);
        for n in 0..30_000 {
            governor.failed(nth(n), begun);
        }
        assert_eq!(governor.spent.len(), HOSTS);
        governor.failed(nth(30_000), begun + Duration::from_secs(600));
        assert_eq!(governor.spent.len(), 1, "what is forgiven is forgotten");
    }

    #[test]
    fn nobody_is_barred_for_what_others_do_and_who_failed_most_stays_known() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut governor = Governor::new(30);
        for _ in 0..30 {
            governor.failed(four(1), begun);
        }
        // More than there is room for, in each of three seconds.
        for n in 0..60_000 {
            governor.failed(nth(n), at(u64::from(n / 20_000)));
        }
        assert!(governor.allows(four(2), at(2)), "a stranger");
        governor.failed(four(1), at(2));
        assert!(!governor.allows(four(1), at(2)), "who guesses");
        assert!(governor.spent.len() <= HOSTS);
    }
}
