//! Tenants and keys from the command line: what is printed, kept, and written down.

use glassplate_tests::archivist::Archivist;

/// The secret that `key create` prints alone on stdout.
fn made(archivist: &Archivist, arguments: &[&str]) -> (String, String) {
    let said = archivist.run(&[&["key", "create"], arguments].concat()).exits(0);
    let secret = said.stdout.trim().to_owned();
    let id = secret.split('_').nth(1).expect("gp_ID_SECRET").to_owned();
    (id, secret)
}

#[test]
fn a_key_is_printed_once_listed_without_its_secret_and_revoked() {
    let archivist = Archivist::new();
    let (id, secret) = made(&archivist, &["--role", "editor", "--name", "Ada", "--expires", "30d"]);
    assert_eq!(secret.len(), 84, "{secret}");
    let bits = secret.rsplit('_').next().expect("bits").to_owned();
    let listed = archivist.run(&["key", "list"]).exits(0).prints(&id).prints("editor  Ada");
    assert!(listed.stdout.trim().ends_with("valid"), "{}", listed.stdout);
    for file in ["registry.sqlite", "registry.sqlite-wal"] {
        let kept = std::fs::read(archivist.home().join(file)).unwrap_or_default();
        assert!(!kept.windows(64).any(|bytes| bytes == bits.as_bytes()), "{file} has the secret");
    }
    archivist.run(&["key", "revoke", &id]).exits(0);
    archivist.run(&["key", "list"]).exits(0).prints("revoked");
    archivist.run(&["key", "revoke", "ffffffffffffffff"]).exits(1).says("there is no key");
    archivist.run(&["key", "revoke", "mine"]).exits(2).says("hexadecimal");
    archivist.run(&["audit"]).exits(0).prints("make_key").prints("revoke_key").prints(&id);
    archivist.run(&["audit", "--since", "2999-01-01"]).exits(0);
    let deeds = archivist.run(&["audit", "--since", "1h", "--json"]).exits(0).lines();
    assert_eq!(deeds.len(), 2);
    assert_eq!(deeds[0]["what"], "revoke_key");
    assert_eq!(deeds[0]["key"], serde_json::Value::Null);
}

#[test]
fn a_tenant_is_opened_bounded_and_apart() {
    let archivist = Archivist::new();
    let create = ["tenant", "create", "museum", "--pictures", "10", "--bytes", "20GB"];
    archivist
        .run(&create)
        .exits(0)
        .prints("museum: 0 of 10 pictures, 0 B of 20.0 GB, 0 paid calls");
    archivist.run(&create).exits(1).says("there is a tenant museum already");
    let quota = ["tenant", "quota", "museum", "--pictures", "none", "--requests-a-minute", "60"];
    archivist.run(&quota).exits(0).prints("0 pictures, 0 B of 20.0 GB").prints("60 requests");
    let shown = archivist.run(&["tenant", "list", "--json"]).exits(0).json();
    assert_eq!(shown["quota"]["bytes"], 20_000_000_000_u64);
    assert_eq!(shown["quota"]["pictures"], serde_json::Value::Null);
    archivist.run(&["tenant", "quota", "nobody"]).exits(1).says("there is no tenant nobody");
    archivist.run(&["tenant", "create", "A B"]).exits(2).says("not a tenant name");

    let key = ["--role", "reader", "--name", "Bo"];
    let nobodys = [&["--tenant", "nobody", "key", "create"][..], &key].concat();
    archivist.run(&nobodys).exits(1).says("glassplate tenant create nobody");
    let museums = [&["--tenant", "museum", "key", "create", "--json"][..], &key].concat();
    let id = archivist.run(&museums).exits(0).json()["id"].as_str().expect("an id").to_owned();
    archivist.run(&["key", "revoke", &id]).exits(1).says("there is no key");
    assert_eq!(archivist.run(&["key", "list"]).exits(0).stdout, "");
    assert_eq!(archivist.run(&["audit"]).exits(0).stdout, "");
    archivist.run(&["--tenant", "museum", "audit"]).exits(0).prints("open_lease");
}

#[test]
fn what_cannot_be_is_wrong_usage() {
    let archivist = Archivist::new();
    for (arguments, word) in [
        (vec!["key", "create", "--role", "owner", "--name", "a"], "no role"),
        (vec!["key", "create", "--role", "reader", "--name", " "], "no name"),
        (vec!["key", "create", "--role", "reader", "--name", "a", "--expires", "1y"], "length"),
        (vec!["tenant", "create", "museum", "--bytes", "many"], "not a number"),
        (vec!["audit", "--since", "yesterday"], "neither"),
    ] {
        archivist.run(&arguments).exits(2).says(word);
    }
}
