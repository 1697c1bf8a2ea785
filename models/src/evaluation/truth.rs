//! Tables of what is in photographs, as they come, and a plain one for anybody's own.
//!
//! A table is a CSV with a column `file`; its other columns tell what it is ([`Form`]).
//! A cell's list is separated by `|`. What a table does not judge is not measured.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glassplate_pipeline::fault::Fault;
use serde_json::{Value, json};

use super::words::{Kind, Setting, Thing, Words};

/// Says that something was judged and that there is none of it.
const NONE: &str = "-";

/// What a table's columns say that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `objects` as `name:count|...` over all of COCO's classes, `origin`.
    Coco,
    /// `scenes_accepted`, `io` and `concepts`; `objects` name some and not all, so they are left.
    Handmade,
    /// `places365_accepted` and `io`.
    Scenes,
    /// `kind` and `label` of pictures that are easily mistaken.
    Confusable,
    /// `wnid`, one of ImageNet's classes.
    ImageNet,
    /// Any of `objects`, `scenes`, `concepts`, `setting`: anybody's own.
    Own,
}

/// What is known of one picture; absent where nobody judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// Every object of a list of things.
    pub objects: Option<Present>,
    /// Keys of the scenes that count as right, the best first.
    pub scenes: Option<Vec<String>>,
    /// Indoors or outdoors.
    pub setting: Option<Setting>,
    /// What it is about: names of ours, or the word as written where we have none.
    pub concepts: Option<BTreeSet<String>>,
    /// Which kind of thing it shows.
    pub kind: Option<Kind>,
    /// Which class it shows.
    pub class: Option<Thing>,
}

/// Which of some things are in a picture; all others of them are not.
#[derive(Debug, Clone, PartialEq)]
pub struct Present {
    /// The things that were looked for.
    pub of: Arc<[Thing]>,
    /// The places of those that are there.
    pub there: BTreeSet<usize>,
}

/// One picture whose content is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The name in the table.
    pub file: String,
    /// Where it should be.
    pub path: PathBuf,
    /// What is known of it.
    pub truth: Truth,
}

/// All rows of some tables, each picture once.
#[derive(Debug, Default)]
pub struct Cases {
    /// The pictures, in the order of the tables.
    pub cases: Vec<Case>,
    /// What a person should know of how they were read.
    pub notes: Vec<String>,
}

type Row = BTreeMap<String, String>;

impl Cases {
    /// Reads tables; `file` is looked for in `folder`, beside the table, and one folder up.
    ///
    /// Rows about one picture are one case; of two that judge the same the first counts. Of a
    /// table with COCO's `origin` only rows of `val2017` are taken, unless `all_rows`: networks
    /// were trained on the others.
    ///
    /// # Errors
    /// `NotFound` or `BadInput`, naming the table and the line.
    pub fn read(
        folder: &Path,
        tables: &[PathBuf],
        all_rows: bool,
        words: &Words,
    ) -> Result<Self, Fault> {
        let mut all = Self::default();
        let mut known: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for table in tables {
            let beside = table.parent().unwrap_or(Path::new(""));
            let places = [folder.to_owned(), beside.to_owned(), beside.join("..")];
            for (file, truth) in all.read_table(table, all_rows, words)? {
                let path = places.iter().map(|place| place.join(&file)).find(|path| path.exists());
                let path = path.unwrap_or_else(|| folder.join(&file));
                let same = path.canonicalize().unwrap_or_else(|_| path.clone());
                match known.get(&same) {
                    Some(&at) => all.cases[at].truth.add(truth),
                    None => {
                        known.insert(same, all.cases.len());
                        all.cases.push(Case { file, path, truth });
                    }
                }
            }
        }
        Ok(all)
    }

