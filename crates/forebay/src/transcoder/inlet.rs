//! Where a rung comes back: FLV on a socket that only this user can reach, which becomes a publish like any other.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use media::{Message, MessageKind, PresentationName};
use playlist::{Dismissal, OnConflict, PushError, Terms};
use segmenter::Origin;
use segmenter::flv::Role;
use segmenter::flv::file::{self, Reader};
use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::noted::Noted;
use crate::house::House;
use crate::pipeline::Ending;
use crate::publish::{Publish, REPORT_EVERY};
use crate::repeated::Repeated;

/// What is read at once.
const BUFFER_BYTES: usize = 64 << 10;

/// A rung of a run.
pub(super) struct Inlet {
    pub(super) name: PresentationName,
    /// Those of the source.
    pub(super) terms: Terms,
    /// The source's encoder.
    pub(super) peer: SocketAddr,
    /// What the rung's timestamps mean.
    pub(super) origin: Origin,
    pub(super) house: Arc<House>,
    /// Told when something comes.
    pub(super) heard: Arc<AtomicBool>,
    /// What is said beside the source.
    pub(super) noted: Arc<Noted>,
}

/// What an inlet has of its presentation.
enum Seat {
    /// Nothing yet: somebody else publishes the name.
    Outside,
    Publishing(Box<Publish>),
    /// Nothing any more, in this run: it was dismissed.
    Dismissed,
}

impl Inlet {
    /// Publishes what comes to `listener`, to its end, or until the run is `over` if nothing does. The name is taken at
    /// once: the rungs of a ladder that begin together are numbered alike, and are waited for together.
    pub(super) async fn run(self, listener: UnixListener, over: impl Future<Output = ()>) {
        let mut over = pin!(over);
        let wake = Arc::new(Notify::new());
        let (mut seat, mut stream) = (Seat::Outside, None);
        let mut refusals = Repeated::default();
        let (mut reader, mut configurations) = (Reader::new(), [None, None]);
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut reports = interval(REPORT_EVERY);
        reports.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = wake.notified() => {
                    if let Seat::Publishing(publish) = &mut seat
                        && let Some(why) = publish.dismissal()
                    {
                        leave(&mut seat, &Ending::Dismissed(why));
                        if why == Dismissal::Takeover {
                            // Whoever has taken it may leave again.
                            seat = Seat::Outside;
                        }
                    }
                }
                _ = reports.tick() => match &mut seat {
                    Seat::Publishing(publish) => publish.tick(),
                    Seat::Outside => match self.begin(&wake, &configurations) {
                        Ok(publish) => seat = Seat::Publishing(Box::new(publish)),
                        Err(why) => if let Some(times) = refusals.due(Instant::now()) {
                            warn!(stream = %self.name, times, "a transcoded rung is not published: {why}");
                        }
                    },
                    Seat::Dismissed => {}
                },
                accepted = listener.accept(), if stream.is_none() => match accepted {
                    Ok((accepted, _)) => stream = Some(accepted),
                    Err(error) => {
                        warn!(stream = %self.name, "a transcoded rung cannot come in: {error}");
                        break;
                    }
                },
                () = &mut over, if stream.is_none() => break,
                read = read(&mut stream, &mut buffer) => {
                    let Some(bytes) = read.ok().and_then(|read| buffer.get(..read)) else { break };
                    if bytes.is_empty() {
                        break;
                    }
                    self.heard.store(true, Ordering::Relaxed);
                    if let Seat::Publishing(publish) = &mut seat {
                        // ffmpeg takes its time: what is said beside these media was said before.
                        let unread = self.noted.unread(&self.name.name).into_iter();
                        unread.for_each(|event| publish.place_event(event));
                    }
                    reader.push(bytes);
                    if let Err(error) = take(&mut reader, &mut seat, &mut configurations) {
                        warn!(stream = %self.name, "a transcoded rung cannot be read: {error}");
                        break;
                    }
                }
            }
        }
        leave(&mut seat, &Ending::Transcoded);
    }

    fn begin(
        &self,
        wake: &Arc<Notify>,
        configurations: &[Option<Message>; 2],
    ) -> Result<Publish, String> {
        let terms = Terms {
            wake: wake.clone(),
            // It takes nothing from who publishes the name on purpose.
            on_conflict: OnConflict::Reject,
            ..self.terms.clone()
        };
        let (name, house) = (self.name.clone(), self.house.clone());
        let begun = Publish::begin_transcoded(name, terms, self.peer, self.origin, house);
        let mut publish = begun.map_err(|why| why.to_string())?;
        for configuration in configurations.iter().flatten() {
            let taken: Result<(), PushError> = publish.take(configuration);
            taken.map_err(|why| why.to_string())?;
        }
        Ok(publish)
    }
}

/// Reads from the stream, once there is one.
async fn read(stream: &mut Option<UnixStream>, buffer: &mut [u8]) -> io::Result<usize> {
    match stream {
        Some(stream) => stream.read(buffer).await,
        None => pending().await,
    }
}

/// Publishes the messages that are there.
fn take(
    reader: &mut Reader,
    seat: &mut Seat,
    configurations: &mut [Option<Message>; 2],
) -> Result<(), file::Error> {
    while let Some(message) = reader.pull()? {
        keep(configurations, &message);
        if let Seat::Publishing(publish) = seat
            && let Err(too_large) = publish.take(&message)
        {
            leave(seat, &Ending::TooLarge(too_large));
        }
    }
    Ok(())
}

/// Whoever joins in the middle needs them.
fn keep([video, audio]: &mut [Option<Message>; 2], message: &Message) {
    if Role::of(message) == Role::Configuration {
        match message.kind {
            MessageKind::Video => *video = Some(message.clone()),
            MessageKind::Audio => *audio = Some(message.clone()),
            MessageKind::Data => {}
        }
    }
}

fn leave(seat: &mut Seat, why: &Ending) {
    if let Seat::Publishing(publish) = std::mem::replace(seat, Seat::Dismissed) {
        publish.end(why);
    }
}

#[cfg(test)]
mod tests;
