//! The file that outlives the process: written aside and renamed, so that a crash at any moment leaves a whole
//! one, and written with numbers ahead of those in use, so that what it says is true until it is written again.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use media::PresentationName;
use playlist::{Registry, Remembered, TargetDuration};
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::repeated::Repeated;

/// Numbers written ahead: hours of the shortest segments, and far more than one publish can use up between two
/// looks. A restart skips at most so many.
const AHEAD: u64 = 100_000;
/// How often it is looked whether the file still holds: a presentation that begins and dies with the process
/// in between is not awaited, and nothing worse.
const EVERY: Duration = Duration::from_secs(1);

/// The folder, held against other gateways for as long as this lives.
#[derive(Debug)]
pub(crate) struct State {
    folder: PathBuf,
    /// What the file says.
    written: Remembered,
    _lock: File,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    media_sequence: u64,
    discontinuity_sequence: u64,
    presentations: Vec<Alive>,
}

/// A presentation that had not ended.
#[derive(Debug, Serialize, Deserialize)]
struct Alive {
    app: String,
    name: String,
    /// Whole seconds.
    target_duration: u32,
}

impl State {
    /// Takes `folder`, which is made if missing, reads what the last gateway left there, and reserves numbers
    /// beyond that for this one. A file that cannot be read is put aside: only the clock is left to number by.
    ///
    /// # Errors
    /// The folder cannot be written, or another gateway has it.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Remembered)> {
        let named = || format!("the state folder {}", folder.display());
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", named()))?;
        let lock = File::create(folder.join("lock"))
            .with_context(|| format!("cannot write to {}", named()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{} is in use by another gateway", named()),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", named()));
            }
        }
        let found = read(&folder.join(FILE))
            .with_context(|| format!("cannot read {}", named()))?
            .unwrap_or_default();
        let mut state = Self {
            folder: folder.to_owned(),
            written: Remembered::default(),
            _lock: lock,
        };
        state
            .write(found.clone().past_the_clock().ahead(AHEAD))
            .with_context(|| format!("cannot write to {}", named()))?;
        Ok((state, found))
    }

    /// Keeps the file true. Once `settled` no number is used any more, and the file says how far they went.
    pub(crate) async fn keep(mut self, registry: Registry, settled: impl Future<Output = ()>) {
        let mut settled = pin!(settled);
        let mut looks = interval(EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failures = Repeated::default();
        loop {
            let last = tokio::select! {
                _ = looks.tick() => false,
                () = &mut settled => true,
            };
            let now = registry.remember();
            // Whatever begins until the next look begins by the clock, which goes on.
            let reserve = now.clone().past_the_clock();
            // Half of what is ahead is used up before there is more.
            if !last && self.written.covers(&reserve.clone().ahead(AHEAD / 2)) {
                continue;
            }
            let next = if last { now } else { reserve.ahead(AHEAD) };
            let written = tokio::task::spawn_blocking(move || {
                let outcome = self.write(next);
                (self, outcome)
            });
            let Ok((same, outcome)) = written.await else {
                return;
            };
            self = same;
            if let Err(error) = outcome
                && let Some(times) = failures.due(Instant::now())
            {
                let folder = self.folder.display();
                warn!(times, "cannot write to the state folder {folder}: {error}");
            }
            if last {
                return;
            }
        }
    }

    fn write(&mut self, remembered: Remembered) -> io::Result<()> {
        let unfinished = self.folder.join("unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec(&Kept::from(&remembered))?)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.folder.join(FILE))?;
        // The new name must be on the disk as well before what it stands for is used.
        File::open(&self.folder)?.sync_all()?;
        self.written = remembered;
        Ok(())
    }
}

const FILE: &str = "presentations.json";

/// Reads the file; `None` if there is none, or none that makes sense.
fn read(path: &Path) -> io::Result<Option<Remembered>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match serde_json::from_slice::<Kept>(&text) {
        Ok(kept) => Ok(Some(kept.into())),
        Err(error) => {
            let aside = path.with_extension("unreadable");
            warn!(
                "{} is damaged and goes to {}; numbers follow the clock: {error}",
                path.display(),
                aside.display()
            );
            fs::rename(path, aside)?;
            Ok(None)
        }
    }
}

/// Where the folder is if the configuration does not say: where systemd says, or where the user's programs
/// keep such things; `None` if nobody says.
pub(crate) fn usual_folder(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let given = |name| variable(name).filter(|value| !value.is_empty());
    // Several folders are separated by colons (systemd.exec(5)).
    let by_systemd =
        given("STATE_DIRECTORY").and_then(|folders| folders.split(':').next().map(PathBuf::from));
    let home = || given("HOME").map(|home| Path::new(&home).join(".local/state"));
    by_systemd.or_else(|| {
        let states = given("XDG_STATE_HOME").map(PathBuf::from).or_else(home)?;
        Some(states.join("forebay"))
    })
}

impl From<&Remembered> for Kept {
    fn from(remembered: &Remembered) -> Self {
        let presentations = remembered.target_durations.iter();
        Self {
            media_sequence: remembered.media_sequence,
            discontinuity_sequence: remembered.discontinuity_sequence,
            presentations: presentations
                .map(|(name, target)| Alive {
                    app: name.app.to_string(),
                    name: name.name.to_string(),
                    target_duration: target.seconds(),
                })
                .collect(),
        }
    }
}

