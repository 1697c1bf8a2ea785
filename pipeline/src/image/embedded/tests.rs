//! Tests of the whole reader on self-made files of every container, whole and damaged.

use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::rules::{RULES, Shape, Source};
use super::*;

mod samples;
use samples::*;

fn value<'a>(read: &'a Read, name: &str) -> &'a Value {
    read.fields.get(name).map_or(&Value::Null, |field| &field.value)
}

#[test]
fn every_container_gives_up_its_payloads() {
    for (format, bytes) in samples() {
        let read = read(&bytes, format);
        assert!(read.damage.is_empty(), "{format:?}: {:?}", read.damage);
        if !matches!(format, Format::Gif | Format::Svg) {
            assert_eq!(value(&read, "make"), "Voigtländer", "{format:?}");
            assert_eq!(value(&read, "orientation"), 6, "{format:?}");
            assert_eq!(value(&read, "creator"), &json!(["Ann", "Bob"]), "{format:?}");
            assert_eq!(value(&read, "date_taken"), "1936-04-02T10:11:12.50", "{format:?}");
            let place = json!({"latitude": -33.858_333_333, "longitude": 33.858_333_333});
            assert_eq!(value(&read, "gps"), &place, "{format:?}");
        }
        if format != Format::Tiff {
            assert_eq!(value(&read, "title"), "Turm", "{format:?}");
            assert_eq!(value(&read, "keywords"), &json!(["tower", "stone"]), "{format:?}");
        }
        if matches!(format, Format::Jpeg | Format::Png | Format::Psd) {
            let city = &read.fields["city"];
            assert_eq!((&city.value, city.source.as_str()), (&json!("Köln"), "xmp:photoshop:City"));
            assert_eq!(
                (&city.also[0].value, city.also[0].source.as_str()),
                (&json!("Bonn"), "iptc:City")
            );
            assert!(read.fields["keywords"].also.is_empty(), "what XMP covers is no disagreement");
        }
        if matches!(format, Format::Jpeg | Format::Png | Format::Gif) {
            assert_eq!(value(&read, "comment"), "a comment", "{format:?}");
        }
    }
}

#[test]
fn iptc_that_was_edited_after_the_xmp_goes_first() {
    let with_digest = |digest: &[u8]| {
        let resources = [resource(0x0404, &iptc_block()), resource(0x0425, digest)].concat();
        read(
            &jpeg(&[
                segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", &xmp_packet()]),
                segment(0xED, &[b"Photoshop 3.0\0", &resources]),
            ]),
            Format::Jpeg,
        )
    };
    let same = <md5::Md5 as md5::Digest>::digest(iptc_block());
    assert_eq!(value(&with_digest(&same), "city"), "Köln");
    let edited = with_digest(&[7; 16]);
    assert_eq!(value(&edited, "city"), "Bonn");
    assert_eq!(edited.fields["city"].also[0].value, json!("Köln"));
}

#[test]
fn blocks_over_several_segments_are_joined() {
    let block = exif_block(false);
    let (front, back) = block.split_at(150);
    let resources = resource(0x0404, &iptc_block());
    let (first, second) = resources.split_at(20);
    let guid = b"0123456789ABCDEF0123456789ABCDEF";
    let packet = xmp_packet();
    let piece = |at: usize, piece: &[u8]| {
        let (length, at) = ((packet.len() as u32).to_be_bytes(), (at as u32).to_be_bytes());
        segment(0xE1, &[b"http://ns.adobe.com/xmp/extension/\0", guid, &length, &at, piece])
    };
    let main = String::from_utf8(packet.clone()).expect("text").replace("Turm", "Main");
    let main = main.replace(
        "photoshop:City='Köln'",
        &format!("photoshop:State='{}'", "0123456789ABCDEF0123456789ABCDEF"),
    );
    let read = read(
        &jpeg(&[
            segment(0xE1, &[b"Exif\0\0", front]),
            segment(0xE1, &[b"Exif\0\0", back]),
            piece(200, &packet[200..]),
            segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", main.as_bytes()]),
            piece(0, &packet[..200]),
            segment(0xED, &[b"Photoshop 3.0\0", first]),
            segment(0xED, &[b"Photoshop 3.0\0", second]),
        ]),
        Format::Jpeg,
    );
    assert!(read.damage.is_empty(), "{:?}", read.damage);
    assert_eq!(value(&read, "make"), "Voigtländer");
    assert_eq!(value(&read, "title"), "Main");
    assert_eq!(value(&read, "city"), "Köln");
    assert_eq!(read.fields["city"].also[0].value, json!("Bonn"));
}

#[test]
fn png_texts_are_read_and_bombs_are_stopped() {
    let read = read(
        &png(&[
            chunk(b"tEXt", b"Title\0M\xfchle"),
            chunk(b"iTXt", "Author\0\0\0de\0Autor\0Łucja".as_bytes()),
            chunk(b"tEXt", b"Creation Time\0Thu, 02 Apr 1936 10:11:12 GMT"),
            chunk(b"zTXt", &[b"Description\0\0", &deflated(&vec![b'a'; 40 << 20])[..]].concat()),
        ]),
        Format::Png,
    );
    assert_eq!(value(&read, "title"), "Mühle");
    assert_eq!(value(&read, "creator"), &json!(["Łucja"]));
    assert_eq!(value(&read, "date_taken"), "1936-04-02T10:11:12Z");
    assert!(read.damage[0].contains("inflate"), "{:?}", read.damage);
}

