//! Links: every address that a page writes, and the reading of those that lead to a search.

use form_urlencoded::{Serializer, parse};
use glassplate_pipeline::asset::AssetId;
use glassplate_pipeline::label::LabelKind;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::ask::{Ask, Cursor, Facet, Sort};

/// What stays as it is within one piece of a path.
const PIECE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// How many hits a page shows at a time.
const HITS: usize = 60;
/// How many values of each facet a page offers.
const VALUES: usize = 40;

/// What an address asks the search for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wanted {
    /// The query as typed.
    pub(super) query: String,
    /// The facets' values that must hold.
    pub(super) within: Vec<(Facet, String)>,
    /// The order.
    pub(super) sort: Sort,
    /// Where an earlier page ended.
    pub(super) cursor: Option<String>,
    /// Whether only the hits are wanted, to go on below those that are there.
    pub(super) hits_only: bool,
}

impl Wanted {
    /// Reads an address's query; what it does not know is passed over.
    pub(super) fn read(text: Option<&str>) -> Self {
        let mut wanted = Self::default();
        for (name, value) in parse(text.unwrap_or_default().as_bytes()) {
            match name.as_ref() {
                "q" => wanted.query = value.trim().to_owned(),
                "sort" => wanted.sort = value.parse().unwrap_or_default(),
                "cursor" => wanted.cursor = Some(value.into_owned()),
                "part" => wanted.hits_only = value == "hits",
                name => {
                    let Ok(facet) = name.parse::<Facet>() else { continue };
                    let held = (facet, value.into_owned());
                    if !held.1.is_empty() && !wanted.within.contains(&held) {
                        wanted.within.push(held);
                    }
                }
            }
        }
        wanted
    }

    /// Whether nothing in particular is asked for.
    pub(super) fn is_everything(&self) -> bool {
        self.query.is_empty() && self.within.is_empty()
    }

    /// The question to the index.
    pub(super) fn ask(&self) -> Ask {
        let facets = if self.hits_only { Vec::new() } else { Facet::ALL.to_vec() };
        Ask {
            query: self.query.clone(),
            within: self.within.clone(),
            facets,
            values: VALUES,
            sort: self.sort,
            limit: HITS,
            after: self.cursor.clone().map(Cursor::given),
            typing: false,
        }
    }

    /// The address.
    pub(super) fn address(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        if !self.query.is_empty() {
            pairs.append_pair("q", &self.query);
        }
        for (facet, value) in &self.within {
            pairs.append_pair(facet.name(), value);
        }
        if self.sort != Sort::default() {
            pairs.append_pair("sort", sort_name(self.sort));
        }
        if let Some(cursor) = &self.cursor {
            pairs.append_pair("cursor", cursor);
        }
        match pairs.finish() {
            pairs if pairs.is_empty() => "/".to_owned(),
            pairs => format!("/?{pairs}"),
        }
    }

    /// The same from the first hit on, with one more condition.
    pub(super) fn with(&self, facet: Facet, value: &str) -> Self {
        let mut wanted = self.at_start();
        wanted.within.push((facet, value.to_owned()));
        wanted
    }

    /// The same from the first hit on, without one condition.
    pub(super) fn without(&self, facet: Facet, value: &str) -> Self {
        let mut wanted = self.at_start();
        wanted.within.retain(|held| *held != (facet, value.to_owned()));
        wanted
    }

    /// The same from the first hit on.
    pub(super) fn at_start(&self) -> Self {
        Self { cursor: None, hits_only: false, ..self.clone() }
    }

    /// The same behind an earlier page.
    pub(super) fn after(&self, cursor: &Cursor) -> Self {
        Self { cursor: Some(cursor.to_string()), ..self.at_start() }
    }

    /// The same in another order, from the first hit on.
    pub(super) fn sorted(&self, sort: Sort) -> Self {
        Self { sort, ..self.at_start() }
    }

    /// Whether a condition holds already.
    pub(super) fn has(&self, facet: Facet, value: &str) -> bool {
        self.within.iter().any(|(held, of)| *held == facet && of == value)
    }
}