    fn read_table(
        &mut self,
        table: &Path,
        all_rows: bool,
        words: &Words,
    ) -> Result<Vec<(String, Truth)>, Fault> {
        let named = table.display();
        let text = std::fs::read_to_string(table).map_err(|error| {
            Fault::not_found(format!("cannot read the labels {named}")).because(error)
        })?;
        let text = text.trim_start_matches('\u{feff}');
        let rows = read_rows(text)
            .map_err(|fault| Fault::bad_input(format!("in the labels {named}")).because(fault))?;
        let form = rows.first().map_or(Ok(Form::Own), |(_, row)| Form::of(row)).map_err(|why| {
            Fault::bad_input(format!("in the labels {named}")).because(Fault::bad_input(why))
        })?;
        let own = (form == Form::Own).then(|| things_in(&rows, words));
        let (mut found, mut left) = (Vec::new(), 0);
        for (line, row) in &rows {
            if form == Form::Coco && !all_rows && row["origin"] != "val2017" {
                left += 1;
                continue;
            }
            let truth = form.truth(row, words, own.as_ref()).map_err(|why| {
                Fault::bad_input(format!("in the labels {named}, line {line}: {why}"))
            })?;
            found.push((row["file"].clone(), truth));
        }
        if left > 0 {
            self.notes.push(format!(
                "{left} rows of {named} are left out: networks were trained on pictures that are not \
                 of val2017; --all-rows takes them too"
            ));
        }
        let scenes = found.iter().filter_map(|(_, truth)| truth.scenes.as_ref()).flatten();
        let unknown: BTreeSet<_> = scenes.filter(|scene| !words.knows_scene(scene)).collect();
        if !unknown.is_empty() {
            let unknown: Vec<_> = unknown.into_iter().map(String::as_str).collect();
            self.notes.push(format!("{named} names unknown scenes: {}", unknown.join(", ")));
        }
        Ok(found)
    }
}

impl Form {
    /// Recognises a table by its columns.
    fn of(row: &Row) -> Result<Self, String> {
        let has = |name: &str| row.contains_key(name);
        if !has("file") {
            return Err("there is no column `file`".to_owned());
        }
        for (columns, form) in [
            (&["wnid"][..], Self::ImageNet),
            (&["places365_accepted"], Self::Scenes),
            (&["kind", "label"], Self::Confusable),
            (&["scenes_accepted"], Self::Handmade),
            (&["objects", "origin"], Self::Coco),
            (&["objects"], Self::Own),
            (&["scenes"], Self::Own),
            (&["concepts"], Self::Own),
            (&["setting"], Self::Own),
        ] {
            if columns.iter().all(|column| has(column)) {
                return Ok(form);
            }
        }
        Err("besides `file` there is none of the columns `objects`, `scenes`, `concepts`, `setting`"
            .to_owned())
    }

    fn truth(self, row: &Row, words: &Words, own: Option<&Arc<[Thing]>>) -> Result<Truth, String> {
        let cell = |name: &str| row.get(name).map(|cell| cell.trim()).unwrap_or_default();
        let list = |name: &str| list(cell(name));
        let mut truth = Truth::default();
        match self {
            Self::ImageNet => {
                let class = words.imagenet_class(cell("wnid"), cell("imagenet_index").parse().ok());
                truth.class = Some(class.ok_or(format!("no synset: {:?}", cell("wnid")))?);
            }
            Self::Confusable => truth.kind = kind(cell("kind"))?,
            Self::Coco => {
                let mut there = BTreeSet::new();
                for entry in cell("objects").split('|').filter(|entry| !entry.is_empty()) {
                    let name = entry.split(':').next().unwrap_or_default();
                    let class = words.coco_class(name);
                    there.insert(class.ok_or(format!("no class of COCO: {name:?}"))?);
                }
                truth.objects = Some(Present { of: words.coco(), there });
            }
            Self::Handmade | Self::Scenes | Self::Own => {
                let [scenes, place] = match self {
                    Self::Handmade => ["scenes_accepted", "io"],
                    Self::Scenes => ["places365_accepted", "io"],
                    _ => ["scenes", "setting"],
                };
                let keys = list(scenes).map(|names| names.into_iter().map(|n| words.scene(n)));
                // A scene that is none of the 365 may not be named, but none is no scene to find.
                truth.scenes = keys.map(Iterator::collect).filter(|keys: &Vec<_>| !keys.is_empty());
                truth.setting = setting(cell(place))?;
                let concepts = list("concepts");
                truth.concepts =
                    concepts.map(|names| names.into_iter().map(|n| words.concept(n)).collect());
                if let (Some(of), Some(names)) = (own, list("objects")) {
                    let things = names.into_iter().map(|name| words.thing(name));
                    let at = |thing: Thing| of.iter().position(|known| *known == thing);
                    let there = things.filter_map(at).collect();
                    truth.objects = Some(Present { of: Arc::clone(of), there });
                }
            }
        }
        Ok(truth)
    }
}

