//! Turns the large drawing into a small file: averages it down, then writes a PNG with a palette.
//! A chart has few colours and some thousand shades of them along its edges; the 256 most frequent
//! ones serve for all to the eye, and make the mail a third as large.

use std::collections::HashMap;

use anyhow::{Context, Result};

const CHANNELS: usize = 3;
const PALETTE_LEN: usize = 256;
/// How many pixels of the drawing, in each direction, make one of the picture.
pub const SCALE: u32 = 2;
const BLOCK: usize = SCALE as usize * CHANNELS;

type Color = [u8; CHANNELS];

/// The PNG, `width` pixels wide, of a drawing that is `SCALE` times as large.
pub fn png(drawing: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let runs = averaged(drawing, width as usize);
    let (palette, indices) = indexed(&runs);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_deflate_compression(png::DeflateCompression::Level(2));
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().context("writing the PNG header")?;
    writer
        .write_image_data(&indices)
        .context("writing the PNG")?;
    writer.finish().context("ending the PNG")?;
    Ok(bytes)
}

/// So many pixels of one colour, one after the other.
struct Run {
    color: Color,
    pixels: usize,
}

/// Each pixel of the picture is the mean of its block of two by two. Most blocks are like the one before.
fn averaged(drawing: &[u8], width: usize) -> Vec<Run> {
    let row_len = width * BLOCK;
    let mut runs: Vec<Run> = Vec::new();
    let mut last = None;
    for rows in drawing.chunks_exact(row_len * 2) {
        let (upper, lower) = rows.split_at(row_len);
        for block in upper.as_chunks().0.iter().zip(lower.as_chunks().0) {
            match runs.last_mut() {
                Some(run) if last == Some(block) => run.pixels += 1,
                _ => runs.push(Run {
                    color: mean(*block.0, *block.1),
                    pixels: 1,
                }),
            }
            last = Some(block);
        }
    }
    runs
}

fn mean(upper: [u8; BLOCK], lower: [u8; BLOCK]) -> Color {
    std::array::from_fn(|channel| {
        let rows = [upper, lower].into_iter();
        let sum: u16 = rows
            .map(|row| u16::from(row[channel]) + u16::from(row[channel + CHANNELS]))
            .sum();
        u8::try_from((sum + 2) / 4).unwrap_or(u8::MAX)
    })
}

/// A palette, and for each pixel the place of its colour, or of the nearest one, in it.
fn indexed(runs: &[Run]) -> (Vec<Color>, Vec<u8>) {
    let mut counts: HashMap<Color, usize> = HashMap::new();
    for run in runs {
        *counts.entry(run.color).or_default() += run.pixels;
    }
    let mut ranked: Vec<(Color, usize)> = counts.into_iter().collect();
    // By colour where counts are equal: the same figure always gives the same bytes.
    ranked.sort_unstable_by_key(|(color, count)| (usize::MAX - count, *color));
    let palette = ranked.iter().take(PALETTE_LEN);
    let palette: Vec<Color> = palette.map(|(color, _)| *color).collect();
    let place = |(color, _)| (color, nearest(&palette, color));
    let places: HashMap<Color, u8> = ranked.into_iter().map(place).collect();
    let mut indices = Vec::new();
    for run in runs {
        indices.resize(indices.len() + run.pixels, places[&run.color]);
    }
    (palette, indices)
}

fn nearest(palette: &[Color], color: Color) -> u8 {
    let distance = |known: Color| -> u32 {
        let channels = known.into_iter().zip(color);
        let squares = channels.map(|(one, other)| u32::from(one.abs_diff(other)).pow(2));
        squares.sum()
    };
    let places = (0..=u8::MAX).zip(palette);
    let nearest = places.min_by_key(|(_, known)| distance(**known));
    nearest.map_or(0, |(place, _)| place)
}
