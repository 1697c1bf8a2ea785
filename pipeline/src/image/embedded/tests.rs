//! Tests of the whole reader on self-made files of every container, whole and damaged.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::rules::{RULES, Shape, Source};
use super::*;

/// A TIFF block: Main with Make, Orientation, Artist and pointers, Exif with a date, GPS.
fn exif_block(big_endian: bool) -> Vec<u8> {
    let mut block = Builder::new(big_endian);
    let gps_rationals: Vec<u8> =
        [33, 1, 51, 1, 30, 1].iter().flat_map(|&n| block.u32(n)).collect();
    let main = 8;
    let exif = main + 2 + 5 * 12 + 4;
    let gps = exif + 2 + 2 * 12 + 4;
    let data = gps + 2 + 4 * 12 + 4;
    let make = b"Voigtl\xc3\xa4nder\0";
    let artist = b"Ann; Bob\0\0";
    let date = b"1936:04:02 10:11:12\0";
    let mut at = data;
    let mut place = |length: usize| {
        let here = at;
        at += length;
        here as u32
    };
    let (make_at, artist_at, date_at) =
        (place(make.len()), place(artist.len()), place(date.len()));
    let (north_at, east_at) = (place(24), place(24));
    block.header(main as u32);
    block.directory(&[
        (0x010F, 2, make.len() as u32, make_at),
        (0x0112, 3, 1, if big_endian { 6 << 16 } else { 6 }),
        (0x013B, 2, artist.len() as u32, artist_at),
        (0x8769, 4, 1, exif as u32),
        (0x8825, 4, 1, gps as u32),
    ]);
    block.directory(&[
        (0x9003, 2, date.len() as u32, date_at),
        (0x9291, 2, 3, u32::from_be_bytes(if big_endian { *b"50\0\0" } else { *b"\0\x0005" })),
    ]);
    let side = |letter: u8| u32::from(letter) << if big_endian { 24 } else { 0 };
    block.directory(&[
        (1, 2, 2, side(b'S')),
        (2, 5, 3, north_at),
        (3, 2, 2, side(b'E')),
        (4, 5, 3, east_at),
    ]);
    [&block.bytes[..], make, artist, date, &gps_rationals, &gps_rationals].concat()
}

struct Builder {
    bytes: Vec<u8>,
    big_endian: bool,
}

impl Builder {
    fn new(big_endian: bool) -> Self {
        Self { bytes: Vec::new(), big_endian }
    }

    fn u16(&self, n: u16) -> [u8; 2] {
        if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn u32(&self, n: u32) -> [u8; 4] {
        if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn header(&mut self, first: u32) {
        self.bytes.extend(if self.big_endian { b"MM" } else { b"II" });
        self.bytes.extend(self.u16(42));
        self.bytes.extend(self.u32(first));
    }

    fn directory(&mut self, entries: &[(u16, u16, u32, u32)]) {
        self.bytes.extend(self.u16(entries.len() as u16));
        for &(tag, kind, count, value) in entries {
            self.bytes.extend(self.u16(tag));
            self.bytes.extend(self.u16(kind));
            self.bytes.extend(self.u32(count));
            self.bytes.extend(self.u32(value));
        }
        self.bytes.extend([0; 4]);
    }
}

fn xmp_packet() -> Vec<u8> {
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
     <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' \
     xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' photoshop:City='Köln'>\
     <dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Turm</rdf:li></rdf:Alt></dc:title>\
     <dc:subject><rdf:Bag><rdf:li>tower</rdf:li><rdf:li>stone</rdf:li></rdf:Bag></dc:subject>\
     </rdf:Description></rdf:RDF></x:xmpmeta>"
        .as_bytes()
        .to_vec()
}

fn iptc_block() -> Vec<u8> {
    let mut block = b"\x1C\x01\x5A\0\x03\x1B%G".to_vec();
    for (number, text) in [(5_u8, "Iim title"), (25, "tower"), (90, "Bonn"), (80, "Ann")] {
        block.extend([0x1C, 2, number, 0, text.len() as u8]);
        block.extend(text.as_bytes());
    }
    block
}

fn resource(id: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"8BIM".to_vec();
    bytes.extend(id.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    let length = u16::try_from(data.len() + 2).expect("fits a segment").to_be_bytes();
    [&[0xFF, marker], &length[..], &data].concat()
}

fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    [b"\xFF\xD8".to_vec(), segments.concat(), b"\xFF\xDA\0\x02pixels\xFF\xD9".to_vec()].concat()
}

fn whole_jpeg() -> Vec<u8> {
    jpeg(&[
        segment(0xE1, &[b"Exif\0\0", &exif_block(false)]),
        segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", &xmp_packet()]),
        segment(0xED, &[b"Photoshop 3.0\0", &resource(0x0404, &iptc_block())]),
        segment(0xFE, &[b"a comment"]),
    ])
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat()
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1A\n".to_vec(), chunks.concat(), chunk(b"IEND", b"")].concat()
}

fn deflated(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).expect("in memory");
    encoder.finish().expect("in memory")
}

fn hexadecimal(name: &str, data: &[u8]) -> Vec<u8> {
    let digits: String = data.iter().map(|b| format!("{b:02x}")).collect();
    format!("\n{name}\n{:8}\n{digits}\n", data.len()).into_bytes()
}

fn whole_png() -> Vec<u8> {
    png(&[
        chunk(b"eXIf", &exif_block(true)),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\x01\0\0\0", &deflated(&xmp_packet())[..]].concat()),
        chunk(b"zTXt", &[b"Raw profile type iptc\0\0", &deflated(&hexadecimal("iptc", &resource(0x0404, &iptc_block())))[..]].concat()),
        chunk(b"IDAT", b"pixels"),
        chunk(b"tEXt", b"Comment\0a comment"),
    ])
}

fn whole_webp() -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut bytes = [&kind[..], &(data.len() as u32).to_le_bytes(), data].concat();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    [b"RIFF\0\0\0\0WEBP".to_vec(), chunk(b"VP8 ", b"pix"), chunk(b"EXIF", &exif_block(false)), chunk(b"XMP ", &xmp_packet())].concat()
}

