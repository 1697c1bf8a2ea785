//! Self-made files of every container, small enough to be cut at every length.

use crate::image::Format;

/// A TIFF block: Main with Make, Orientation, Artist and pointers, Exif with a date, GPS.
pub(super) fn exif_block(big_endian: bool) -> Vec<u8> {
    let mut block = Builder::new(big_endian);
    let gps_rationals: Vec<u8> = [33, 1, 51, 1, 30, 1].iter().flat_map(|&n| block.u32(n)).collect();
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
    let (make_at, artist_at, date_at) = (place(make.len()), place(artist.len()), place(date.len()));
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

pub(super) struct Builder {
    pub(super) bytes: Vec<u8>,
    big_endian: bool,
}

impl Builder {
    pub(super) fn new(big_endian: bool) -> Self {
        Self { bytes: Vec::new(), big_endian }
    }

    fn u16(&self, n: u16) -> [u8; 2] {
        if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn u32(&self, n: u32) -> [u8; 4] {
        if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(super) fn header(&mut self, first: u32) {
        self.bytes.extend(if self.big_endian { b"MM" } else { b"II" });
        self.bytes.extend(self.u16(42));
        self.bytes.extend(self.u32(first));
    }

    pub(super) fn directory(&mut self, entries: &[(u16, u16, u32, u32)]) {
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

pub(super) fn xmp_packet() -> Vec<u8> {
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
     <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' \
     xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' photoshop:City='Köln'>\
     <dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Turm</rdf:li></rdf:Alt></dc:title>\
     <dc:subject><rdf:Bag><rdf:li>tower</rdf:li><rdf:li>stone</rdf:li></rdf:Bag></dc:subject>\
     </rdf:Description></rdf:RDF></x:xmpmeta>"
        .as_bytes()
        .to_vec()
}

pub(super) fn iptc_block() -> Vec<u8> {
    let mut block = b"\x1C\x01\x5A\0\x03\x1B%G".to_vec();
    for (number, text) in [(5_u8, "Iim title"), (25, "tower"), (90, "Bonn"), (80, "Ann")] {
        block.extend([0x1C, 2, number, 0, text.len() as u8]);
        block.extend(text.as_bytes());
    }
    block
}

pub(super) fn resource(id: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"8BIM".to_vec();
    bytes.extend(id.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

pub(super) fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    let length = u16::try_from(data.len() + 2).expect("fits a segment").to_be_bytes();
    [&[0xFF, marker], &length[..], &data].concat()
}

pub(super) fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    [b"\xFF\xD8".to_vec(), segments.concat(), b"\xFF\xDA\0\x02pixels\xFF\xD9".to_vec()].concat()
}

pub(super) fn whole_jpeg() -> Vec<u8> {
    jpeg(&[
        segment(0xE1, &[b"Exif\0\0", &exif_block(false)]),
        segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", &xmp_packet()]),
        segment(0xED, &[b"Photoshop 3.0\0", &resource(0x0404, &iptc_block())]),
        segment(0xFE, &[b"a comment"]),
    ])
}

pub(super) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat()
}

pub(super) fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"\x89PNG\r\n\x1A\n".to_vec(), chunks.concat(), chunk(b"IEND", b"")].concat()
}

pub(super) fn deflated(data: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).expect("in memory");
    encoder.finish().expect("in memory")
}

pub(super) fn hexadecimal(name: &str, data: &[u8]) -> Vec<u8> {
    let digits: String = data.iter().map(|b| format!("{b:02x}")).collect();
    format!("\n{name}\n{:8}\n{digits}\n", data.len()).into_bytes()
}

pub(super) fn whole_png() -> Vec<u8> {
    png(&[
        chunk(b"eXIf", &exif_block(true)),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\x01\0\0\0", &deflated(&xmp_packet())[..]].concat()),
        chunk(
            b"zTXt",
            &[
                b"Raw profile type iptc\0\0",
                &deflated(&hexadecimal("iptc", &resource(0x0404, &iptc_block())))[..],
            ]
            .concat(),
        ),
        chunk(b"IDAT", b"pixels"),
        chunk(b"tEXt", b"Comment\0a comment"),
    ])
}

pub(super) fn whole_webp() -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let mut bytes = [&kind[..], &(data.len() as u32).to_le_bytes(), data].concat();
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    };
    [
        b"RIFF\0\0\0\0WEBP".to_vec(),
        chunk(b"VP8 ", b"pix"),
        chunk(b"EXIF", &exif_block(false)),
        chunk(b"XMP ", &xmp_packet()),
    ]
    .concat()
}

pub(super) fn iso_box(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    [&(data.len() as u32 + 8).to_be_bytes()[..], kind, &data].concat()
}

pub(super) fn whole_heic() -> Vec<u8> {
    let exif = [&6_u32.to_be_bytes()[..], b"Exif\0\0", &exif_block(false)].concat();
    let xmp = xmp_packet();
    let entry = |id: u8, kind: &[u8]| iso_box(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], kind, b"\0"]);
    let iinf = iso_box(
        b"iinf",
        &[&[0, 0, 0, 0, 0, 2], &entry(1, b"Exif"), &entry(2, b"mime\0application/rdf+xml")],
    );
    let meta_of = |first: u32| {
        let place = |id: u8, at: u32, length: usize| {
            [&[0, id, 0, 0, 0, 1][..], &at.to_be_bytes(), &(length as u32).to_be_bytes()].concat()
        };
        let iloc = iso_box(
            b"iloc",
            &[
                &[0, 0, 0, 0, 0x44, 0, 0, 2],
                &place(1, first, exif.len()),
                &place(2, first + exif.len() as u32, xmp.len()),
            ],
        );
        iso_box(b"meta", &[&[0; 4], &iinf, &iloc])
    };
    let ftyp = iso_box(b"ftyp", &[b"heic\0\0\0\0"]);
    let first = ftyp.len() + meta_of(0).len() + 8;
    [ftyp, meta_of(first as u32), iso_box(b"mdat", &[&exif, &xmp])].concat()
}

pub(super) fn whole_jp2() -> Vec<u8> {
    let xmp = b"\xBE\x7A\xCF\xCB\x97\xA9\x42\xE8\x9C\x71\x99\x94\x91\xE3\xAF\xAC";
    [
        iso_box(b"jP  ", &[b"\r\n\x87\n"]),
        iso_box(b"uuid", &[b"JpgTiffExif->JP2", &exif_block(true)]),
        iso_box(b"uuid", &[xmp, &xmp_packet()]),
    ]
    .concat()
}

pub(super) fn whole_psd() -> Vec<u8> {
    let resources = [
        resource(0x0404, &iptc_block()),
        resource(0x0422, &exif_block(false)),
        resource(0x0424, &xmp_packet()),
    ]
    .concat();
    [
        b"8BPS".to_vec(),
        vec![0; 22],
        vec![0; 4],
        (resources.len() as u32).to_be_bytes().to_vec(),
        resources,
    ]
    .concat()
}

pub(super) fn whole_gif() -> Vec<u8> {
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

pub(super) fn samples() -> Vec<(Format, Vec<u8>)> {
    vec![
        (Format::Jpeg, whole_jpeg()),
        (Format::Png, whole_png()),
        (Format::Tiff, exif_block(true)),
        (Format::Webp, whole_webp()),
        (Format::Heic, whole_heic()),
        (Format::Jp2, whole_jp2()),
        (Format::Psd, whole_psd()),
        (Format::Gif, whole_gif()),
        (
            Format::Svg,
            [b"<svg><metadata>".to_vec(), xmp_packet(), b"</metadata></svg>".to_vec()].concat(),
        ),
    ]
}
