//! Data messages of a publish as timed metadata: `onTextData`, `onCuePoint`, and whatever else an encoder or an
//! application sends.
//!
//! Each is an ID3 tag with the message as JSON in a TXXX frame under its name: nothing that was said is lost, and an
//! application needs to know one form only. The text of `onTextData` is a TIT2 frame as well, which is what players show
//! that do not know where a stream is from, and what the recipes for other servers make of it.
//!
//! What does not belong here: `onMetaData` (`metadata.rs`), and when an event is (the segmenter).

mod base64;
mod cue;

use bytes::Bytes;
use media::{Event, Fault, FaultKind};
use rtmp_ingest::amf0::{self, Value};
use rtmp_ingest::presentable;
use segmenter::id3::{self, Frame};
use serde_json::{Map, Number};

pub(crate) use cue::Cues;

/// The longest message that is carried, bytes.
const MOST_BYTES: usize = 16 << 10;
/// The longest tag, bytes: each byte of text may need six in JSON.
const MOST_TAG_BYTES: usize = 48 << 10;
/// Messages that are not for viewers.
const NOT_FOR_VIEWERS: [&str; 3] = ["onMetaData", "|RtmpSampleAccess", "@clearDataFrame"];

/// What a data message says to viewers, when in its encoder's milliseconds, and what is wrong with it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Heard {
    pub(crate) event: Option<(Event, u32)>,
    pub(crate) fault: Option<Fault>,
}

/// What a data message at `timestamp_ms` says to viewers of a publish, whose cue points so far are `cues`.
pub(crate) fn read(payload: &Bytes, timestamp_ms: u32, cues: &mut Cues) -> Heard {
    let (name, values, tag) = match text(payload) {
        Ok(Some(text)) => text,
        Ok(None) => return Heard::default(),
        Err(fault) => {
            return Heard {
                event: None,
                fault: Some(fault),
            };
        }
    };
    let values = values.get(1..).unwrap_or_default();
    let cue::Read {
        cues,
        at_ms,
        no_section,
    } = cues.read(&name, values, timestamp_ms);
    let fault = no_section.map(|why| {
        fault(format!(
            "the SCTE-35 section of {name} cannot be used: {why}; no splice is made of it"
        ))
    });
    Heard {
        event: Some((Event { tag, cues }, at_ms.unwrap_or(timestamp_ms))),
        fault,
    }
}

/// A message's name, its values with that, and its tag; `None` if it is not for viewers.
fn text(payload: &Bytes) -> Result<Option<(String, Vec<Value>, Bytes)>, Fault> {
    let Some(name) = name(payload).filter(|name| !NOT_FOR_VIEWERS.contains(name)) else {
        return Ok(None);
    };
    let Some(name) = presentable(name) else {
        return Ok(None);
    };
    let bytes = payload.len();
    if bytes > MOST_BYTES {
        let text = format!(
            "{name} has {bytes} bytes, more than the {MOST_BYTES} that are carried; left out"
        );
        return Err(fault(text));
    }
    let values = amf0::read_all(payload)
        .map_err(|error| fault(format!("{name} cannot be read: {error}; left out")))?;
    let tag = tag(&name, values.get(1..).unwrap_or_default())
        .ok_or_else(|| fault(format!("{name} has more text than is carried; left out")))?;
    Ok(Some((name, values, tag)))
}

/// The first value of a message, if that is a string of UTF-8.
fn name(payload: &[u8]) -> Option<&str> {
    let (length, rest) = payload.strip_prefix(&[2])?.split_first_chunk()?;
    let name = rest.get(..u16::from_be_bytes(*length).into())?;
    std::str::from_utf8(name).ok()
}

fn tag(name: &str, values: &[Value]) -> Option<Bytes> {
    let json = match values {
        [value] => json(value),
        _ => serde_json::Value::Array(values.iter().map(json).collect()),
    };
    let json = json.to_string();
    let text = values
        .first()
        .and_then(|value| value.property("text")?.as_str());
    let title = text
        .filter(|text| name == "onTextData" && !text.is_empty())
        .map(Frame::Title);
    let whole = Frame::UserText {
        description: name,
        value: &json,
    };
    let frames: Vec<_> = title.into_iter().chain([whole]).collect();
    id3::tag(&frames, MOST_TAG_BYTES)
}

/// A value as JSON. The reader bounds how deep values lie in each other.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) | Value::Date(number) => json_number(*number),
        Value::Boolean(yes) => (*yes).into(),
        Value::String(text) | Value::Xml(text) => text.as_str().into(),
        Value::Null | Value::Undefined | Value::Unsupported => serde_json::Value::Null,
        Value::Object(properties)
        | Value::EcmaArray(properties)
        | Value::TypedObject { properties, .. } => {
            let properties = properties.iter();
            let all: Map<_, _> = properties
                .map(|(key, value)| (key.clone(), json(value)))
                .collect();
            all.into()
        }
        Value::StrictArray(values) => values.iter().map(json).collect(),
    }
}

/// A number without a fraction reads as one; what JSON has no number for is null.
fn json_number(number: f64) -> serde_json::Value {
    let text = number.to_string();
    let whole: Option<Number> = text.parse::<i64>().ok().map(Into::into);
    whole
        .or_else(|| Number::from_f64(number))
        .map_or(serde_json::Value::Null, serde_json::Value::Number)
}

fn fault(text: String) -> Fault {
    Fault {
        kind: FaultKind::TimedMetadata,
        text,
    }
}

#[cfg(test)]
mod tests;
