//! Manifests, collections and annotations over HTTP, checked against the specification's rules.

use serde_json::json;

use super::*;

/// Checks what sections 3 and 4 ask of every resource, all the way down.
#[track_caller]
fn is_sound(resource: &Value) {
    match resource {
        Value::Array(items) => items.iter().for_each(is_sound),
        Value::Object(fields) => {
            if let Some(id) = fields.get("id") {
                let id = id.as_str().expect("an id is text");
                assert!(id.starts_with(BASE), "{id} is not absolute");
                let kind = fields["type"].as_str().expect("what has an id has a type");
                for must in match kind {
                    "Manifest" | "Collection" => &["label"][..],
                    "Canvas" => &["width", "height", "items"],
                    "Annotation" => &["motivation", "body", "target"],
                    "Image" => &["format", "service", "width", "height"],
                    "ImageService3" => &["profile"],
                    "Dataset" | "Text" => &["format", "label"],
                    "AnnotationPage" => &[],
                    other => panic!("{other} is not of the specification"),
                } {
                    assert!(fields.contains_key(*must), "{kind} without {must}");
                }
            }
            for (name, value) in fields {
                if matches!(name.as_str(), "label" | "summary")
                    || name == "value" && value.is_object()
                {
                    let texts = value.as_object().expect("texts by language");
                    for (language, texts) in texts {
                        assert!(matches!(language.as_str(), "en" | "none"), "{language}");
                        let texts = texts.as_array().expect("a list of texts");
                        assert!(!texts.is_empty() && texts.iter().all(Value::is_string));
                    }
                }
                is_sound(value);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_manifest_tells_what_people_wrote_and_paints_the_picture() {
    let gallery = Gallery::new();
    let beside = [
        ("title", json!("Turtle <at> sea")),
        ("creator", json!(["Ada", "Bo"])),
        ("date_taken", json!("1936")),
        ("city", json!("Oban")),
        ("country", json!("Scotland")),
        ("credit", json!("Museum of the Sea")),
        ("copyright", json!("https://creativecommons.org/licenses/by/4.0/")),
        ("gps", json!({ "latitude": 1.0 })),
    ];
    let asset = gallery.hang("a.jpg", &jpeg(3000, 1600), &beside).await;
    let answer = gallery.get(&format!("/iiif/manifest/{asset}")).await;
    assert_eq!(
        answer.header("content-type"),
        "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\""
    );
    let manifest = answer.json();
    is_sound(&manifest);
    assert!(answer.body.starts_with(b"{\"@context\""), "the context comes first");
    assert_eq!(manifest["@context"], "http://iiif.io/api/presentation/3/context.json");
    assert_eq!(manifest["id"], format!("{BASE}/iiif/manifest/{asset}"));
    assert_eq!(manifest["label"], json!({ "none": ["Turtle <at> sea"] }));
    assert_eq!(manifest["rights"], "http://creativecommons.org/licenses/by/4.0/");
    assert_eq!(manifest["requiredStatement"]["value"], json!({ "none": ["Museum of the Sea"] }));
    let pair = |label: &str| {
        let pairs = manifest["metadata"].as_array().expect("pairs");
        let found = pairs.iter().find(|pair| pair["label"] == json!({ "en": [label] }));
        found.map(|pair| pair["value"]["none"].clone())
    };
    assert_eq!(pair("Creator"), Some(json!(["Ada", "Bo"])));
    assert_eq!(pair("Date"), Some(json!(["1936"])));
    assert_eq!(pair("Place"), Some(json!(["Oban", "Scotland"])));
    assert_eq!(pair("Collection"), Some(json!(["plates"])));
    assert_eq!(pair("Publisher"), None);

    let canvas = &manifest["items"][0];
    assert_eq!((&canvas["width"], &canvas["height"]), (&json!(3000), &json!(1600)));
    let painting = &canvas["items"][0]["items"][0];
    assert_eq!(painting["motivation"], "painting");
    assert_eq!(painting["target"], canvas["id"]);
    let service = format!("{BASE}/iiif/3/{asset}");
    assert_eq!(painting["body"]["service"][0]["id"], service);
    for picture in [&painting["body"], &manifest["thumbnail"][0]] {
        let path = picture["id"].as_str().and_then(|id| id.strip_prefix(BASE)).expect("ours");
        let raster = gallery.get(path).await.raster();
        assert_eq!(json!(raster.width()), picture["width"]);
        assert_eq!(json!(raster.height()), picture["height"]);
    }
    assert_eq!(manifest["thumbnail"][0]["width"], 256);
    assert_eq!(manifest["seeAlso"][0]["id"], format!("{BASE}/v1/assets/{asset}"));
    assert_eq!(manifest["homepage"][0]["id"], format!("{BASE}/assets/{asset}"));
}

#[tokio::test]
async fn a_picture_that_nobody_wrote_of_has_its_files_name() {
    let gallery = Gallery::new();
    let asset = gallery.hang("plain.jpg", &jpeg(30, 20), &[]).await;
    let manifest = gallery.get(&format!("/iiif/manifest/{asset}")).await.json();
    is_sound(&manifest);
    assert_eq!(manifest["label"], json!({ "none": ["plain.jpg"] }));
    assert!(manifest.get("rights").is_none() && manifest.get("requiredStatement").is_none());
}

#[tokio::test]
async fn labels_with_boxes_are_tags_on_the_canvas_as_far_as_they_are_shown() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(400, 200), &[]).await;
    let manifest = gallery.get(&format!("/iiif/manifest/{asset}")).await.json();
    let page = manifest["items"][0]["annotations"][0]["id"].as_str().expect("an id").to_owned();
    let page = gallery.get(page.strip_prefix(BASE).expect("ours")).await.json();
    is_sound(&page);
    let tags = page["items"].as_array().expect("a list");
    assert_eq!(tags.len(), 1, "the dog is below the bar");
    assert_eq!(tags[0]["motivation"], "tagging");
    assert_eq!(tags[0]["body"]["value"], "turtle (object, 0.93, proposed, pointing)");
    let canvas = manifest["items"][0]["id"].as_str().expect("an id");
    assert_eq!(tags[0]["target"], format!("{canvas}#xywh=100,100,200,50"));
}

#[tokio::test]
async fn a_small_collection_lists_its_pictures() {
    let gallery = Gallery::new();
    let one = gallery.hang("1.jpg", &jpeg(30, 20), &[("title", json!("One"))]).await;
    let two = gallery.hang("2.jpg", &jpeg(20, 30), &[("title", json!("Two"))]).await;
    let collection = gallery.get("/iiif/collection/plates").await.json();
    is_sound(&collection);
    assert_eq!(collection["label"], json!({ "none": ["plates"] }));
    let items = collection["items"].as_array().expect("a list");
    let mut ids: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    ids.sort_unstable();
    let mut expected = [one, two].map(|asset| format!("{BASE}/iiif/manifest/{asset}"));
    expected.sort();
    assert_eq!(ids, expected);
    gallery.get("/iiif/collection/none").await.is_problem(404, "no such collection");
    gallery.get("/iiif/collection/plates/a").await.is_problem(404, "no such letter");
}

#[tokio::test]
async fn a_large_collection_nests_and_every_picture_is_in_one_piece() {
    use glassplate_pipeline::asset::{Asset, Occurrence};
    use glassplate_pipeline::catalogue::Entry;

    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(30, 20), &[]).await;
    let tenant = Tenant::default();
    let parts = gallery.house.catalogue.parts(&tenant, &asset).await.expect("read").expect("known");
    let mut entries = Vec::new();
    for number in 0..600_u16 {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        let digest = Digest::new(bytes);
        let id = AssetId::derive(&tenant, &digest);
        entries.push(Entry::Asset(Asset { id: id.clone(), digest, ..parts.asset.clone() }));
        for opinion in &parts.opinions {
            let mut opinion = opinion.clone();
            opinion = glassplate_pipeline::opinion::Opinion::new(
                &id,
                &opinion.step,
                opinion.subject,
                &opinion.maker,
                &opinion.run,
                opinion.at,
                opinion.verdict,
            );
            entries.push(Entry::Opinion(opinion));
        }
        let source = format!("{number}.jpg");
        let occurrence =
            Occurrence { collection: "sm/all & big".to_owned(), source, metadata: Fields::new() };
        entries.push(Entry::Found { asset: id, occurrence, stamp: None });
    }
    gallery.house.catalogue.append(&tenant, entries).await.expect("appended");

    let collection = gallery.get("/iiif/collection/sm%2Fall%20%26%20big").await.json();
    is_sound(&collection);
    let pieces = collection["items"].as_array().expect("a list");
    assert_eq!(pieces.len(), 29);
    let mut seen = std::collections::BTreeSet::new();
    for piece in pieces {
        assert_eq!(piece["type"], "Collection");
        let path = piece["id"].as_str().and_then(|id| id.strip_prefix(BASE)).expect("ours");
        let piece = gallery.get(path).await.json();
        is_sound(&piece);
        for item in piece["items"].as_array().expect("a list") {
            assert_eq!(item["type"], "Manifest");
            assert!(seen.insert(item["id"].as_str().expect("an id").to_owned()));
        }
    }
    assert_eq!(seen.len(), 600);
}

#[tokio::test]
async fn the_archives_collections_are_a_collection() {
    let gallery = Gallery::new();
    let collections = gallery.get("/iiif/collections").await.json();
    is_sound(&collections);
    assert_eq!(collections["type"], "Collection");
    assert_eq!(collections["id"], format!("{BASE}/iiif/collections"));
}
