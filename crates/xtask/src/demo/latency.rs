//! How late the picture is for a player that knows low latency, measured without one: when a part can be fetched, and
//! how far behind it the playlist tells players to stay (rfc8216bis §4.4.3.8, §6.2.5.2).

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use super::encoder::{APP, NAME};

/// So many parts in a row are looked at; the latest of them counts.
const PARTS: usize = 5;

/// A part comes within a fifth of a second; Ctrl-C has to wait meanwhile.
const ANSWER: Duration = Duration::from_secs(2);

/// What makes the picture late, once an encoder has sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Latency {
    /// From a part's end to when it is listed.
    part: Duration,
    /// How far players stay behind the newest part.
    hold_back: Duration,
}

impl Latency {
    /// `None` if the stream has not been there for a segment yet, or has no low-latency form.
    pub(super) fn measure(authority: &str) -> Option<Self> {
        let folder = format!("/{APP}/{NAME}");
        let multivariant = get(authority, &format!("{folder}/llhls.m3u8"))?;
        let playlist = multivariant.lines().find(|line| !line.starts_with('#'))?;
        let mut edge = Edge::parse(&get(authority, &format!("{folder}/{playlist}"))?)?;
        let mut part = Duration::ZERO;
        for _ in 0..PARTS {
            // Answered as soon as the part is there.
            let next = format!("_HLS_msn={}&_HLS_part={}", edge.segment, edge.part);
            edge = Edge::parse(&get(authority, &format!("{folder}/{playlist}?{next}"))?)?;
            part = part.max(edge.date.elapsed().unwrap_or_default());
        }
        Some(Self {
            part,
            hold_back: edge.hold_back,
        })
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |duration: Duration| duration.as_secs_f64();
        write!(
            f,
            "Players that know low latency can show the picture about {:.1} s after the encoder sent it:\n\
             a part is there at most {} ms after its end, and they stay {:.2} s behind that.",
            seconds(self.part + self.hold_back),
            self.part.as_millis() + 1,
            seconds(self.hold_back)
        )
    }
}

/// Where a low-latency playlist ends.
#[derive(Debug, PartialEq, Eq)]
struct Edge {
    /// The part that comes next: its segment, its place in that.
    segment: usize,
    part: usize,
    /// Wall clock at the end of the newest part.
    date: SystemTime,
    /// PART-HOLD-BACK.
    hold_back: Duration,
}

impl Edge {
    /// `None` without a complete segment: the first moments of a stream say little of the others.
    fn parse(playlist: &str) -> Option<Self> {
        let (mut segment, mut complete, mut part) = (0, 0, 0);
        let (mut date, mut hold_back) = (None, None);
        for line in playlist.lines() {
            if let Some(number) = line.strip_prefix("#EXT-X-MEDIA-SEQUENCE:") {
                segment = number.parse().ok()?;
            } else if let Some(text) = line.strip_prefix("#EXT-X-PROGRAM-DATE-TIME:") {
                date = Some(humantime::parse_rfc3339(text).ok()?);
            } else if line.starts_with("#EXT-X-PART:") {
                part += 1;
                date = Some(date? + attribute(line, "DURATION")?);
            } else if line.starts_with("#EXTINF:") {
                complete += 1;
                part = 0;
            } else if line.starts_with("#EXT-X-SERVER-CONTROL:") {
                hold_back = Some(attribute(line, "PART-HOLD-BACK")?);
            }
        }
        (complete > 0).then_some(Self {
            segment: segment + complete,
            part,
            date: date?,
            hold_back: hold_back?,
        })
    }
}

/// The seconds of an attribute.
fn attribute(line: &str, name: &str) -> Option<Duration> {
    let (_, attributes) = line.split_once(':')?;
    let mut pairs = attributes
        .split(',')
        .filter_map(|pair| pair.split_once('='));
    let (_, seconds) = pairs.find(|(key, _)| *key == name)?;
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

/// The body of an answer; `None` unless it is there in time and a success.
fn get(authority: &str, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect(authority).ok()?;
    socket.set_read_timeout(Some(ANSWER)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200 ").then(|| body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYLIST: &str = "#EXTM3U
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.000,PART-HOLD-BACK=0.654,HOLD-BACK=6.000
#EXT-X-PART-INF:PART-TARGET=0.218
#EXT-X-MEDIA-SEQUENCE:40
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:00.000Z
#EXTINF:2.000,
video-1-40.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:02.000Z
#EXT-X-PART:DURATION=0.200,URI=\"video-1-41.0.m4s\",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.167,URI=\"video-1-41.1.m4s\"
";

    #[test]
    fn the_edge_of_a_playlist() {
        let date = humantime::parse_rfc3339("2026-11-23T00:00:02.367Z").unwrap();
        let open = Edge {
            segment: 41,
            part: 2,
            date,
            hold_back: Duration::from_millis(654),
        };
        assert_eq!(Edge::parse(PLAYLIST), Some(open));
        let complete = Edge {
            segment: 42,
            part: 0,
            date,
            hold_back: Duration::from_millis(654),
        };
        let text = format!("{PLAYLIST}#EXTINF:0.367,\nvideo-1-41.m4s\n");
        assert_eq!(Edge::parse(&text), Some(complete));
        let begun = PLAYLIST.replace("#EXTINF:2.000,\nvideo-1-40.m4s\n", "");
        assert_eq!(Edge::parse(&begun), None);
    }

    #[test]
    fn in_words() {
        let latency = Latency {
            part: Duration::from_millis(40),
            hold_back: Duration::from_millis(654),
        };
        assert_eq!(
            latency.to_string(),
            "Players that know low latency can show the picture about 0.7 s after the encoder sent it:\n\
             a part is there at most 41 ms after its end, and they stay 0.65 s behind that."
        );
    }
}
