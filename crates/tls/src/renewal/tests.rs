//! Files that change under a gateway that runs.

use super::*;
use crate::fixture::{Folder, Made, put};
use rustls::pki_types::CertificateDer;

struct Running {
    certificates: Certificates,
    renewal: Renewal,
}

impl Running {
    fn on(files: &[Files]) -> Self {
        let certificates = Certificates::load(files.iter().cloned()).expect("good");
        let renewal = Renewal::new(certificates.sources().to_vec());
        Self {
            certificates,
            renewal,
        }
    }

    /// What two looks find, the first of which must wait for a second.
    fn found(&mut self) -> Vec<Result<(), String>> {
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            assert!(outcomes.is_empty(), "the first look must take nothing");
            let found = self.renewal.look(&self.certificates).into_iter();
            outcomes.extend(found.map(|(_, outcome)| outcome.map_err(|why| why.to_string())));
        }
        outcomes
    }

    fn shown(&self) -> Vec<CertificateDer<'static>> {
        self.certificates.shown()
    }
}

fn der(made: &Made) -> CertificateDer<'static> {
    made.certificate.der().clone()
}

#[test]
fn a_changed_pair_is_taken_and_the_others_stay() {
    let folder = Folder::new();
    let [a, b, newer] = [(); 3].map(|()| Made::of(&["a.example"]));
    let files = [folder.write(&a), folder.write(&b)];
    let mut running = Running::on(&files);
    assert_eq!(running.found(), []);
    folder.rewrite(&files[1], &newer);
    assert_eq!(running.found(), [Ok(())]);
    assert_eq!(running.shown(), [der(&a), der(&newer)]);
    assert_eq!(running.found(), []);
}

#[test]
fn a_renewal_by_renaming_is_one_even_with_the_old_times() {
    let folder = Folder::new();
    let [old, newer] = [(); 2].map(|()| Made::of(&["a.example"]));
    let files = folder.write(&old);
    let mut running = Running::on(std::slice::from_ref(&files));
    let aside = folder.write(&newer);
    for (from, to) in [
        (&aside.certificate, &files.certificate),
        (&aside.key, &files.key),
    ] {
        let modified = to.metadata().and_then(|of| of.modified()).expect("a time");
        let file = std::fs::File::options().write(true).open(from);
        file.and_then(|file| file.set_modified(modified))
            .expect("its time can be set");
        std::fs::rename(from, to).expect("renamed");
    }
    assert_eq!(running.found(), [Ok(())]);
    assert_eq!(running.shown(), [der(&newer)]);
}

#[test]
fn what_cannot_be_used_leaves_the_old_one_and_is_said_once() {
    let folder = Folder::new();
    let [old, newer] = [(); 2].map(|()| Made::of(&["a.example"]));
    let files = folder.write(&old);
    let mut running = Running::on(std::slice::from_ref(&files));
    put(&files.certificate, &newer.certificate.pem());
    let found = running.found();
    assert!(
        matches!(&found[..], [Err(why)] if why.contains(" does not belong to ")),
        "{found:?}"
    );
    assert_eq!(running.found(), []);
    assert_eq!(running.shown(), [der(&old)]);
    std::fs::remove_file(&files.key).expect("it is there");
    let found = running.found();
    assert!(
        matches!(&found[..], [Err(why)] if why.starts_with("cannot read ")),
        "{found:?}"
    );
    put(&files.key, &newer.key.serialize_pem());
    assert_eq!(running.found(), [Ok(())]);
    assert_eq!(running.shown(), [der(&newer)]);
}

#[test]
fn what_clients_object_to_is_said_when_it_begins() {
    let folder = Folder::new();
    let now = SystemTime::now();
    let day = Duration::from_secs(24 * 60 * 60);
    let files = folder.write(&Made::within("a.example", now - day..now + day));
    let mut running = Running::on(&[files]);
    let counts = [now, now + day * 2, now + day * 3].map(|now| {
        running
            .renewal
            .new_remarks(&running.certificates, now)
            .len()
    });
    assert_eq!(counts, [0, 1, 0]);
}
