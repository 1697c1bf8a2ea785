//! Compares the core fields with what exiftool reads from the same files.
//!
//! Each value of a mapped exiftool tag counts once: it agrees when the field's value or
//! one of its disagreements (`also`) says the same. A second figure looks only at the
//! first tag of each field, in exiftool's own order of precedence, against the winning
//! value. Maker notes, thumbnails (IFD1) and composites other than the position are no
//! sources. Blank values and dates of zeros, which mean "unknown" in EXIF, do not count.

#![allow(clippy::print_stdout, reason = "the figures are the test's other result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use glassplate_pipeline::field::{Field, Fields};
use glassplate_pipeline::image::{Format, embedded};
use glassplate_pipeline::sidecar;
use serde_json::{Value, json};

/// The formats that archives are full of.
const NAMED: &[&str] = &["jpg", "jpeg", "tif", "tiff", "png", "webp", "xmp"];

/// Other formats that metadata is read from.
const OTHERS: &[&str] =
    &["heic", "heif", "avif", "psd", "jp2", "jpf", "gif", "nef", "cr2", "dng", "rw2", "raf", "mrw"];

/// Least share of agreeing values over all fields, and for one field.
const LEAST_OVERALL: f64 = 0.97;
const LEAST_PER_FIELD: f64 = 0.9;

/// A field with fewer values is printed, but one odd file would decide over it.
const ENOUGH_VALUES: usize = 10;

/// Which exiftool tags form a field, the first in precedence first.
const TAGS: [(&str, &[&str]); 11] = [
    (
        "date_taken",
        &[
            "ExifIFD:DateTimeOriginal",
            "XMP-photoshop:DateCreated",
            "IPTC:DateCreated",
            "XMP-exif:DateTimeOriginal",
            "XMP-iptcCore:DateCreated",
            "PNG:CreationTime",
        ],
    ),
    ("make", &["IFD0:Make", "XMP-tiff:Make", "XMP-exif:Make"]),
    ("model", &["IFD0:Model", "XMP-tiff:Model", "XMP-exif:Model"]),
    ("orientation", &["IFD0:Orientation", "XMP-tiff:Orientation"]),
    (
        "creator",
        &[
            "IFD0:Artist",
            "XMP-dc:Creator",
            "IPTC:By-line",
            "IPTC2:By-line",
            "XMP-tiff:Artist",
            "IFD0:XPAuthor",
            "PNG:Author",
            "PNG:Artist",
        ],
    ),
    (
        "copyright",
        &[
            "IFD0:Copyright",
            "XMP-dc:Rights",
            "IPTC:CopyrightNotice",
            "XMP-tiff:Copyright",
            "PNG:Copyright",
        ],
    ),
    ("title", &["XMP-dc:Title", "IPTC:ObjectName", "IFD0:XPTitle", "PNG:Title"]),
    (
        "caption",
        &[
            "IFD0:ImageDescription",
            "XMP-dc:Description",
            "IPTC:Caption-Abstract",
            "IPTC2:Caption-Abstract",
            "XMP-tiff:ImageDescription",
            "PNG:Description",
        ],
    ),
    ("keywords", &["XMP-dc:Subject", "IPTC:Keywords", "IFD0:XPKeywords"]),
    ("city", &["XMP-photoshop:City", "IPTC:City"]),
    ("country", &["XMP-photoshop:Country", "IPTC:Country-PrimaryLocationName"]),
];

/// Pairs of latitude and longitude; the composite one is EXIF's with its signs.
const PLACES: [(&str, &str); 2] = [
    ("Composite:GPSLatitude", "Composite:GPSLongitude"),
    ("XMP-exif:GPSLatitude", "XMP-exif:GPSLongitude"),
];

#[derive(Debug, Default)]
struct Count {
    values: usize,
    agreeing: usize,
    first: usize,
    first_agreeing: usize,
}

#[test]
#[ignore = "needs exiftool and ../shared/data/metadata_files; runs with --include-ignored"]
fn core_fields_of_collected_files_agree_with_exiftool() {
    let folder = collection();
    if !folder.is_dir() {
        // The self-made pictures of the other test stand in for the collection.
        return core_fields_of_pictures_tagged_by_exiftool_agree();
    }
    check(&folder, NAMED);
}