fn iso_box(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    [&(data.len() as u32 + 8).to_be_bytes()[..], kind, &data].concat()
}

fn whole_heic() -> Vec<u8> {
    let exif = [&6_u32.to_be_bytes()[..], b"Exif\0\0", &exif_block(false)].concat();
    let xmp = xmp_packet();
    let entry = |id: u8, kind: &[u8]| iso_box(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, b"\0"]);
    let iinf = iso_box(b"iinf", &[&[0, 0, 0, 0, 0, 2], &entry(1, b"Exif"), &entry(2, b"mime\0application/rdf+xml")]);
    let meta_of = |first: u32| {
        let place = |id: u8, at: u32, length: usize| {
            [&[0, id, 0, 0, 0, 1][..], &at.to_be_bytes(), &(length as u32).to_be_bytes()].concat()
        };
        let iloc = iso_box(b"iloc", &[&[0, 0, 0, 0, 0x44, 0, 0, 2], &place(1, first, exif.len()), &place(2, first + exif.len() as u32, xmp.len())]);
        iso_box(b"meta", &[&[0; 4], &iinf, &iloc])
    };
    let ftyp = iso_box(b"ftyp", &[b"heic\0\0\0\0"]);
    let first = ftyp.len() + meta_of(0).len() + 8;
    [ftyp, meta_of(first as u32), iso_box(b"mdat", &[&exif, &xmp])].concat()
}

fn whole_jp2() -> Vec<u8> {
    let xmp = b"\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC";
    [
        iso_box(b"jP  ", &[b"\r\n\x87\n"]),
        iso_box(b"uuid", &[b"JpgTiffExif->JP2", &exif_block(true)]),
        iso_box(b"uuid", &[xmp, &xmp_packet()]),
    ]
    .concat()
}

fn whole_psd() -> Vec<u8> {
    let resources =
        [resource(0x0404, &iptc_block()), resource(0x0422, &exif_block(false)), resource(0x0424, &xmp_packet())].concat();
    [b"8BPS".to_vec(), vec![0; 22], vec![0; 4], (resources.len() as u32).to_be_bytes().to_vec(), resources].concat()
}

fn whole_gif() -> Vec<u8> {
    let trailer: Vec<u8> = std::iter::once(1).chain((0..=255).rev()).chain([0]).collect();
    [
        b"GIF89a\x01\0\x01\0\0\0\0".to_vec(),
        b"\x21\xFE\x09a comment\0".to_vec(),
        b"\x21\xFF\x0BXMP DataXMP".to_vec(),
        xmp_packet(),
        trailer,
        b"\x3B".to_vec(),
    ]
    .concat()
}

fn samples() -> Vec<(Format, Vec<u8>)> {
    vec![
        (Format::Jpeg, whole_jpeg()),
        (Format::Png, whole_png()),
        (Format::Tiff, exif_block(true)),
        (Format::Webp, whole_webp()),
        (Format::Heic, whole_heic()),
        (Format::Jp2, whole_jp2()),
        (Format::Psd, whole_psd()),
        (Format::Gif, whole_gif()),
        (Format::Svg, [b"<svg><metadata>".to_vec(), xmp_packet(), b"</metadata></svg>".to_vec()].concat()),
    ]
}

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
            assert_eq!((&city.also[0].value, city.also[0].source.as_str()), (&json!("Bonn"), "iptc:City"));
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
    let main = main.replace("photoshop:City='Köln'", &format!("photoshop:State='{}'", "0123456789ABCDEF0123456789ABCDEF"));
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
    assert!(read.damage[0].contains("inflates"), "{:?}", read.damage);
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
    let both = read(&jpeg(&[
        segment(0xE1, &[b"Exif\0\0", &exif]),
        segment(0xED, &[b"Photoshop 3.0\0", &resource(0x0404, b"\x1C\x02\x78\0\x04Mill")]),
    ]), Format::Jpeg);
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
    bytes.resize(32 << 20, 0xA5);
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
#[ignore = "needs ../shared/data; runs with --include-ignored"]
fn every_collected_file_is_read_in_under_a_second() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("../shared/data is there") {
            let path = entry.expect("listed").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for path in files {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        // Whatever a file is, reading it as any format must end.
        for format in [Format::Jpeg, Format::Png, Format::Tiff, Format::Raw, Format::Webp, Format::Gif, Format::Heic, Format::Psd, Format::Eps] {
            let start = Instant::now();
            let _ = read(&bytes, format);
            let took = start.elapsed();
            assert!(took < Duration::from_secs(1), "{} as {format:?}: {took:?}", path.display());
        }
        let _ = read_xmp(&bytes);
    }
}
