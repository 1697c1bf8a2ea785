-- The embedded registry, version 1. Everything a reader needs to know to read it without
-- glassplate: times are RFC 3339 in UTC, names are those of pipeline/src/tenancy.

-- Tenants, and what each may use; NULL is not bounded.
CREATE TABLE lease (
    tenant              TEXT PRIMARY KEY,
    made                TEXT NOT NULL,
    pictures            INTEGER,        -- taken in over the API, ever
    bytes               INTEGER,        -- of their originals
    paid_calls          INTEGER,        -- to services, ever
    requests_a_minute   INTEGER
) WITHOUT ROWID, STRICT;

-- What each tenant used; a tenant without a lease may have a row.
CREATE TABLE usage (
    tenant      TEXT PRIMARY KEY,
    pictures    INTEGER NOT NULL CHECK (pictures >= 0),
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    paid_calls  INTEGER NOT NULL CHECK (paid_calls >= 0)
) WITHOUT ROWID, STRICT;

-- Keys: never deleted, so that deeds keep the name of whoever did them.
CREATE TABLE access_key (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL REFERENCES lease (tenant),
    role        TEXT NOT NULL,          -- reader, editor, archivist
    name        TEXT NOT NULL,          -- who holds it
    made        TEXT NOT NULL,
    expires     TEXT,
    revoked     TEXT,
    secret      TEXT NOT NULL           -- SHA-256 of the secret's 32 bytes, in hexadecimal
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX access_key_by_tenant ON access_key (tenant, id);

-- The audit log.
CREATE TABLE deed (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,          -- its time and a random tail: sorts by age
    body        TEXT NOT NULL,          -- Deed as JSON
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID, STRICT;
CREATE TRIGGER deed_is_never_changed BEFORE UPDATE ON deed
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER deed_is_never_deleted BEFORE DELETE ON deed
BEGIN SELECT RAISE(ABORT, 'the audit log is never deleted from'); END;
