//! Cue points of one publish: `onCuePoint` as Flash has it, and `onAdCue` as Adobe Primetime does.
//!
//! An SCTE-35 section comes as base64 in one of their properties; encoders do not agree in which, so it is known by
//! what it is. What does not belong here: what a section says (`segmenter::scte35`).

use std::collections::VecDeque;
use std::time::Duration;

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
/// A message says at most so long before when its cue is.
const MOST_AHEAD: Duration = Duration::from_secs(8);

/// The cue points of a publish so far: the last splice of each event.
#[derive(Debug, Default)]
pub(crate) struct Cues(VecDeque<Said>);

/// A splice.
#[derive(Debug)]
struct Said {
    event: u32,
    side: Side,
    at_ms: u32,
    /// Behind that it is another, though it were the same.
    again_within: MediaTime,
    is_planned: bool,
}

/// What a message says of cues.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) cues: Vec<Cue>,
    /// When they are, if that is another time than the message's.
    pub(super) at_ms: Option<u32>,
    /// It was to bring an SCTE-35 section and does not, in words. The cue is what the rest of the message says.
    pub(super) no_section: Option<String>,
}

/// A message that is a cue point.
struct Message<'a> {
    class: &'static str,
    object: &'a [(String, Value)],
    /// `parameters` of `onCuePoint`.
    parameters: &'a [(String, Value)],
}

impl Cues {
    /// The cues of a message at `timestamp_ms`: none of one that is no cue point, or says again what is known.
    pub(super) fn read(&mut self, name: &str, values: &[Value], timestamp_ms: u32) -> Read {
        let Some(message) = Message::of(name, values) else {
            return Read::default();
        };
        let at_ms = message.time_ms(timestamp_ms);
        let when = at_ms.unwrap_or(timestamp_ms);
        let (cues, no_section) = match message.section() {
            Ok(Some((section, commands))) => {
                let splices = commands.into_iter();
                let splices = splices.filter_map(|it| self.splice(&message, &section, it, when));
                (splices.collect(), None)
            }
            Ok(None) => (vec![message.point()], None),
            Err(why) => (vec![message.point()], Some(why)),
        };
        Read {
            cues,
            at_ms,
            no_section,
        }
    }

    fn splice(
        &mut self,
        message: &Message<'_>,
        section: &Bytes,
        command: scte35::Command,
        at_ms: u32,
    ) -> Option<Cue> {
        let scte35::Command { side, event, .. } = command;
        let duration = command.duration.or_else(|| message.duration());
        let cue = Cue {
            class: None,
            planned: duration.filter(|_| side == Side::Out),
            splice: Some(Splice {
                side,
                event,
                auto_return: command.auto_return,
                section: section.clone(),
            }),
            attributes: Vec::new(),
        };
        let said = event.filter(|_| side != Side::Command).map(|event| Said {
            event,
            side,
            at_ms,
            again_within: cue.said_again_within(),
            is_planned: cue.planned.is_some(),
        });
        let is_known = said.is_some_and(|said| self.is_known(said));
        (!is_known).then_some(cue)
    }

    /// What is `said` was said before. It is remembered.
    fn is_known(&mut self, said: Said) -> bool {
        let Some(known) = self.0.iter_mut().find(|it| it.event == said.event) else {
            self.0.push_back(said);
            if self.0.len() > MOST_EVENTS {
                self.0.pop_front();
            }
            return false;
        };
        let since_ms = i64::from(said.at_ms.wrapping_sub(known.at_ms).cast_signed());
        let within_ms = 0..=known.again_within.as_millis();
        let is_known = known.side == said.side && within_ms.contains(&since_ms);
        // Of a break without a plan nobody knows that it is over while it is said again and again.
        if !is_known || !said.is_planned {
            *known = said;
        }
        is_known
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

    /// When it says that it is, where that is a little ahead of its timestamp and on the same clock, for all one can see.
    fn time_ms(&self, timestamp_ms: u32) -> Option<u32> {
        let (_, value) = self.object.iter().find(|(key, _)| key == "time")?;
        let said = Duration::try_from_secs_f64(seconds(value)?).ok()?;
        let at_ms = u32::try_from(said.as_millis()).ok()?;
        let ahead_ms = at_ms.checked_sub(timestamp_ms)?;
        (u128::from(ahead_ms) <= MOST_AHEAD.as_millis()).then_some(at_ms)
    }

    fn point(&self) -> Cue {
        Cue {
            class: Some(self.class),
            planned: self.duration(),
            splice: None,
            attributes: self.attributes(),
        }
    }

    /// The section that it brings: what is one, whatever it is called.
    fn section(&self) -> Result<Option<(Bytes, Vec<scte35::Command>)>, String> {
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
        let duration = Duration::try_from_secs_f64(seconds(value)?).ok()?;
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

/// A number, or text that is one.
fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn read_section(text: &str) -> Result<(Bytes, Vec<scte35::Command>), String> {
    let Some(section) = base64::decode(text, MOST_SECTION_BYTES) else {
        return Err(format!(
            "it is no base64 of at most {MOST_SECTION_BYTES} bytes"
        ));
    };
    let commands = scte35::read(&section).map_err(|error| error.to_string())?;
    Ok((section.into(), commands))
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
