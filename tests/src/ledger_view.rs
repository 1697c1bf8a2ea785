//! What two runs of the same work must agree on: records and stored files, without what names
//! the run, the moment or the place.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::archivist::Archivist;

/// Strips a record of run, opinion, time and home, so that two homes can be compared.
pub fn comparable(record: &Value, home: &Path) -> Value {
    let text = record.to_string().replace(&home.display().to_string(), "HOME");
    let mut value: Value = serde_json::from_str(&text).expect("a path is replaced inside a string");
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["registered", "opinion", "run"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Every record of an archivist's home, comparable.
pub fn records(archivist: &Archivist) -> Vec<Value> {
    archivist.records().iter().map(|record| comparable(record, archivist.home())).collect()
}

/// Every file below a folder: relative path to SHA-256.
///
/// # Panics
/// Panics when a file cannot be read.
pub fn files(folder: &Path) -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).expect("below").display().to_string();
                found.insert(name, sha256(&std::fs::read(&path).expect("a readable file")));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

/// What the store keeps, leaving out what is on its way in.
pub fn stored(home: &Path) -> BTreeMap<String, String> {
    let mut files = files(&home.join("store"));
    files.retain(|name, _| !name.starts_with("incoming/"));
    files
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Insists that every original lies under its own digest, and gives their number.
///
/// # Panics
/// Panics when one does not.
#[track_caller]
pub fn whole_originals(home: &Path) -> usize {
    let stored = stored(home);
    let originals = stored.iter().filter(|(name, _)| name.contains("/originals/"));
    originals
        .inspect(|(name, digest)| assert!(name.ends_with(digest.as_str()), "{name} is {digest}"))
        .count()
}
