//! Tables in DynamoDB: what the catalogue's and the registry's have in common.
//!
//! Every table has the keys `pk` and `sk`, of type S, and says in one item whose it is. Which
//! other items there are is for its owner to say.

pub(crate) mod attribute;
mod capacity;
mod make;
mod table;

pub use capacity::Capacity;

pub(crate) use attribute::{Attributes, Key, SK};
pub(crate) use make::{Layout, about, create, foreign};
pub(crate) use table::{From, NEW, Page, Reason, Table, Update, Write};

use crate::fault::Fault;

/// How a table is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Billing {
    /// By request.
    #[default]
    OnDemand,
    /// By the hour, for so many units a second.
    Provisioned {
        /// Read units.
        read: u32,
        /// Write units.
        write: u32,
    },
}

/// Checks a table's name: 3 to 255 characters of letters, digits, `_`, `-` and `.`.
///
/// # Errors
/// `BadInput` naming the setting.
pub(crate) fn check_name(setting: &str, name: &str) -> Result<(), Fault> {
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if !(3..=255).contains(&name.len()) || !name.bytes().all(letters) {
        return Err(Fault::bad_input(format!(
            "{setting} is {name:?}: 3 to 255 letters, digits, _, - and ."
        )));
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

    use crate::aws::{Aws, AwsSettings, Endpoints};

    /// A way to a DynamoDB on loopback.
    pub(crate) fn way_to(url: String) -> Aws {
        let endpoints = Endpoints { dynamodb: Some(url), ..Endpoints::default() };
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        Aws::new(
            "eu-central-1".to_owned(),
            SharedCredentialsProvider::new(credentials),
            Aws::connections(),
            AwsSettings { endpoints, ..AwsSettings::default() },
        )
    }
}
