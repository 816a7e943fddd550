//! What `onMetaData` tells that the bitstream does not: kept for the status page, believed in nothing.

use bytes::Bytes;
use playlist::Label;
use rtmp_ingest::amf0::{self, Value};
use rtmp_ingest::presentable;

/// More properties than any encoder sends; a stranger could send 65 536.
const MAX_PROPERTIES: usize = 100;

/// The properties of an `onMetaData` in their order, as text, nested ones with the path to them:
/// `("audioTrackIdInfoMap.1.channels", "2")`. `None` if `payload` is something else.
pub(crate) fn properties(payload: &Bytes) -> Option<Vec<(String, String)>> {
    let values = amf0::read_all(payload).ok()?;
    let [name, object, ..] = values.as_slice() else {
        return None;
    };
    if name.as_str() != Some("onMetaData") {
        return None;
    }
    let mut found = Vec::new();
    for (key, value) in object.properties()? {
        gather(key, value, &mut found);
    }
    Some(found)
}

/// What the encoder calls the sound of a track in `properties`: in the information about that track, or at the top for
/// the first.
pub(crate) fn label(properties: &[(String, String)], track: u8) -> Label {
    let of_track = format!("audioTrackIdInfoMap.{track}.");
    let find = |key: &str| {
        let value = |(path, value): &'_ (String, String)| {
            let at_top = track == 0 && path == key;
            let is_it = at_top || path.strip_prefix(&of_track) == Some(key);
            is_it.then(|| value.clone())
        };
        properties.iter().find_map(value)
    };
    let name = find("label").or_else(|| find("name"));
    Label::new(name.as_deref(), find("language").as_deref(), false)
}

/// The reader bounds how deep values lie in each other.
fn gather(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    if found.len() >= MAX_PROPERTIES {
        return;
    }
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::Boolean(yes) => yes.to_string(),
        Value::String(text) | Value::Xml(text) => text.clone(),
        Value::Date(millis) => format!("{millis} ms since 1970"),
        Value::Null | Value::Undefined | Value::Unsupported => return,
        Value::Object(properties)
        | Value::EcmaArray(properties)
        | Value::TypedObject { properties, .. } => {
            for (key, value) in properties {
                gather(&format!("{path}.{key}"), value, found);
            }
            return;
        }
        Value::StrictArray(values) => {
            for (at, value) in values.iter().enumerate() {
                gather(&format!("{path}.{at}"), value, found);
            }
            return;
        }
    };
    if let (Some(path), Some(text)) = (presentable(path), presentable(&text)) {
        found.push((path, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AMF0 of `onMetaData` with an ECMA array of these properties, each as name and encoded value.
    fn metadata(properties: &[(&str, &[u8])]) -> Bytes {
        let mut bytes = b"\x02\x00\x0aonMetaData\x08\x00\x00\x00\x00".to_vec();
        for (name, value) in properties {
            bytes.extend(u16::try_from(name.len()).expect("short").to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(*value);
        }
        bytes.extend([0, 0, 9]);
        bytes.into()
    }

    #[test]
    fn every_property_is_kept_as_one_line_of_text() {
        let nested = b"\x03\x00\x01n\x01\x01\x00\x00\x09";
        let array = b"\x0a\x00\x00\x00\x01\x02\x00\x01x";
        let payload = metadata(&[
            ("encoder", b"\x02\x00\x08\x1b[1m\nX\0Y"),
            ("width", &[0, 0x40, 0x94, 0, 0, 0, 0, 0, 0]),
            ("empty", b"\x02\x00\x00"),
            ("none", b"\x05"),
            ("map", nested),
            ("list", array),
        ]);
        let kept = properties(&payload).expect("metadata");
        let kept: Vec<(&str, &str)> = kept.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected = [
            ("encoder", "[1mXY"),
            ("width", "1280"),
            ("map.n", "true"),
            ("list.0", "x"),
        ];
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_flood_of_properties_is_cut() {
        let names: Vec<String> = (0..1_000).map(|n| format!("p{n}")).collect();
        let flood: Vec<(&str, &[u8])> = names
            .iter()
            .map(|name| (name.as_str(), &b"\x01\x01"[..]))
            .collect();
        assert_eq!(
            properties(&metadata(&flood)).map(|kept| kept.len()),
            Some(MAX_PROPERTIES)
        );
    }

    #[test]
    fn tracks_have_names_of_their_own() {
        let properties = [
            ("language", "en"),
            ("audioTrackIdInfoMap.1.language", "de"),
            ("audioTrackIdInfoMap.1.label", "Deutsch"),
            ("audioTrackIdInfoMap.11.label", "no"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(label(&properties, 0), Label::new(None, Some("en"), false));
        assert_eq!(
            label(&properties, 1),
            Label::new(Some("Deutsch"), Some("de"), false)
        );
        assert_eq!(label(&properties, 2), Label::default());
    }

    #[test]
    fn what_is_no_metadata_is_none() {
        for payload in [&b"\x02\x00"[..], b"\x02\x00\x0aonTextData", b""] {
            assert_eq!(properties(&Bytes::copy_from_slice(payload)), None);
        }
    }
}
