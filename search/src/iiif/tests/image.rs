//! The Image API over HTTP: information, headers, refusals, and where pixels are taken from.

use super::*;

#[tokio::test]
async fn information_describes_the_service_as_the_specification_has_it() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(3000, 1600), &[]).await;
    let answer = gallery.get(&format!("/iiif/3/{asset}/info.json")).await;
    assert_eq!(
        answer.header("content-type"),
        "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\""
    );
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let info = answer.json();
    assert_eq!(info["@context"], "http://iiif.io/api/image/3/context.json");
    assert_eq!(info["id"], format!("{BASE}/iiif/3/{asset}"));
    assert_eq!((&info["type"], &info["profile"]), (&"ImageService3".into(), &"level2".into()));
    assert_eq!((&info["width"], &info["height"]), (&3000.into(), &1600.into()));
    let tiles = serde_json::json!([{ "width": 512, "scaleFactors": [1, 2, 4, 8] }]);
    assert_eq!(info["tiles"], tiles);
    let sizes = info["sizes"].as_array().expect("sizes");
    // As many as scale factors: OpenSeadragon takes them for the levels.
    let widths: Vec<u64> = sizes.iter().filter_map(|size| size["width"].as_u64()).collect();
    assert_eq!(widths, [375, 750, 1500, 3000]);
    for size in sizes {
        let (width, height) = (&size["width"], &size["height"]);
        let path = format!("/iiif/3/{asset}/full/{width},{height}/0/default.jpg");
        let raster = gallery.get(&path).await.raster();
        assert_eq!((raster.width(), raster.height()).0, width.as_u64().expect("a number") as u32);
    }
}

#[tokio::test]
async fn the_base_leads_to_the_information() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(30, 20), &[]).await;
    let answer = gallery.get(&format!("/iiif/3/{asset}")).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), format!("{BASE}/iiif/3/{asset}/info.json"));
}

#[tokio::test]
async fn plain_json_is_given_to_whoever_asks_for_it_alone() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(30, 20), &[]).await;
    let path = format!("/iiif/3/{asset}/info.json");
    for (accept, media) in [
        ("application/json", "application/json"),
        ("application/ld+json, application/json", "application/ld+json"),
        ("*/*", "application/ld+json"),
    ] {
        let answer = gallery.ask(Request::get(&path).header("accept", accept)).await;
        assert!(answer.header("content-type").starts_with(media), "{accept}");
    }
}

#[tokio::test]
async fn a_picture_names_its_profile_and_its_canonical_address() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(300, 200), &[]).await;
    let answer = gallery.get(&format!("/iiif/3/{asset}/pct:0,0,50,50/%5E300,/!0/color.png")).await;
    assert_eq!(answer.header("content-type"), "image/png");
    let service = format!("{BASE}/iiif/3/{asset}");
    assert_eq!(
        answer.header("link"),
        format!(
            "<http://iiif.io/api/image/3/level2.json>;rel=\"profile\",\
             <{service}/0,0,150,100/^300,200/!0/default.png>;rel=\"canonical\""
        )
    );
    assert_eq!((answer.raster().width(), answer.raster().height()), (300, 200));
    let private = answer.header("cache-control");
    assert!(private.starts_with("private") && private.contains("max-age"), "{private}");
}

#[tokio::test]
async fn whoever_has_the_picture_is_told_so_before_any_work() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.png", &jpeg(300, 200), &[]).await;
    let path = format!("/iiif/3/{asset}/0,0,100,100/max/0/default.png");
    let first = gallery.get(&path).await;
    let (tag, read) = (first.header("etag").to_owned(), gallery.originals_read());
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = gallery.ask(Request::get(&path).header("if-none-match", &known)).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), tag);
    }
    let other = gallery.ask(Request::get(&path).header("if-none-match", "\"x\"")).await;
    assert_eq!(other.status, 200);
    assert_eq!(gallery.originals_read(), read);
    let grey = gallery.get(&path.replace("default", "gray")).await;
    assert_ne!(grey.header("etag"), tag);
}

#[tokio::test]
async fn every_refusal_is_a_problem_that_viewers_may_read() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(300, 200), &[]).await;
    let unknown = AssetId::derive(&Tenant::default(), &Digest::new([9; 32]));
    for (status, path) in [
        (404, format!("{unknown}/info.json")),
        (404, format!("{unknown}/full/max/0/default.jpg")),
        (404, "no-such-id/info.json".to_owned()),
        (404, "a%2Fb/full/max/0/default.jpg".to_owned()),
        (404, "%5Bfrob%5D/full/max/0/default.jpg".to_owned()),
        (400, format!("{asset}/nothing/max/0/default.jpg")),
        (400, format!("{asset}/300,0,1,1/max/0/default.jpg")),
        (400, format!("{asset}/0,0,0,1/max/0/default.jpg")),
        (400, format!("{asset}/full/301,/0/default.jpg")),
        (400, format!("{asset}/full/%5E99999,/0/default.jpg")),
        (400, format!("{asset}/full/full/0/default.jpg")),
        (400, format!("{asset}/full/max/400/default.jpg")),
        (400, format!("{asset}/full/max/0/native.jpg")),
        (400, format!("{asset}/full/max/0/default.bmp")),
        (400, format!("{asset}/full/max/0/default")),
        (400, format!("{asset}/full/max/0/%FF.jpg")),
        (501, format!("{asset}/full/max/0/default.gif")),
        (501, format!("{asset}/full/max/0/default.tif")),
    ] {
        gallery.get(&format!("/iiif/3/{path}")).await.is_problem(status, &path);
    }
}

