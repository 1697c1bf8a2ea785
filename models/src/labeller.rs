//! Labellers on ONNX: those that name the whole picture, and those that find things in it.
//!
//! Each speaks for itself. What they say is kept well below the confidence that anybody
//! would show: thresholds are applied when a record is asked for, so that they can change
//! without running a network again.

pub mod cascade;
mod classifier;
mod detector;
mod head;
mod projection;
pub mod rekognition;
mod similarity;

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::embedding::Space;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::{Label, LabelKind};
use glassplate_pipeline::ports::{Labeller, Maker, Said, Shown};
use glassplate_pipeline::raster::Raster;
use serde_json::json;

use self::head::Found;
use self::projection::Projection;
use self::similarity::Texts;
use crate::card::{Activation, Card, Fit, Head, Input, Output};
use crate::session::{Network, Outputs, Runtime, SessionPool};
use crate::shelf::Shelf;
use crate::taxonomy::{Class, Objects};
use crate::tensor;

/// A network with its card and its classes, ready to label.
#[derive(Debug)]
pub struct OnnxLabeller {
    step: String,
    maker: Maker,
    pool: SessionPool,
    network: Arc<Prepared>,
    /// Where there is one that was fitted to the network.
    projection: Option<Projection>,
}

/// What a picture needs on its way through the network.
#[derive(Debug)]
struct Prepared {
    input: Input,
    output: Output,
    classes: Vec<Class>,
    /// For [`Head::Similarity`] alone.
    texts: Option<Texts>,
    /// The head's tensors, then the embedding where the card names one.
    tensors: Vec<String>,
}

/// What a network says of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The labels, best first.
    pub labels: Vec<Label>,
    /// The picture's embedding as the network gives it, where the card names one.
    pub embedding: Option<Vec<f32>>,
}

/// A network's tensors as its head reads them.
enum Answer {
    /// One probability a class.
    Whole { probabilities: Vec<f32>, activation: Activation },
    /// Boxes, and the overlap above which two of a class are one.
    Boxes { found: Vec<Found>, overlap: f32 },
}

impl OnnxLabeller {
    /// Opens the network of a card that is on the shelf, in `sessions` sessions.
    ///
    /// # Errors
    /// `NotFound` or `Conflict` when the model is not here or damaged, `BadInput` when a file
    /// beside the network cannot be used, `Broken` when the network cannot be run.
    pub fn open(
        shelf: &Shelf,
        runtime: &Runtime,
        objects: &Objects,
        name: &str,
        sessions: usize,
    ) -> Result<Self, Fault> {
        let card = shelf.card(name)?;
        let (Some(input), Some(output)) = (&card.input, &card.output) else {
            return Err(Fault::bad_input(format!("{name} is no network that labels")));
        };
        let path = shelf.path(name)?;
        let classes = classes(shelf, objects, card, output)?;
        let texts = texts(shelf, card, output, classes.len())?;
        let pool = SessionPool::open(runtime, &path, sessions)?;
        let network = Prepared {
            input: input.clone(),
            output: output.clone(),
            classes,
            texts,
            tensors: tensors(output),
        };
        Ok(Self {
            step: format!("label:{name}"),
            maker: maker(card, output),
            pool,
            network: Arc::new(network),
            projection: Projection::of(card)?,
        })
    }

    /// Runs the network on a picture once and returns all that it says.
    ///
    /// # Errors
    /// `Broken` when the network fails or gives other tensors than the card says.
    pub async fn see(&self, picture: &Arc<Raster>) -> Result<Seen, Fault> {
        let (network, picture) = (Arc::clone(&self.network), Arc::clone(picture));
        self.pool.run(move |session| network.see(session, &picture)).await
    }
}

#[async_trait]
impl Labeller for OnnxLabeller {
    fn step(&self) -> &str {
        &self.step
    }

    fn maker(&self) -> &Maker {
        &self.maker
    }

    async fn label(&self, picture: &Shown) -> Result<Said, Fault> {
        let Seen { labels, embedding } = self.see(&picture.raster).await?;
        let embedding = match (&self.projection, embedding) {
            (Some(projection), Some(values)) => projection.embedding(&values)?,
            _ => None,
        };
        Ok(Said { embedding, ..labels.into() })
    }

    fn space(&self) -> Option<&Space> {
        self.projection.as_ref().map(Projection::space)
    }
}

impl Prepared {
    fn see(&self, session: &mut Network<'_>, picture: &Raster) -> Result<Seen, Fault> {
        let (values, placement) = tensor::from_raster(picture, &self.input)?;
        let (mut answer, embedding) = self.ask(session, &values)?;
        if let Answer::Whole { probabilities, .. } = &mut answer
            && self.input.second_look.is_some_and(|sure| probabilities.iter().all(|p| *p < sure))
        {
            let whole = Input { fit: Fit::Stretch, ..self.input.clone() };
            let (values, _) = tensor::from_raster(picture, &whole)?;
            let mirrored = tensor::mirrored(&values, self.input.side);
            if let (Answer::Whole { probabilities: others, .. }, _) =
                self.ask(session, &mirrored)?
            {
                average(probabilities, &others);
            }
        }
        let labels = match answer {
            Answer::Whole { probabilities, activation } => {
                classifier::labels(&probabilities, activation, &self.classes, &self.output)
            }
            Answer::Boxes { found, overlap } => {
                detector::labels(found, overlap, placement, &self.classes, &self.output)
            }
        };
        Ok(Seen { labels, embedding })
    }