#[test]
#[ignore = "needs exiftool and ../shared/data/metadata_files; runs with --include-ignored"]
fn core_fields_of_other_collected_formats_agree_with_exiftool() {
    let folder = collection();
    if !folder.is_dir() {
        return core_fields_of_pictures_tagged_by_exiftool_agree();
    }
    check(&folder, OTHERS);
}

#[test]
#[ignore = "needs exiftool; runs with --include-ignored"]
fn core_fields_of_pictures_tagged_by_exiftool_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    make_pictures(folder.path());
    check(folder.path(), NAMED);
}

fn collection() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/metadata_files")
}

fn check(folder: &Path, extensions: &[&str]) {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for entry in exiftool(folder, extensions) {
        let path = PathBuf::from(entry["SourceFile"].as_str().expect("exiftool names the file"));
        let Some(fields) = ours(&path) else { continue };
        let expected = TAGS
            .iter()
            .map(|(name, tags)| {
                (*name, tags.iter().filter_map(|tag| reading(&entry, tag)).collect())
            })
            .chain([("gps", PLACES.iter().filter_map(|pair| place(&entry, pair)).collect())]);
        for (name, values) in expected {
            let values: Vec<(String, Value)> = values;
            for (at, (tag, value)) in values.iter().enumerate() {
                let count = counts.entry(name).or_default();
                let field = fields.get(name);
                let agrees = field.is_some_and(|field| says(field, value, name));
                count.values += 1;
                count.agreeing += usize::from(agrees);
                if at == 0 {
                    let wins = field.is_some_and(|field| same(&field.value, value, name));
                    count.first += 1;
                    count.first_agreeing += usize::from(wins);
                }
                if !agrees {
                    println!("{}: {tag} is {value}, {name} is {}", path.display(), json!(field));
                }
            }
        }
    }
    report(&counts);
}

fn report(counts: &BTreeMap<&str, Count>) {
    let share = |agreeing: usize, values: usize| agreeing as f64 / values.max(1) as f64;
    for (name, c) in counts {
        println!(
            "{name:12} {:4} of {:4} values agree {:6.1} %; {:3} of {:3} winners {:6.1} %",
            c.agreeing,
            c.values,
            100.0 * share(c.agreeing, c.values),
            c.first_agreeing,
            c.first,
            100.0 * share(c.first_agreeing, c.first),
        );
    }
    let sum = |part: fn(&Count) -> usize| counts.values().map(part).sum::<usize>();
    let all = share(sum(|c| c.agreeing), sum(|c| c.values));
    let winners = share(sum(|c| c.first_agreeing), sum(|c| c.first));
    println!(
        "all          {} values agree {:.1} %; {} winners {:.1} %",
        sum(|c| c.values),
        100.0 * all,
        sum(|c| c.first),
        100.0 * winners
    );
    assert!(sum(|c| c.values) > 20, "there was nearly nothing to compare");
    assert!(all >= LEAST_OVERALL, "only {all:.3} of all values agree");
    assert!(winners >= LEAST_OVERALL, "only {winners:.3} of the winning values agree");
    for (name, count) in counts.iter().filter(|(_, count)| count.values >= ENOUGH_VALUES) {
        let share = share(count.agreeing, count.values);
        assert!(share >= LEAST_PER_FIELD, "only {share:.3} of {name} agrees");
    }
}

fn exiftool(folder: &Path, extensions: &[&str]) -> Vec<Value> {
    let mut command = Command::new("exiftool");
    command.args(["-j", "-G1", "-a", "-n", "-q", "-r"]);
    for extension in extensions {
        command.args(["-ext", extension]);
    }
    let output = command.arg(folder).output().expect("exiftool is installed");
    serde_json::from_slice(&output.stdout).expect("exiftool prints JSON")
}

