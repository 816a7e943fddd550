//! The certificates that are on hand at the moment, and which of them a client is shown.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::SignatureScheme;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::identity::Identity;
use crate::renewal::{self, Renewal};
use crate::{Error, Files, self_signed};

/// One or more certificates, shared by all that accept. A handshake sees one state of them; who replaces one
/// disturbs no connection.
#[derive(Debug)]
pub struct Certificates {
    current: RwLock<Arc<[Identity]>>,
    /// Where they came from, in the same order; of one made here, nothing.
    sources: Vec<renewal::Source>,
}

impl Certificates {
    /// Those in `files`, the first being shown to clients that ask for none of the others by name.
    ///
    /// # Errors
    /// One cannot be used: says which and why.
    pub fn load(files: impl IntoIterator<Item = Files>) -> Result<Self, Error> {
        let sources: Vec<_> = files.into_iter().map(renewal::Source::new).collect();
        let identities = sources.iter().map(|source| Identity::load(source.files()));
        Ok(Self {
            current: RwLock::new(identities.collect::<Result<_, _>>()?),
            sources,
        })
    }

    /// One for `names` (DNS names and addresses), made here and known to nobody: clients warn, or have to be
    /// told not to look.
    ///
    /// # Errors
    /// A name is none.
    pub fn self_signed(names: &[String]) -> Result<Self, Error> {
        Ok(Self {
            current: RwLock::new([self_signed::make(names, SystemTime::now())?].into()),
            sources: Vec::new(),
        })
    }

    /// What clients will object to at `now`, in words.
    pub fn remarks(&self, now: SystemTime) -> Vec<String> {
        let current = self.current();
        current
            .iter()
            .filter_map(|identity| identity.remark(now))
            .collect()
    }

    /// Looks after the certificates for as long as it is polled: says what clients will object to, and reads
    /// again what changes.
    pub async fn keep_current(self: Arc<Self>) {
        Renewal::new(self.sources.clone()).run(self).await;
    }

    /// Shows `identity` instead of the one at `place` from the next handshake on.
    pub(crate) fn replace(&self, place: usize, identity: Identity) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut identities = current.to_vec();
        if let Some(old) = identities.get_mut(place) {
            *old = identity;
        }
        *current = identities.into();
    }

    /// The first that has the name and that the client can check, or else the first that it can check.
    fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let current = self.current();
        let name = name.and_then(|name| ServerName::try_from(name).ok());
        let mut checkable = current.iter().filter(|identity| identity.can_sign(schemes));
        let named = checkable
            .clone()
            .find(|identity| name.as_ref().is_some_and(|name| identity.is_for(name)));
        let chosen = named.or_else(|| checkable.next()).or(current.first());
        chosen.map(|identity| identity.key.clone())
    }

    #[cfg(test)]
    pub(crate) fn sources(&self) -> &[renewal::Source] {
        &self.sources
    }

    /// The certificates themselves.
    #[cfg(test)]
    pub(crate) fn shown(&self) -> Vec<rustls::pki_types::CertificateDer<'static>> {
        let of = |identity: &Identity| identity.key.cert.first().cloned();
        self.current().iter().filter_map(of).collect()
    }

    fn current(&self) -> Arc<[Identity]> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Folder, Made};
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ED25519};

    const BOTH: &[SignatureScheme] = &[
        SignatureScheme::ED25519,
        SignatureScheme::ECDSA_NISTP256_SHA256,
    ];

    #[test]
    fn the_name_asked_for_chooses_and_the_first_is_for_all_others() {
        let folder = Folder::new();
        let made = [&["a.example"][..], &["b.example", "*.c.example"]].map(Made::of);
        let files = made.iter().map(|made| folder.write(made));
        let certificates = Certificates::load(files).expect("good");
        let cases = [
            (None, 0),
            (Some("a.example"), 0),
            (Some("b.example"), 1),
            (Some("B.Example"), 1),
            (Some("x.c.example"), 1),
            (Some("c.example"), 0),
            (Some("x.y.c.example"), 0),
            (Some("else.example"), 0),
            (Some("not a name"), 0),
        ];
        for (name, expected) in cases {
            let shown = certificates.choose(name, BOTH).expect("one of them");
            assert_eq!(
                shown.cert.first(),
                Some(made[expected].certificate.der()),
                "{name:?}"
            );
        }
    }

    #[test]
    fn of_two_kinds_for_one_name_a_client_gets_the_one_that_it_knows() {
        let folder = Folder::new();
        let made = [&PKCS_ED25519, &PKCS_ECDSA_P256_SHA256]
            .map(|algorithm| Made::with("a.example", algorithm));
        let files = made.iter().map(|made| folder.write(made));
        let certificates = Certificates::load(files).expect("good");
        for (schemes, expected) in [(BOTH, 0), (&BOTH[1..], 1), (&BOTH[..1], 0), (&[], 0)] {
            let shown = certificates
                .choose(Some("a.example"), schemes)
                .expect("one of them");
            assert_eq!(
                shown.cert.first(),
                Some(made[expected].certificate.der()),
                "{schemes:?}"
            );
        }
    }
}
