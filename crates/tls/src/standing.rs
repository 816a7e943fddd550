//! Whether a certificate is within its time (RFC 5280 §4.1.2.5).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

/// Where a certificate stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Clients take it, as far as time goes.
    Current,
    /// It was good until then.
    Expired(SystemTime),
    /// It will be good from then on.
    Early(SystemTime),
}

impl Standing {
    /// How `certificate` stands at `now`.
    ///
    /// webpki shows no dates. But it looks at them before anything else when it looks for a way to a root; so it
    /// is asked for one to no root at all, and what it says unless the dates are wrong is of no interest.
    pub(crate) fn of(certificate: &CertificateDer<'_>, now: SystemTime) -> Self {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let Ok(certificate) = EndEntityCert::try_from(certificate) else {
            return Self::Current;
        };
        let way = certificate.verify_for_usage(
            &[],
            &[],
            &[],
            UnixTime::since_unix_epoch(now),
            KeyUsage::server_auth(),
            None,
            None,
        );
        let at = |time: UnixTime| UNIX_EPOCH + Duration::from_secs(time.as_secs());
        match way.err() {
            Some(webpki::Error::CertExpired { not_after, .. }) => Self::Expired(at(not_after)),
            Some(webpki::Error::CertNotValidYet { not_before, .. }) => Self::Early(at(not_before)),
            _ => Self::Current,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Made;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn a_certificate_has_its_time() {
        let from = UNIX_EPOCH + DAY * 20_000;
        let until = from + DAY * 90;
        let made = Made::within("a.example", from..until);
        let certificate = made.certificate.der();
        let second = Duration::from_secs(1);
        let cases = [
            (UNIX_EPOCH, Standing::Early(from)),
            (from - second, Standing::Early(from)),
            (from, Standing::Current),
            (until, Standing::Current),
            (until + second, Standing::Expired(until)),
        ];
        for (now, expected) in cases {
            assert_eq!(Standing::of(certificate, now), expected, "{now:?}");
        }
    }
}
