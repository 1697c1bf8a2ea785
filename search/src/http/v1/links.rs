//! Links: where things are, as clients reach them.

use glassplate_pipeline::asset::AssetId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::Site;

/// What stands for itself in a step of a path and in a value of a query (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes links of one site: absolute where its address is known, else from its root.
#[derive(Clone, Copy)]
pub(super) struct Links<'a> {
    base: &'a str,
}

impl<'a> Links<'a> {
    pub(super) fn of(site: &'a Site) -> Self {
        Self { base: site.served.base.as_deref().unwrap_or_default() }
    }

    pub(super) fn asset(self, id: &AssetId) -> String {
        format!("{}/v1/assets/{id}", self.base)
    }

    pub(super) fn original(self, id: &AssetId) -> String {
        format!("{}/v1/assets/{id}/original", self.base)
    }

    pub(super) fn rendition(self, id: &AssetId, name: &str) -> String {
        format!("{}/v1/assets/{id}/renditions/{}", self.base, escaped(name))
    }

    pub(super) fn decisions(self, id: &AssetId) -> String {
        format!("{}/v1/assets/{id}/decisions", self.base)
    }

    pub(super) fn similar(self, id: &AssetId) -> String {
        format!("{}/v1/assets/{id}/similar", self.base)
    }

    pub(super) fn image(self, id: &AssetId) -> String {
        format!("{}/iiif/3/{id}", self.base)
    }

    pub(super) fn manifest(self, id: &AssetId) -> String {
        format!("{}/iiif/manifest/{id}", self.base)
    }

    pub(super) fn page(self, id: &AssetId) -> String {
        format!("{}/assets/{id}", self.base)
    }

    pub(super) fn run(self, id: &str) -> String {
        format!("{}/v1/runs/{}", self.base, escaped(id))
    }

    /// The same question again, going on at a cursor.
    pub(super) fn after(self, path: &str, query: Option<&str>, cursor: &str) -> String {
        let mut asked = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if name != "cursor" {
                asked.append_pair(&name, &value);
            }
        }
        asked.append_pair("cursor", cursor);
        format!("{}{path}?{}", self.base, asked.finish())
    }
}

fn escaped(step: &str) -> impl std::fmt::Display {
    utf8_percent_encode(step, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_go_on_asks_the_same_from_the_new_cursor() {
        let links = Links { base: "https://a.example" };
        let next = links.after("/v1/search", Some("q=a%26b&cursor=old&object=dog"), "n/w");
        assert_eq!(next, "https://a.example/v1/search?q=a%26b&object=dog&cursor=n%2Fw");
    }

    #[test]
    fn a_step_cannot_lead_elsewhere() {
        assert_eq!(Links { base: "" }.run("../a b"), "/v1/runs/..%2Fa%20b");
    }
}
