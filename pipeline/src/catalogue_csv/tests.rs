use proptest::prelude::*;
use serde_json::json;

use super::*;

fn catalogue(bytes: &[u8]) -> Catalogue {
    Catalogue::from_bytes(bytes, Path::new("/archive/list.csv")).expect("a catalogue")
}

fn title(catalogue: &Catalogue, file: &str) -> Option<serde_json::Value> {
    match catalogue.look_up(Path::new(file), Path::new("/archive/scans")) {
        Match::Row(fields) => Some(fields["title"].value.clone()),
        _ => None,
    }
}

#[test]
fn columns_become_fields_with_their_source() {
    let catalogue = catalogue(
        b"filename,dc:title,DC.Creator,subject,rights,Shelf Mark\n\
          a.jpg,Mill,Ann|Bob,water | wheel,CC0,X 12\n",
    );
    let Match::Row(fields) = catalogue.look_up(Path::new("/archive/a.jpg"), Path::new("/")) else {
        panic!("the row is there");
    };
    assert_eq!(fields["title"].value, json!("Mill"));
    assert_eq!(fields["creator"].value, json!(["Ann", "Bob"]));
    assert_eq!(fields["keywords"].value, json!(["water", "wheel"]));
    assert_eq!(fields["copyright"].value, json!("CC0"));
    assert_eq!(fields["shelf_mark"].value, json!("X 12"));
    assert_eq!(fields["title"].source, "csv:list.csv");
    assert_eq!(fields.len(), 5);
}

#[test]
fn encodings_and_delimiters_are_detected() {
    let text = "path;title\nä.jpg;Mühle\n";
    let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        [mark.to_vec(), text.encode_utf16().flat_map(bytes).collect()].concat()
    };
    for bytes in [
        text.as_bytes().to_vec(),
        ["\u{FEFF}", text].concat().into_bytes(),
        text.replace(';', "\t").into_bytes(),
        text.replace(';', ",").into_bytes(),
        b"path;title\n\xe4.jpg;M\xfchle\n".to_vec(),
        utf16(&[0xFF, 0xFE], u16::to_le_bytes),
        utf16(&[0xFE, 0xFF], u16::to_be_bytes),
        utf16(&[], u16::to_le_bytes),
    ] {
        assert_eq!(title(&catalogue(&bytes), "/archive/ä.jpg"), Some(json!("Mühle")), "{bytes:?}");
    }
}

#[test]
fn files_are_found_by_every_kind_of_path() {
    let catalogue = catalogue(
        b"path,title\nscans/a.jpg,by folder\nb.jpg,by root\n/archive/scans/c.jpg,absolute\n\
          ./scans/x/../d.jpg,with steps\nscans\\e.jpg,from windows\nelsewhere/f.jpg,by tail\n\
          g.jpg,by name\n",
    );
    for (file, expected) in [
        ("/archive/scans/a.jpg", "by folder"),
        ("/archive/scans/b.jpg", "by root"),
        ("/archive/scans/c.jpg", "absolute"),
        ("/archive/scans/d.jpg", "with steps"),
        ("/archive/scans/e.jpg", "from windows"),
        ("/archive/scans/elsewhere/f.jpg", "by tail"),
        ("/archive/scans/deep/g.jpg", "by name"),
    ] {
        assert_eq!(title(&catalogue, file), Some(json!(expected)), "{file}");
    }
    assert!(catalogue.unmatched().is_empty());
}

#[test]
fn a_row_of_one_folder_is_not_taken_for_a_file_of_another() {
    let catalogue = catalogue(b"path,title\nbox1/001.tif,A\n");
    assert_eq!(title(&catalogue, "/archive/scans/box2/001.tif"), None);
    assert_eq!(catalogue.unmatched().len(), 1);
}