/// What is read by this project; `None` for a file that is none of the formats compared.
fn ours(path: &Path) -> Option<Fields> {
    let bytes = std::fs::read(path).expect("readable");
    if path.extension().is_some_and(|extension| extension == "xmp") {
        return Some(sidecar::read(&bytes, "file.xmp").unwrap_or_default().fields);
    }
    let format = match &bytes[..] {
        [0xFF, 0xD8, ..] => Format::Jpeg,
        [0x89, b'P', b'N', b'G', ..] => Format::Png,
        [b'I', b'I', ..] | [b'M', b'M', ..] => Format::Tiff,
        [b'R', b'I', b'F', b'F', ..] => Format::Webp,
        [b'8', b'B', b'P', b'S', ..] => Format::Psd,
        [b'G', b'I', b'F', ..] => Format::Gif,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Format::Heic,
        [_, _, _, _, b'j', b'P', ..] => Format::Jp2,
        [b'F', b'U', b'J', b'I', ..] | [0, b'M', b'R', b'M', ..] => Format::Raw,
        _ => return None,
    };
    Some(embedded::read(&bytes, format).fields)
}

/// The value of one tag, unless it is blank or a date of zeros.
fn reading(entry: &Value, tag: &str) -> Option<(String, Value)> {
    let value = entry.get(tag)?;
    let texts: Vec<String> = match value {
        Value::Array(many) => many.iter().map(plain).collect(),
        one => vec![plain(one)],
    };
    let blank = texts
        .iter()
        .all(|text| text.trim_matches([':', ' ']).is_empty() || text.starts_with("0000:00:00"));
    (!blank).then(|| (tag.to_owned(), value.clone()))
}

fn place(entry: &Value, (latitude, longitude): &(&str, &str)) -> Option<(String, Value)> {
    let (north, east) = (entry.get(latitude)?.as_f64()?, entry.get(longitude)?.as_f64()?);
    Some(((*latitude).to_owned(), json!({"latitude": north, "longitude": east})))
}

fn says(field: &Field, value: &Value, name: &str) -> bool {
    // The union leaves out an entry that a winning list already has.
    same(&field.value, value, name)
        || field.also.iter().any(|other| same(&other.value, value, name))
        || covers(&field.value, value, name)
}

/// Tells whether two values are the same but for spelling: white space, date separators.
fn same(ours: &Value, theirs: &Value, name: &str) -> bool {
    match name {
        "gps" => ["latitude", "longitude"].iter().all(|side| {
            let difference = ours[side].as_f64().unwrap_or(f64::NAN)
                - theirs[side].as_f64().expect("made by place()");
            difference.abs() < 1e-5
        }),
        "date_taken" => {
            let digits = |value: &Value| -> String {
                plain(value).chars().filter(char::is_ascii_digit).take(14).collect()
            };
            let (ours, mut theirs) = (digits(ours), digits(theirs));
            // Zeros in IPTC stand for an unknown month and day.
            while matches!(theirs.len(), 6 | 8) && theirs.ends_with("00") {
                theirs.truncate(theirs.len() - 2);
            }
            // exiftool reads IPTC's date and time as two tags; XMP may give minutes only.
            theirs.len() >= 4 && ours.starts_with(&theirs)
        }
        "creator" | "keywords" => entries(ours) == entries(theirs),
        _ => plain(ours) == plain(theirs),
    }
}

/// A coarser date, and list entries that are all there.
fn covers(ours: &Value, theirs: &Value, name: &str) -> bool {
    matches!(name, "creator" | "keywords")
        && entries(theirs).iter().all(|entry| entries(ours).contains(entry))
}

fn entries(value: &Value) -> Vec<String> {
    let mut entries: Vec<String> = match value {
        Value::Array(many) => many.iter().map(plain).collect(),
        // EXIF and Windows write a list as one text.
        one => plain(one).split(';').map(|part| part.trim().to_owned()).collect(),
    };
    entries.retain(|entry| !entry.is_empty());
    entries.sort();
    entries.dedup();
    entries
}

/// A value as text with its white space evened out; exiftool prints digits as numbers.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Writes the smallest TIFF that tools accept: one strip of RGB (TIFF 6.0, section 6).
fn tiff(width: u32, height: u32, rgb: &[u8]) -> Vec<u8> {
    const FIELDS: u32 = 9;
    let bits_at = 8 + 2 + FIELDS * 12 + 4;
    let pixels_at = bits_at + 6;
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((FIELDS as u16).to_le_bytes());
    let length = u32::try_from(rgb.len()).expect("small");
    for (tag, kind, count, value) in [
        (256_u16, 4_u16, 1_u32, width),
        (257, 4, 1, height),
        (258, 3, 3, bits_at),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, pixels_at),
        (277, 3, 1, 3),
        (278, 4, 1, height),
        (279, 4, 1, length),
    ] {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file.extend([8, 0, 8, 0, 8, 0]);
    file.extend(rgb);
    file
}

