//! Addresses: under which absolute URIs clients reach what is served here.

use axum::http::{HeaderMap, header};
use glassplate_pipeline::asset::AssetId;

use crate::http::Served;

/// Where clients reach the site: scheme and host, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base(String);

impl Base {
    /// Takes the address from the settings, or from a request's `Host`.
    pub(super) fn of(served: &Served, headers: &HeaderMap) -> Self {
        if let Some(base) = &served.base {
            return Self(base.trim_end_matches('/').to_owned());
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        // What a client writes there ends in answers: it must be a host and nothing else.
        let plain = |host: &&str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
            !host.is_empty() && host.bytes().all(allowed)
        };
        Self(format!("http://{}", host.filter(plain).unwrap_or("localhost")))
    }

    /// An image service: the base of image requests and of `info.json`.
    pub(super) fn service(&self, asset: &AssetId) -> String {
        format!("{}/iiif/3/{asset}", self.0)
    }

    /// Whatever lies at a path, which begins with a slash.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(host: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a header"));
        Base::of(&Served::default(), &headers).at("/x")
    }

    #[test]
    fn the_host_of_the_request_is_the_address_unless_the_settings_tell_it() {
        assert_eq!(base("127.0.0.1:8080"), "http://127.0.0.1:8080/x");
        assert_eq!(base("[::1]:80"), "http://[::1]:80/x");
        assert_eq!(base("evil\"><script>"), "http://localhost/x");
        assert_eq!(base("a/b"), "http://localhost/x");
        let served =
            Served { base: Some("https://photos.example.org/".to_owned()), ..Served::default() };
        let told = Base::of(&served, &HeaderMap::new());
        assert_eq!(told.at("/x"), "https://photos.example.org/x");
    }
}
