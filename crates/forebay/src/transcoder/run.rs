//! One run of ffmpeg: from a key frame to where it has to begin anew, or dies.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Buf;
use media::{Message, MessageKind};
use segmenter::Origin;
use segmenter::flv::file::{Framing, header};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::feed::{Beginning, FIRST_MS, Item};
use super::inlet::Inlet;
use super::last_words::last_words;
use super::preamble::{Headers, Sound};
use super::process::{self, Group};
use super::{Making, Shared};
use crate::config::Rendition;
use crate::house::raised;

/// An ffmpeg that takes nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(10);
/// And one that gives nothing for so long, whatever it takes; it has to look at some media before it begins.
const MUTE: Duration = Duration::from_secs(20);
/// From the end of its input to its own: it has a few pictures to encode, and is killed after that.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a run failed.
#[derive(Debug)]
pub(super) enum Failure {
    Socket(io::Error),
    Start(io::Error),
    /// As many run as may.
    Full(usize),
    /// It took nothing for [`HANGS`].
    Hangs,
    /// It gave nothing for [`MUTE`].
    Mute,
    /// It ended before its input, which has such headers, with these last words.
    Ended(io::Result<ExitStatus>, Headers, String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(error) => write!(f, "no socket for a rung: {error}"),
            Self::Start(error) => write!(f, "cannot start ffmpeg: {error}"),
            Self::Full(most) => write!(
                f,
                "{most} run already; transcoder.max_processes allows no more"
            ),
            Self::Hangs => write!(f, "ffmpeg took nothing for {HANGS:?}"),
            Self::Mute => write!(f, "ffmpeg gave nothing for {MUTE:?}"),
            Self::Ended(Ok(status), headers, words) => {
                write!(f, "ffmpeg ended with {status}")?;
                if !words.is_empty() {
                    write!(f, ": {words}")?;
                }
                match headers {
                    Headers::Enhanced if status.code().is_some() => f.write_str(
                        " (the source is sent as Enhanced RTMP, of which ffmpeg reads pictures from version 6.1 on, and \
                         sound from 8.0 on)",
                    ),
                    Headers::Enhanced | Headers::Legacy => Ok(()),
                }
            }
            Self::Ended(Err(error), ..) => write!(f, "ffmpeg cannot be waited for: {error}"),
        }
    }
}

/// How feeding it ended.
enum Fed {
    /// There is no more in this run.
    All,
    /// It takes no more: it is about to end.
    Refused,
    Hangs,
    Mute,
}

/// Transcodes from `beginning` on, for as long as the feed has this run.
pub(super) async fn run(
    making: &Making,
    renditions: &[Rendition],
    beginning: Beginning,
    shared: &Shared,
) -> Result<(), Failure> {
    let over = watch::Sender::new(false);
    let heard = Arc::new(AtomicBool::new(false));
    let mut inlets = JoinSet::new();
    let mut sockets = Vec::new();
    for rendition in renditions {
        let Some(name) = making.rung(*rendition) else {
            continue;
        };
        let made = making.workshop.socket(rendition.height);
        let (listener, socket) = made.map_err(Failure::Socket)?;
        let inlet = Inlet {
            name,
            terms: making.terms.clone(),
            peer: making.peer,
            origin: Origin {
                sent_ms: FIRST_MS.into(),
                ..beginning.origin
            },
            house: making.house.clone(),
            heard: heard.clone(),
            noted: shared.noted.clone(),
        };
        inlets.spawn(inlet.run(listener, raised(&over)));
        sockets.push((*rendition, socket));
    }
    let outputs: Vec<(Rendition, &Path)> = sockets
        .iter()
        .map(|(rendition, socket)| (*rendition, socket.path()))
        .collect();
    let started = process::start(&making.workshop, &outputs, beginning.sound);
    let (mut child, group) = started.map_err(Failure::Start)?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let words = stderr.map(|stderr| LastWords(tokio::spawn(last_words(stderr))));
    let feeding = feed(stdin, beginning.sound, shared, &heard);
    let patience = || match *making.house.drain.borrow() {
        // Players want their share of the time that is left.
        true => PATIENCE / 4,
        false => PATIENCE,
    };
    let outcome = attend(&mut child, group, feeding, patience, shared).await;
    // What it has sent is published to its end. Where ffmpeg is a script, something that it has started may keep all
    // of this open.
    over.send_replace(true);
    let published = async { while inlets.join_next().await.is_some() {} };
    let _ = timeout(patience(), published).await;
    let words = match words {
        Some(mut words) => timeout(patience(), &mut words.0).await,
        None => Ok(Ok(String::new())),
    };
    let words = words.ok().and_then(Result::ok).unwrap_or_default();
    match outcome {
        (Fed::All, _) => Ok(()),
        (Fed::Hangs, _) => Err(Failure::Hangs),
        (Fed::Mute, _) => Err(Failure::Mute),
        (Fed::Refused, status) => Err(Failure::Ended(status, beginning.headers, words)),
    }
}

/// Sees it fed, and its end, and that of what it has started.
async fn attend(
    child: &mut Child,
    group: Group,
    feeding: impl Future<Output = Fed>,
    patience: impl Fn() -> Duration,
    shared: &Shared,
) -> (Fed, io::Result<ExitStatus>) {
    let overdue = async {
        shared.closed().await;
        sleep(patience()).await;
    };
    let fed = tokio::select! {
        status = child.wait() => return (Fed::Refused, status),
        fed = feeding => fed,
        () = overdue => Fed::All,
    };
    if matches!(fed, Fed::All | Fed::Refused)
        && let Ok(status) = timeout(patience(), child.wait()).await
    {
        return (fed, status);
    }
    drop(group);
    (fed, child.wait().await)
}

/// Gives it what the feed has of this run, then the end of its input. `heard` says whether it has given something
/// since that was last looked at.
async fn feed(stdin: Option<ChildStdin>, sound: Sound, shared: &Shared, heard: &AtomicBool) -> Fed {
    let Some(mut stdin) = stdin else {
        return Fed::Refused;
    };
    let tracks: &[MessageKind] = match sound {
        Sound::None => &[MessageKind::Video],
        Sound::Copied | Sound::Encoded => &[MessageKind::Video, MessageKind::Audio],
    };
    let mut written = stdin.write_all(&header(tracks)).await;
    let (mut unanswered, mut last) = (Duration::ZERO, Instant::now());
    loop {
        if written.is_err() {
            return Fed::Refused;
        }
        let Some(Item::Tag(message, at_ms)) = shared.next().await else {
            return Fed::All;
        };
        // Time in which it got nothing, or nobody ran, is not its fault.
        unanswered += std::mem::replace(&mut last, Instant::now())
            .elapsed()
            .min(Duration::from_secs(1));
        if heard.swap(false, Ordering::Relaxed) {
            unanswered = Duration::ZERO;
        } else if unanswered > MUTE {
            return Fed::Mute;
        }
        written = match timeout(HANGS, write(&mut stdin, message, at_ms)).await {
            Ok(written) => written,
            Err(_) => return Fed::Hangs,
        };
    }
}

async fn write(stdin: &mut ChildStdin, message: Message, at_ms: u32) -> io::Result<()> {
    let Some(framing) = Framing::of(&message, at_ms) else {
        return Ok(());
    };
    let (before, behind) = (&framing.before[..], &framing.behind[..]);
    let mut tag = before.chain(message.payload).chain(behind);
    stdin.write_all_buf(&mut tag).await
}

/// A task that ends with what waits for it.
struct LastWords(JoinHandle<String>);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.abort();
    }
}