impl From<Kept> for Remembered {
    fn from(kept: Kept) -> Self {
        let alive = kept.presentations.into_iter();
        Self {
            media_sequence: kept.media_sequence,
            discontinuity_sequence: kept.discontinuity_sequence,
            // A name that is not allowed any more cannot come back.
            target_durations: alive
                .filter_map(|it| {
                    let name = PresentationName::parse(&it.app, &it.name).ok()?;
                    Some((name, TargetDuration::from_seconds(it.target_duration)))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let unique = format!("forebay-state-{name}-{}", std::process::id());
            Self(std::env::temp_dir().join(unique))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // It may never have been made.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn sample() -> Remembered {
        let name = PresentationName::parse("live/studio", "show").expect("valid");
        Remembered {
            // Past what the clock says.
            media_sequence: 1 << 40,
            discontinuity_sequence: 7,
            target_durations: vec![(name, TargetDuration::from_seconds(4))],
        }
    }

    #[test]
    fn what_is_written_is_found_and_numbers_are_reserved_at_once() {
        let scratch = Scratch::new("found");
        let (mut state, found) = State::open(&scratch.0).expect("a new folder");
        assert_eq!(found, Remembered::default());
        state.write(sample()).expect("writable");
        drop(state);
        let (state, found) = State::open(&scratch.0).expect("free again");
        assert_eq!(found, sample());
        drop(state);
        let (_, found) = State::open(&scratch.0).expect("free again");
        let reserved = sample().ahead(AHEAD);
        assert_eq!(found, reserved, "it died before it wrote anything");
    }

    #[test]
    fn what_begins_by_the_clock_is_reserved_before_it_begins() {
        let scratch = Scratch::new("clock");
        let (state, _) = State::open(&scratch.0).expect("a new folder");
        let registry = Registry::new(playlist::Settings::default());
        let name = PresentationName::parse("live", "show").expect("valid");
        let began = registry.publish(&name, &playlist::Terms::default(), Instant::now());
        let _writer = began.expect("free");
        let used = registry.remember();
        assert!(used.media_sequence > 0, "the clock is right");
        assert!(state.written.covers(&used), "a crash loses nothing");
    }

    #[test]
    fn a_crash_while_writing_leaves_what_was_there() {
        let scratch = Scratch::new("crash");
        let (mut state, _) = State::open(&scratch.0).expect("a new folder");
        state.write(sample()).expect("writable");
        drop(state);
        fs::write(scratch.0.join("unfinished"), "{\"media_seq").expect("writable");
        let (_, found) = State::open(&scratch.0).expect("free");
        assert_eq!(found, sample());
    }

    #[test]
    fn a_damaged_file_is_put_aside() {
        let scratch = Scratch::new("damaged");
        drop(State::open(&scratch.0).expect("a new folder"));
        fs::write(scratch.0.join(FILE), "{\"media_seq").expect("writable");
        let (_, found) = State::open(&scratch.0).expect("it goes on");
        assert_eq!(found, Remembered::default());
        assert!(scratch.0.join("presentations.unreadable").exists());
    }

    #[tokio::test(start_paused = true)]
    async fn the_file_follows_what_is_live() {
        let scratch = Scratch::new("follows");
        let (state, _) = State::open(&scratch.0).expect("a new folder");
        let registry = Registry::new(playlist::Settings::default());
        let waiting = registry.restore(&sample(), |_| Duration::ZERO);
        let (settled, settling) = tokio::sync::oneshot::channel();
        let settling = async { settling.await.expect("it is sent") };
        let keeping = tokio::spawn(state.keep(registry.clone(), settling));
        let kept = || {
            read(&scratch.0.join(FILE))
                .expect("readable")
                .expect("whole")
        };
        let until = async |alive: usize| {
            while kept().target_durations.len() != alive {
                tokio::time::sleep(EVERY).await;
            }
        };
        tokio::time::timeout(EVERY * 100, until(1))
            .await
            .expect("the one that waits");
        assert!(kept().media_sequence >= sample().media_sequence + AHEAD);
        for vacancy in waiting {
            vacancy.expire().await;
        }
        tokio::time::timeout(EVERY * 100, until(0))
            .await
            .expect("it is forgotten");
        settled.send(()).expect("it is awaited");
        keeping.await.expect("no panic");
        assert_eq!(kept(), registry.remember(), "to the number");
    }

    #[test]
    fn one_gateway_has_the_folder_at_a_time() {
        let scratch = Scratch::new("lock");
        let (first, _) = State::open(&scratch.0).expect("a new folder");
        let error = State::open(&scratch.0).expect_err("it is taken");
        assert!(error.to_string().ends_with("is in use by another gateway"));
        drop(first);
        State::open(&scratch.0).expect("free again");
    }

    #[test]
    fn the_usual_folder_is_the_systems() {
        let with = |set: &'static [(&str, &str)]| {
            let found = usual_folder(|name| {
                let value = set.iter().find(|(each, _)| *each == name);
                value.map(|(_, value)| (*value).to_owned())
            });
            found.map(|folder| folder.display().to_string())
        };
        let cases: [(&[_], _); 5] = [
            (
                &[("STATE_DIRECTORY", "/var/lib/forebay:/x"), ("HOME", "/h")],
                Some("/var/lib/forebay"),
            ),
            (
                &[("XDG_STATE_HOME", "/s"), ("HOME", "/h")],
                Some("/s/forebay"),
            ),
            (&[("HOME", "/h")], Some("/h/.local/state/forebay")),
            (&[("HOME", ""), ("XDG_STATE_HOME", "")], None),
            (&[], None),
        ];
        for (set, expected) in cases {
            assert_eq!(with(set).as_deref(), expected, "{set:?}");
        }
    }
}
