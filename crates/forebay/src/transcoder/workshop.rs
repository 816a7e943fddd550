//! What all transcoders of the process share: the ffmpeg, found and tried at start, and a folder for sockets.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, ensure};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};

use super::trial;
use crate::config::Config;

/// The most that the path of a socket may have, bytes (`sun_path`; 104 on BSD and macOS, with the zero behind it).
const LONGEST_PATH: usize = 103;
/// The name of a socket in the folder, at most: a number and a height.
const LONGEST_NAME: usize = 26;

/// See the module.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(super) ffmpeg: PathBuf,
    /// `nice(1)`, where there is one.
    pub(super) nice: Option<PathBuf>,
    folder: PathBuf,
    /// Numbers sockets.
    count: AtomicU64,
    /// One for each ffmpeg that may run yet.
    pub(super) processes: Semaphore,
    /// How many transcoders there are.
    pub(super) busy: watch::Sender<usize>,
}

impl Workshop {
    /// What transcoders need, if there are to be any.
    ///
    /// # Errors
    /// ffmpeg cannot be found, or cannot do what is wanted; or there is no room for sockets: says what to install, or
    /// what to change.
    pub(crate) async fn open(config: &Config) -> Result<Option<Self>> {
        let wanted = config.apps.iter().find_map(|app| {
            let name = app.ladder.as_deref()?;
            let ladder = config.ladders.iter().find(|ladder| ladder.name == name)?;
            // All take the same of an ffmpeg, and the smallest is made soonest.
            let smallest = ladder.renditions.iter().min_by_key(|it| it.height)?;
            Some((app, *smallest))
        });
        let Some((app, rendition)) = wanted else {
            return Ok(None);
        };
        let name = &config.transcoder.ffmpeg;
        let found = look_for(name, &path()).ok_or_else(|| {
            let place = if name.contains('/') {
                "that is no program"
            } else {
                "no folder of PATH has it"
            };
            anyhow!(
                "transcoder.ffmpeg is {name:?}, and {place}: [[app]] {:?} has a ladder, which ffmpeg has to encode; \
                 install ffmpeg 5.1 or later, set transcoder.ffmpeg to where it is, or leave out the ladder of the \
                 [[app]]",
                app.name
            )
        })?;
        let workshop = Self::with(found, config.transcoder.max_processes)?;
        let tried = trial::try_out(&workshop, rendition).await;
        tried.with_context(|| {
            format!(
                "transcoder.ffmpeg is {name:?}, and cannot encode the ladder of [[app]] {:?}; it takes ffmpeg 5.1 or \
                 later with libx264, aac, flv and unix sockets",
                app.name
            )
        })?;
        Ok(Some(workshop))
    }

    /// One with that ffmpeg.
    pub(super) fn with(ffmpeg: PathBuf, max_processes: usize) -> Result<Self> {
        let folder = new_folder(&std::env::temp_dir())?;
        make(&folder).with_context(|| {
            let folder = folder.display();
            format!("cannot make {folder}, for the sockets of transcoders")
        })?;
        Ok(Self {
            ffmpeg,
            nice: look_for("nice", &path()),
            folder,
            count: AtomicU64::new(0),
            processes: Semaphore::new(max_processes),
            busy: watch::Sender::new(0),
        })
    }

    /// Makes a socket; it can be reached by its path as long as that is kept.
    pub(super) fn socket(&self, height: u32) -> io::Result<(UnixListener, Socket)> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{number}-{height}"));
        let listener = UnixListener::bind(&path).or_else(|error| {
            if error.kind() != ErrorKind::NotFound {
                return Err(error);
            }
            // Whoever tidies up takes what was not used for days.
            make(&self.folder)?;
            UnixListener::bind(&path)
        });
        Ok((listener?, Socket(path)))
    }

    /// Completes when all transcoders have ended.
    pub(crate) async fn empty(&self) {
        // It lives as long as this.
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left of it in the folder for temporary things is empty.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The path of a socket, which goes away with this.
pub(super) struct Socket(PathBuf);

impl Socket {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It is not there if the folder has gone.
        let _ = fs::remove_file(&self.0);
    }
}

/// The folders that programs are in.
fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// The program of that name: on the path, unless it says a place itself.
fn look_for(name: &str, path: &OsStr) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| {
        fs::metadata(file).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(is_program);
    }
    let mut all = std::env::split_paths(path).map(|folder| folder.join(name));
    all.find(is_program)
}

/// A path for a folder within that nothing has: its name cannot be guessed, so that nobody can be there before.
fn new_folder(within: &Path) -> Result<PathBuf> {
    let number = RandomState::new().hash_one(std::process::id());
    let folder = within.join(format!("forebay-{number:016x}"));
    ensure!(
        folder.as_os_str().len() + LONGEST_NAME <= LONGEST_PATH,
        "the folder for temporary things, {}, has a path too long for sockets; set TMPDIR to a shorter one",
        within.display()
    );
    Ok(folder)
}

/// Makes a folder that nobody else can look into: who could reach the sockets could publish.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_on_the_path_unless_it_says_its_place() {
        let path = OsStr::new("/nowhere:/bin");
        assert_eq!(look_for("sh", path), Some("/bin/sh".into()));
        assert_eq!(look_for("sh", OsStr::new("/nowhere")), None);
        assert_eq!(look_for("/bin/sh", OsStr::new("")), Some("/bin/sh".into()));
        assert_eq!(look_for("/etc/passwd", path), None, "no program");
        assert_eq!(look_for("/bin", path), None, "a folder");
    }

    #[tokio::test]
    async fn the_folder_is_nobody_elses_and_made_again_when_it_is_gone() {
        let workshop = Workshop::with("ffmpeg".into(), 1).expect("room");
        let other = Workshop::with("ffmpeg".into(), 1).expect("room");
        assert_ne!(workshop.folder, other.folder);
        for _ in 0..2 {
            let (_listener, socket) = workshop.socket(720).expect("room");
            assert!(socket.path().starts_with(&workshop.folder));
            let folder = fs::metadata(&workshop.folder).expect("it was made");
            assert_eq!(folder.permissions().mode() & 0o777, 0o700);
            fs::remove_dir_all(&workshop.folder).expect("it is there");
        }
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        let long = std::env::temp_dir().join("x".repeat(80));
        let error = new_folder(&long).expect_err("no socket would fit");
        assert!(error.to_string().contains("set TMPDIR"), "{error}");
    }

    #[tokio::test]
    async fn without_a_ladder_nothing_is_looked_for() {
        let mut config = Config::default();
        config.transcoder.ffmpeg = "/nowhere/ffmpeg".to_owned();
        let workshop = Workshop::open(&config).await;
        assert!(workshop.expect("not needed").is_none());
    }
}
