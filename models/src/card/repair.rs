//! What a card says of a network that repairs: what it is fed, and how a large picture is cut for it.

pub use glassplate_pipeline::restoration::Mode;
use serde::Deserialize;

use super::Task;

/// How a network that repairs is used.
///
/// Tensors are float32, values 0 to 1, of any height and width. Input `image` is
/// `[1, planes, height, width]`, output `repaired` `[1, planes, scale * height, scale * width]`. Denoising and
/// deblurring are told `strength` `[1, 1, 1, 1]` besides: the noise's standard deviation on the scale of
/// the values, or the blur's in pixels. [`Task::Colourise`] has a form of its own, see [`Repair::head`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// What of a picture goes in and comes out.
    pub planes: Planes,
    /// Pixels that come out for each that goes in, a side.
    #[serde(default = "one")]
    pub scale: u32,
    /// Both sides of what goes in are multiples of this.
    #[serde(default = "one")]
    pub multiple: u32,
    /// What lies this many input pixels away no longer changes a pixel by half a step of 255: what
    /// tiles overlap by on each side.
    #[serde(default)]
    pub reach: u32,
    /// How an upscaler weighs truth, looks and time; for [`Task::Upscale`] only.
    pub mode: Option<Mode>,
    /// The second network of a colouriser, a file of the card; for [`Task::Colourise`] only.
    ///
    /// The card's first file is the encoder: input `images` `[1, 3, height, width]`, the grey picture three
    /// times as (value - 127) / 128, outputs `s4`, `s8`, `s16`, `s32`. The head takes `images` and
    /// those four, and gives `chroma` `[1, 2, height / 4, width / 4]`: CIE Lab's a and b.
    pub head: Option<String>,
    /// How long the longer side of what a colouriser sees is, in pixels.
    pub side: Option<u32>,
}

/// What of a picture a network works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Planes {
    /// Red, green and blue.
    Rgb,
    /// The luma of JPEG alone, full range (ITU-T T.871).
    Luma,
}

fn one() -> u32 {
    1
}

/// Checks that the parts of a card that repairs fit together.
pub(super) fn check(task: Task, repair: &Repair) -> Result<(), String> {
    let upscales = task == Task::Upscale;
    let colours = task == Task::Colourise;
    if repair.mode.is_some() != upscales {
        return Err("an upscaler has a mode, and nothing else has".to_owned());
    }
    if !(1..=8).contains(&repair.scale) || (repair.scale > 1) != upscales {
        return Err(format!("a scale of {} does not fit the task", repair.scale));
    }
    if !(1..=256).contains(&repair.multiple) || repair.reach > 512 {
        return Err("multiple is 1 to 256, reach at most 512".to_owned());
    }
    if repair.head.is_some() != colours || repair.side.is_some() != colours {
        return Err("a colouriser has a head and a side, and nothing else has".to_owned());
    }
    if repair.side.is_some_and(|side| !(32..=2048).contains(&side)) {
        return Err("a colouriser sees 32 to 2048 pixels a side".to_owned());
    }
    Ok(())
}
