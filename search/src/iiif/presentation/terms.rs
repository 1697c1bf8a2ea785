//! The words of the Presentation API that its resources share (section 3 of the specification).

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::address::Base;
use super::super::resolve::largest;
use super::super::showing::Showing;
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::image::print::Region;

/// The longest side of a thumbnail, in pixels, where there is a rendition of that size.
const THUMBNAIL: u32 = 256;

/// Texts by language (section 4.4); `none` where the language is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Texts(BTreeMap<&'static str, Vec<String>>);

impl Texts {
    /// Our own words.
    pub(super) fn english(text: &str) -> Self {
        Self(BTreeMap::from([("en", vec![text.to_owned()])]))
    }

    /// What others wrote, in whatever language.
    pub(super) fn as_written(texts: impl IntoIterator<Item = String>) -> Self {
        Self(BTreeMap::from([("none", texts.into_iter().map(plain).collect())]))
    }
}

/// Keeps plain text from being taken for HTML (section 4.5): what begins and ends like an element
/// gets a space at its end.
fn plain(mut text: String) -> String {
    if text.starts_with('<') && text.ends_with('>') {
        text.push(' ');
    }
    text
}

/// A label and a value (section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Pair {
    pub(super) label: Texts,
    pub(super) value: Texts,
}

/// A resource outside: a page, a record.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    pub(super) id: String,
    pub(super) r#type: &'static str,
    pub(super) label: Texts,
    pub(super) format: &'static str,
}

/// A picture as content, with the service that it comes from.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Picture {
    id: String,
    r#type: &'static str,
    format: &'static str,
    width: u32,
    height: u32,
    service: [Service; 1],
}

#[derive(Debug, Clone, Serialize)]
struct Service {
    id: String,
    r#type: &'static str,
    profile: &'static str,
}

impl Picture {
    /// The picture as large as it is given.
    pub(super) fn whole(base: &Base, asset: &AssetId, showing: &Showing) -> Self {
        let (width, height) = (showing.width, showing.height);
        let (across, down) = largest(Region { left: 0, top: 0, width, height }, false);
        Self::of(base, asset, "max", (across, down))
    }

    /// A small one that is at hand.
    pub(super) fn thumbnail(base: &Base, asset: &AssetId, showing: &Showing) -> Self {
        let all = &showing.renditions;
        let enough = all.iter().find(|source| source.width.max(source.height) >= THUMBNAIL);
        match enough.or(all.last()) {
            Some(source) => {
                let asked = format!("{},{}", source.width, source.height);
                Self::of(base, asset, &asked, (source.width, source.height))
            }
            None => Self::whole(base, asset, showing),
        }
    }

    fn of(base: &Base, asset: &AssetId, asked: &str, size: (u32, u32)) -> Self {
        let service = base.service(asset);
        Self {
            id: format!("{service}/full/{asked}/0/default.jpg"),
            r#type: "Image",
            format: "image/jpeg",
            width: size.0,
            height: size.1,
            service: [Service { id: service, r#type: "ImageService3", profile: "level2" }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_never_taken_for_html() {
        let texts = Texts::as_written(["<b>".to_owned(), "a < b".to_owned()]);
        let json = serde_json::to_value(texts).expect("serialises");
        assert_eq!(json, serde_json::json!({ "none": ["<b> ", "a < b"] }));
    }
}
