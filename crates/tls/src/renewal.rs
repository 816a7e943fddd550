//! Certificates read again when their files change.
//!
//! Looking now and then works with whatever renews them: a rename, a link that points elsewhere, a mounted
//! volume; and nothing has to send a signal. A change is taken when two looks in a row find the same, so that
//! no certificate is read while its key is still to be written.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tracing::{info, warn};

use crate::identity::Identity;
use crate::{Certificates, Error, Files};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Two files, and what they looked like.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    files: Files,
    /// When they were read last, with success or without.
    read: Stamps,
    /// At the last look.
    seen: Stamps,
}

/// What a pair of files looks like from outside.
type Stamps = [Option<Stamp>; 2];

/// Differs between any two contents: the time of change cannot be set, as that of modification can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// `None` if it cannot be looked at.
    fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        Some(Self {
            inode: (metadata.dev(), metadata.ino()),
            bytes: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

impl Source {
    /// Files that are about to be read.
    pub(crate) fn new(files: Files) -> Self {
        let now = stamps(&files);
        Self {
            files,
            read: now,
            seen: now,
        }
    }

    pub(crate) const fn files(&self) -> &Files {
        &self.files
    }

    /// Whether they should be read again.
    fn is_due(&mut self) -> bool {
        let now = stamps(&self.files);
        let settled = std::mem::replace(&mut self.seen, now) == now;
        settled && std::mem::replace(&mut self.read, now) != now
    }
}

fn stamps(files: &Files) -> Stamps {
    [&files.certificate, &files.key].map(|path| Stamp::of(path))
}

/// What is known of all the files.
#[derive(Debug)]
pub(crate) struct Renewal {
    sources: Vec<Source>,
    /// What clients object to, as it was last said.
    said: Vec<String>,
}

/// What a look has found: the files, and whether they could be used.
type Found = Vec<(Files, Result<(), Error>)>;

impl Renewal {
    pub(crate) const fn new(sources: Vec<Source>) -> Self {
        Self {
            sources,
            said: Vec::new(),
        }
    }

    pub(crate) async fn run(mut self, certificates: Arc<Certificates>) {
        loop {
            let shared = certificates.clone();
            // A disk may take its time.
            let look = tokio::task::spawn_blocking(move || {
                let found = self.look(&shared);
                let remarks = self.new_remarks(&shared, SystemTime::now());
                (self, found, remarks)
            });
            let Ok((this, found, remarks)) = look.await else {
                return warn!("certificates are not renewed any more: the look at them failed");
            };
            self = this;
            for (files, outcome) in found {
                let path = files.certificate.display();
                match outcome {
                    Ok(()) => info!("the certificate in {path} is renewed"),
                    Err(why) => {
                        warn!("the certificate in {path} changed and stays as it was: {why}");
                    }
                }
            }
            for remark in remarks {
                warn!("{remark}");
            }
            if self.sources.is_empty() {
                return;
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Reads what has changed. What cannot be used changes nothing, and is not read again until it changes.
    fn look(&mut self, certificates: &Certificates) -> Found {
        let mut found = Found::new();
        for (place, source) in self.sources.iter_mut().enumerate() {
            if !source.is_due() {
                continue;
            }
            let outcome = Identity::load(&source.files);
            let outcome = outcome.map(|identity| certificates.replace(place, identity));
            found.push((source.files.clone(), outcome));
        }
        found
    }

    /// What clients object to by now, unless it was said already.
    fn new_remarks(&mut self, certificates: &Certificates, now: SystemTime) -> Vec<String> {
        let remarks = certificates.remarks(now);
        let said = std::mem::replace(&mut self.said, remarks.clone());
        let is_new = |remark: &String| !said.contains(remark);
        remarks.into_iter().filter(is_new).collect()
    }
}

#[cfg(test)]
mod tests;