/// Every order, with its name in addresses and its words.
pub(super) const SORTS: [(Sort, &str, &str); 4] = [
    (Sort::Relevance, "relevance", "Best first"),
    (Sort::Newest, "newest", "Newest picture"),
    (Sort::Oldest, "oldest", "Oldest picture"),
    (Sort::Added, "added", "Last added"),
];

fn sort_name(sort: Sort) -> &'static str {
    SORTS.iter().find(|known| known.0 == sort).map_or("relevance", |known| known.1)
}

/// The address of a search for some words.
pub(super) fn search(query: &str) -> String {
    Wanted { query: query.to_owned(), ..Wanted::default() }.address()
}

/// The address of everything that has one value of a facet.
pub(super) fn within(facet: Facet, value: &str) -> String {
    Wanted::default().with(facet, value).address()
}

/// The facet of a label's kind.
pub(super) fn facet_of(kind: LabelKind) -> Facet {
    match kind {
        LabelKind::Object => Facet::Object,
        LabelKind::Scene => Facet::Scene,
        LabelKind::Concept => Facet::Concept,
    }
}

/// The page of an asset.
pub(super) fn asset(asset: &AssetId) -> String {
    format!("/assets/{asset}")
}

/// Where rulings on an asset's labels are posted to.
pub(super) fn labels(asset: &AssetId) -> String {
    format!("/assets/{asset}/labels")
}

/// A rendition's bytes.
pub(super) fn rendition(asset: &AssetId, name: &str) -> String {
    format!("/v1/assets/{asset}/renditions/{}", piece(name))
}

/// The smallest rendition's bytes, whatever it is called.
pub(super) fn thumbnail(asset: &AssetId) -> String {
    rendition(asset, "thumbnail")
}

/// The original's bytes.
pub(super) fn original(asset: &AssetId) -> String {
    format!("/v1/assets/{asset}/original")
}

/// The picture within a square of so many pixels, made when asked for.
pub(super) fn fitted(asset: &AssetId, side: u32) -> String {
    format!("/iiif/3/{asset}/full/!{side},{side}/0/default.jpg")
}

/// The page of a run.
pub(super) fn run(run: &str) -> String {
    format!("/runs/{}", piece(run))
}

/// The page of a run, its items behind one source.
pub(super) fn run_after(id: &str, source: &str) -> String {
    let pairs = Serializer::new(String::new()).append_pair("after", source).finish();
    format!("{}?{pairs}", run(id))
}

/// A collection for IIIF viewers.
pub(super) fn manifest_of_collection(name: &str) -> String {
    format!("/iiif/collection/{}", piece(name))
}

fn piece(text: &str) -> String {
    utf8_percent_encode(text, PIECE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_what_it_was_written_from() {
        let wanted = Wanted {
            query: "\"old mill\" & <b> käse".to_owned(),
            within: vec![
                (Facet::Object, "sea turtle".to_owned()),
                (Facet::Object, "boat".to_owned()),
                (Facet::Collection, "A&B=C?".to_owned()),
            ],
            sort: Sort::Oldest,
            cursor: Some("a+b/c=".to_owned()),
            hits_only: false,
        };
        let address = wanted.address();
        assert_eq!(Wanted::read(address.strip_prefix("/?")), wanted, "{address}");
        assert_eq!(Wanted::default().address(), "/");
    }

    #[test]
    fn narrowing_keeps_the_conditions_and_begins_at_the_first_hit() {
        let wanted = Wanted::read(Some("q=turtle&object=boat&sort=newest&cursor=abc"));
        let narrowed = wanted.with(Facet::Decade, "1930s");
        assert_eq!(narrowed.address(), "/?q=turtle&object=boat&decade=1930s&sort=newest");
        assert_eq!(
            narrowed.without(Facet::Object, "boat").address(),
            "/?q=turtle&decade=1930s&sort=newest"
        );
    }

    #[test]
    fn what_an_address_says_twice_or_wrongly_is_passed_over() {
        let wanted = Wanted::read(Some("object=boat&object=boat&shape=round&sort=best&object="));
        assert_eq!(wanted.within, [(Facet::Object, "boat".to_owned())]);
        assert_eq!(wanted.sort, Sort::Relevance);
    }
}