impl Truth {
    /// Adds what another row says of the same picture, where this one says nothing.
    fn add(&mut self, other: Self) {
        self.objects = self.objects.take().or(other.objects);
        self.scenes = self.scenes.take().or(other.scenes);
        self.setting = self.setting.or(other.setting);
        self.concepts = self.concepts.take().or(other.concepts);
        self.kind = self.kind.or(other.kind);
        self.class = self.class.take().or(other.class);
    }

    /// States it as JSON, with what was judged alone.
    pub fn to_json(&self) -> Value {
        let mut value = json!({});
        if let Some(Present { of, there }) = &self.objects {
            value["objects"] = there.iter().map(|&at| json!(of[at].name)).collect();
        }
        if let Some(scenes) = &self.scenes {
            value["scenes"] = json!(scenes);
        }
        if let Some(setting) = self.setting {
            value["setting"] = json!(setting);
        }
        if let Some(concepts) = &self.concepts {
            value["concepts"] = json!(concepts);
        }
        if let Some(kind) = self.kind {
            value["kind"] = json!(kind);
        }
        if let Some(class) = &self.class {
            value["class"] = json!(class.name);
        }
        value
    }
}

fn read_rows(text: &str) -> Result<Vec<(u64, Row)>, Fault> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let wrong = |error: csv::Error| Fault::bad_input(error.to_string());
    let names = reader.headers().map_err(wrong)?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = names.iter().map(str::to_owned).zip(record.iter().map(str::to_owned));
        rows.push((line, cells.collect()));
    }
    Ok(rows)
}

/// Reads a list; nothing when the cell is empty, an empty list when it says that there is none.
fn list(cell: &str) -> Option<Vec<&str>> {
    match cell {
        "" => None,
        NONE => Some(Vec::new()),
        _ => Some(cell.split('|').map(str::trim).filter(|entry| !entry.is_empty()).collect()),
    }
}

fn things_in(rows: &[(u64, Row)], words: &Words) -> Arc<[Thing]> {
    let cells = rows.iter().filter_map(|(_, row)| list(row.get("objects")?.trim()));
    let things: BTreeSet<_> = cells.flatten().map(|name| words.thing(name)).collect();
    things.into_iter().collect()
}

fn setting(cell: &str) -> Result<Option<Setting>, String> {
    match cell {
        "" | NONE => Ok(None),
        "indoor" => Ok(Some(Setting::Indoor)),
        "outdoor" => Ok(Some(Setting::Outdoor)),
        _ => Err(format!("neither indoor nor outdoor: {cell:?}")),
    }
}

fn kind(cell: &str) -> Result<Option<Kind>, String> {
    match cell {
        "" => Ok(None),
        "animal" => Ok(Some(Kind::Animal)),
        "food" => Ok(Some(Kind::Food)),
        "clothing" => Ok(Some(Kind::Clothing)),
        _ => Err(format!("neither animal, food nor clothing: {cell:?}")),
    }
}
