//! Reading AMF0, with a stack of its own instead of recursion.

use super::{Error, MAX_DEPTH, MAX_VALUES, Value};

const OBJECT_END: u8 = 9;
const SWITCH_TO_AMF3: u8 = 0x11;

/// All values of a message, up to its end or to the marker that switches to AMF3.
///
/// Two habits of encoders are tolerated: text that is not UTF-8, and an ECMA array at the end of the
/// message without its end marker.
///
/// # Errors
/// The bytes end inside a value, hold an unknown marker, or go past [`MAX_DEPTH`] or [`MAX_VALUES`].
pub fn read_all(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let mut input = Input { bytes, at: 0 };
    let mut open: Vec<Container> = Vec::new();
    let mut top = Vec::new();
    let mut values = 0_usize;
    loop {
        let finished = match open.last_mut() {
            Some(container) => container.before_value(&mut input)?,
            None if input.is_at_end() => return Ok(top),
            None => false,
        };
        let value = if finished {
            open.pop().map_or(Value::Undefined, Container::into_value)
        } else {
            values += 1;
            if values > MAX_VALUES {
                return Err(Error::TooMany { at: input.at });
            }
            let at = input.at;
            match input.value()? {
                Read::Value(value) => value,
                Read::Begin(container) => {
                    if open.len() == MAX_DEPTH {
                        return Err(Error::TooDeep { at });
                    }
                    open.push(container);
                    continue;
                }
                Read::End => {
                    // What is open is kept: the values before the switch are whole.
                    while let Some(container) = open.pop() {
                        let value = container.into_value();
                        put(value, &mut open, &mut top);
                    }
                    return Ok(top);
                }
            }
        };
        put(value, &mut open, &mut top);
    }
}

fn put(value: Value, open: &mut [Container], top: &mut Vec<Value>) {
    match open.last_mut() {
        Some(container) => container.put(value),
        None => top.push(value),
    }
}

enum Read {
    Value(Value),
    Begin(Container),
    End,
}

enum Shape {
    Object,
    EcmaArray,
    Typed(String),
}

/// A value that is being read.
enum Container {
    Properties {
        shape: Shape,
        /// The name of the property whose value comes next.
        name: String,
        properties: Vec<(String, Value)>,
    },
    Array {
        missing: u32,
        values: Vec<Value>,
    },
}

impl Container {
    fn properties(shape: Shape) -> Self {
        Self::Properties {
            shape,
            name: String::new(),
            properties: Vec::new(),
        }
    }

    /// Reads what stands before the next value; true at the end of the container.
    fn before_value(&mut self, input: &mut Input<'_>) -> Result<bool, Error> {
        match self {
            Self::Array { missing: 0, .. } => Ok(true),
            Self::Array { missing, .. } => {
                *missing -= 1;
                Ok(false)
            }
            Self::Properties { shape, name, .. } => {
                if matches!(shape, Shape::EcmaArray) && input.is_at_end() {
                    return Ok(true);
                }
                *name = input.short_string("a property name")?;
                if name.is_empty() && input.peek() == Some(OBJECT_END) {
                    input.u8("the end of an object")?;
                    return Ok(true);
                }
                Ok(false)
            }
        }
    }

    fn put(&mut self, value: Value) {
        match self {
            Self::Array { values, .. } => values.push(value),
            Self::Properties {
                name, properties, ..
            } => properties.push((std::mem::take(name), value)),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Array { values, .. } => Value::StrictArray(values),
            Self::Properties {
                shape, properties, ..
            } => match shape {
                Shape::Object => Value::Object(properties),
                Shape::EcmaArray => Value::EcmaArray(properties),
                Shape::Typed(class) => Value::TypedObject { class, properties },
            },
        }
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Error> {
        let Some(array) = self.rest().first_chunk::<N>() else {
            return Err(self.truncated(field));
        };
        self.at += N;
        Ok(*array)
    }

    fn u8(&mut self, field: &'static str) -> Result<u8, Error> {
        self.array(field).map(u8::from_be_bytes)
    }

    fn u32(&mut self, field: &'static str) -> Result<u32, Error> {
        self.array(field).map(u32::from_be_bytes)
    }

    fn f64(&mut self, field: &'static str) -> Result<f64, Error> {
        self.array(field).map(f64::from_be_bytes)
    }

    fn short_string(&mut self, field: &'static str) -> Result<String, Error> {
        let length = self.array(field).map(u16::from_be_bytes)?;
        self.text(length.into(), field)
    }

    fn long_string(&mut self, field: &'static str) -> Result<String, Error> {
        let length = self.u32(field)?;
        self.text(length as usize, field)
    }

    fn text(&mut self, length: usize, field: &'static str) -> Result<String, Error> {
        let Some(text) = self.rest().get(..length) else {
            return Err(self.truncated(field));
        };
        self.at += length;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn truncated(&self, field: &'static str) -> Error {
        Error::Truncated {
            at: self.bytes.len(),
            field,
        }
    }

    fn value(&mut self) -> Result<Read, Error> {
        let at = self.at;
        let value = match self.u8("a value")? {
            0 => Value::Number(self.f64("a number")?),
            1 => Value::Boolean(self.u8("a boolean")? != 0),
            2 => Value::String(self.short_string("a string")?),
            3 => return Ok(Read::Begin(Container::properties(Shape::Object))),
            5 => Value::Null,
            4 | 6 | 14 => Value::Undefined,
            7 => {
                self.array::<2>("a reference")?;
                Value::Undefined
            }
            8 => {
                self.u32("the length of an ECMA array")?;
                return Ok(Read::Begin(Container::properties(Shape::EcmaArray)));
            }
            10 => {
                let missing = self.u32("the length of a strict array")?;
                return Ok(Read::Begin(Container::Array {
                    missing,
                    values: Vec::new(),
                }));
            }
            11 => {
                let date = self.f64("a date")?;
                self.array::<2>("the time zone of a date")?;
                Value::Date(date)
            }
            12 => Value::String(self.long_string("a long string")?),
            13 => Value::Unsupported,
            15 => Value::Xml(self.long_string("an XML document")?),
            16 => {
                let class = self.short_string("a class name")?;
                return Ok(Read::Begin(Container::properties(Shape::Typed(class))));
            }
            SWITCH_TO_AMF3 => return Ok(Read::End),
            found => return Err(Error::Marker { at, found }),
        };
        Ok(Read::Value(value))
    }
}
