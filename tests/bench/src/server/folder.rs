//! A folder on tmpfs, so that no disk is measured; it goes with its value.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;

const TMPFS: &str = "/dev/shm";
const PREFIX: &str = "forebay-bench-";

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_orphans();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(TMPFS).join(format!("{PREFIX}{}-{number}", process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Bytes of all files in it.
    pub(super) fn bytes(&self) -> anyhow::Result<u64> {
        bytes_below(&self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Files of a server that has not ended yet are removed by the next run.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bytes_below(folder: &Path) -> anyhow::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        // The server removes and renames meanwhile.
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        total += if metadata.is_dir() {
            bytes_below(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(total)
}

/// What runs that were killed have left: memory, on tmpfs.
fn remove_orphans() {
    let Ok(entries) = fs::read_dir(TMPFS) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let owner = owner.and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
