//! Command messages (RTMP 1.0 §7.1.1): name, transaction, arguments, each of which may be anything.

use bytes::Bytes;

use crate::Error;
use crate::amf0::{self, Value};
use crate::chunk::RawMessage;

/// A command as the client sent it. No `Debug`: its arguments may hold the key.
pub(super) struct Command {
    pub(super) name: String,
    /// 0 where the client expects no answer, or sent none.
    pub(super) transaction: f64,
    /// The command object, usually null except in `connect`.
    pub(super) object: Value,
    /// What follows it.
    pub(super) arguments: Vec<Value>,
    /// The message stream it came on.
    pub(super) stream: u32,
}

impl Command {
    pub(super) fn read(message: &RawMessage, at: u64) -> Result<Self, Error> {
        let values = amf0::read_all(&message.payload).map_err(|source| Error::Amf {
            at,
            what: "a command",
            source,
        })?;
        let mut values = values.into_iter();
        let name = match values.next() {
            Some(Value::String(name)) => name,
            other => {
                let found = other.as_ref().map_or("an empty message", kind);
                return Err(Error::protocol(at, "the name of a command", found));
            }
        };
        let transaction = values
            .next()
            .and_then(|value| value.as_number())
            .unwrap_or(0.0);
        Ok(Self {
            name,
            transaction,
            object: values.next().unwrap_or(Value::Null),
            arguments: values.collect(),
            stream: message.stream,
        })
    }

    /// The first argument as text; `None` if it is missing or something else.
    pub(super) fn text(&self, index: usize) -> Option<&str> {
        self.arguments.get(index).and_then(Value::as_str)
    }

    /// A property of the command object as text; `None` if it is missing or something else.
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        self.object.property(name).and_then(Value::as_str)
    }

    /// A property of the command object as a number; `None` if it is missing or something else.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.object.property(name).and_then(Value::as_number)
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "a number",
        Value::Boolean(_) => "a boolean",
        Value::String(_) => "a string",
        Value::Object(_) | Value::TypedObject { .. } => "an object",
        Value::EcmaArray(_) | Value::StrictArray(_) => "an array",
        Value::Null | Value::Undefined | Value::Unsupported => "nothing",
        Value::Date(_) => "a date",
        Value::Xml(_) => "an XML document",
    }
}

/// Takes `@setDataFrame` off a data message; a message to clear a data frame has nothing to deliver.
pub(super) fn without_set_data_frame(payload: Bytes) -> Bytes {
    const SET: &[u8] = b"\x02\0\x0d@setDataFrame";
    const CLEAR: &[u8] = b"\x02\0\x0f@clearDataFrame";
    if payload.starts_with(SET) {
        return payload.slice(SET.len()..);
    }
    if payload.starts_with(CLEAR) {
        return Bytes::new();
    }
    payload
}
