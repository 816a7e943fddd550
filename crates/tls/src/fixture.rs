//! Certificates and keys for tests, and a folder for their files.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use rcgen::{Certificate, CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, SignatureAlgorithm};

use crate::Files;

/// A certificate that is its own root.
pub(crate) struct Made {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

impl Made {
    pub(crate) fn of(names: &[&str]) -> Self {
        Self::new(names, &PKCS_ECDSA_P256_SHA256, None)
    }

    pub(crate) fn with(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        Self::new(&[name], algorithm, None)
    }

    pub(crate) fn within(name: &str, time: Range<SystemTime>) -> Self {
        Self::new(&[name], &PKCS_ECDSA_P256_SHA256, Some(time))
    }

    fn new(
        names: &[&str],
        algorithm: &'static SignatureAlgorithm,
        time: Option<Range<SystemTime>>,
    ) -> Self {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate_for(algorithm).expect("ring makes keys");
        let mut parameters = CertificateParams::new(names).expect("names");
        if let Some(time) = time {
            parameters.not_before = time.start.into();
            parameters.not_after = time.end.into();
        }
        let certificate = parameters.self_signed(&key).expect("signed");
        Self { certificate, key }
    }
}

/// A folder of its own, gone with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("forebay-tls-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("the temporary folder takes folders");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes both files under names that no other has.
    pub(crate) fn write(&self, made: &Made) -> Files {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let files = Files {
            certificate: self.0.join(format!("{count}.pem")),
            key: self.0.join(format!("{count}.key")),
        };
        self.rewrite(&files, made);
        files
    }

    /// Replaces both files.
    pub(crate) fn rewrite(&self, files: &Files, made: &Made) {
        put(&files.certificate, &made.certificate.pem());
        put(&files.key, &made.key.serialize_pem());
    }
}

pub(crate) fn put(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the folder takes files");
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
