//! Draws a series against its forecast band, as PNG for a mail or a file, made to be read at half
//! size on a phone. An evaluation becomes points (`points`), points get two scales (`panel`), and
//! each part is drawn on a `canvas`: axes (`axis`, `ticks`), data (`layers`), the evaluated point
//! (`callout`) and the `legend`. Three pictures are made so: the last 24 and 48 hours (`pictures`),
//! a long period (`period`), and what a history is made of (`components`).

mod axis;
mod callout;
mod canvas;
mod components;
mod encode;
mod layers;
mod legend;
mod panel;
mod period;
mod pictures;
mod points;
mod style;
#[cfg(test)]
mod tests;
mod ticks;

pub use components::draw_components;
pub use period::draw_period;
pub use pictures::{Pictures, draw_pictures};
pub use points::Point;

use anyhow::Result;
use chrono::TimeDelta;

use canvas::{Canvas, HEIGHT};
use panel::Panel;

/// A picture of one panel with `on_top` drawn last; without points it says so.
fn draw_one_panel(
    title: &str,
    points: &[Point],
    step: TimeDelta,
    on_top: impl FnOnce(&Panel, &Canvas) -> Result<()>,
) -> Result<Vec<u8>> {
    let panel = Panel::new(points, step);
    canvas::picture(HEIGHT, |canvas| {
        axis::draw_title(canvas, title)?;
        let Some(panel) = panel else {
            return axis::draw_no_values(canvas);
        };
        axis::draw(&panel, canvas)?;
        layers::draw(&panel, canvas)?;
        on_top(&panel, canvas)
    })
}
