use proptest::prelude::*;

use super::*;
use glassplate_pipeline::fault::FaultKind;

fn resolved(path: &str, picture: (u32, u32)) -> Result<Resolved, Fault> {
    let parts: Vec<&str> = path.split('/').collect();
    let ask = ImageAsk::read(parts[0], parts[1], parts[2], parts[3]).expect(path);
    resolve(&ask, picture)
}

fn canonical(path: &str) -> String {
    resolved(path, (300, 200)).expect(path).canonical
}

#[test]
fn the_specifications_examples_resolve_as_it_draws_them() {
    // Sections 4.1 and 4.2, whose picture has 300 x 200 pixels.
    for (asked, written) in [
        ("full/max/0/default.jpg", "full/max/0/default.jpg"),
        ("square/max/0/default.jpg", "50,0,200,200/max/0/default.jpg"),
        ("125,15,120,140/max/0/default.jpg", "125,15,120,140/max/0/default.jpg"),
        ("pct:41.6,7.5,40,70/max/0/default.jpg", "125,15,120,140/max/0/default.jpg"),
        ("125,15,200,200/max/0/default.jpg", "125,15,175,185/max/0/default.jpg"),
        ("pct:41.6,7.5,66.6,100/max/0/default.jpg", "125,15,175,185/max/0/default.jpg"),
        ("full/150,/0/default.jpg", "full/150,100/0/default.jpg"),
        ("full/^360,/0/default.jpg", "full/^360,240/0/default.jpg"),
        ("full/,150/0/default.jpg", "full/225,150/0/default.jpg"),
        ("full/pct:50/0/default.jpg", "full/150,100/0/default.jpg"),
        ("full/^pct:120/0/default.jpg", "full/^360,240/0/default.jpg"),
        ("full/225,100/0/default.jpg", "full/225,100/0/default.jpg"),
        ("full/^360,360/0/default.jpg", "full/^360,360/0/default.jpg"),
        ("full/!225,100/0/default.jpg", "full/150,100/0/default.jpg"),
        ("full/^!360,360/0/default.jpg", "full/^360,240/0/default.jpg"),
        ("full/300,200/0/color.png", "full/max/0/default.png"),
        ("0,0,300,200/^300,/!22.50/gray.webp", "full/max/!22.5/gray.webp"),
        ("full/max/360.0/bitonal.png", "full/max/0/bitonal.png"),
        ("full/max/0.5/default.png", "full/max/0.5/default.png"),
        ("full/max/.5/default.png", "full/max/0.5/default.png"),
    ] {
        assert_eq!(canonical(asked), written, "{asked}");
    }
}

#[test]
fn the_largest_enlargement_is_within_the_bounds() {
    let print = resolved("full/^max/0/default.jpg", (300, 200)).expect("resolves").print;
    assert!(u64::from(print.width) * u64::from(print.height) <= MOST_AREA);
    assert!((print.width, print.height) > (5_000, 3_300));
    assert_eq!(canonical("full/^max/0/default.jpg"), "full/^max/0/default.jpg");
    let narrow = resolved("full/max/0/default.jpg", (60_000, 3)).expect("resolves").print;
    assert_eq!((narrow.width, narrow.height), (MOST_SIDE, 1));
}

#[test]
fn what_cannot_be_cut_or_made_is_bad_input() {
    for path in [
        "300,0,10,10/max/0/default.jpg",
        "0,200,10,10/max/0/default.jpg",
        "0,0,0,10/max/0/default.jpg",
        "0,0,10,0/max/0/default.jpg",
        "pct:100,0,1,1/max/0/default.jpg",
        "pct:0,0,0,100/max/0/default.jpg",
        "99999999999999999999999,0,1,1/max/0/default.jpg",
        "full/301,/0/default.jpg",
        "full/,201/0/default.jpg",
        "full/300,201/0/default.jpg",
        "full/!400,400/0/default.jpg",
        "full/pct:101/0/default.jpg",
        "full/pct:0/0/default.jpg",
        "full/0,/0/default.jpg",
        "full/0,10/0/default.jpg",
        "full/^9000,/0/default.jpg",
        "full/^8000,8000/0/default.jpg",
        "full/^99999999999999999999999,/0/default.jpg",
        "full/^pct:99999999999999999999999999/0/default.jpg",
    ] {
        let fault = resolved(path, (300, 200)).expect_err(path);
        assert_eq!(fault.kind(), FaultKind::BadInput, "{path}");
    }
}

