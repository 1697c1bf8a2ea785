//! Where a source lies: a file of this machine, or an object in a bucket.
//!
//! A path treats `a//b` and `a/./b` as `a/b`; to S3 they are three keys. So an object keeps its
//! key as it is, and only what pairs names with names sees a path, see [`Place::naming`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::asset::{source_path, source_text};
use crate::fault::Fault;

/// Where a source lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A file; absolute where it was listed.
    File(PathBuf),
    /// An object in S3.
    Object(Object),
}

/// An object in S3, or what the keys of many begin with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// The bucket.
    pub bucket: Arc<str>,
    /// The key, exactly as S3 has it.
    pub key: Box<str>,
    /// The version to be read; else the latest.
    pub version: Option<Box<str>>,
}

impl Object {
    /// Names the latest version of an object.
    pub fn new(bucket: &Arc<str>, key: &str) -> Self {
        Self { bucket: bucket.clone(), key: key.into(), version: None }
    }

    /// Tells whether a text is meant as a place in S3.
    pub fn is_meant_by(text: &str) -> bool {
        text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("s3://"))
    }

    /// Reads `s3://bucket/key`. Nothing in the key is decoded: `%`, `#` and `?` are its own.
    ///
    /// # Errors
    /// `BadInput` for any other text, and for what cannot be a bucket's name.
    pub fn from_url(url: &str) -> Result<Self, Fault> {
        let wrong = |why| Fault::bad_input(format!("{url:?} is no place in S3: {why}"));
        let rest = Object::is_meant_by(url).then(|| &url[5..]);
        let rest = rest.ok_or_else(|| wrong("it must begin with s3://"))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket(bucket) {
            return Err(wrong("after s3:// stands a bucket's name: 3 to 63 of a-z, 0-9, - and ."));
        }
        Ok(Self::new(&bucket.into(), key))
    }

    /// Writes `s3://bucket/key`, the key as it is.
    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

/// Tells whether a text can be a bucket's name.
pub(crate) fn is_bucket(name: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    (3..=63).contains(&name.len()) && name.bytes().all(letters)
}

impl Place {
    /// Writes the place as text that no other place has: see [`source_text`] for files, the URL
    /// for objects.
    pub fn text(&self) -> String {
        match self {
            Self::File(path) => source_text(path),
            Self::Object(object) => object.url(),
        }
    }

    /// Reads what [`Place::text`] wrote; of an object the latest version.
    ///
    /// # Errors
    /// `BadInput` for what begins like a place in S3 and is none.
    pub fn from_text(text: &str) -> Result<Self, Fault> {
        match Object::is_meant_by(text) {
            true => Object::from_url(text).map(Self::Object),
            false => Ok(Self::File(source_path(text))),
        }
    }

    /// A path for comparing names: the file's own; for an object one that no file has and that
    /// differs where the keys do. It is never opened.
    pub fn naming(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Object(object) => naming(&object.bucket, &object.key),
        }
    }

    /// The folder that the name lies in, for comparing names.
    pub(crate) fn folder(&self) -> PathBuf {
        self.naming().parent().unwrap_or(Path::new("")).to_owned()
    }
}

/// A bucket and a key as a path. Steps that a path would swallow are made visible with a NUL,
/// which no name on disk has.
pub(crate) fn naming(bucket: &str, key: &str) -> PathBuf {
    let mut path = format!("s3:/{bucket}");
    for step in key.split('/') {
        path.push('/');
        if matches!(step, "" | "." | "..") {
            path.push('\0');
        }
        path.push_str(step);
    }
    path.into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn odd_keys_are_kept_and_told_apart() {
        let keys = [
            "a.jpg",
            "/a.jpg",
            "b/a.jpg",
            "b//a.jpg",
            "b/./a.jpg",
            "b/../a.jpg",
            "b/a.jpg/",
            "caf\u{e9}.jpg",
            "cafe\u{301}.jpg",
            "🐢 1.jpg",
            "a+b.jpg",
            "a b.jpg",
            "a%20b.jpg",
            "a#b?c=d.jpg",
            "\u{1}.jpg",
            "s3://other/a.jpg",
        ];
        let (mut texts, mut namings) = (HashSet::new(), HashSet::new());
        for key in keys {
            let object = Object::from_url(&format!("s3://bucket/{key}")).expect("a place");
            assert_eq!(&*object.key, key);
            assert_eq!(object.url(), format!("s3://bucket/{key}"));
            texts.insert(object.url());
            namings.insert(Place::Object(object).naming());
        }
        assert_eq!((texts.len(), namings.len()), (keys.len(), keys.len()));
    }

    #[test]
    fn what_names_no_bucket_is_refused() {
        for wrong in ["", "s3:/bucket/a", "s3://", "s3://B/a", "s3://../a", "/a", "https://b/a"] {
            assert!(Object::from_url(wrong).is_err(), "{wrong}");
        }
        assert!(Object::from_url("s3://bucket").expect("all of a bucket").key.is_empty());
    }
}
