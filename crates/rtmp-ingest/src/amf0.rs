//! AMF0 values (Action Message Format 0, Adobe 2007), read without trust.
//!
//! Reading is iterative and bounded in depth and number, and declared counts reserve nothing. Used for
//! commands here, and for `onMetaData` and its like wherever they come from. What the names in them mean
//! does not belong here.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

use thiserror::Error;

pub use self::reader::read_all;
pub(crate) use self::writer::{Property, write_command};

/// How deep objects and arrays may lie in each other. Real metadata has three levels; a deep value would
/// also overflow the stack of whoever drops or prints it.
pub const MAX_DEPTH: usize = 32;

/// Values in one message. The `keyframes` table of a ten-hour recording fits; each costs some 60 bytes.
pub const MAX_VALUES: usize = 1 << 16;

/// One AMF0 value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Marker 0.
    Number(f64),
    /// Marker 1.
    Boolean(bool),
    /// Markers 2 and 12 (long). Bytes that are not UTF-8 are replaced by U+FFFD.
    String(String),
    /// Marker 3: properties in their order.
    Object(Vec<(String, Value)>),
    /// Marker 5.
    Null,
    /// Marker 6; also markers 4, 7 and 14 (movie clip, reference, record set), which nobody can resolve.
    Undefined,
    /// Marker 8: an array with names, in its order.
    EcmaArray(Vec<(String, Value)>),
    /// Marker 10.
    StrictArray(Vec<Value>),
    /// Marker 11: milliseconds since 1970 UTC. The time zone field is reserved and left out.
    Date(f64),
    /// Marker 13.
    Unsupported,
    /// Marker 15, as text: it is never parsed.
    Xml(String),
    /// Marker 16.
    TypedObject {
        /// The class name. No class is ever made from it.
        class: String,
        /// Properties in their order.
        properties: Vec<(String, Value)>,
    },
}

impl Value {
    /// The number, if it is one.
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The properties of an object, typed object or ECMA array.
    pub fn properties(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(properties)
            | Self::EcmaArray(properties)
            | Self::TypedObject { properties, .. } => Some(properties),
            _ => None,
        }
    }

    /// The property called `name`, the first one if there are several.
    pub fn property(&self, name: &str) -> Option<&Self> {
        self.properties()?
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// AMF0 that cannot be read. Offsets count from the first byte given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// It ends inside a value.
    #[error("it ends at byte {at}, inside {field}")]
    Truncated {
        /// Where it ends.
        at: usize,
        /// What was being read.
        field: &'static str,
    },
    /// A marker without a meaning.
    #[error("byte {at} is {found:#04x}, which is no AMF0 marker")]
    Marker {
        /// Where it stands.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// Objects within objects beyond [`MAX_DEPTH`].
    #[error("at byte {at} values lie deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// Where the level too many begins.
        at: usize,
    },
    /// More than [`MAX_VALUES`].
    #[error("at byte {at} there are more than {MAX_VALUES} values")]
    TooMany {
        /// Where the value too many begins.
        at: usize,
    },
}
