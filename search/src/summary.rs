//! The summary: what the index keeps of a record to show it and to say why it was found.
//!
//! A search reads one for each hit, so it is stored to be read quickly: arrays of JSON in a fixed
//! order, whose texts are borrowed from what was read.

use std::borrow::Cow;
use std::ops::Deref;

use glassplate_pipeline::label::LabelKind;
use glassplate_pipeline::record::{Bar, LabelState};
use serde::{Deserialize, Serialize, Serializer};

/// A text, borrowed where that can be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

/// What the index gives back of a record without asking the catalogue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Summary<'a> {
    /// The asset's id.
    #[serde(borrow)]
    pub(crate) asset: Text<'a>,
    pub(crate) title: Text<'a>,
    pub(crate) collections: Vec<Text<'a>>,
    pub(crate) sources: Vec<Text<'a>>,
    /// Width and height in pixels, upright; absent where there is no rendition to show.
    pub(crate) size: Option<(u32, u32)>,
    /// What tells the same picture, whatever its file.
    pub(crate) pixels: Option<Text<'a>>,
    /// What tells the same picture saved anew.
    pub(crate) phash: Option<u64>,
    pub(crate) labels: Vec<KeptLabel<'a>>,
    pub(crate) texts: Vec<KeptText<'a>>,
}

/// One label of a record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct KeptLabel<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    /// The WordNet 3.0 synset.
    pub(crate) wordnet: Option<Text<'a>>,
    pub(crate) kind: LabelKind,
    pub(crate) state: LabelState,
    pub(crate) confidence: f32,
    /// Whether it is held back until a person has looked.
    pub(crate) doubtful: bool,
    /// The model's name, or who the person is.
    pub(crate) model: Text<'a>,
    /// Names of all ancestors, nearest first; empty where the vocabulary tells them.
    pub(crate) parents: Vec<Text<'a>>,
}

/// One text of a record, kept to say where a word was found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct KeptText<'a> {
    /// The metadata field.
    #[serde(borrow)]
    pub(crate) field: Text<'a>,
    /// Where it was read: `iptc:Caption-Abstract`.
    pub(crate) source: Text<'a>,
    pub(crate) text: Text<'a>,
}

impl KeptLabel<'_> {
    /// Tells whether a hit shows the label, as [`Bar::shows`] does of a record's.
    pub(crate) fn is_shown(&self, bar: &Bar) -> bool {
        match self.state {
            LabelState::Approved | LabelState::Added => true,
            LabelState::Rejected => false,
            LabelState::Proposed => !self.doubtful && self.confidence >= bar.of(self.kind),
        }
    }
}

impl<'a> Summary<'a> {
    /// Reads what [`Summary::written`] wrote; nothing when it is damaged.
    pub(crate) fn read(body: &'a str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// Writes what the index stores.
    pub(crate) fn written(&self) -> String {
        serde_json::to_string(self).expect("a summary is plain data")
    }
}

// Written without names, in the order in which the fields stand above.

impl Serialize for Summary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { asset, title, collections, sources, size, pixels, phash, labels, texts } = self;
        let fields = (asset, title, collections, sources, size, pixels, phash, labels, texts);
        fields.serialize(serializer)
    }
}

impl Serialize for KeptLabel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { name, wordnet, kind, state, confidence, doubtful, model, parents } = self;
        (name, wordnet, kind, state, confidence, doubtful, model, parents).serialize(serializer)
    }
}

impl Serialize for KeptText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.field, &self.source, &self.text).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_reads_back_and_borrows_its_texts() {
        let text = |text: &str| Text::from(text.to_owned());
        let summary = Summary {
            asset: text("b0cd0123456789fghjkm9"),
            title: text("Two \"boats\" at Zürich"),
            collections: vec![text("harbour")],
            sources: vec![text("scans/1.jpg"), text("scans/2.jpg")],
            size: Some((640, 480)),
            pixels: None,
            phash: Some(u64::MAX),
            labels: vec![KeptLabel {
                name: text("boat"),
                wordnet: Some(text("n02858304")),
                kind: LabelKind::Object,
                state: LabelState::Approved,
                confidence: 0.93,
                doubtful: true,
                model: text("yolox-nano"),
                parents: vec![text("vessel")],
            }],
            texts: vec![KeptText {
                field: text("caption"),
                source: text("xmp:description"),
                text: text("a\nb"),
            }],
        };
        let body = summary.written();
        let read = Summary::read(&body).expect("a summary");
        assert_eq!(read, summary);
        assert!(matches!(read.labels[0].name.0, Cow::Borrowed(_)), "nothing is copied");
        for end in 0..body.len() {
            let piece = body.get(..end).unwrap_or_default();
            assert_eq!(Summary::read(piece), None, "{piece}");
        }
    }
}