#[tokio::test]
async fn viewers_on_other_sites_may_ask() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(30, 20), &[]).await;
    for path in [format!("/iiif/3/{asset}/info.json"), format!("/iiif/manifest/{asset}")] {
        let answer = gallery.ask(Request::options(&path)).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("access-control-allow-headers").contains("authorization"));
    }
}

#[tokio::test]
async fn a_zoom_is_served_from_the_rendition_until_more_is_needed() {
    let gallery = Gallery::new();
    let asset = gallery.hang("a.jpg", &jpeg(4096, 2048), &[]).await;
    let before = gallery.originals_read();
    for path in [
        "full/1024,512/0/default.jpg",
        "full/300,/0/default.png",
        "0,0,2048,2048/1024,1024/0/default.jpg",
        "2048,0,1024,1024/512,512/!90/gray.webp",
    ] {
        assert_eq!(gallery.get(&format!("/iiif/3/{asset}/{path}")).await.status, 200, "{path}");
    }
    assert_eq!(gallery.originals_read(), before);
    let raster = gallery.get(&format!("/iiif/3/{asset}/0,0,512,512/512,512/0/default.png")).await;
    assert_eq!(gallery.originals_read(), before + 1);
    // The upper left corner of the gradient, from the original.
    assert!(raster.raster().rgb()[..3].iter().zip([0, 0, 255]).all(|(a, b)| a.abs_diff(b) < 8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_tiles_at_once_decode_the_picture_once() {
    let gallery = Arc::new(Gallery::new());
    let asset = gallery.hang("a.jpg", &jpeg(2600, 2100), &[]).await;
    let before = gallery.originals_read();
    let tiles = (0..50).map(|n| {
        let (gallery, left, top) = (gallery.clone(), n % 5 * 512, n / 5 % 4 * 512);
        let path = format!("/iiif/3/{asset}/{left},{top},512,512/512,512/0/default.jpg");
        tokio::spawn(async move { gallery.get(&path).await.status })
    });
    for tile in tiles.collect::<Vec<_>>() {
        assert_eq!(tile.await.expect("answered"), 200);
    }
    assert_eq!(gallery.originals_read(), before + 1);
}

#[tokio::test]
async fn an_upright_picture_is_what_is_described_and_cut() {
    let gallery = Gallery::new();
    let mut file = jpeg(300, 200);
    let mut exif =
        b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([6, 0, 0, 0, 0, 0, 0]);
    file.splice(2..2, exif);
    let asset = gallery.hang("a.jpg", &file, &[]).await;
    let info = gallery.get(&format!("/iiif/3/{asset}/info.json")).await.json();
    assert_eq!((&info["width"], &info["height"]), (&200.into(), &300.into()));
    let whole = gallery.get(&format!("/iiif/3/{asset}/full/max/0/default.png")).await.raster();
    assert_eq!((whole.width(), whole.height()), (200, 300));
    // Turned clockwise, the coded lower left is the upright upper left: no red, full green.
    let corner = &whole.rgb()[..3];
    assert!(corner[0] < 20 && corner[1] > 235, "{corner:?}");
    let cut = gallery.get(&format!("/iiif/3/{asset}/150,250,50,50/max/0/default.png")).await;
    let end = &cut.raster().rgb()[(50 * 50 - 1) * 3..][..3].to_vec();
    assert!(end[0] > 235 && end[1] < 20, "{end:?}");
}

#[tokio::test]
async fn a_lost_or_damaged_original_leaves_its_renditions_and_everything_else_standing() {
    let gallery = Gallery::new();
    let lost = gallery.hang("lost.jpg", &jpeg(4096, 2048), &[]).await;
    let sound = gallery.hang("sound.jpg", &jpeg(300, 200), &[]).await;
    let parts = gallery.house.catalogue.parts(&Tenant::default(), &lost).await;
    let digest = parts.expect("read").expect("known").asset.digest;
    let key = Key::Original { tenant: Tenant::default(), digest };
    let file = gallery.folder.path().join("store").join(key.path());
    std::fs::remove_file(&file).expect("removed");
    let tile = format!("/iiif/3/{lost}/0,0,512,512/512,512/0/default.jpg");
    assert_eq!(gallery.get(&tile).await.raster().width(), 512);
    std::fs::write(&file, b"\xff\xd8\xff nonsense").expect("written");
    let other = format!("/iiif/3/{lost}/512,0,512,512/512,512/0/default.jpg");
    assert_eq!(gallery.get(&other).await.raster().width(), 512);
    let sound = gallery.get(&format!("/iiif/3/{sound}/full/max/0/default.jpg")).await;
    assert_eq!(sound.raster().width(), 300);
}

#[tokio::test]
async fn an_original_beyond_the_limits_is_a_problem_when_nothing_else_is_there() {
    let gallery = Gallery::within(Limits { pixels: 1_000, ..Limits::default() });
    let asset = gallery.hang("a.jpg", &jpeg(300, 200), &[]).await;
    let path = format!("/iiif/3/{asset}/full/max/0/default.png");
    gallery.get(&path).await.is_problem(413, "too many pixels");
}

#[tokio::test]
async fn what_has_no_pixels_has_no_image_service() {
    let gallery = Gallery::new();
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>"#;
    let asset = gallery.hang("a.svg", svg, &[]).await;
    gallery.get(&format!("/iiif/3/{asset}/info.json")).await.is_problem(404, "a drawing");
    gallery.get(&format!("/iiif/manifest/{asset}")).await.is_problem(404, "a drawing");
}
