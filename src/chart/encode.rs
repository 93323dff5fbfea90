//! Turns the large drawing into a small file: averages it down, then writes a PNG with a palette.
//! A chart has few colours and some thousand shades of them along its edges; the 256 most frequent
//! ones serve for all to the eye, and make the mail a third as large.

use std::collections::HashMap;

use anyhow::{Context, Result};

const CHANNELS: usize = 3;
const PALETTE_LEN: usize = 256;
/// How many pixels of the drawing, in each direction, make one of the picture.
pub const SCALE: u8 = 2;
const BLOCK: usize = SCALE as usize * CHANNELS;
const SHARE: u16 = SCALE as u16 * SCALE as u16;

type Color = [u8; CHANNELS];

/// The PNG, `width` pixels wide, of a drawing that is `SCALE` times as large.
pub fn png(drawing: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let colors = averaged(drawing, width as usize);
    let (palette, indices) = indexed(&colors);
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

/// Each pixel of the picture as the mean of its block.
fn averaged(drawing: &[u8], width: usize) -> Vec<Color> {
    let row_len = width * BLOCK;
    let mut colors = Vec::with_capacity(drawing.len() / BLOCK / usize::from(SCALE));
    let mut sums = vec![0_u16; row_len];
    for rows in drawing.chunks_exact(row_len * usize::from(SCALE)) {
        sums.fill(0);
        for row in rows.chunks_exact(row_len) {
            for (sum, byte) in sums.iter_mut().zip(row) {
                *sum += u16::from(*byte);
            }
        }
        colors.extend(sums.as_chunks::<BLOCK>().0.iter().map(mean));
    }
    colors
}

fn mean(columns: &[u16; BLOCK]) -> Color {
    let pixels = columns.as_chunks::<CHANNELS>().0.iter();
    let sums = pixels.fold([0; CHANNELS], |[r, g, b], [red, green, blue]| {
        [r + red, g + green, b + blue]
    });
    sums.map(|sum| u8::try_from((sum + SHARE / 2) / SHARE).unwrap_or(u8::MAX))
}

/// A palette, and for each pixel the place of its colour, or of the nearest one, in it.
fn indexed(colors: &[Color]) -> (Vec<Color>, Vec<u8>) {
    let mut counts: HashMap<Color, usize> = HashMap::new();
    for run in colors.chunk_by(|one, other| one == other) {
        if let Some(color) = run.first() {
            *counts.entry(*color).or_default() += run.len();
        }
    }
    let mut ranked: Vec<(Color, usize)> = counts.into_iter().collect();
    // By colour where counts are equal: the same figure always gives the same bytes.
    ranked.sort_unstable_by_key(|(color, count)| (usize::MAX - count, *color));
    let palette: Vec<Color> = ranked
        .iter()
        .take(PALETTE_LEN)
        .map(|(color, _)| *color)
        .collect();
    let places: HashMap<Color, u8> = ranked
        .into_iter()
        .map(|(color, _)| (color, nearest(&palette, color)))
        .collect();
    let mut indices = Vec::with_capacity(colors.len());
    for run in colors.chunk_by(|one, other| one == other) {
        let place = run
            .first()
            .and_then(|color| places.get(color))
            .copied()
            .unwrap_or(0);
        indices.resize(indices.len() + run.len(), place);
    }
    (palette, indices)
}

fn nearest(palette: &[Color], color: Color) -> u8 {
    let places = (0..=u8::MAX).zip(palette);
    let nearest = places.min_by_key(|(_, known)| distance(**known, color));
    nearest.map_or(0, |(place, _)| place)
}

fn distance(one: Color, other: Color) -> u32 {
    one.into_iter()
        .zip(other)
        .map(|(one, other)| u32::from(one.abs_diff(other)).pow(2))
        .sum()
}
