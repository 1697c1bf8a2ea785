//! AVIF still pictures: AV1 items, single or in a grid, through `re_rav1d`.
//!
//! HEIC shares the container, but no freely licensed HEVC decoder exists; its preview is shown
//! by the parent module. Sources: AV1 Image File Format 1.1; ITU-T H.273 (matrices and ranges).

use re_rav1d::{Decoder, Picture, PixelLayout, PlanarImageComponent, Settings, pixel};

use super::Frame;
use super::samples::on_white;
use crate::fault::Fault;
use crate::image::Limits;
use crate::image::iso::Items;

/// More tiles than any camera writes.
const MOST_TILES: usize = 1024;

pub(super) fn decode_avif(bytes: &[u8], limits: &Limits) -> Result<Frame, Fault> {
    let items = Items::parse(bytes).ok_or_else(|| Fault::bad_input("the AVIF has no item"))?;
    let primary = items.primary();
    let mut frame = decode_item(&items, primary, limits)?;
    if let Some(alpha) = items.alpha_of(primary) {
        let cover = decode_item(&items, alpha, limits)?;
        if (cover.width, cover.height) == (frame.width, frame.height) {
            for (sample, cover) in frame.rgb.iter_mut().zip(&cover.rgb) {
                *sample = on_white(*sample, *cover);
            }
        }
    }
    Ok(frame.with_profile(items.icc(primary)))
}

fn decode_item(items: &Items<'_>, item: u32, limits: &Limits) -> Result<Frame, Fault> {
    let missing = || Fault::bad_input("the AVIF's picture data are missing or cut off");
    match items.kind(item).as_ref() {
        Some(b"av01") => decode_av1(&items.data(item).ok_or_else(missing)?, limits),
        Some(b"grid") => {
            let grid = items.grid(item).ok_or_else(missing)?;
            limits.check_dimensions(grid.width, grid.height)?;
            let tiles = items.referred(b"dimg", item);
            let count = (grid.columns * grid.rows) as usize;
            if tiles.len() < count || count > MOST_TILES {
                return Err(missing());
            }
            let (width, height) = (grid.width as usize, grid.height as usize);
            let mut rgb = vec![255; width * height * 3];
            for (index, tile) in tiles.into_iter().take(count).enumerate() {
                if items.kind(tile) != Some(*b"av01") {
                    return Err(Fault::unsupported("AVIF grid of other than AV1 tiles"));
                }
                let tile = decode_item(items, tile, limits)?;
                let (wide, high) = (tile.width as usize, tile.height as usize);
                let left = index % grid.columns as usize * wide;
                let top = index / grid.columns as usize * high;
                let columns = wide.min(width.saturating_sub(left));
                for (y, row) in tile.rgb.chunks_exact(wide * 3).enumerate() {
                    if top + y < height && columns > 0 {
                        let at = ((top + y) * width + left) * 3;
                        rgb[at..at + columns * 3].copy_from_slice(&row[..columns * 3]);
                    }
                }
            }
            Ok(Frame::new(grid.width, grid.height, rgb))
        }
        Some(kind) => {
            let kind = String::from_utf8_lossy(kind).into_owned();
            Err(Fault::unsupported(format!("AVIF whose picture is a {kind:?} item")))
        }
        None => Err(missing()),
    }
}

fn decode_av1(data: &[u8], limits: &Limits) -> Result<Frame, Fault> {
    let damaged = |error: re_rav1d::Error| {
        Fault::bad_input("the AVIF's picture data are damaged").because(error.to_string())
    };
    let mut settings = Settings::new();
    // One thread: the batch has its own, and a still picture has one frame.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_frame_size_limit(limits.pixels.try_into().unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(damaged)?;
    match decoder.send_data(data.to_vec().into_boxed_slice(), None, None, None) {
        Ok(()) | Err(re_rav1d::Error::Again) => {}
        Err(error) => return Err(damaged(error)),
    }
    let picture = decoder.get_picture().map_err(damaged)?;
    limits.check_dimensions(picture.width(), picture.height())?;
    to_frame(&picture)
}