    /// Runs the network on a tensor; returns what its head says, and the embedding.
    fn ask(
        &self,
        session: &mut Network<'_>,
        values: &[f32],
    ) -> Result<(Answer, Option<Vec<f32>>), Fault> {
        let mut outputs = session.run(values, self.input.side, &self.tensors)?;
        let embedding = self.output.embedding.as_ref().and_then(|_| outputs.pop());
        Ok((self.read(&outputs)?, embedding.map(|(_, _, values)| values)))
    }

    fn read(&self, outputs: &Outputs) -> Result<Answer, Fault> {
        let (side, classes) = (self.input.side, self.classes.len());
        let keep_above = self.output.keep_above;
        match &self.output.head {
            Head::Probabilities { activation, .. } => {
                let values = head::values(&outputs[0], [1, classes])?.to_vec();
                Ok(Answer::whole(values, *activation))
            }
            Head::Similarity { scale, bias, activation, .. } => {
                let texts = self.texts.as_ref().expect("opened with its texts");
                let picture = head::values(&outputs[0], [1, texts.length()])?;
                Ok(Answer::whole(texts.compare(picture, *scale, *bias), *activation))
            }
            Head::Yolox { strides, overlap, .. } => {
                let found = head::yolox(&outputs[0], strides, side, classes, keep_above)?;
                Ok(Answer::Boxes { found, overlap: *overlap })
            }
            Head::Yolov8 { overlap, .. } => {
                let found = head::yolov8(&outputs[0], classes, keep_above)?;
                Ok(Answer::Boxes { found, overlap: *overlap })
            }
            Head::Distances { strides, bins, overlap, .. } => {
                let grid = head::Grid { side, classes, bins: *bins };
                let found = head::distances(outputs, strides, &grid, keep_above)?;
                Ok(Answer::Boxes { found, overlap: *overlap })
            }
        }
    }
}

impl Answer {
    fn whole(mut values: Vec<f32>, activation: Activation) -> Self {
        classifier::activate(&mut values, activation);
        Self::Whole { probabilities: values, activation }
    }
}

fn average(values: &mut [f32], others: &[f32]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value = f32::midpoint(*value, *other);
    }
}

/// Reads the class list that the card names, each class of the kind that the card says.
fn classes(
    shelf: &Shelf,
    objects: &Objects,
    card: &Card,
    output: &Output,
) -> Result<Vec<Class>, Fault> {
    let mut classes = match output.class_file() {
        None => objects.classes(&output.classes)?,
        Some(file) => {
            let bytes = read(shelf, card, file)?;
            let list =
                String::from_utf8(bytes).map_err(|error| unusable(card, file).because(error))?;
            objects
                .read_classes(&list, LabelKind::Object)
                .map_err(|fault| unusable(card, file).because(fault))?
        }
    };
    if let Some(kind) = card.says() {
        classes.iter_mut().for_each(|class| class.kind = kind);
    }
    Ok(classes)
}

fn texts(
    shelf: &Shelf,
    card: &Card,
    output: &Output,
    classes: usize,
) -> Result<Option<Texts>, Fault> {
    let Head::Similarity { texts: file, .. } = &output.head else {
        return Ok(None);
    };
    let texts = Texts::read(&read(shelf, card, file)?, classes);
    texts.map(Some).map_err(|fault| unusable(card, file).because(fault))
}

/// Reads one of the files that a card needs beside its network.
fn read(shelf: &Shelf, card: &Card, file: &str) -> Result<Vec<u8>, Fault> {
    let files = shelf.files(&card.name)?;
    let (_, path) = files
        .iter()
        .find(|(known, _)| known.name == file)
        .ok_or_else(|| Fault::not_found(format!("{} has no file {file}", card.name)))?;
    std::fs::read(path)
        .map_err(|error| Fault::broken(format!("cannot read {}", path.display())).because(error))
}

fn unusable(card: &Card, file: &str) -> Fault {
    Fault::bad_input(format!("{file} of {} cannot be used", card.name))
}

/// Names the tensors that are read: for distances the scores first, stride by stride; the
/// embedding last.
fn tensors(output: &Output) -> Vec<String> {
    let mut names = match &output.head {
        Head::Probabilities { tensor, .. }
        | Head::Similarity { tensor, .. }
        | Head::Yolox { tensor, .. }
        | Head::Yolov8 { tensor, .. } => vec![tensor.clone()],
        Head::Distances { scores, distances, strides, .. } => strides
            .iter()
            .flat_map(|stride| {
                [scores, distances].map(|name| name.replace("{stride}", &stride.to_string()))
            })
            .collect(),
    };
    names.extend(output.embedding.clone());
    names
}

/// Says who labels: the hashes of all files, how they are read and what is kept are part of it.
fn maker(card: &Card, output: &Output) -> Maker {
    let hashes: Vec<_> = card.products().iter().map(|file| file.sha256.clone()).collect();
    // serde_json keeps the order given, which is that of the letters.
    let parameters = json!({
        "keep_above": f64::from((output.keep_above * 1e4).round()) / 1e4,
        "keep_at_most": output.keep_at_most,
        "reading": card.reading,
        "sha256": hashes.join(" "),
    });
    Maker {
        backend: "onnx".to_owned(),
        model: card.name.clone(),
        version: card.version.clone(),
        parameters: parameters.to_string(),
    }
}

/// States a class as a label; instances are added by whoever located it.
fn label(class: &Class, confidence: f32) -> Label {
    Label {
        name: class.name.clone(),
        kind: class.kind,
        confidence,
        wordnet: class.wordnet.clone(),
        parents: class.parents.clone(),
        instances: Vec::new(),
        evidence: Vec::new(),
    }
}
