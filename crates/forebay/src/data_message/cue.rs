//! Cue points of one publish: `onCuePoint` as Flash has it, and `onAdCue` as Adobe Primetime does.
//!
//! An SCTE-35 section comes as base64 in one of their properties; encoders do not agree in which, so it is known by
//! what it is. What does not belong here: what a section says (`segmenter::scte35`).

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use media::{Cue, MediaTime, Side, Splice};
use rtmp_ingest::amf0::Value;
use segmenter::scte35;

use super::base64;

/// The messages that are cue points.
const NAMES: [&str; 2] = ["onCuePoint", "onAdCue"];
/// What playlists say of a cue at most: attributes, and characters of each name and value.
const MOST_ATTRIBUTES: usize = 16;
const MOST_NAME_CHARS: usize = 32;
const MOST_VALUE_CHARS: usize = 256;
/// And bytes of all of them: they are in every playlist.
const MOST_ATTRIBUTE_BYTES: usize = 1_024;
/// The longest section, bytes: it is in every playlist, in hexadecimal. A usual one has less than a hundred.
const MOST_SECTION_BYTES: usize = 512;
/// Events that are remembered, to know what is said again.
const MOST_EVENTS: usize = 16;
/// Within so long a splice of the same event that leads to the same side is the same one, said again for who has just
/// come; of a break that is to last longer, as long as that.
const REPEATED_WITHIN: MediaTime = MediaTime::from_millis(30_000);

/// The cue points of a publish so far.
#[derive(Debug)]
pub(crate) struct Cues {
    /// When it began, milliseconds since 1970: no publish has the IDs of another.
    began_ms: u128,
    count: u64,
    said: VecDeque<Said>,
}

/// The last splice of an event.
#[derive(Debug)]
struct Said {
    event: u32,
    side: Side,
    at_ms: u32,
    planned: Option<MediaTime>,
}

/// A message that is a cue point.
struct Message<'a> {
    class: &'static str,
    object: &'a [(String, Value)],
    /// `parameters` of `onCuePoint`.
    parameters: &'a [(String, Value)],
}

impl Cues {
    /// Of a publish that began at `began`.
    pub(crate) fn new(began: SystemTime) -> Self {
        let since = began.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            began_ms: since.as_millis(),
            count: 0,
            said: VecDeque::new(),
        }
    }

    /// The cue of a message at `timestamp_ms`; `None` if it is none, or says again what is known.
    ///
    /// # Errors
    /// It is to be an SCTE-35 section and is none, in words. The cue is what the rest of the message says.
    pub(super) fn read(
        &mut self,
        name: &str,
        values: &[Value],
        timestamp_ms: u32,
    ) -> (Option<Cue>, Result<(), String>) {
        let Some(message) = Message::of(name, values) else {
            return (None, Ok(()));
        };
        match message.section() {
            Ok(Some((section, command))) => (
                self.splice(&message, section, command, timestamp_ms),
                Ok(()),
            ),
            Ok(None) => (Some(self.point(&message)), Ok(())),
            Err(why) => (Some(self.point(&message)), Err(why)),
        }
    }

    fn point(&mut self, message: &Message<'_>) -> Cue {
        self.count += 1;
        Cue {
            id: format!("cue-{:x}-{}", self.began_ms, self.count),
            class: Some(message.class),
            planned: message.duration(),
            splice: None,
            attributes: message.attributes(),
        }
    }

    fn splice(
        &mut self,
        message: &Message<'_>,
        section: Bytes,
        command: scte35::Command,
        at_ms: u32,
    ) -> Option<Cue> {
        let scte35::Command {
            side,
            event,
            duration,
        } = command;
        let duration = duration.or_else(|| message.duration());
        let planned = duration.filter(|_| side == Side::Out);
        if let Some(event) = event.filter(|_| side != Side::Command) {
            let said = Said {
                event,
                side,
                at_ms,
                planned,
            };
            if self.is_repeated(said) {
                return None;
            }
        }
        self.count += 1;
        let (event_text, began, count) = (event.unwrap_or_default(), self.began_ms, self.count);
        Some(Cue {
            id: format!("splice-{event_text:08X}-{began:x}-{count}"),
            class: None,
            planned,
            splice: Some(Splice {
                side,
                event,
                section,
            }),
            attributes: Vec::new(),
        })
    }

    /// What is `said` was said before. It is remembered.
    fn is_repeated(&mut self, said: Said) -> bool {
        let known = self.said.iter_mut().find(|it| it.event == said.event);
        let Some(known) = known else {
            self.said.push_back(said);
            if self.said.len() > MOST_EVENTS {
                self.said.pop_front();
            }
            return false;
        };
        let since_ms = said.at_ms.wrapping_sub(known.at_ms).cast_signed();
        let within = known.planned.unwrap_or_default().max(REPEATED_WITHIN);
        let is_repeated =
            known.side == said.side && (0..=within.as_millis()).contains(&i64::from(since_ms));
        *known = said;
        is_repeated
    }
}

