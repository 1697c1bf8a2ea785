//! Origins: whether a browser sent a request for a page of this very site.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use super::super::Served;

/// Tells whether a browser sent it for a page of this very site; false where nothing tells.
///
/// Browsers say so in `Sec-Fetch-Site` over https and to their own machine, else in `Origin`.
pub(super) fn is_own(headers: &HeaderMap, served: &Served) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return false };
    match &served.base {
        Some(base) => origin == origin_of(base),
        None => text(header::HOST.as_str()).is_some_and(|host| {
            origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host))
        }),
    }
}

/// The scheme and authority of a URL.
fn origin_of(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find('/').map_or(url.len(), |at| begin + at);
    &url[..end]
}

/// The authority of a URL.
pub(super) fn host_of(url: &str) -> &str {
    let origin = origin_of(url);
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Tells whether an authority, with or without a port, names this machine for itself.
pub(super) fn is_loopback(authority: &str) -> bool {
    let name = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match name.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => {
            let name = name.to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_known_by_its_own_names_only() {
        for own in
            ["localhost", "LOCALHOST:8080", "a.localhost", "127.0.0.1:1", "127.8.9.1", "[::1]:9"]
        {
            assert!(is_loopback(own), "{own}");
        }
        for foreign in [
            "",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "10.0.0.1",
            "[::2]:9",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_base_gives_its_origin() {
        assert_eq!(
            origin_of("https://photos.example.org:8443/desk"),
            "https://photos.example.org:8443"
        );
        assert_eq!(host_of("https://photos.example.org/desk"), "photos.example.org");
        assert_eq!(host_of("null"), "null");
    }

    #[test]
    fn only_a_page_of_this_site_is_its_own() {
        let is = |base: Option<&str>, headers: &[(&'static str, &'static str)]| {
            let served = Served { base: base.map(str::to_owned), ..Served::default() };
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, axum::http::HeaderValue::from_static(value));
            }
            is_own(&map, &served)
        };
        let base = Some("https://a.example");
        assert!(is(None, &[("sec-fetch-site", "same-origin")]));
        assert!(is(None, &[("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1:80")]));
        assert!(is(base, &[("host", "inner:80"), ("origin", "https://a.example")]));
        assert!(!is(None, &[]));
        assert!(!is(None, &[("host", "a.example"), ("origin", "http://b.example")]));
        assert!(!is(None, &[("host", "a.example"), ("origin", "null")]));
        assert!(!is(base, &[("host", "b.example"), ("origin", "http://b.example")]));
        assert!(!is(base, &[("sec-fetch-site", "same-site"), ("origin", "https://a.example")]));
        assert!(!is(base, &[("sec-fetch-site", "none")]));
    }
}
