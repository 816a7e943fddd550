//! What is said about files that cannot be used, and that keys are not repeated.

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::fixture::{Folder, Made, put};

fn refusal(files: &Files) -> String {
    Identity::load(files).expect_err("useless").to_string()
}

#[test]
fn both_may_lie_in_one_file() {
    let folder = Folder::new();
    let made = Made::of(&["a.example"]);
    let file = folder.path().join("both");
    put(&file, &(made.key.serialize_pem() + &made.certificate.pem()));
    let files = Files {
        certificate: file.clone(),
        key: file,
    };
    Identity::load(&files).expect("good");
}

#[test]
fn a_refusal_names_the_file_and_what_to_do() {
    let folder = Folder::new();
    let made = Made::of(&["a.example"]);
    let good = folder.write(&made);
    let [certificate, key] = [&good.certificate, &good.key].map(|path| path.display().to_string());
    let certificate_pem = made.certificate.pem();
    let key_pem = made.key.serialize_pem();
    let cut = |pem: &str| pem[..pem.len() - 40].to_owned();
    // What is written instead of the certificate or of the key.
    let cases = [
        (
            Some(String::new()),
            None,
            format!("{certificate} has no certificate in it; "),
        ),
        (
            Some(key_pem.clone()),
            None,
            format!("{certificate} has no certificate in it; "),
        ),
        (
            Some(cut(&certificate_pem)),
            None,
            format!("{certificate} is damaged: "),
        ),
        (
            Some(certificate_pem.replace("\nMII", "\nMIJ")),
            None,
            format!("the certificate in {certificate} cannot be used: "),
        ),
        (
            Some("x".repeat(1 << 21)),
            None,
            format!("{certificate} has more than 1048576 bytes: "),
        ),
        (
            None,
            Some(String::new()),
            format!("{key} has no private key in it; "),
        ),
        (
            None,
            Some(certificate_pem.clone()),
            format!("{key} has no private key in it; "),
        ),
        (None, Some(cut(&key_pem)), format!("{key} is damaged: ")),
        (
            None,
            Some(key_pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")),
            format!("the private key in {key} has a passphrase, "),
        ),
        (
            None,
            Some(key_pem.replace("PRIVATE KEY", "RSA PRIVATE KEY")),
            format!("the private key in {key} is none of RSA, "),
        ),
        (
            None,
            Some(Made::of(&["a.example"]).key.serialize_pem()),
            format!(
                "the private key in {key} does not belong to the certificate in {certificate}; "
            ),
        ),
    ];
    for (instead_of_certificate, instead_of_key, expected) in cases {
        put(
            &good.certificate,
            &instead_of_certificate.unwrap_or_else(|| certificate_pem.clone()),
        );
        put(
            &good.key,
            &instead_of_key.unwrap_or_else(|| key_pem.clone()),
        );
        let refusal = refusal(&good);
        assert!(refusal.starts_with(&expected), "{refusal}");
        for line in key_pem.lines().filter(|line| !line.starts_with('-')) {
            assert!(!refusal.contains(line), "{refusal}");
        }
    }
    folder.rewrite(&good, &made);
    Identity::load(&good).expect("good again");
    std::fs::remove_file(&good.key).expect("it is there");
    assert!(refusal(&good).starts_with(&format!("cannot read {key}: No such file")));
}

#[test]
fn debug_output_shows_nothing_of_the_key() {
    let folder = Folder::new();
    let files = folder.write(&Made::of(&["a.example"]));
    let identity = Identity::load(&files).expect("good");
    assert_eq!(
        format!("{identity:?}"),
        format!(
            "Identity {{ origin: \"the certificate in {}\", .. }}",
            files.certificate.display()
        )
    );
}

#[test]
fn a_remark_says_what_is_wrong_with_the_time() {
    let folder = Folder::new();
    let day = Duration::from_secs(24 * 60 * 60);
    let from = UNIX_EPOCH + day * 20_000;
    let files = folder.write(&Made::within("a.example", from..from + day));
    let identity = Identity::load(&files).expect("good but for its time");
    let path = files.certificate.display();
    let cases = [
        (
            from - day,
            Some(format!(
                "the certificate in {path} is not valid before 2024-10-04T00:00:00Z: clients refuse it; \
                 is the clock right?"
            )),
        ),
        (from, None),
        (
            from + day * 2,
            Some(format!(
                "the certificate in {path} has expired on 2024-10-05T00:00:00Z: clients refuse it"
            )),
        ),
    ];
    for (now, expected) in cases {
        assert_eq!(identity.remark(now), expected);
    }
}