impl<'a> Message<'a> {
    fn of(name: &str, values: &'a [Value]) -> Option<Self> {
        let class = NAMES.into_iter().find(|&class| class == name)?;
        let object = values.first()?;
        let parameters = object.property("parameters").and_then(Value::properties);
        Some(Self {
            class,
            object: object.properties()?,
            parameters: parameters.unwrap_or_default(),
        })
    }

    fn all(&self) -> impl Iterator<Item = &'a (String, Value)> {
        self.object.iter().chain(self.parameters)
    }

    /// The section that it brings: what is one, whatever it is called.
    fn section(&self) -> Result<Option<(Bytes, scte35::Command)>, String> {
        let names = ["name", "type"];
        let mut said = self
            .object
            .iter()
            .filter(|(key, _)| names.contains(&key.as_str()));
        let is_scte_35 = said.any(|(_, value)| {
            let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
            text.contains("scte35") || text.contains("scte-35")
        });
        let mut why = None;
        // As base64 a table_id of 0xfc is a slash and one of sixteen letters.
        let texts = self.all().filter_map(|(_, value)| value.as_str());
        for text in texts.map(str::trim).filter(|text| text.starts_with('/')) {
            match read_section(text) {
                Ok(found) => return Ok(Some(found)),
                Err(error) => why = Some(error),
            }
        }
        match why.filter(|_| is_scte_35) {
            Some(why) => Err(why),
            None => Ok(None),
        }
    }

    /// In seconds, as a number or as text; none if it is not above zero.
    fn duration(&self) -> Option<MediaTime> {
        let mut all = self.all();
        let (_, value) = all.find(|(key, _)| key == "duration")?;
        let seconds = match value {
            Value::Number(number) => *number,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        let duration = Duration::try_from_secs_f64(seconds).ok()?;
        (duration > Duration::ZERO).then(|| duration.into())
    }

    /// Its scalars as client-defined attributes (rfc8216bis §4.4.5.1): `X-` and the name in upper case.
    fn attributes(&self) -> Vec<(String, String)> {
        let mut attributes: Vec<(String, String)> = Vec::new();
        let mut bytes = 0;
        for (key, value) in self.all().filter(|(key, _)| key != "duration") {
            let text = match value {
                Value::Number(number) | Value::Date(number) => number.to_string(),
                Value::Boolean(yes) => yes.to_string(),
                Value::String(text) | Value::Xml(text) => text.clone(),
                _ => continue,
            };
            let name = attribute_name(key);
            let is_new = attributes.iter().all(|(there, _)| *there != name);
            let value = quotable(&text);
            let more = bytes + name.len() + value.len();
            let is_room = attributes.len() < MOST_ATTRIBUTES && more <= MOST_ATTRIBUTE_BYTES;
            if is_new && name.len() > 2 && is_room {
                bytes = more;
                attributes.push((name, value));
            }
        }
        attributes
    }
}

fn read_section(text: &str) -> Result<(Bytes, scte35::Command), String> {
    let Some(section) = base64::decode(text, MOST_SECTION_BYTES) else {
        return Err(format!(
            "it is no base64 of at most {MOST_SECTION_BYTES} bytes"
        ));
    };
    let command = scte35::read(&section).map_err(|error| error.to_string())?;
    Ok((section.into(), command))
}

/// Upper case letters, digits and hyphens are what a name can have (§4.2).
fn attribute_name(key: &str) -> String {
    let chars = key.chars().take(MOST_NAME_CHARS).map(|c| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_ascii_uppercase(),
        _ => '-',
    });
    "X-".chars().chain(chars).collect()
}

/// What can stand in a quoted string (§4.2): no quotes, and nothing that ends a line.
fn quotable(text: &str) -> String {
    let chars = text.chars().filter(|c| !c.is_control() && *c != '"');
    let ends_lines = ['\u{2028}', '\u{2029}'];
    chars
        .filter(|c| !ends_lines.contains(c))
        .take(MOST_VALUE_CHARS)
        .collect()
}
