//! What an upcaster works on: the fields of an old payload.
//!
//! What an upcaster does not touch stays as it was stored, byte for byte: the order of a document's facts and the
//! digits of its amounts are part of what a module was asked.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// Makes the next version's payload of one version's.
pub type Upcaster = fn(Fields) -> Result<Fields, serde_json::Error>;

/// The fields of a JSON object, in order.
#[derive(Debug)]
pub struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    /// Takes a field out.
    ///
    /// # Errors
    /// When it is not there, or not a `T`.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, serde_json::Error> {
        let value = self.0.remove(self.index(name)?).1;
        serde_json::from_str(value.get())
    }

    #[cfg_attr(not(test), expect(dead_code, reason = "no upcaster renames a field so far"))]
    /// Gives a field another name.
    ///
    /// # Errors
    /// When it is not there.
    pub fn rename(&mut self, name: &str, new: &str) -> Result<(), serde_json::Error> {
        let index = self.index(name)?;
        new.clone_into(&mut self.0[index].0);
        Ok(())
    }

    /// Adds a field, which must not be there.
    ///
    /// # Errors
    /// When `value` has no JSON form.
    pub fn put(&mut self, name: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
        self.0.push((name.to_owned(), to_raw_value(value)?));
        Ok(())
    }

    fn index(&self, name: &str) -> Result<usize, serde_json::Error> {
        let index = self.0.iter().position(|(field, _)| field == name);
        index.ok_or_else(|| serde_json::Error::custom(format_args!("missing field `{name}`")))
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
