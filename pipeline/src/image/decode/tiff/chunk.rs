//! One strip or tile of a TIFF: where it lies, and its samples with compression undone.

use std::io::Read as _;

use hayro_ccitt::{DecodeSettings, DecoderContext, EncodingMode};

use super::Page;
use crate::fault::Fault;
use crate::image::Limits;
use crate::image::decode::jpeg;
use crate::image::ifd::{Directory, tag};
use crate::image::order::{Order, slice};
use crate::image::probe::jpeg as jpeg_header;

/// A strip or tile.
pub(super) struct Chunk<'a> {
    /// Left column and top row.
    pub(super) left: usize,
    pub(super) top: usize,
    /// Which sample it holds, when each has chunks of its own; else 0.
    pub(super) plane: usize,
    coded: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// Lists the chunks that are there, at least in part.
    pub(super) fn list(bytes: &'a [u8], directory: &Directory<'_>, page: &Page) -> Vec<Self> {
        let (offsets, counts) = if page.tiled {
            (tag::TILE_OFFSETS, tag::TILE_COUNTS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_COUNTS)
        };
        let expected = page.chunks();
        let offsets = directory.numbers(offsets, expected);
        let counts = directory.numbers(counts, expected);
        let across = page.width.div_ceil(page.chunk.0);
        let plane_chunks = across * page.height.div_ceil(page.chunk.1);
        let chunk = |(index, offset): (usize, u64)| {
            let rest = bytes.get(usize::try_from(offset).ok()?..)?;
            let count = counts.get(index).and_then(|&count| usize::try_from(count).ok());
            // A missing or zero count, written by some old programs, means: to the end.
            let length = count.filter(|&count| count > 0).unwrap_or(rest.len()).min(rest.len());
            let place = index % plane_chunks;
            Some(Chunk {
                left: place % across * page.chunk.0,
                top: place / across * page.chunk.1,
                plane: index / plane_chunks,
                coded: &rest[..length],
            })
        };
        offsets.into_iter().enumerate().filter_map(chunk).collect()
    }

    /// Rows of this chunk that lie within the picture.
    pub(super) fn rows(&self, page: &Page) -> usize {
        page.chunk.1.min(page.height - self.top)
    }

    /// Undoes compression and prediction; fewer bytes come where the data are damaged.
    pub(super) fn data(
        &self,
        page: &Page,
        tables: Option<&[u8]>,
        limits: &Limits,
    ) -> Result<Vec<u8>, Fault> {
        let expected = self.expected(page);
        let reversed: Vec<u8>;
        let coded = if page.reversed_bits && page.compression != 7 {
            reversed = self.coded.iter().map(|byte| byte.reverse_bits()).collect();
            &reversed
        } else {
            self.coded
        };
        let mut data = match page.compression {
            1 => coded[..coded.len().min(expected)].to_vec(),
            2..=4 => fax(coded, page, self.rows(page)),
            5 => lzw(coded, expected),
            7 => return jpeg_samples(coded, page, tables, limits),
            8 | 32946 => inflate(coded, expected),
            32773 => unpack_bits(coded, expected),
            other => return Err(Fault::unsupported(format!("TIFF compression {other}"))),
        };
        match page.predictor {
            2 => undo_difference(&mut data, page),
            3 => undo_float_difference(&mut data, page),
            _ => {}
        }
        Ok(data)
    }

    fn expected(&self, page: &Page) -> usize {
        let rows = if page.tiled { page.chunk.1 } else { self.rows(page) };
        if page.subsampled() {
            let (h, v) = page.subsampling;
            return page.chunk.0.div_ceil(h) * rows.div_ceil(v) * (h * v + 2);
        }
        page.row_bytes() * rows
    }
}