#[test]
fn a_camera_description_gives_way_to_a_persons() {
    let mut block = Builder::new(false);
    let text = b"OLYMPUS DIGITAL CAMERA         \0";
    block.header(8);
    block.directory(&[(0x010E, 2, text.len() as u32, 26)]);
    let exif = [&block.bytes[..], text].concat();
    let alone = read(&exif, Format::Tiff);
    assert_eq!(value(&alone, "caption"), "OLYMPUS DIGITAL CAMERA");
    let both = read(
        &jpeg(&[
            segment(0xE1, &[b"Exif\0\0", &exif]),
            segment(0xED, &[b"Photoshop 3.0\0", &resource(0x0404, b"\x1C\x02\x78\0\x04Mill")]),
        ]),
        Format::Jpeg,
    );
    assert_eq!(value(&both, "caption"), "Mill");
}

#[test]
fn directories_that_point_at_themselves_end() {
    let mut block = Builder::new(false);
    block.header(8);
    block.directory(&[(0x8769, 4, 1, 8), (0x8825, 4, 1, 8)]);
    let read = read(&block.bytes, Format::Tiff);
    assert!(read.damage.iter().any(|why| why.contains("itself")), "{:?}", read.damage);
}

#[test]
fn a_count_beyond_the_block_is_damage_and_the_rest_is_read() {
    let mut block = Builder::new(true);
    block.header(8);
    block.directory(&[(0x010F, 2, u32::MAX, 8), (0x0112, 3, 1, 6 << 16)]);
    block.bytes[8..10].copy_from_slice(&[0xFF, 0xFF]);
    let read = read(&block.bytes, Format::Tiff);
    assert_eq!(value(&read, "orientation"), 6);
    assert!(read.damage.len() >= 2, "{:?}", read.damage);
}

#[test]
fn thousands_of_blocks_cost_little() {
    let exif = segment(0xE1, &[b"Exif\0\0", &exif_block(false)]);
    let xmp = segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", &xmp_packet()]);
    let comment = |n: usize| segment(0xFE, &[n.to_string().as_bytes()]);
    let comments: Vec<u8> = (0..20_000).flat_map(comment).collect();
    let bytes = jpeg(&[exif.repeat(20_000), xmp.repeat(20_000), comments]);
    let start = Instant::now();
    let read = read(&bytes, Format::Jpeg);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(value(&read, "make"), "Voigtländer");
    assert!(read.damage.iter().any(|why| why.contains("too many")), "{:?}", read.damage);
}

#[test]
fn a_long_name_is_not_copied_into_every_child() {
    let name = "n".repeat(1 << 20);
    let children = "<d:b/>".repeat(100_000);
    let packet = format!(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:d='urn:d'>\
         <rdf:Description><d:{name}>{children}</d:{name}></rdf:Description></rdf:RDF>"
    );
    let start = Instant::now();
    assert!(read_xmp(packet.as_bytes()).is_some());
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn every_sample_is_read_at_every_length() {
    for (format, bytes) in samples() {
        for length in 0..bytes.len() {
            let _ = read(&bytes[..length], format);
        }
    }
}

#[test]
fn the_scan_of_a_large_jpeg_is_not_looked_at() {
    let mut bytes = whole_jpeg();
    // Instead of the end: stuffed bytes, which would be the slowest to walk.
    bytes.truncate(bytes.len() - 2);
    bytes.extend([0xFF, 0x00].repeat(16 << 20));
    let best = (0..20).map(|_| {
        let start = Instant::now();
        assert_eq!(value(&read(&bytes, Format::Jpeg), "title"), "Turm");
        start.elapsed()
    });
    let best = best.min().expect("twenty runs");
    assert!(best < Duration::from_millis(1), "{best:?} for 32 MiB");
}

#[test]
fn the_table_of_fields_in_the_documentation_is_the_one_in_use() {
    let text = |source: &Source| match source {
        Source::Exif(tag, name) | Source::Windows(tag, name) => format!("EXIF {name} {tag:#06x}"),
        Source::Iptc(number, name) => format!("IIM 2:{number} {name}"),
        Source::Xmp(path) => format!("XMP {path}"),
        Source::Container(key) => key.replacen(':', " ", 1),
    };
    let kind = |shape: Shape| match shape {
        Shape::Text => "text",
        Shape::List => "list",
        Shape::Date => "date",
        Shape::Number => "number",
        Shape::Orientation => "1 to 8",
    };
    let rows: Vec<String> = RULES
        .iter()
        .map(|rule| {
            let sources: Vec<String> = rule.sources.iter().map(text).collect();
            format!("//! | `{}` | {} | {} |", rule.name, kind(rule.shape), sources.join("; "))
        })
        .collect();
    let table = rows.join("\n");
    assert!(include_str!("mod.rs").contains(&table), "the table should be:\n{table}");
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic(
        sample in 0..9_usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let (format, mut bytes) = samples().swap_remove(sample);
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let start = Instant::now();
        let _ = read(&bytes, format);
        prop_assert!(start.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn any_bytes_of_any_format_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for (format, head) in samples() {
            let _ = read(&bytes, format);
            let _ = read(&[&head[..12.min(head.len())], &bytes].concat(), format);
        }
        let _ = read(&bytes, Format::Raw);
        let _ = read_xmp(&bytes);
    }
}

#[test]
fn every_file_is_read_as_any_format_in_under_a_second() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let mut files: Vec<Vec<u8>> = samples().into_iter().map(|(_, bytes)| bytes).collect();
    // The collection need not be there; the self-made samples always are.
    let mut folders = if shared.is_dir() { vec![shared] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("listed").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.extend(std::fs::read(&path));
            }
        }
    }
    for bytes in files {
        for (format, _) in samples() {
            let start = Instant::now();
            let _ = read(&bytes, format);
            let took = start.elapsed();
            assert!(took < Duration::from_secs(1), "{} bytes as {format:?}: {took:?}", bytes.len());
        }
        let _ = read(&bytes, Format::Raw);
        let _ = read_xmp(&bytes);
    }
}
