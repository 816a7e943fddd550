//! Certificates and keys in PEM files (RFC 7468).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// A chain with a few long certificates has a twentieth of it.
const MAX_BYTES: u64 = 1 << 20;

const ENCRYPTED: [&[u8]; 2] = [
    b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
    b"Proc-Type: 4,ENCRYPTED",
];

/// The certificates of a file: the server's own first, then those that lead to its root.
pub(crate) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = read(path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| damaged(path))?;
    if chain.is_empty() {
        return Err(Error::NoCertificate { path: path.into() });
    }
    Ok(chain)
}

/// The first private key of a file.
pub(crate) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let text = read(path)?;
    let has = |marker: &[u8]| text.windows(marker.len()).any(|part| part == marker);
    if ENCRYPTED.iter().any(|marker| has(marker)) {
        return Err(Error::Encrypted { path: path.into() });
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => Error::NoKey { path: path.into() },
        _ => damaged(path),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut text))
        .map_err(|why| Error::Unreadable {
            path: path.into(),
            why,
        })?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::TooLong {
            path: path.into(),
            most: MAX_BYTES,
        });
    }
    Ok(text)
}

fn damaged(path: &Path) -> Error {
    Error::Damaged { path: path.into() }
}
