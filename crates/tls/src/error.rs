//! Why a certificate cannot be used: which file, and what to do.
//!
//! What stands in a key file is never repeated, not even the part that is wrong.

use std::io;
use std::path::PathBuf;

/// What is wrong with a certificate or its key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not there, or not for us.
    #[error("cannot read {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Longer than any certificate or key.
    #[error("{} has more than {most} bytes: it is no certificate and no key", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        most: u64,
    },
    /// The lines between BEGIN and END are not what PEM has there.
    #[error("{} is damaged: a PEM section does not end, or is not base64", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// No certificate in the file.
    #[error(
        "{} has no certificate in it; one in PEM is expected, which begins with -----BEGIN CERTIFICATE-----",
        path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// No key in the file.
    #[error(
        "{} has no private key in it; one in PEM is expected, which begins with -----BEGIN PRIVATE KEY-----",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// Nobody is there to type a passphrase.
    #[error(
        "the private key in {} has a passphrase, and nobody is asked for it; take it off: openssl pkey -in KEY -out NEW",
        path.display()
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// A key of a kind that TLS does not have, or no key at all.
    #[error("the private key in {} is none of RSA, ECDSA (P-256, P-384) and Ed25519, or is damaged", path.display())]
    UnusableKey {
        /// The file.
        path: PathBuf,
    },
    /// No client would take it.
    #[error("the certificate in {} is of X.509 version 1, which clients refuse; make one of version 3", path.display())]
    Version1 {
        /// The file.
        path: PathBuf,
    },
    /// It is no certificate, whatever its PEM says.
    #[error("the certificate in {} cannot be used: {why}", path.display())]
    UnusableCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: webpki::Error,
    },
    /// Each is good, but they do not belong together.
    #[error(
        "the private key in {} does not belong to the certificate in {}; the server's certificate stands first in its file",
        key.display(),
        certificate.display()
    )]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// A name that no certificate can have.
    #[error("cannot make a certificate for {names:?}: {why}")]
    SelfSigned {
        /// What it was to be for.
        names: Vec<String>,
        /// What is wrong.
        why: rcgen::Error,
    },
}
