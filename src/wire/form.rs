//! Reads the arguments of server functions from forms, in the browser and on the server alike.

use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType, codec::Post};
use serde::{
    Serialize,
    de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};

/// The codec of arguments: `#[server(input = Form)]`. The framework's own reads nested names such as
/// `[email]`, takes a field that is sent twice for an error whether or not it is an argument, and is
/// in the download.
pub type Form = Post<FormText>;

/// A form as browsers write it.
pub struct FormText;

impl ContentType for FormText {
    const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";
}

impl FormatType for FormText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for FormText {
    type Error = serde_qs::Error;

    fn encode(arguments: &T) -> Result<Bytes, Self::Error> {
        serde_qs::to_string(arguments).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for FormText {
    type Error = NotRead;

    fn decode(form: Bytes) -> Result<T, NotRead> {
        let sent = form_urlencoded::parse(&form).into_owned();
        T::deserialize(Sent(sent.collect()))
    }
}

/// Names and values of a form, read as the arguments of a function. A browser extension may have
/// added fields: those that no argument names are left out.
pub struct Sent(pub Vec<(String, String)>);

impl<'de> Deserializer<'de> for Sent {
    type Error = NotRead;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotRead> {
        Err(NotRead)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        arguments: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotRead> {
        let mut read = Vec::new();
        for (name, value) in self.0 {
            if arguments.contains(&name.as_str()) {
                read.push((name, Typed(value)));
            } else if names_argument(&name, arguments) {
                return Err(NotRead);
            }
        }
        visitor.visit_map(MapDeserializer::new(read.into_iter()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// What was typed in a field.
struct Typed(String);

impl IntoDeserializer<'_, NotRead> for Typed {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Typed {
    type Error = NotRead;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        visitor.visit_string(self.0)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        visitor.visit_u32(self.0.parse().map_err(|_| NotRead)?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotRead> {
        if self.0.is_empty() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The form has no arguments of this function.
#[derive(Debug)]
pub struct NotRead;

impl std::fmt::Display for NotRead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the form cannot be read")
    }
}

impl std::error::Error for NotRead {}

impl de::Error for NotRead {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Whether a field's name is another spelling of an argument, such as `email[]` or `[email]`, which
/// some readers of forms take for it.
fn names_argument(name: &str, arguments: &[&str]) -> bool {
    let stem = name.split(['[', ']']).find(|part| !part.is_empty());
    stem.is_some_and(|stem| arguments.contains(&stem))
}
