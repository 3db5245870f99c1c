//! Objects, decimals and dates as clients write them: in full, exactly, or not at all.

use std::fmt;
use std::marker::PhantomData;

use niyam_values::{Attributes, Date, Decimal};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// `T` from a JSON object alone: what is derived for a struct would also take an array, field by field.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfFields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfFields<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(OfFields(PhantomData)).map(Self)
    }
}

/// Longest text of a decimal.
const DECIMAL_LENGTH_MAX: usize = 28;

/// A decimal string: digits, at most one point, perhaps a minus.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecimalText(pub(crate) Decimal);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return Err(D::Error::custom(
                "decimal-invalid: a decimal is digits with at most one point, as a string",
            ));
        }
        if text.len() > DECIMAL_LENGTH_MAX {
            return Err(D::Error::custom("number-out-of-range: the number has too many digits"));
        }
        Decimal::from_str_exact(&text)
            .map(Self)
            .map_err(|_| D::Error::custom("number-out-of-range: the number has too many digits"))
    }
}

/// A text that says something.
#[derive(Debug, Clone)]
pub(crate) struct FilledText(pub(crate) String);

impl<'de> Deserialize<'de> for FilledText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() {
            return Err(D::Error::custom("value-invalid: the text may not be empty"));
        }
        Ok(Self(text))
    }
}

/// A date, `YYYY-MM-DD`, that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DateText(pub(crate) Date);

impl<'de> Deserialize<'de> for DateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        date(&text).map(Self).ok_or_else(|| D::Error::custom("date-invalid: a date is YYYY-MM-DD and exists"))
    }
}

/// Reads `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shape { text.parse().ok() } else { None }
}

/// An object of strings; `true` and `false` are taken for their texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct AttributesText(pub(crate) Attributes);

impl<'de> Deserialize<'de> for AttributesText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfTexts;
        impl<'de> Visitor<'de> for OfTexts {
            type Value = AttributesText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AttributesText, A::Error> {
                let mut attributes = Attributes::new();
                while let Some((name, AttributeText(value))) = map.next_entry::<String, AttributeText>()? {
                    if attributes.get(&name).is_some() {
                        let message = format!("field-duplicate: duplicate attribute `{name}`");
                        return Err(A::Error::custom(message));
                    }
                    attributes.set(name, value);
                }
                Ok(AttributesText(attributes))
            }
        }
        deserializer.deserialize_map(OfTexts)
    }
}

/// The text of one attribute.
struct AttributeText(String);

impl<'de> Deserialize<'de> for AttributeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrFlag;
        impl Visitor<'_> for TextOrFlag {
            type Value = AttributeText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<AttributeText, E> {
                Ok(AttributeText(text.to_owned()))
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<AttributeText, E> {
                Ok(AttributeText(flag.to_string()))
            }
        }
        deserializer.deserialize_any(TextOrFlag)
    }
}
