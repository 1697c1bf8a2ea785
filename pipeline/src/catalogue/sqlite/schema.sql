-- The embedded catalogue, version 3. Everything a reader needs to know to read it without
-- glassplate: JSON bodies are the serde forms of pipeline/src/{asset,opinion,decision,purchase,run}.rs.

CREATE TABLE asset (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,          -- ARK-style, content-derived
    sha256      TEXT NOT NULL,
    body        TEXT NOT NULL,          -- Asset as JSON
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID, STRICT;

-- Where assets were found. A path whose content changed has one row an asset; `seen` grows,
-- so that the latest is known.
CREATE TABLE occurrence (
    tenant      TEXT NOT NULL,
    collection  TEXT NOT NULL,
    source      TEXT NOT NULL,
    asset       TEXT NOT NULL,
    seen        INTEGER NOT NULL,
    metadata    TEXT NOT NULL,          -- Fields as JSON
    stamp       TEXT,                   -- Stamp as JSON
    PRIMARY KEY (tenant, collection, source, asset),
    FOREIGN KEY (tenant, asset) REFERENCES asset (tenant, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX occurrence_by_asset ON occurrence (tenant, asset);
CREATE INDEX occurrence_by_collection ON occurrence (tenant, collection, asset);

-- The ledger: never updated, never deleted from.
CREATE TABLE opinion (
    sequence    INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    tenant      TEXT NOT NULL,
    asset       TEXT NOT NULL,
    step        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    maker       TEXT NOT NULL,          -- Maker as JSON
    run         TEXT NOT NULL,
    conclusive  INTEGER NOT NULL,
    body        TEXT NOT NULL,          -- Opinion as JSON
    FOREIGN KEY (tenant, asset) REFERENCES asset (tenant, id)
) STRICT;
CREATE INDEX opinion_by_asset ON opinion (tenant, asset, sequence);
CREATE INDEX opinion_by_subject ON opinion (tenant, subject, step) WHERE conclusive = 1;
CREATE INDEX opinion_by_run ON opinion (run);

-- Which assets show the same coded picture; follows from identify's opinions.
CREATE TABLE family (
    tenant      TEXT NOT NULL,
    pixels      TEXT NOT NULL,
    asset       TEXT NOT NULL,
    PRIMARY KEY (tenant, pixels, asset)
) WITHOUT ROWID, STRICT;

CREATE TABLE decision (
    sequence    INTEGER PRIMARY KEY,
    tenant      TEXT NOT NULL,
    asset       TEXT NOT NULL,
    body        TEXT NOT NULL,          -- Decision as JSON
    UNIQUE (tenant, asset, body),
    FOREIGN KEY (tenant, asset) REFERENCES asset (tenant, id)
) STRICT;

CREATE TABLE run (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,
    withdrawn   INTEGER NOT NULL,
    body        TEXT NOT NULL,          -- Run as JSON
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID, STRICT;

CREATE TABLE item (
    tenant      TEXT NOT NULL,
    run         TEXT NOT NULL,
    source      TEXT NOT NULL,
    body        TEXT NOT NULL,          -- Item as JSON
    PRIMARY KEY (tenant, run, source),
    FOREIGN KEY (tenant, run) REFERENCES run (tenant, id)
) WITHOUT ROWID, STRICT;

-- Calls to paid services, reserved before they are made.
CREATE TABLE purchase (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,          -- what is bought
    attempt     INTEGER NOT NULL,
    run         TEXT NOT NULL,
    state       TEXT NOT NULL,          -- reserved, answered, lost, free
    body        TEXT NOT NULL,          -- Purchase as JSON
    PRIMARY KEY (tenant, id, attempt)
) WITHOUT ROWID, STRICT;
CREATE INDEX purchase_by_run ON purchase (tenant, run, id, attempt);

-- What the workers of one run share: small notes, and what they took of its budget.
CREATE TABLE note (
    tenant      TEXT NOT NULL,
    run         TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (tenant, run, name)
) WITHOUT ROWID, STRICT;
CREATE TABLE charge (
    tenant      TEXT NOT NULL,
    run         TEXT NOT NULL,
    millionths  INTEGER NOT NULL,       -- of a dollar
    PRIMARY KEY (tenant, run)
) WITHOUT ROWID, STRICT;

-- The change feed. AUTOINCREMENT: a number is never given twice.
CREATE TABLE change (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      TEXT NOT NULL,
    asset       TEXT NOT NULL
) STRICT;
