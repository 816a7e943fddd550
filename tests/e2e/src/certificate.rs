//! A certificate and its key as files, for a gateway to show.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;

use crate::gateway::scratch;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The files, and what stands in them; gone when dropped.
pub struct Certificate {
    /// PEM.
    pub file: PathBuf,
    /// PEM.
    pub key: PathBuf,
    /// What a client sees and may trust.
    pub der: CertificateDer<'static>,
}

impl Certificate {
    /// A good one for `name`.
    pub fn new(name: &str) -> Self {
        let now = SystemTime::now();
        Self::until(name, now + DAY)
    }

    /// One for `name` whose time was over yesterday.
    pub fn expired(name: &str) -> Self {
        Self::until(name, SystemTime::now() - DAY)
    }

    fn until(name: &str, end: SystemTime) -> Self {
        let (file, key) = (scratch("pem"), scratch("key"));
        let der = write(name, end, &file, &key);
        Self { file, key, der }
    }

    /// Puts another certificate and key into the files, as a renewal does: aside first, then renamed.
    pub fn renew(&mut self, name: &str) {
        let (file, key) = (scratch("pem"), scratch("key"));
        self.der = write(name, SystemTime::now() + DAY, &file, &key);
        for (aside, place) in [(file, &self.file), (key, &self.key)] {
            std::fs::rename(aside, place).expect("both lie in one folder");
        }
    }

    /// These as a value of `tls.certificates`.
    pub fn as_key(certificates: &[&Self]) -> String {
        let pairs = certificates.iter().map(|Self { file, key, .. }| {
            let (file, key) = (file.display(), key.display());
            format!("{{ certificate = '{file}', key = '{key}' }}")
        });
        format!("[{}]", pairs.collect::<Vec<_>>().join(", "))
    }
}

fn write(name: &str, end: SystemTime, file: &Path, key_file: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().expect("a key");
    let mut parameters = CertificateParams::new([name.to_owned()]).expect("a name");
    parameters.not_before = (end - DAY * 90).into();
    parameters.not_after = end.into();
    let certificate = parameters.self_signed(&key).expect("signed");
    std::fs::write(file, certificate.pem()).expect("the temporary folder takes files");
    std::fs::write(key_file, key.serialize_pem()).expect("the temporary folder takes files");
    certificate.der().clone()
}

impl Drop for Certificate {
    fn drop(&mut self) {
        // A test may have taken them away.
        let _ = std::fs::remove_file(&self.file);
        let _ = std::fs::remove_file(&self.key);
    }
}
