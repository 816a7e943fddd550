//! A certificate that nobody has vouched for: enough to try what needs HTTPS, on the own machine.

use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use crate::Error;
use crate::identity::Identity;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A client's clock may be behind.
const BEFORE: Duration = DAY;
/// Apple's programs take none that is valid for more than 398 days; a process that runs longer has to make
/// another.
const AFTER: Duration = DAY.saturating_mul(390);

/// What a client on this machine, or beside it, calls it.
pub fn names_of_this_host() -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let is_name = |host: &str| host.split('.').all(is_label);
    if is_name(host) && host != "localhost" {
        names.push(host.to_owned());
    }
    names
}

/// Letters, digits and hyphens (RFC 1123 §2.1): others exist, and are in no certificate.
fn is_label(label: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.len() < 64 && label.bytes().all(fits)
}

pub(crate) fn make(names: &[String], now: SystemTime) -> Result<Identity, Error> {
    let failed = |why| Error::SelfSigned {
        names: names.into(),
        why,
    };
    let key = KeyPair::generate().map_err(failed)?;
    let mut parameters = CertificateParams::new(names).map_err(failed)?;
    parameters.not_before = (now - BEFORE).into();
    parameters.not_after = (now + AFTER).into();
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Forebay, self-signed");
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key =
        any_supported_type(&key).expect("a key made by ring should be one that ring signs with");
    Ok(Identity::known(
        CertifiedKey::new(vec![certificate.der().clone()], key),
        "the self-signed certificate".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;

    #[test]
    fn it_is_for_this_host_and_for_about_a_year() {
        let now = SystemTime::now();
        let identity = make(&names_of_this_host(), now).expect("good names");
        for name in ["localhost", "127.0.0.1", "::1"] {
            let name = ServerName::try_from(name).expect("a name");
            assert!(identity.is_for(&name), "{name:?}");
        }
        let stranger = ServerName::try_from("a.example").expect("a name");
        assert!(!identity.is_for(&stranger));
        assert_eq!(identity.remark(now), None);
        let expired = identity.remark(now + AFTER + DAY).expect("a remark");
        assert!(expired.starts_with("the self-signed certificate has expired on "));
    }

    #[test]
    fn host_names_that_no_certificate_can_have_are_left_out() {
        for (label, expected) in [("a-1", true), ("", false), ("a_b", false), ("имя", false)] {
            assert_eq!(is_label(label), expected, "{label}");
        }
    }
}