fn lzw(coded: &[u8], expected: usize) -> Vec<u8> {
    use weezl::{BitOrder, LzwStatus, decode::Decoder};
    // Files of TIFF 5.0 and before pack codes from the other end; a clear code gives them away.
    let mut decoder = match coded {
        [0, second, ..] if second & 1 == 1 => Decoder::new(BitOrder::Lsb, 8),
        _ => Decoder::with_tiff_size_switch(BitOrder::Msb, 8),
    };
    let mut data = vec![0; expected];
    let (mut read, mut written) = (0, 0);
    while written < expected {
        let step = decoder.decode_bytes(&coded[read..], &mut data[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        let stuck = step.consumed_in == 0 && step.consumed_out == 0;
        if stuck || !matches!(step.status, Ok(LzwStatus::Ok)) {
            break;
        }
    }
    data.truncate(written);
    data
}

fn inflate(coded: &[u8], expected: usize) -> Vec<u8> {
    /// The inflater gives nothing of a read in which it finds an error: short reads lose little.
    const READ_BYTES: usize = 512;
    let mut inflater = flate2::read::ZlibDecoder::new(coded);
    let mut data = Vec::new();
    while data.len() < expected {
        let start = data.len();
        data.resize((start + READ_BYTES).min(expected), 0);
        match inflater.read(&mut data[start..]) {
            Ok(count) if count > 0 => data.truncate(start + count),
            _ => {
                data.truncate(start);
                break;
            }
        }
    }
    data
}

/// PackBits, TIFF 6.0 section 9; Photoshop uses it too.
pub(in crate::image::decode) fn unpack_bits(coded: &[u8], expected: usize) -> Vec<u8> {
    let mut data = Vec::new();
    let mut rest = coded;
    while let [length, tail @ ..] = rest {
        if data.len() >= expected {
            break;
        }
        let length = length.cast_signed();
        if length >= 0 {
            let count = (length as usize + 1).min(tail.len());
            data.extend_from_slice(&tail[..count]);
            rest = &tail[count..];
        } else {
            let [value, tail @ ..] = tail else { break };
            if length != i8::MIN {
                data.resize(data.len() + 1 + usize::from(length.unsigned_abs()), *value);
                rest = tail;
            } else {
                rest = &rest[1..];
            }
        }
    }
    data.truncate(expected);
    data
}

/// Collects fax rows as packed bits, black being 1.
struct FaxRows {
    row_bytes: usize,
    columns: usize,
    most_rows: usize,
    data: Vec<u8>,
}

impl hayro_ccitt::Decoder for FaxRows {
    fn push_row(&mut self, changes: &[u32]) {
        let start = self.data.len();
        if start / self.row_bytes >= self.most_rows {
            return;
        }
        self.data.resize(start + self.row_bytes, 0);
        // Rows begin white; every second change begins black.
        for run in changes.chunks(2).filter(|run| !run.is_empty()) {
            let column =
                |at: Option<&u32>| at.map_or(self.columns, |&c| (c as usize).min(self.columns));
            for x in column(run.first())..column(run.get(1)) {
                self.data[start + x / 8] |= 0x80 >> (x % 8);
            }
        }
    }
}

fn fax(coded: &[u8], page: &Page, rows: usize) -> Vec<u8> {
    let settings = DecodeSettings {
        columns: page.chunk.0 as u32,
        rows: rows as u32,
        end_of_block: page.compression != 2,
        end_of_line: page.compression == 3,
        rows_are_byte_aligned: page.compression == 2
            || (page.compression == 3 && page.fax_options & 4 != 0),
        encoding: match page.compression {
            4 => EncodingMode::Group4,
            3 if page.fax_options & 1 == 1 => EncodingMode::Group3_2D,
            _ => EncodingMode::Group3_1D,
        },
        strict: false,
    };
    let row_bytes = page.chunk.0.div_ceil(8);
    let columns = page.chunk.0;
    let mut sink = FaxRows { row_bytes, columns, most_rows: rows, data: Vec::new() };
    // Rows that came before an error are kept.
    let _ = hayro_ccitt::decode(coded, &mut sink, &mut DecoderContext::new(settings));
    sink.data
}

/// Decodes a JPEG chunk: an abbreviated stream whose tables are kept once for all chunks.
fn jpeg_samples(
    coded: &[u8],
    page: &Page,
    tables: Option<&[u8]>,
    limits: &Limits,
) -> Result<Vec<u8>, Fault> {
    let body = coded.strip_prefix(b"\xff\xd8").unwrap_or(coded);
    let mut stream = b"\xff\xd8".to_vec();
    // Without a marker decoders guess at the colours; the directory knows.
    let transform = u8::from(page.photometric == 6);
    stream.extend(b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0");
    stream.push(transform);
    if let Some(tables) = tables {
        let tables = tables.strip_prefix(b"\xff\xd8").unwrap_or(tables);
        stream.extend(tables.strip_suffix(b"\xff\xd9").unwrap_or(tables));
    }
    stream.extend(body);
    let mut header = jpeg_header::header(&stream)?;
    header.adobe = Some(transform);
    let (width, height) = (usize::from(header.width), usize::from(header.height));
    if width > page.chunk.0 * 2 || height > page.chunk.1.max(8) * 2 {
        return Err(Fault::bad_input("a JPEG strip or tile is larger than its place"));
    }
    let decoded = jpeg::decode_samples(&stream, &header, limits)?;
    if decoded.channels != page.chunk_samples() {
        return Err(Fault::bad_input("a JPEG strip or tile has other samples than the page"));
    }
    // The rows of the JPEG may be longer or shorter than those of the chunk.
    let (row, want) = (width * decoded.channels, page.row_bytes());
    if row == want {
        return Ok(decoded.samples);
    }
    let mut data = Vec::with_capacity(want * height);
    for line in decoded.samples.chunks_exact(row) {
        data.extend_from_slice(&line[..row.min(want)]);
        data.resize(data.len() + want.saturating_sub(row), 255);
    }
    Ok(data)
}

/// Horizontal differencing, TIFF 6.0 section 14.
fn undo_difference(data: &mut [u8], page: &Page) {
    let (step, order) = (page.chunk_samples(), page.order);
    for row in data.chunks_mut(page.row_bytes().max(1)) {
        match page.bits {
            8 => {
                for at in step..row.len() {
                    row[at] = row[at].wrapping_add(row[at - step]);
                }
            }
            16 => add_up(row, step * 2, 2, |row, at| order.u16(row, at).map(u64::from), order),
            32 => add_up(row, step * 4, 4, |row, at| order.u32(row, at).map(u64::from), order),
            _ => {}
        }
    }
}

fn add_up(
    row: &mut [u8],
    step: usize,
    bytes: usize,
    read: impl Fn(&[u8], usize) -> Option<u64>,
    order: Order,
) {
    for at in (step..row.len()).step_by(bytes) {
        let (Some(before), Some(here)) = (read(row, at - step), read(row, at)) else { return };
        let sum = before.wrapping_add(here).to_le_bytes();
        row[at..at + bytes].copy_from_slice(&sum[..bytes]);
        if order == Order::Big {
            row[at..at + bytes].reverse();
        }
    }
}

/// Floating-point differencing, Adobe Photoshop TIFF Technical Note 3: bytes of equal weight side by side.
fn undo_float_difference(data: &mut [u8], page: &Page) {
    let (step, bytes) = (page.chunk_samples(), page.bits / 8);
    if bytes < 2 {
        return;
    }
    for row in data.chunks_exact_mut(page.row_bytes().max(1)) {
        for at in step..row.len() {
            row[at] = row[at].wrapping_add(row[at - step]);
        }
        let planes = row.to_vec();
        let count = row.len() / bytes;
        for (index, sample) in row.chunks_exact_mut(bytes).enumerate() {
            for (weight, byte) in sample.iter_mut().enumerate() {
                // The most significant byte comes first, whatever the file's order is.
                let place = if page.order == Order::Big { weight } else { bytes - 1 - weight };
                *byte = slice(&planes, place * count + index, 1).map_or(0, |one| one[0]);
            }
        }
    }
}