/// Converts planes of luma and chroma to RGB; HDR's light is shown as it is coded.
fn to_frame(picture: &Picture) -> Result<Frame, Fault> {
    let depth = picture.bits_per_component().map_or(8, |bits| bits.0);
    let (shift_x, shift_y) = match picture.pixel_layout() {
        PixelLayout::I420 => (1, 1),
        PixelLayout::I422 => (1, 0),
        PixelLayout::I444 | PixelLayout::I400 => (0, 0),
    };
    let grey = picture.pixel_layout() == PixelLayout::I400;
    let plane = |component| Plane {
        bytes: picture.plane(component),
        stride: picture.stride(component) as usize,
        wide: depth > 8,
    };
    let luma = plane(PlanarImageComponent::Y);
    let chroma = (!grey).then(|| (plane(PlanarImageComponent::U), plane(PlanarImageComponent::V)));
    let matrix = Matrix::of(picture, depth)?;
    let (width, height) = (picture.width(), picture.height());
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height as usize {
        for x in 0..width as usize {
            let (cb, cr) = match &chroma {
                Some((u, v)) => {
                    (u.at(x >> shift_x, y >> shift_y), v.at(x >> shift_x, y >> shift_y))
                }
                None => (matrix.middle, matrix.middle),
            };
            rgb.extend(matrix.apply(luma.at(x, y), cb, cr));
        }
    }
    Ok(Frame::new(width, height, rgb))
}

struct Plane {
    bytes: re_rav1d::Plane,
    stride: usize,
    wide: bool,
}

impl Plane {
    fn at(&self, x: usize, y: usize) -> f32 {
        if self.wide {
            let at = y * self.stride + x * 2;
            f32::from(u16::from_ne_bytes([self.bytes[at], self.bytes[at + 1]]))
        } else {
            f32::from(self.bytes[y * self.stride + x])
        }
    }
}

/// How luma and chroma become RGB (H.273 section 8.3).
struct Matrix {
    /// Red's and blue's weights in luma; `None` when the planes are green, blue, red.
    weights: Option<(f32, f32)>,
    black: f32,
    luma_scale: f32,
    chroma_scale: f32,
    middle: f32,
}

impl Matrix {
    fn of(picture: &Picture, depth: usize) -> Result<Self, Fault> {
        use pixel::MatrixCoefficients as M;
        let weights = match picture.matrix_coefficients() {
            M::Identity => None,
            M::BT709 => Some((0.2126, 0.0722)),
            M::BT2020NonConstantLuminance => Some((0.2627, 0.0593)),
            M::ST240M => Some((0.212, 0.087)),
            M::BT470M => Some((0.30, 0.11)),
            // Unspecified is read as BT.601, as browsers do.
            M::BT470BG | M::ST170M | M::Unspecified | M::Reserved => Some((0.299, 0.114)),
            other => return Err(Fault::unsupported(format!("AVIF with the matrix {other:?}"))),
        };
        let step = (1_u32 << (depth - 8)) as f32;
        let most = ((1_u32 << depth) - 1) as f32;
        let full = picture.color_range() == pixel::YUVRange::Full;
        Ok(Self {
            weights,
            black: if full { 0.0 } else { 16.0 * step },
            luma_scale: 255.0 / if full { most } else { 219.0 * step },
            chroma_scale: 255.0 / if full { most } else { 224.0 * step },
            middle: 128.0 * step,
        })
    }

    fn apply(&self, y: f32, cb: f32, cr: f32) -> [u8; 3] {
        let light = |value: f32| (value - self.black) * self.luma_scale;
        let rgb = match self.weights {
            None => [light(cr), light(y), light(cb)],
            Some((red, blue)) => {
                let y = light(y);
                let (cb, cr) = (
                    (cb - self.middle) * self.chroma_scale,
                    (cr - self.middle) * self.chroma_scale,
                );
                let (r, b) = (y + 2.0 * (1.0 - red) * cr, y + 2.0 * (1.0 - blue) * cb);
                [r, (y - red * r - blue * b) / (1.0 - red - blue), b]
            }
        };
        rgb.map(|sample| (sample + 0.5).clamp(0.0, 255.0) as u8)
    }
}
