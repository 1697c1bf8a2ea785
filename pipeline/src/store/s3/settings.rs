//! What can be set about the store in S3.

use serde::Deserialize;

use crate::fault::Fault;
use crate::place::is_bucket;

/// The smallest part that S3 takes, but for the last, in bytes.
const SMALLEST_PART: u64 = 5 << 20;
/// The most parts that an upload may have.
const MOST_PARTS: u64 = 10_000;

/// Where in S3 bytes are kept, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// What all keys begin with, without a slash at either end; the tenant follows.
    #[serde(default)]
    pub prefix: String,
    /// The KMS key that everything is encrypted with; else the bucket's own default.
    #[serde(default)]
    pub kms_key: Option<String>,
    /// The storage class of originals, such as `GLACIER_IR`; else the bucket's default.
    #[serde(default)]
    pub originals_class: Option<String>,
    /// The storage class of renditions.
    #[serde(default)]
    pub renditions_class: Option<String>,
    /// What is longer goes in parts, in bytes.
    #[serde(default = "multipart_above_bytes")]
    pub multipart_above_bytes: u64,
    /// The length of a part, in bytes, at least 5 MiB.
    #[serde(default = "part_bytes")]
    pub part_bytes: u64,
}

fn multipart_above_bytes() -> u64 {
    64 << 20
}

fn part_bytes() -> u64 {
    16 << 20
}

/// Storage classes from which an object can be read at once.
const WARM: [&str; 6] = [
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "REDUCED_REDUNDANCY",
];
/// Storage classes from which an object must be restored first: for originals alone.
const COLD: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

impl S3Settings {
    /// The settings of a bucket, all else as it is by default.
    pub fn of(bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            prefix: String::new(),
            kms_key: None,
            originals_class: None,
            renditions_class: None,
            multipart_above_bytes: multipart_above_bytes(),
            part_bytes: part_bytes(),
        }
    }

    /// Checks names and ranges.
    ///
    /// # Errors
    /// `BadInput` naming the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        let wrong = |what: String| Err(Fault::bad_input(format!("store.{what}")));
        if !is_bucket(&self.bucket) {
            return wrong(format!(
                "bucket is {:?}: 3 to 63 characters of a-z, 0-9, - and .",
                self.bucket
            ));
        }
        let safe = |b: u8| b.is_ascii_alphanumeric() || b"!-_.*'()/".contains(&b);
        let dots = |part: &str| part.is_empty() || part == "." || part == "..";
        if !self.prefix.is_empty()
            && (!self.prefix.bytes().all(safe) || self.prefix.split('/').any(dots))
        {
            return wrong(format!(
                "prefix is {:?}: folders of letters, digits and !-_.*'(), without a slash at the ends",
                self.prefix
            ));
        }
        if let Some(class) = &self.originals_class
            && !WARM.contains(&&**class)
            && !COLD.contains(&&**class)
        {
            return wrong(format!(
                "originals_class is {class:?}: {}",
                [&WARM[..], &COLD[..]].concat().join(", ")
            ));
        }
        if let Some(class) = &self.renditions_class
            && !WARM.contains(&&**class)
        {
            return wrong(format!("renditions_class is {class:?}: {}", WARM.join(", ")));
        }
        if self.part_bytes < SMALLEST_PART {
            return wrong(format!("part_bytes is {}: at least {SMALLEST_PART}", self.part_bytes));
        }
        Ok(())
    }

    /// How long the parts of a body are: longer where there would be too many.
    pub(super) fn part_of(&self, length: u64) -> u64 {
        self.part_bytes.max(length.div_ceil(MOST_PARTS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        let of = S3Settings::of;
        assert!(of("my-archive.eu").validate().is_ok());
        let prefixed = |prefix: &str| S3Settings { prefix: prefix.to_owned(), ..of("bucket") };
        assert!(prefixed("plates/1936").validate().is_ok());
        for (settings, name) in [
            (of("ab"), "bucket"),
            (of("Bucket"), "bucket"),
            (of("bucket/../other"), "bucket"),
            (prefixed("/a"), "prefix"),
            (prefixed("a/"), "prefix"),
            (prefixed("a/../b"), "prefix"),
            (prefixed("a b"), "prefix"),
            (S3Settings { part_bytes: 1, ..of("bucket") }, "part_bytes"),
            (
                S3Settings { originals_class: Some("COLD".to_owned()), ..of("bucket") },
                "originals_class",
            ),
            (
                S3Settings { renditions_class: Some("GLACIER".to_owned()), ..of("bucket") },
                "renditions_class",
            ),
        ] {
            let said = settings.validate().expect_err(name).to_string();
            assert!(said.starts_with(&format!("store.{name}")), "{said}");
        }
    }

    #[test]
    fn no_upload_has_too_many_parts() {
        let settings = S3Settings::of("bucket");
        assert_eq!(settings.part_of(100 << 20), 16 << 20);
        let longest = 5_u64 << 40;
        assert!(longest.div_ceil(settings.part_of(longest)) <= MOST_PARTS);
    }
}
