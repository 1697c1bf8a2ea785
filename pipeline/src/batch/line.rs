//! A shard's sources as lines of JSON: what was known of each when the batch was planned.

use serde::{Deserialize, Serialize};

use crate::catalogue::Stamp;
use crate::enrich::Source;
use crate::fault::Fault;
use crate::field::Fields;
use crate::place::{Object, Place};
use crate::run::Item;

/// One line: a source, or what could not be listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The place as text, see [`Place::text`]; of what could not be listed the item's.
    pub source: String,
    /// The version of an object, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<Stamp>,
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    beside: Fields,
    /// Sidecars in S3.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sidecars: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// What is known of it without opening it: it could not be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<Item>,
}

fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

impl Line {
    /// The line of a source as it was listed.
    pub fn of(listed: Result<Source, Item>) -> Self {
        match listed {
            Ok(source) => Self {
                version: match &source.place {
                    Place::Object(object) => object.version.as_deref().map(str::to_owned),
                    Place::File(_) => None,
                },
                source: source.text,
                bytes: source.bytes,
                stamp: source.stamp,
                beside: source.beside,
                sidecars: source.sidecars.iter().map(Object::url).collect(),
                note: source.note,
                item: None,
            },
            Err(item) => Self {
                source: item.source.clone(),
                version: None,
                bytes: 0,
                stamp: None,
                beside: Fields::new(),
                sidecars: Vec::new(),
                note: None,
                item: Some(item),
            },
        }
    }

    /// How long the source is, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it, or a sidecar of it, lies in S3.
    pub fn in_s3(&self) -> bool {
        Object::is_meant_by(&self.source) || !self.sidecars.is_empty()
    }

    /// The same source, asked about anew when its turn comes: it may have been mended since it was
    /// listed, and what was known of it then would stand for what it is now.
    pub fn unlisted(self) -> Self {
        Self { stamp: None, ..self }
    }

    /// The source that the line tells of.
    ///
    /// # Errors
    /// `BadInput` when it names no place.
    pub fn listed(self) -> Result<Result<Source, Item>, Fault> {
        if let Some(item) = self.item {
            return Ok(Err(item));
        }
        let mut place = Place::from_text(&self.source)?;
        if let Place::Object(object) = &mut place {
            object.version = self.version.map(String::into_boxed_str);
        }
        let sidecars = self.sidecars.iter().map(|url| Object::from_url(url));
        Ok(Ok(Source {
            place,
            text: self.source,
            bytes: self.bytes,
            stamp: self.stamp,
            beside: self.beside,
            sidecars: sidecars.collect::<Result<_, _>>()?,
            note: self.note,
        }))
    }

    /// Reads lines as [`Line::written`] wrote them.
    ///
    /// # Errors
    /// `Broken` naming the line.
    pub fn read(bytes: &[u8], name: &str) -> Result<Vec<Self>, Fault> {
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        lines
            .filter(|(_, line)| !line.is_empty())
            .map(|(at, line)| {
                serde_json::from_slice(line).map_err(|e| {
                    let what = format!("line {} of shard {name} cannot be read", at + 1);
                    Fault::broken(what).because(e)
                })
            })
            .collect()
    }

    /// Writes lines.
    ///
    /// # Errors
    /// `Broken` when one cannot be written as JSON.
    pub fn written(lines: &[Self]) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line)
                .map_err(|e| Fault::broken("cannot write a line of a shard").because(e))?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}