#[test]
fn sides_are_rounded_to_the_nearest_pixel_and_never_to_none() {
    let size = |path: &str, picture| {
        let print = resolved(path, picture).expect(path).print;
        (print.width, print.height)
    };
    assert_eq!(size("full/100,/0/default.jpg", (301, 199)), (100, 66));
    assert_eq!(size("full/3,/0/default.jpg", (10_000, 10)), (3, 1));
    assert_eq!(size("full/pct:0.001/0/default.jpg", (300, 200)), (1, 1));
    assert_eq!(size("pct:0,0,0.001,100/max/0/default.jpg", (300, 200)), (1, 200));
    assert_eq!(size("299,199,512,512/max/0/default.jpg", (300, 200)), (1, 1));
    assert_eq!(size("full/pct:33.3/0/default.jpg", (301, 201)), (100, 67));
}

fn side() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..20, 1_u32..3_000, Just(60_000)]
}

fn region_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("full".to_owned()),
        Just("square".to_owned()),
        (0_u32..3_000, 0_u32..3_000, 1_u32..3_000, 1_u32..3_000)
            .prop_map(|(x, y, w, h)| format!("{x},{y},{w},{h}")),
        (0.0..100.0_f64, 0.0..100.0_f64, 0.01..100.0_f64, 0.01..100.0_f64)
            .prop_map(|(x, y, w, h)| format!("pct:{x:.3},{y:.3},{w:.3},{h:.3}")),
    ]
}

fn size_text() -> impl Strategy<Value = String> {
    let sized = prop_oneof![
        Just("max".to_owned()),
        (1_u32..9_000).prop_map(|w| format!("{w},")),
        (1_u32..9_000).prop_map(|h| format!(",{h}")),
        (0.001..300.0_f64).prop_map(|n| format!("pct:{n:.3}")),
        (1_u32..9_000, 1_u32..9_000).prop_map(|(w, h)| format!("{w},{h}")),
        (1_u32..9_000, 1_u32..9_000).prop_map(|(w, h)| format!("!{w},{h}")),
    ];
    (any::<bool>(), sized).prop_map(|(up, size)| format!("{}{size}", if up { "^" } else { "" }))
}

proptest! {
    #[test]
    fn a_canonical_request_means_the_same_and_is_its_own_canonical_form(
        picture in (side(), side()),
        region in region_text(),
        size in size_text(),
        mirrored in any::<bool>(),
        tenths in 0_u32..=3_600,
        file in prop::sample::select(vec!["default.jpg", "color.png", "gray.webp", "bitonal.png"]),
    ) {
        let mirror = if mirrored { "!" } else { "" };
        let turn = f64::from(tenths) / 10.0;
        let path = format!("{region}/{size}/{mirror}{turn}/{file}");
        if let Ok(first) = resolved(&path, picture) {
            let Print { region, width, height, .. } = first.print;
            prop_assert!(region.left + region.width <= picture.0);
            prop_assert!(region.top + region.height <= picture.1);
            prop_assert!((1..=MOST_SIDE).contains(&width) && (1..=MOST_SIDE).contains(&height));
            prop_assert!(u64::from(width) * u64::from(height) <= MOST_AREA);
            let again = resolved(&first.canonical, picture);
            prop_assert_eq!(again.expect("canonical requests resolve"), first, "{}", path);
        }
    }

    #[test]
    fn no_path_makes_the_grammar_fall(
        region in "[!-~]{0,12}",
        size in "[0-9^!,.pct:max]{0,12}",
        rotation in "[0-9!.e-]{0,8}",
        file in "[a-z.]{0,12}",
    ) {
        if let Ok(ask) = ImageAsk::read(&region, &size, &rotation, &file) {
            let _ = resolve(&ask, (300, 200));
        }
    }
}
