//! Access keys as items.

use jiff::Timestamp;

use super::super::AccessKey;
use crate::asset::Tenant;
use crate::aws::dynamo::{Attributes, Key, Update, Write, attribute};
use crate::fault::Fault;

/// The write of a key whose id must be free; `token` is its alone, so that it may be sent twice.
pub(super) fn write(key: &AccessKey, token: &str) -> Write {
    let mut item = Key::access(&key.id).attributes();
    let mut put = |name: &str, text: &str| item.insert(name.to_owned(), attribute::string(text));
    put("id", key.id.as_str());
    put("tenant", key.tenant.as_str());
    put("role", key.role.name());
    put("name", &key.name);
    put("made", &key.made.to_string());
    for (name, at) in [("expires", key.expires), ("revoked", key.revoked)] {
        if let Some(at) = at {
            put(name, &at.to_string());
        }
    }
    put("secret", &key.secret.to_string());
    put("t", token);
    let values = Attributes::from([(":t".to_owned(), attribute::string(token))]);
    Write { item, condition: Some(("attribute_not_exists(pk) OR t = :t", values)) }
}

/// Reads a key's item.
///
/// # Errors
/// `Broken` when it is not as it was written.
pub(super) fn read(item: &Attributes) -> Result<AccessKey, Fault> {
    Ok(AccessKey {
        id: attribute::parsed(item, "id")?,
        tenant: attribute::parsed(item, "tenant")?,
        role: attribute::parsed(item, "role")?,
        name: attribute::text(item, "name")?.to_owned(),
        made: attribute::parsed(item, "made")?,
        expires: attribute::parsed_if_any(item, "expires")?,
        revoked: attribute::parsed_if_any(item, "revoked")?,
        secret: attribute::parsed(item, "secret")?,
    })
}

/// Revokes a key of a tenant's; the first time holds.
pub(super) fn revoke(tenant: &Tenant, at: Timestamp) -> Update {
    Update {
        expression: "SET revoked = if_not_exists(revoked, :at)".to_owned(),
        condition: Some("tenant = :tenant".to_owned()),
        values: Attributes::from([
            (":at".to_owned(), attribute::string(at.to_string())),
            (":tenant".to_owned(), attribute::string(tenant.as_str())),
        ]),
    }
}
