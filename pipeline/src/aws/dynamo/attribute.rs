//! Keys and attributes: an item's parts, made and read.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::fault::Fault;

/// The partition key's attribute.
pub(crate) const PK: &str = "pk";
/// The sort key's attribute.
pub(crate) const SK: &str = "sk";

/// An item or its key as the SDK has it.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// A place in a table; which there are is for the table's owner to say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    /// The partition.
    pub(crate) pk: String,
    /// The place in it.
    pub(crate) sk: String,
}

impl Key {
    /// The place `sk` in the partition `pk`.
    pub(crate) fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// What a table says of itself.
    pub(crate) fn meta() -> Self {
        Self::new("Z".to_owned(), "meta")
    }

    /// The place of an item.
    pub(crate) fn of(item: &Attributes) -> Result<Self, Fault> {
        Ok(Self::new(text(item, PK)?.to_owned(), text(item, SK)?))
    }

    /// The key's two attributes.
    pub(crate) fn attributes(&self) -> Attributes {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// An item's size in bytes as DynamoDB counts it: names and values.
pub(crate) fn size(item: &Attributes) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len() / 2 + 2,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::L(values) => 3 + values.iter().map(|v| 1 + value_size(v)).sum::<usize>(),
        _ => 1,
    }
}

/// A text as an attribute.
pub(crate) fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number as an attribute.
pub(crate) fn number(n: u64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

/// Bytes as an attribute.
pub(crate) fn bytes(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Reads an attribute of text.
pub(crate) fn text<'a>(item: &'a Attributes, name: &str) -> Result<&'a str, Fault> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(unreadable(item, name)),
    }
}

/// Reads an attribute of a text that stands for something else.
pub(crate) fn parsed<T: FromStr>(item: &Attributes, name: &str) -> Result<T, Fault> {
    text(item, name)?.parse().map_err(|_| unreadable(item, name))
}

/// The same where there may be none.
pub(crate) fn parsed_if_any<T: FromStr>(item: &Attributes, name: &str) -> Result<Option<T>, Fault> {
    item.contains_key(name).then(|| parsed(item, name)).transpose()
}

/// Reads an attribute of a number.
pub(crate) fn count(item: &Attributes, name: &str) -> Result<u64, Fault> {
    match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse().map_err(|_| unreadable(item, name)),
        _ => Err(unreadable(item, name)),
    }
}

/// Reads an attribute of bytes.
pub(crate) fn blob<'a>(item: &'a Attributes, name: &str) -> Result<&'a [u8], Fault> {
    match item.get(name) {
        Some(AttributeValue::B(bytes)) => Ok(bytes.as_ref()),
        _ => Err(unreadable(item, name)),
    }
}

/// Reads an attribute of JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    item: &Attributes,
    name: &str,
) -> Result<T, Fault> {
    serde_json::from_str(text(item, name)?).map_err(|e| unreadable(item, name).because(e))
}

/// The fault of an item that is not as it should be.
pub(crate) fn unreadable(item: &Attributes, name: &str) -> Fault {
    let part = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => "?".to_owned(),
    };
    Fault::broken(format!("the item {} {} has no readable {name}", part(PK), part(SK)))
}