/// Makes small pictures and has exiftool write tags of every kind into them.
fn make_pictures(folder: &Path) {
    let picture = image::RgbImage::from_pixel(16, 8, image::Rgb([120, 90, 60]));
    for name in ["a.png", "c.webp"] {
        picture.save(folder.join(name)).expect("written");
    }
    std::fs::write(folder.join("b.tif"), tiff(16, 8, picture.as_raw())).expect("written");
    let pixels = turbojpeg::Image {
        pixels: picture.as_raw().as_slice(),
        width: 16,
        pitch: 48,
        height: 8,
        format: turbojpeg::PixelFormat::RGB,
    };
    let jpeg = turbojpeg::compress(pixels, 80, turbojpeg::Subsamp::Sub2x2).expect("encoded");
    for name in ["d.jpg", "e.jpg", "f.jpg"] {
        std::fs::write(folder.join(name), &jpeg).expect("written");
    }
    let tag = |names: &[&str], tags: &[&str]| {
        let paths = names.iter().map(|name| folder.join(name));
        let status = Command::new("exiftool")
            .args(["-q", "-m", "-overwrite_original", "-codedcharacterset=utf8"])
            .args(tags)
            .args(paths)
            .status()
            .expect("exiftool is installed");
        assert!(status.success(), "exiftool could not write {names:?}");
    };
    let everything = [
        "-EXIF:DateTimeOriginal=1936:04:02 10:11:12",
        "-EXIF:Make=Voigtländer",
        "-EXIF:Model=Bessa 66",
        "-EXIF:Orientation#=6",
        "-EXIF:Artist=Ann Ärger; Bob",
        "-EXIF:Copyright=CC0",
        "-EXIF:ImageDescription=Eine Mühle",
        "-EXIF:XPTitle=水車",
        "-EXIF:XPKeywords=вода;колесо",
        "-GPSLatitude=33.8583",
        "-GPSLatitudeRef=S",
        "-GPSLongitude=151.2153",
        "-GPSLongitudeRef=E",
    ];
    let xmp = [
        "-XMP-dc:Title=Łódź",
        "-XMP-dc:Title-de=Lodz",
        "-XMP-dc:Creator=Zoë",
        "-XMP-dc:Creator=Ødegård",
        "-XMP-dc:Subject=mill",
        "-XMP-dc:Subject=water, running",
        "-XMP-dc:Rights=© nobody",
        "-XMP-dc:Description=two\nlines",
        "-XMP-photoshop:City=Αθήνα",
        "-XMP-photoshop:Country=Ελλάδα",
        "-XMP-photoshop:DateCreated=1936-04",
        "-XMP-exif:GPSLatitude=-33.8583",
        "-XMP-exif:GPSLongitude=151.2153",
    ];
    let iptc = [
        "-IPTC:ObjectName=Mühle",
        "-IPTC:By-line=Ann",
        "-IPTC:By-line=Bob",
        "-IPTC:Keywords=Mühle",
        "-IPTC:City=Łódź",
        "-IPTC:Country-PrimaryLocationName=Polska",
        "-IPTC:Caption-Abstract=Ein Bild",
        "-IPTC:CopyrightNotice=frei",
        "-IPTC:DateCreated=1936:04:02",
        "-IPTC:TimeCreated=10:11:12+01:00",
    ];
    tag(&["a.png", "b.tif", "c.webp", "d.jpg"], &everything);
    tag(&["a.png", "b.tif", "c.webp", "e.jpg"], &xmp);
    tag(&["b.tif", "e.jpg", "f.jpg"], &iptc);
    tag(&["a.png"], &["-PNG:Title=Wheel", "-PNG:Author=Cyd", "-PNG:Copyright=none"]);
    tag(&["side.xmp"], &xmp);
}
