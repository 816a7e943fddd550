//! Whether an ffmpeg can do what runs need, asked before there are any: it makes one rung of one grey picture and a
//! little silence, started, told, fed and heard as in a run.
//!
//! What does not belong here: what depends on the source (`run::Failure` tells of codecs that an ffmpeg does not read).

use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use media::MessageKind;
use segmenter::flv::Role;
use segmenter::flv::file::Reader;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::last_words::last_words;
use super::preamble::Sound;
use super::process;
use super::workshop::Workshop;
use crate::config::Rendition;

/// One picture is encoded at once, even where the program has to come from a slow disk.
const PATIENCE: Duration = Duration::from_secs(20);

/// H.264 of 64x64 and 64 ms of AAC, without metadata, as a run is fed:
///
/// ```sh
/// ffmpeg -f lavfi -i color=gray:size=64x64:rate=25:duration=0.04 -f lavfi -i anullsrc=r=48000:cl=mono -t 0.064 \
///     -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bsf:v filter_units=remove_types=6 -c:a aac \
///     -fflags +bitexact -flags:a +bitexact -flags:v +bitexact \
///     -flvflags no_metadata+no_duration_filesize+no_sequence_end -f flv trial.flv
/// ```
pub(super) const SOURCE: &[u8] = include_bytes!("trial.flv");

/// Has a rung made. Its sound is encoded, which takes more than to copy it does.
///
/// # Errors
/// There is no rung: says what ffmpeg says of it, or what is missing in what it gives.
pub(super) async fn try_out(workshop: &Workshop, rendition: Rendition) -> Result<()> {
    let trial = timeout(PATIENCE, make(workshop, rendition));
    let (status, said, rung) = trial
        .await
        .with_context(|| format!("no end of a trial within {PATIENCE:?}"))??;
    ensure!(status.success(), "a trial ended with {status}: {said}");
    let has = kinds(&rung).context("a trial has to give FLV")?;
    for (kind, name) in [
        (MessageKind::Video, "pictures"),
        (MessageKind::Audio, "sound"),
    ] {
        ensure!(
            has.contains(&kind),
            "a trial has read FLV with {name}, and gave none to its socket; it said {said:?}"
        );
    }
    Ok(())
}

/// How ffmpeg ended, what it said, and what came to the socket.
async fn make(workshop: &Workshop, rendition: Rendition) -> Result<(ExitStatus, String, Vec<u8>)> {
    let (listener, socket) = workshop.socket(rendition.height)?;
    let outputs = [(rendition, socket.path())];
    let (mut child, _group) = process::start(workshop, &outputs, Sound::Encoded)?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let (ended, over) = oneshot::channel::<()>();
    let run = async {
        if let Some(mut stdin) = stdin {
            // Where it takes none, its end says why.
            let _ = stdin.write_all(SOURCE).await;
        }
        let status = child.wait().await;
        drop(ended);
        status
    };
    let said = async {
        match stderr {
            Some(stderr) => last_words(stderr).await,
            None => String::new(),
        }
    };
    let over = async {
        let _ = over.await;
    };
    let (status, said, rung) = tokio::join!(run, said, receive(listener, over));
    Ok((status?, said, rung?))
}

/// All that comes to `listener`: nothing if nobody has come when it is `over`.
async fn receive(listener: UnixListener, over: impl Future<Output = ()>) -> Result<Vec<u8>> {
    let mut rung = Vec::new();
    tokio::select! {
        biased;
        accepted = listener.accept() => {
            accepted?.0.read_to_end(&mut rung).await?;
        }
        () = over => {}
    }
    Ok(rung)
}

/// Of which kinds there is media.
fn kinds(flv: &[u8]) -> Result<Vec<MessageKind>> {
    let mut reader = Reader::new();
    reader.push(flv);
    let mut kinds = Vec::new();
    while let Some(message) = reader.pull()? {
        if Role::of(&message) == Role::Media {
            kinds.push(message.kind);
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_of_pictures_and_sound() {
        let kinds = kinds(SOURCE).expect("FLV");
        assert!(kinds.contains(&MessageKind::Video) && kinds.contains(&MessageKind::Audio));
    }
}
