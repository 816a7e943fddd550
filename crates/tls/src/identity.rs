//! A certificate with its chain and its key.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, SignatureScheme};
use webpki::EndEntityCert;

use crate::standing::Standing;
use crate::{Error, pem};

/// Where a certificate and its key lie. It may be one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, and those behind it that lead to its root: PEM.
    pub certificate: PathBuf,
    /// The private key: PEM.
    pub key: PathBuf,
}

/// What a server shows, and what it signs with.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) key: Arc<CertifiedKey>,
    /// Where it came from, for the log.
    origin: String,
}

impl Identity {
    /// Reads both files, and holds them against one another.
    pub(crate) fn load(files: &Files) -> Result<Self, Error> {
        let chain = pem::read_chain(&files.certificate)?;
        let key = pem::read_key(&files.key)?;
        Self::new(chain, &key, files)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'static>,
        files: &Files,
    ) -> Result<Self, Error> {
        // What leads to the root is the client's to judge.
        if let Some(own) = chain.first() {
            EndEntityCert::try_from(own).map_err(|why| match why {
                webpki::Error::UnsupportedCertVersion => Error::Version1 {
                    path: files.certificate.clone(),
                },
                why => Error::UnusableCertificate {
                    path: files.certificate.clone(),
                    why,
                },
            })?;
        }
        let key = any_supported_type(key).map_err(|_| Error::UnusableKey {
            path: files.key.clone(),
        })?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                Err(Error::Mismatch {
                    certificate: files.certificate.clone(),
                    key: files.key.clone(),
                })
            }
            // It was parsed above; of some keys rustls does not know the public half.
            _ => Ok(Self::known(
                key,
                format!("the certificate in {}", files.certificate.display()),
            )),
        }
    }

    /// One that is known to be good.
    pub(crate) fn known(key: CertifiedKey, origin: String) -> Self {
        Self {
            key: Arc::new(key),
            origin,
        }
    }

    /// Whether a client that asks for `name` will find that in the certificate.
    pub(crate) fn is_for(&self, name: &ServerName<'_>) -> bool {
        let certificate = self.key.cert.first();
        certificate
            .and_then(|certificate| EndEntityCert::try_from(certificate).ok())
            .is_some_and(|certificate| certificate.verify_is_valid_for_subject_name(name).is_ok())
    }

    /// Whether a client that knows `schemes` can check what the key signs.
    pub(crate) fn can_sign(&self, schemes: &[SignatureScheme]) -> bool {
        self.key.key.choose_scheme(schemes).is_some()
    }

    /// What clients will object to at `now`.
    pub(crate) fn remark(&self, now: SystemTime) -> Option<String> {
        let date = humantime::format_rfc3339_seconds;
        match Standing::of(self.key.cert.first()?, now) {
            Standing::Current => None,
            Standing::Expired(at) => Some(format!(
                "{} has expired on {}: clients refuse it",
                self.origin,
                date(at)
            )),
            Standing::Early(from) => Some(format!(
                "{} is not valid before {}: clients refuse it; is the clock right?",
                self.origin,
                date(from)
            )),
        }
    }
}

/// Nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