#[test]
fn a_bare_name_that_several_files_have_is_reported() {
    let catalogue = catalogue(b"path,title\n001.tif,A\n");
    assert_eq!(title(&catalogue, "/archive/scans/box1/001.tif"), Some(json!("A")));
    assert!(catalogue.problems().is_empty());
    assert_eq!(title(&catalogue, "/archive/scans/box2/001.tif"), Some(json!("A")));
    assert_eq!(
        catalogue.problems(),
        ["list.csv: line 2 names \"001.tif\", which 2 files are called"]
    );
}

#[test]
fn an_ambiguous_name_matches_nothing_and_says_where() {
    let catalogue = catalogue(b"path,title\na/c/1.jpg,A\nb/c/1.jpg,B\n");
    let found = catalogue.look_up(Path::new("/c/1.jpg"), Path::new("/x"));
    assert_eq!(found, Match::Ambiguous(vec![2, 3]));
    assert_eq!(catalogue.unmatched().len(), 2);
}

#[test]
fn decomposed_and_composed_names_match() {
    let catalogue = catalogue("path,title\nmu\u{308}hle.jpg,Mill\n".as_bytes());
    assert_eq!(title(&catalogue, "/archive/m\u{fc}hle.jpg"), Some(json!("Mill")));
}

#[test]
fn duplicates_and_rows_without_a_file_are_reported_with_their_lines() {
    let catalogue =
        catalogue(b"path,title\na.jpg,\"two\nlines\"\n./a.jpg,again\n,nobody\nz.jpg,Z\n");
    assert_eq!(
        catalogue.problems(),
        [
            "list.csv: line 4 names \"./a.jpg\" again, line 2 is used",
            "list.csv: line 5 names no file"
        ]
    );
    assert_eq!(title(&catalogue, "/archive/a.jpg"), Some(json!("two\nlines")));
    assert_eq!(catalogue.unmatched(), [Unmatched { line: 6, key: "z.jpg".to_owned() }]);
}

#[test]
fn a_broken_table_names_its_line() {
    let fault = |bytes: &[u8]| {
        Catalogue::from_bytes(bytes, Path::new("list.csv")).expect_err("broken").reason()
    };
    assert!(fault(b"path,title\na.jpg,x\nb.jpg,y,z\n").contains("line 3"));
    assert!(fault(b"title,creator\nx,y\n").contains("no column that names the files"));
    assert!(fault(b"").contains("empty"));
    let missing = Catalogue::read(Path::new("/nowhere/list.csv")).expect_err("missing");
    assert_eq!(missing.kind(), crate::fault::FaultKind::NotFound);
}

#[test]
fn what_exiftool_writes_is_read() {
    let catalogue = catalogue(
        b"SourceFile,Artist,DateTimeOriginal,ImageDescription,ObjectName\n\
          scans/a.jpg,Ann,1936:04:02 10:11:12,A mill,Mill\n",
    );
    let Match::Row(fields) =
        catalogue.look_up(Path::new("/archive/scans/a.jpg"), Path::new("/archive/scans"))
    else {
        panic!("the row is there");
    };
    assert_eq!(fields["creator"].value, json!(["Ann"]));
    assert_eq!(fields["date_taken"].value, json!("1936-04-02T10:11:12"));
    assert_eq!(fields["caption"].value, json!("A mill"));
    assert_eq!(fields["title"].value, json!("Mill"));
}

#[test]
fn only_a_date_that_is_wholly_understood_is_rewritten() {
    let catalogue =
        catalogue(b"path,date\na.jpg,19360402\nb.jpg,1936-04-02 (?)\nc.jpg,circa 1936\n");
    for (file, expected) in
        [("a.jpg", "1936-04-02"), ("b.jpg", "1936-04-02 (?)"), ("c.jpg", "circa 1936")]
    {
        let Match::Row(fields) = catalogue.look_up(Path::new(file), Path::new("/")) else {
            panic!("the row is there");
        };
        assert_eq!(fields["date_taken"].value, json!(expected));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Catalogue::from_bytes(&bytes, Path::new("list.csv"));
        let headed = [b"path,title\n".to_vec(), bytes].concat();
        let _ = Catalogue::from_bytes(&headed, Path::new("list.csv"));
    }
}
