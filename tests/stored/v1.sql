-- A catalogue as glassplate 0.1.0 wrote it, schema version 1: kept for ever, never edited.
-- Two pictures of one family and a refused file; opinions of each kind, one reused; decisions;
-- a withdrawn run. v1.jsonl is what `export` must print of it.
PRAGMA application_id = 1735156083;
PRAGMA user_version = 1;
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE asset (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,          -- ARK-style, content-derived
    sha256      TEXT NOT NULL,
    body        TEXT NOT NULL,          -- Asset as JSON
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID, STRICT;
INSERT INTO "asset" VALUES('default','6gsw3dgbks118hggzg6j4','70a7180431a18c9270e86f4df2e2ed65161b9601366233102a76ae32d01ef34c','{"id":"6gsw3dgbks118hggzg6j4","tenant":"default","digest":"70a7180431a18c9270e86f4df2e2ed65161b9601366233102a76ae32d01ef34c","blake3":"795f60aaafc275120a4452722b7f69d0bdb26052947344b4674ac201bc7a1d8b","bytes":799,"registered":"2026-11-23T06:38:57.278328923Z"}');
INSERT INTO "asset" VALUES('default','j3mnggnbhmwmtsvht4m2v','2dfc005edb693160910336f87163fb876dfd2391908f8f790494738f48370c7a','{"id":"j3mnggnbhmwmtsvht4m2v","tenant":"default","digest":"2dfc005edb693160910336f87163fb876dfd2391908f8f790494738f48370c7a","blake3":"7a43300857c8bb4eca0afb4d1a4874fb5f583561d2b40b9aea1ff46721500250","bytes":749,"registered":"2026-11-23T06:38:57.272049063Z"}');
INSERT INTO "asset" VALUES('default','kt1wm4p9r389rfm2tn7sn','bf891ea46ead4993e89aa7da02ab8c23dd50f29e9aae64607105363a5f070e03','{"id":"kt1wm4p9r389rfm2tn7sn","tenant":"default","digest":"bf891ea46ead4993e89aa7da02ab8c23dd50f29e9aae64607105363a5f070e03","blake3":"568336f830193cdacb4ca8816c8eb6b937d32e91d5ebfa7cc30f52c342855e50","bytes":13,"registered":"2026-11-23T06:38:57.271391774Z"}');
CREATE TABLE change (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant      TEXT NOT NULL,
    asset       TEXT NOT NULL
) STRICT;
INSERT INTO "change" VALUES(1,'default','kt1wm4p9r389rfm2tn7sn');
INSERT INTO "change" VALUES(2,'default','j3mnggnbhmwmtsvht4m2v');
INSERT INTO "change" VALUES(3,'default','kt1wm4p9r389rfm2tn7sn');
INSERT INTO "change" VALUES(4,'default','6gsw3dgbks118hggzg6j4');
INSERT INTO "change" VALUES(5,'default','j3mnggnbhmwmtsvht4m2v');
INSERT INTO "change" VALUES(6,'default','6gsw3dgbks118hggzg6j4');
INSERT INTO "change" VALUES(7,'default','j3mnggnbhmwmtsvht4m2v');
INSERT INTO "change" VALUES(8,'default','6gsw3dgbks118hggzg6j4');
INSERT INTO "change" VALUES(9,'default','j3mnggnbhmwmtsvht4m2v');
INSERT INTO "change" VALUES(10,'default','j3mnggnbhmwmtsvht4m2v');
CREATE TABLE decision (
    sequence    INTEGER PRIMARY KEY,
    tenant      TEXT NOT NULL,
    asset       TEXT NOT NULL,
    body        TEXT NOT NULL,          -- Decision as JSON
    UNIQUE (tenant, asset, body),
    FOREIGN KEY (tenant, asset) REFERENCES asset (tenant, id)
) STRICT;
INSERT INTO "decision" VALUES(1,'default','j3mnggnbhmwmtsvht4m2v','{"asset":"j3mnggnbhmwmtsvht4m2v","label":"sailboat","kind":"object","wordnet":"n04128499","ruling":"approve","who":"curator","at":"2026-11-25T10:00:00Z"}');
INSERT INTO "decision" VALUES(2,'default','j3mnggnbhmwmtsvht4m2v','{"asset":"j3mnggnbhmwmtsvht4m2v","label":"turtle","kind":"object","wordnet":"n01662784","ruling":"reject","who":"curator","at":"2026-11-25T10:00:01Z"}');
INSERT INTO "decision" VALUES(3,'default','j3mnggnbhmwmtsvht4m2v','{"asset":"j3mnggnbhmwmtsvht4m2v","label":"quay","kind":"object","wordnet":null,"ruling":"add","who":"curator","at":"2026-11-25T10:00:02Z"}');
CREATE TABLE family (
    tenant      TEXT NOT NULL,
    pixels      TEXT NOT NULL,
    asset       TEXT NOT NULL,
    PRIMARY KEY (tenant, pixels, asset)
) WITHOUT ROWID, STRICT;
INSERT INTO "family" VALUES('default','eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','6gsw3dgbks118hggzg6j4');
INSERT INTO "family" VALUES('default','eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','j3mnggnbhmwmtsvht4m2v');
CREATE TABLE item (
    tenant      TEXT NOT NULL,
    run         TEXT NOT NULL,
    source      TEXT NOT NULL,
    body        TEXT NOT NULL,          -- Item as JSON
    PRIMARY KEY (tenant, run, source),
    FOREIGN KEY (tenant, run) REFERENCES run (tenant, id)
) WITHOUT ROWID, STRICT;
INSERT INTO "item" VALUES('default','20261123T063857Z-7356cd07','/archive/plates/a.jpg','{"source":"/archive/plates/a.jpg","asset":"j3mnggnbhmwmtsvht4m2v","outcome":"enriched","fault":null,"reason":null}');
INSERT INTO "item" VALUES('default','20261123T063857Z-7356cd07','/archive/plates/b.jpg','{"source":"/archive/plates/b.jpg","asset":"kt1wm4p9r389rfm2tn7sn","outcome":"rejected","fault":"unsupported","reason":"not a picture: text"}');
INSERT INTO "item" VALUES('default','20261123T063857Z-7356cd07','/archive/plates/c.jpg','{"source":"/archive/plates/c.jpg","asset":"6gsw3dgbks118hggzg6j4","outcome":"enriched","fault":null,"reason":null}');
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
INSERT INTO "occurrence" VALUES('default','plates','/archive/plates/a.jpg','j3mnggnbhmwmtsvht4m2v',1,'{"title":{"value":"The quay","source":"csv:list.csv","also":[{"value":"Quay","source":"xmp:dc:title"}]}}','{"bytes":749,"modified":1795415936772774176,"changed":1795415936772774176,"inode":10010767}');
INSERT INTO "occurrence" VALUES('default','plates','/archive/plates/b.jpg','kt1wm4p9r389rfm2tn7sn',1,'{}','{"bytes":13,"modified":1795415936773314669,"changed":1795415936773314669,"inode":10010771}');
INSERT INTO "occurrence" VALUES('default','plates','/archive/plates/c.jpg','6gsw3dgbks118hggzg6j4',1,'{}','{"bytes":799,"modified":1795415937213314685,"changed":1795415937221314686,"inode":10010776}');
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
INSERT INTO "opinion" VALUES(1,'a0c740784a68e12d74c8a441','default','kt1wm4p9r389rfm2tn7sn','identify','bytes:bf891ea46ead4993e89aa7da02ab8c23dd50f29e9aae64607105363a5f070e03','{"backend":"glassplate","model":"identify","version":"1","parameters":"{\"limits\":{\"bytes\":536870912,\"side\":65000,\"pixels\":200000000,\"frames\":10000,\"seconds\":30.0}}"}','20261123T063857Z-7356cd07',1,'{"id":"a0c740784a68e12d74c8a441","asset":"kt1wm4p9r389rfm2tn7sn","step":"identify","subject":"bytes:bf891ea46ead4993e89aa7da02ab8c23dd50f29e9aae64607105363a5f070e03","maker":{"backend":"glassplate","model":"identify","version":"1","parameters":"{\"limits\":{\"bytes\":536870912,\"side\":65000,\"pixels\":200000000,\"frames\":10000,\"seconds\":30.0}}"},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:57.272112558Z","verdict":{"failed":{"fault":"unsupported","reason":"not a picture: text"}}}');
INSERT INTO "opinion" VALUES(2,'4839e993c71a95d86898cff4','default','kt1wm4p9r389rfm2tn7sn','render','bytes:bf891ea46ead4993e89aa7da02ab8c23dd50f29e9aae64607105363a5f070e03','{"backend":"glassplate","model":"render","version":"1","parameters":"{\"sizes\":[2048,1024,256],\"quality\":82,\"format\":\"jpeg\"}"}','20261123T063857Z-7356cd07',0,'{"id":"4839e993c71a95d86898cff4","asset":"kt1wm4p9r389rfm2tn7sn","step":"render","subject":"bytes:bf891ea46ead4993e89aa7da02ab8c23dd50f29e9aae64607105363a5f070e03","maker":{"backend":"glassplate","model":"render","version":"1","parameters":"{\"sizes\":[2048,1024,256],\"quality\":82,\"format\":\"jpeg\"}"},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:57.272132116Z","verdict":{"not_run":{"reason":"it could not be identified"}}}');
INSERT INTO "opinion" VALUES(3,'4b5ec626dce7b9d9c82893ae','default','j3mnggnbhmwmtsvht4m2v','identify','bytes:2dfc005edb693160910336f87163fb876dfd2391908f8f790494738f48370c7a','{"backend":"glassplate","model":"identify","version":"1","parameters":""}','20261123T063857Z-7356cd07',1,'{"id":"4b5ec626dce7b9d9c82893ae","asset":"j3mnggnbhmwmtsvht4m2v","step":"identify","subject":"bytes:2dfc005edb693160910336f87163fb876dfd2391908f8f790494738f48370c7a","maker":{"backend":"glassplate","model":"identify","version":"1","parameters":""},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:57.27361061Z","verdict":{"found":{"identified":{"technical":{"format":"jpeg","width":48,"height":36,"frames":1,"bit_depth":8,"colour":"ycbcr","alpha":false,"orientation":1,"icc":null},"embedded":{},"pixels":"eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c"}}}}');
INSERT INTO "opinion" VALUES(4,'c71f578b7d751f59a32a7a6e','default','j3mnggnbhmwmtsvht4m2v','render','pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','{"backend":"glassplate","model":"render","version":"1","parameters":"{\"sizes\":[2048,1024,256],\"quality\":82,\"format\":\"jpeg\"}"}','20261123T063857Z-7356cd07',1,'{"id":"c71f578b7d751f59a32a7a6e","asset":"j3mnggnbhmwmtsvht4m2v","step":"render","subject":"pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c","maker":{"backend":"glassplate","model":"render","version":"1","parameters":"{\"sizes\":[2048,1024,256],\"quality\":82,\"format\":\"jpeg\"}"},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:57.281680398Z","verdict":{"found":{"rendered":{"files":[{"name":"2048","width":48,"height":36,"media_type":"image/jpeg","path":"default/renditions/eb/5a/eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c/2048-q82.jpg"},{"name":"1024","width":48,"height":36,"media_type":"image/jpeg","path":"default/renditions/eb/5a/eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c/1024-q82.jpg"},{"name":"256","width":48,"height":36,"media_type":"image/jpeg","path":"default/renditions/eb/5a/eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c/256-q82.jpg"}],"phash":"257693e8b6d5681a"}}}}');
INSERT INTO "opinion" VALUES(5,'3fdfad0ef575b838bdff88ce','default','6gsw3dgbks118hggzg6j4','identify','bytes:70a7180431a18c9270e86f4df2e2ed65161b9601366233102a76ae32d01ef34c','{"backend":"glassplate","model":"identify","version":"1","parameters":""}','20261123T063857Z-7356cd07',1,'{"id":"3fdfad0ef575b838bdff88ce","asset":"6gsw3dgbks118hggzg6j4","step":"identify","subject":"bytes:70a7180431a18c9270e86f4df2e2ed65161b9601366233102a76ae32d01ef34c","maker":{"backend":"glassplate","model":"identify","version":"1","parameters":""},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:57.281695902Z","verdict":{"found":{"identified":{"technical":{"format":"jpeg","width":48,"height":36,"frames":1,"bit_depth":8,"colour":"ycbcr","alpha":false,"orientation":1,"icc":null},"embedded":{"creator":{"value":["Ada Lang"],"source":"iptc:By-line"}},"pixels":"eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c"}}}}');
INSERT INTO "opinion" VALUES(6,'2165bb5a8fb86e166898d559','default','6gsw3dgbks118hggzg6j4','render','pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','{"backend":"glassplate","model":"render","version":"1","parameters":"{\"sizes\":[2048,1024,256],\"quality\":82,\"format\":\"jpeg\"}"}','20261123T063857Z-7356cd07',1,'{"id":"2165bb5a8fb86e166898d559","asset":"6gsw3dgbks118hggzg6j4","step":"render","subject":"pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c","maker":{"backend":"glassplate","model":"render","version":"1","parameters":"{\"sizes\":[2048,1024,256],\"quality\":82,\"format\":\"jpeg\"}"},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:57.286438108Z","verdict":{"found":{"rendered":{"files":[{"name":"2048","width":48,"height":36,"media_type":"image/jpeg","path":"default/renditions/eb/5a/eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c/2048-q82.jpg"},{"name":"1024","width":48,"height":36,"media_type":"image/jpeg","path":"default/renditions/eb/5a/eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c/1024-q82.jpg"},{"name":"256","width":48,"height":36,"media_type":"image/jpeg","path":"default/renditions/eb/5a/eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c/256-q82.jpg"}],"phash":"257693e8b6d5681a"}}}}');
INSERT INTO "opinion" VALUES(7,'aaaaaaaaaaaaaaaaaaaaaaa1','default','j3mnggnbhmwmtsvht4m2v','label:example','pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','{"backend":"onnx","model":"example","version":"1","parameters":""}','20261123T063857Z-7356cd07',1,'{"id":"aaaaaaaaaaaaaaaaaaaaaaa1","asset":"j3mnggnbhmwmtsvht4m2v","step":"label:example","subject":"pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c","maker":{"backend":"onnx","model":"example","version":"1","parameters":""},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:58Z","verdict":{"found":{"labelled":[{"name":"sailboat","kind":"object","confidence":0.75,"wordnet":"n04128499","parents":["boat","vessel"],"instances":[{"box":[0.25,0.125,0.5,0.5],"confidence":0.75}],"evidence":[]},{"name":"turtle","kind":"object","confidence":0.5,"wordnet":"n01662784","parents":["reptile"],"instances":[],"evidence":[]},{"name":"harbour","kind":"scene","confidence":0.625,"wordnet":null,"parents":[],"instances":[],"evidence":[{"name":"sailboat","kind":"object","weight":1.0}]},{"name":"reptiles","kind":"concept","confidence":0.5,"wordnet":null,"parents":[],"instances":[],"evidence":[{"name":"turtle","kind":"object","weight":1.5}]}]}}}');
INSERT INTO "opinion" VALUES(8,'aaaaaaaaaaaaaaaaaaaaaaa2','default','6gsw3dgbks118hggzg6j4','label:example','pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','{"backend":"onnx","model":"example","version":"1","parameters":""}','20261123T063857Z-7356cd07',1,'{"id":"aaaaaaaaaaaaaaaaaaaaaaa2","asset":"6gsw3dgbks118hggzg6j4","step":"label:example","subject":"pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c","maker":{"backend":"onnx","model":"example","version":"1","parameters":""},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:38:59Z","verdict":{"found":{"labelled":[{"name":"sailboat","kind":"object","confidence":0.75,"wordnet":"n04128499","parents":["boat","vessel"],"instances":[{"box":[0.25,0.125,0.5,0.5],"confidence":0.75}],"evidence":[]},{"name":"turtle","kind":"object","confidence":0.5,"wordnet":"n01662784","parents":["reptile"],"instances":[],"evidence":[]},{"name":"harbour","kind":"scene","confidence":0.625,"wordnet":null,"parents":[],"instances":[],"evidence":[{"name":"sailboat","kind":"object","weight":1.0}]},{"name":"reptiles","kind":"concept","confidence":0.5,"wordnet":null,"parents":[],"instances":[],"evidence":[{"name":"turtle","kind":"object","weight":1.5}]}]}},"reused":"aaaaaaaaaaaaaaaaaaaaaaa1"}');
INSERT INTO "opinion" VALUES(9,'aaaaaaaaaaaaaaaaaaaaaaa3','default','j3mnggnbhmwmtsvht4m2v','label:other','pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','{"backend":"onnx","model":"other","version":"1","parameters":""}','20261123T063857Z-7356cd07',0,'{"id":"aaaaaaaaaaaaaaaaaaaaaaa3","asset":"j3mnggnbhmwmtsvht4m2v","step":"label:other","subject":"pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c","maker":{"backend":"onnx","model":"other","version":"1","parameters":""},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:39:00Z","verdict":{"failed":{"fault":"busy","reason":"no time"}}}');
INSERT INTO "opinion" VALUES(10,'aaaaaaaaaaaaaaaaaaaaaaa4','default','6gsw3dgbks118hggzg6j4','label:other','pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','{"backend":"onnx","model":"other","version":"1","parameters":""}','20261123T063857Z-7356cd07',1,'{"id":"aaaaaaaaaaaaaaaaaaaaaaa4","asset":"6gsw3dgbks118hggzg6j4","step":"label:other","subject":"pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c","maker":{"backend":"onnx","model":"other","version":"1","parameters":""},"run":"20261123T063857Z-7356cd07","at":"2026-11-23T06:39:01Z","verdict":"none_found"}');
INSERT INTO "opinion" VALUES(11,'aaaaaaaaaaaaaaaaaaaaaaa5','default','j3mnggnbhmwmtsvht4m2v','label:example','pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c','{"backend":"onnx","model":"example","version":"2","parameters":""}','20261124T090000Z-00000002',1,'{"id":"aaaaaaaaaaaaaaaaaaaaaaa5","asset":"j3mnggnbhmwmtsvht4m2v","step":"label:example","subject":"pixels:eb5a376b23101695ba66491b78a741b5f1ccc072b86a975b4ae63f91d13edb6c","maker":{"backend":"onnx","model":"example","version":"2","parameters":""},"run":"20261124T090000Z-00000002","at":"2026-11-24T09:00:01Z","verdict":{"found":{"labelled":[{"name":"mistake","kind":"object","confidence":0.9375,"wordnet":null,"parents":[],"instances":[],"evidence":[]}]}}}');
CREATE TABLE run (
    tenant      TEXT NOT NULL,
    id          TEXT NOT NULL,
    withdrawn   INTEGER NOT NULL,
    body        TEXT NOT NULL,          -- Run as JSON
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID, STRICT;
INSERT INTO "run" VALUES('default','20261123T063857Z-7356cd07',0,'{"id":"20261123T063857Z-7356cd07","tenant":"default","collection":"plates","sources":["/archive/plates"],"version":"0.1.0","started":"2026-11-23T06:38:57.265313786Z","finished":"2026-11-23T06:38:57.287085671Z","balance":{"enriched":2,"unchanged":0,"duplicate":0,"rejected":1,"failed":0},"withdrawn":false}');
INSERT INTO "run" VALUES('default','20261124T090000Z-00000002',1,'{"id":"20261124T090000Z-00000002","tenant":"default","collection":"plates","sources":["/archive/plates"],"version":"0.1.0","started":"2026-11-24T09:00:00Z","finished":"2026-11-24T09:00:02Z","balance":{"enriched":1,"unchanged":0,"duplicate":0,"rejected":0,"failed":0},"withdrawn":true}');
CREATE INDEX occurrence_by_asset ON occurrence (tenant, asset);
CREATE INDEX occurrence_by_collection ON occurrence (tenant, collection, asset);
CREATE INDEX opinion_by_asset ON opinion (tenant, asset, sequence);
CREATE INDEX opinion_by_subject ON opinion (tenant, subject, step) WHERE conclusive = 1;
CREATE INDEX opinion_by_run ON opinion (run);
INSERT INTO "sqlite_sequence" VALUES('change',10);
COMMIT;
