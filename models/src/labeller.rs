//! Labellers on ONNX: one that names the whole picture, one that finds things in it.
//!
//! Each speaks for itself. What they say is kept well below the confidence that anybody
//! would show: thresholds are applied when a record is asked for, so that they can change
//! without running a network again.

mod classifier;
mod detector;
mod head;

use std::sync::Arc;

use async_trait::async_trait;
use glassplate_pipeline::fault::Fault;
use glassplate_pipeline::label::{Label, LabelKind};
use glassplate_pipeline::ports::{Labeller, Maker};
use glassplate_pipeline::raster::Raster;
use serde_json::json;

use crate::card::{Card, Head, Input, Output, Task};
use crate::session::{Outputs, Runtime, SessionPool};
use crate::shelf::Shelf;
use crate::taxonomy::{Class, Objects};
use crate::tensor::{self, Placement};

/// A network with its card and its classes, ready to label.
#[derive(Debug)]
pub struct OnnxLabeller {
    step: String,
    maker: Maker,
    pool: SessionPool,
    network: Arc<Prepared>,
}

/// What a picture needs on its way through the network.
#[derive(Debug)]
struct Prepared {
    input: Input,
    output: Output,
    classes: Vec<Class>,
    tensors: Vec<String>,
}

impl OnnxLabeller {
    /// Opens the network of a card that is on the shelf, in `sessions` sessions.
    ///
    /// # Errors
    /// `NotFound` or `Conflict` when the model is not here or damaged, `Broken` when it
    /// cannot be run.
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
        let pool = SessionPool::open(runtime, &shelf.path(name)?, sessions)?;
        let network = Prepared {
            input: input.clone(),
            output: output.clone(),
            classes: objects.classes(&output.classes)?,
            tensors: tensors(&output.head),
        };
        Ok(Self {
            step: format!("label:{name}"),
            maker: maker(card, output),
            pool,
            network: Arc::new(network),
        })
    }

    /// Opens the best network of a task that is on the shelf; none when there is none.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn best(
        shelf: &Shelf,
        runtime: &Runtime,
        objects: &Objects,
        task: Task,
        sessions: usize,
    ) -> Result<Option<Self>, Fault> {
        shelf
            .best(task)
            .map(|card| Self::open(shelf, runtime, objects, &card.name, sessions))
            .transpose()
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

    async fn label(&self, picture: &Arc<Raster>) -> Result<Vec<Label>, Fault> {
        let (network, picture) = (Arc::clone(&self.network), Arc::clone(picture));
        let work = move |session: &mut crate::session::Network<'_>| {
            let (values, placement) = tensor::from_raster(&picture, &network.input)?;
            let outputs = session.run(&values, network.input.side, &network.tensors)?;
            network.read(&outputs, placement)
        };
        self.pool.run(work).await
    }
}

impl Prepared {
    fn read(&self, outputs: &Outputs, placement: Placement) -> Result<Vec<Label>, Fault> {
        let classes = self.classes.len();
        match &self.output.head {
            Head::Probabilities { .. } => {
                let probabilities = head::values(&outputs[0], [1, classes])?;
                Ok(classifier::labels(probabilities, &self.classes, &self.output))
            }
            Head::Yolox { strides, overlap, .. } => {
                let side = self.input.side;
                let found =
                    head::yolox(&outputs[0], strides, side, classes, self.output.keep_above)?;
                Ok(detector::labels(found, *overlap, placement, &self.classes, &self.output))
            }
            Head::Distances { strides, bins, overlap, .. } => {
                let grid = head::Grid { side: self.input.side, classes, bins: *bins };
                let found = head::distances(outputs, strides, &grid, self.output.keep_above)?;
                Ok(detector::labels(found, *overlap, placement, &self.classes, &self.output))
            }
        }
    }
}

/// Names the outputs that a head reads: for distances the scores first, stride by stride.
fn tensors(head: &Head) -> Vec<String> {
    match head {
        Head::Probabilities { tensor } | Head::Yolox { tensor, .. } => vec![tensor.clone()],
        Head::Distances { scores, distances, strides, .. } => strides
            .iter()
            .flat_map(|stride| {
                [scores, distances].map(|name| name.replace("{stride}", &stride.to_string()))
            })
            .collect(),
    }
}

/// Says who labels: the network's own hash and what is kept are part of it.
fn maker(card: &Card, output: &Output) -> Maker {
    let network = card.products().first().map(|file| file.sha256.clone());
    // serde_json keeps the order given, which is that of the letters.
    let parameters = json!({
        "keep_above": f64::from((output.keep_above * 1e4).round()) / 1e4,
        "keep_at_most": output.keep_at_most,
        "sha256": network,
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
        kind: LabelKind::Object,
        confidence,
        wordnet: class.wordnet.clone(),
        parents: class.parents.clone(),
        instances: Vec::new(),
        evidence: Vec::new(),
    }
}
