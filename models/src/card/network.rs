//! What a card says of its network: what goes in, what comes out, how that is read.

use glassplate_pipeline::label::LabelKind;
use serde::Deserialize;

use super::Task;

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
    /// When the likeliest class has less than this, 0 to 1, the whole picture is looked at too,
    /// stretched and mirrored, and both answers are averaged; never when absent.
    #[serde(default)]
    pub second_look: Option<f32>,
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
    /// The class list: `imagenet-1k`, `coco-80`, `places365`, or `file:` and the name of a
    /// file of the card. Its rows are a synset, which may be empty or `-`, a tab and a name.
    pub classes: String,
    /// What the classes are, where that is not what the task or the built-in list says.
    pub says: Option<LabelKind>,
    /// The tensor of the picture's embedding, `[1, length]`; none when the network gives none.
    pub embedding: Option<String>,
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
        /// What turns its values into probabilities.
        #[serde(default)]
        activation: Activation,
    },
    /// How near the picture lies to a text of each class, for networks trained on both.
    Similarity {
        /// The tensor of the picture's embedding, `[1, length]`; it is brought to length 1 here.
        tensor: String,
        /// The file of the card with the texts' embeddings: 32-bit floats, little-endian, a row
        /// of `length` numbers a class. They are brought to length 1 here.
        texts: String,
        /// Multiplies the cosines: the exponential of the network's logit scale, 100 for CLIP.
        scale: f32,
        /// Added after that; `SigLIP` has one.
        #[serde(default)]
        bias: f32,
        /// Softmax for networks trained to choose, the sigmoid for those trained as `SigLIP`.
        #[serde(default = "softmax")]
        activation: Activation,
    },
    /// Ultralytics' exports from `YOLOv8` on: `[1, 4 + classes, cells]`, the box's centre, width
    /// and height in pixels of the input, then scores after the sigmoid.
    Yolov8 {
        /// The tensor's name.
        tensor: String,
        /// As for YOLOX.
        overlap: f32,
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

/// What turns a network's values into probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Nothing: they are probabilities already.
    #[default]
    None,
    /// The classes exclude each other.
    Softmax,
    /// Each class stands for itself.
    Sigmoid,
}

fn softmax() -> Activation {
    Activation::Softmax
}

/// The beginning of a class list's name that is a file of the card.
const FILE: &str = "file:";

impl Output {
    /// Returns the name of the card's file that lists the classes; none for a built-in list.
    pub fn class_file(&self) -> Option<&str> {
        self.classes.strip_prefix(FILE)
    }

    /// Returns the names of the card's files that are needed beside the network.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let texts = match &self.head {
            Head::Similarity { texts, .. } => Some(texts.as_str()),
            _ => None,
        };
        self.class_file().into_iter().chain(texts)
    }
}

/// Checks that the parts of a network's card fit together.
pub(super) fn check(task: Task, input: &Input, output: &Output) -> Result<(), String> {
    if !(1..=4096).contains(&input.side) {
        return Err(format!("an input of {} pixels a side is not possible", input.side));
    }
    if input.deviation.contains(&0.0) {
        return Err("a deviation of zero is not possible".to_owned());
    }
    check_head(&output.head)?;
    let detector =
        matches!(output.head, Head::Yolox { .. } | Head::Yolov8 { .. } | Head::Distances { .. });
    if detector != (task == Task::Detect) {
        return Err("the head does not fit the task".to_owned());
    }
    if detector && matches!(input.fit, Fit::Crop { .. }) {
        return Err("a detector sees the whole picture, not a crop".to_owned());
    }
    if detector && input.second_look.is_some() {
        return Err("a detector's boxes cannot be averaged with those of a second_look".to_owned());
    }
    if detector && output.says.is_some_and(|kind| kind != LabelKind::Object) {
        return Err("a detector says objects".to_owned());
    }
    Ok(())
}

fn check_head(head: &Head) -> Result<(), String> {
    match head {
        Head::Yolox { strides, .. } | Head::Distances { strides, .. }
            if strides.is_empty() || strides.contains(&0) =>
        {
            Err("the head has no proper strides".to_owned())
        }
        Head::Distances { bins: 0, .. } => Err("the head has no bins".to_owned()),
        Head::Similarity { activation: Activation::None, .. } => {
            Err("a similarity is no probability: the head needs softmax or sigmoid".to_owned())
        }
        _ => Ok(()),
    }
}
