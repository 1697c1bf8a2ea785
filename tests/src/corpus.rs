//! A corpus of large JPEGs as cameras write them, made here: synthetic, or mosaics of photographs.

use std::path::{Path, PathBuf};

use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::measure::Outcome;
use crate::photograph::photograph;

/// One picture of the corpus and how it is coded.
pub struct Kind {
    /// Size and coding, for the table.
    pub name: &'static str,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    subsampling: Subsamp,
    progressive: bool,
    quality: i32,
}

const fn kind(name: &'static str, width: usize, height: usize) -> Kind {
    let subsampling = Subsamp::Sub2x2;
    Kind { name, width, height, subsampling, progressive: false, quality: 90 }
}

/// 12 to 24 megapixels, as cameras write them.
pub const CORPUS: [Kind; 8] = [
    kind("12 MP 4:2:0", 4000, 3000),
    kind("16 MP 4:2:0", 4608, 3456),
    kind("16.6 MP 4:2:0", 4992, 3328),
    kind("20 MP 4:2:0", 5472, 3648),
    kind("24 MP 4:2:0", 6000, 4000),
    Kind { subsampling: Subsamp::Sub2x1, ..kind("20 MP 4:2:2", 5472, 3648) },
    Kind { subsampling: Subsamp::None, quality: 92, ..kind("16.6 MP 4:4:4", 4992, 3328) },
    Kind { progressive: true, ..kind("16.6 MP progressive", 4992, 3328) },
];

/// Writes the corpus into a folder, once for each round, every file different.
///
/// # Errors
/// When the photographs cannot be read or the folder cannot be written.
pub fn write(folder: &Path, photographs: Option<&Path>, rounds: u64) -> Outcome<Vec<PathBuf>> {
    let tiles = photographs.map(read_tiles).transpose()?;
    let mut files = Vec::new();
    for round in 0..rounds {
        for (number, kind) in (0..).zip(&CORPUS) {
            let seed = round * CORPUS.len() as u64 + number;
            let path = folder.join(format!("{seed}.jpg"));
            std::fs::write(&path, kind.encode(tiles.as_deref(), seed)?)?;
            files.push(path);
        }
    }
    Ok(files)
}

/// Says in words what the corpus was made of.
pub fn described(photographs: Option<&Path>) -> String {
    match photographs {
        Some(folder) => format!("mosaics of the photographs in {}", folder.display()),
        None => "synthetic".to_owned(),
    }
}

impl Kind {
    fn encode(&self, tiles: Option<&[image::RgbImage]>, seed: u64) -> Outcome<Vec<u8>> {
        let pixels = match tiles {
            Some(tiles) => mosaic(tiles, self.width, self.height, seed as usize),
            None => photograph(self.width, self.height, seed + 1),
        };
        let mut compressor = Compressor::new()?;
        compressor.set_quality(self.quality)?;
        compressor.set_subsamp(self.subsampling)?;
        compressor.set_progressive(self.progressive)?;
        Ok(compressor.compress_to_vec(Image {
            pixels: &pixels[..],
            width: self.width,
            pitch: self.width * 3,
            height: self.height,
            format: PixelFormat::RGB,
        })?)
    }
}

/// Reads the photographs of a folder that have at least 300 pixels a side.
fn read_tiles(folder: &Path) -> Outcome<Vec<image::RgbImage>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Outcome<_>>()?;
    paths.sort();
    let mut tiles = Vec::new();
    for path in paths {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(decoded) = turbojpeg::decompress(&bytes, PixelFormat::RGB) else { continue };
        if decoded.width.min(decoded.height) < 300 {
            continue;
        }
        let (width, height) = (decoded.width as u32, decoded.height as u32);
        tiles.extend(image::RgbImage::from_raw(width, height, decoded.pixels));
    }
    if tiles.is_empty() {
        return Err(format!("{} holds no JPEG of 300 pixels or more", folder.display()).into());
    }
    Ok(tiles)
}

/// Fills a canvas with photographs cut to 300 x 300, another order for each seed.
fn mosaic(tiles: &[image::RgbImage], width: usize, height: usize, seed: usize) -> Vec<u8> {
    const TILE: usize = 300;
    let across = width.div_ceil(TILE);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let at = (y / TILE * across + x / TILE) * 7 + seed * 13;
            let tile = &tiles[at % tiles.len()];
            rgb.extend(tile.get_pixel((x % TILE) as u32, (y % TILE) as u32).0);
        }
    }
    rgb
}
