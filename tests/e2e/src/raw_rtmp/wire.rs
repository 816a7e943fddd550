//! Bytes of RTMP, as the specification wants them; breaking them is the tests' affair.

/// S0, S1 and S2.
pub const ANSWER_BYTES: usize = 1 + 2 * 1536;

/// The chunk stream that everything is sent on unless a test says otherwise.
const CHUNK_STREAM: u8 = 3;

/// Says that the timestamp stands behind the header (§5.3.1.3).
const EXTENDED: u32 = 0xff_ffff;

/// AMF0 null.
pub const NULL: &[u8] = &[5];

/// C0, C1 and C2 at once, without digest (RTMP 1.0 §5.2).
pub fn handshake() -> Vec<u8> {
    [&[3][..], &[0; 2 * 1536]].concat()
}

/// The header of a chunk of type 0 (§5.3.1.2.1); ids from 2 to 63.
pub fn header(chunk_stream: u8, kind: u8, stream: u32, timestamp_ms: u32, length: u32) -> Vec<u8> {
    let mut header = vec![chunk_stream];
    header.extend_from_slice(&timestamp_ms.to_be_bytes()[1..]);
    header.extend_from_slice(&length.to_be_bytes()[1..]);
    header.push(kind);
    header.extend_from_slice(&stream.to_le_bytes());
    header
}

/// A message in one chunk.
///
/// # Panics
/// It is longer than a message can be.
pub fn message(kind: u8, stream: u32, timestamp_ms: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short body");
    let in_header = timestamp_ms.min(EXTENDED);
    let mut message = header(CHUNK_STREAM, kind, stream, in_header, length);
    if in_header == EXTENDED {
        message.extend_from_slice(&timestamp_ms.to_be_bytes());
    }
    message.extend_from_slice(body);
    message
}

/// Set Chunk Size (§5.4.1).
pub fn set_chunk_size(bytes: u32) -> Vec<u8> {
    message(1, 0, 0, &bytes.to_be_bytes())
}

/// A command in AMF0 (§7.1.1).
pub fn command(stream: u32, name: &str, transaction: f64, arguments: &[&[u8]]) -> Vec<u8> {
    let body = [string(name), number(transaction), arguments.concat()].concat();
    message(20, stream, 0, &body)
}

/// `connect` as encoders send it that connect anew when they are asked to (Enhanced RTMP's capsEx 1).
pub fn connect_reconnecting(app: &str) -> Vec<u8> {
    let properties = object(&[("app", string(app)), ("capsEx", number(1.0))]);
    command(0, "connect", 1.0, &[&properties])
}

/// `connect` as encoders send it.
pub fn connect(app: &str) -> Vec<u8> {
    let url = format!("rtmp://127.0.0.1/{app}");
    let properties = object(&[
        ("app", string(app)),
        ("type", string("nonprivate")),
        ("flashVer", string("FMLE/3.0 (compatible; test)")),
        ("tcUrl", string(&url)),
    ]);
    command(0, "connect", 1.0, &[&properties])
}

/// `createStream`.
pub fn create_stream() -> Vec<u8> {
    command(0, "createStream", 2.0, &[NULL])
}

/// `publish` of a live stream.
pub fn publish(stream: u32, name: &str) -> Vec<u8> {
    command(
        stream,
        "publish",
        3.0,
        &[NULL, &string(name), &string("live")],
    )
}

/// `deleteStream`, which ends what is published on it.
pub fn delete_stream(stream: u32) -> Vec<u8> {
    command(0, "deleteStream", 4.0, &[NULL, &number(f64::from(stream))])
}

/// An AMF0 string, long if it must be.
///
/// # Panics
/// Longer than 4 GiB.
pub fn string(text: &str) -> Vec<u8> {
    match u16::try_from(text.len()) {
        Ok(length) => [&[2], &length.to_be_bytes()[..], text.as_bytes()].concat(),
        Err(_) => {
            let length = u32::try_from(text.len()).expect("a bearable length");
            [&[12], &length.to_be_bytes()[..], text.as_bytes()].concat()
        }
    }
}

/// An AMF0 number.
pub fn number(value: f64) -> Vec<u8> {
    [&[0], &value.to_be_bytes()[..]].concat()
}

/// An AMF0 object.
pub fn object(properties: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut object = vec![3];
    for (name, value) in properties {
        // A property's name is a string without its marker.
        object.extend_from_slice(&string(name)[1..]);
        object.extend_from_slice(value);
    }
    object.extend_from_slice(&[0, 0, 9]);
    object
}
