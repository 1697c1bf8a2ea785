//! What pages load: styles, scripts and the icon, held in the program itself.
//!
//! The name that a page asks for carries the content's hash, so a browser may keep the file for
//! ever, and another version is another file.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glassplate_pipeline::fault::Fault;
use sha2::{Digest as _, Sha256};

use super::trouble::Trouble;

/// How long a browser may keep a file whose name holds its hash, and that it need not ask again.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// One file.
struct Static {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const STATICS: [Static; 10] = [
    style("page", include_str!("assets/page.css")),
    script("theme", include_str!("assets/theme.js")),
    script("page", include_str!("assets/page.js")),
    script("search", include_str!("assets/search.js")),
    script("asset", include_str!("assets/asset.js")),
    script("plate", include_str!("assets/plate.js")),
    script("review", include_str!("assets/review.js")),
    script("runs", include_str!("assets/runs.js")),
    script("upload", include_str!("assets/upload.js")),
    Static {
        stem: "icon",
        extension: "svg",
        media_type: "image/svg+xml",
        content: include_str!("assets/icon.svg"),
    },
];

const fn style(stem: &'static str, content: &'static str) -> Static {
    Static { stem, extension: "css", media_type: "text/css; charset=utf-8", content }
}

const fn script(stem: &'static str, content: &'static str) -> Static {
    Static { stem, extension: "js", media_type: "text/javascript; charset=utf-8", content }
}

/// The files' names with their hashes, in the order of [`STATICS`].
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let name = |file: &Static| {
        let hash = Sha256::digest(file.content.as_bytes());
        let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{hash}.{}", file.stem, file.extension)
    };
    STATICS.iter().map(name).collect()
});

/// The address of a file, such as `page.css`.
pub(super) fn address(name: &str) -> String {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let at = STATICS.iter().position(|file| file.stem == stem && file.extension == extension);
    let at = at.expect("pages name only files that are here");
    format!("/static/{}", NAMES[at])
}

/// Serves a file.
pub(super) async fn get(Path(name): Path<String>, asked: HeaderMap) -> Result<Response, Trouble> {
    let Some(at) = NAMES.iter().position(|known| *known == name) else {
        return Err(Fault::not_found(format!("there is no file {name:?}")).into());
    };
    let (file, tag) = (&STATICS[at], format!("\"{name}\""));
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, FOR_EVER.to_owned())];
    let held = asked.get(header::IF_NONE_MATCH).and_then(|held| held.to_str().ok());
    if held.is_some_and(|held| held.split(',').any(|one| one.trim() == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let kind =
        [(header::CONTENT_TYPE, file.media_type), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((headers, kind, file.content).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_carries_the_contents_hash() {
        let address = address("page.css");
        let name = address.strip_prefix("/static/").expect("below /static/");
        assert!(NAMES.iter().any(|known| known == name), "{name}");
        assert_eq!(name.len(), "page-.css".len() + 16, "{name}");
    }

    #[test]
    fn no_file_asks_anybody_else_for_anything() {
        for file in &STATICS {
            for foreign in
                ["http://", "https://", "@import", "eval(", "innerHTML", "document.write"]
            {
                let found = file.content.replace("http://www.w3.org/2000/svg", "");
                assert!(!found.contains(foreign), "{}.{}: {foreign}", file.stem, file.extension);
            }
        }
    }

    #[tokio::test]
    async fn a_browser_that_has_the_file_is_not_sent_it_again() {
        let name = NAMES[0].clone();
        let fresh = get(Path(name.clone()), HeaderMap::new()).await.expect("the file");
        assert_eq!(fresh.status(), StatusCode::OK);
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, fresh.headers()[header::ETAG].clone());
        let again = get(Path(name), asked).await.expect("the file");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(get(Path("page.css".to_owned()), HeaderMap::new()).await.is_err());
    }
}
