//! Draws a series against its forecast band, as PNG for a mail or a file, made to be read at half
//! size on a phone. An evaluation becomes points (`points`), points get two scales (`panel`), and
//! each part is drawn on a `canvas`: the time of an alert (`shade`), axes (`axis`, `ticks`), data (`layers`,
//! and `cut` for what lies far off), the evaluated point (`callout`) and the `legend`; `encode` makes it a
//! small file. `pictures` draws the last hours or a long period in one panel, `components` what a history
//! is made of in several.

mod axis;
mod callout;
mod canvas;
mod components;
mod cut;
mod encode;
mod layers;
mod legend;
mod panel;
mod pictures;
mod points;
mod scale;
mod shade;
mod style;
#[cfg(test)]
mod tests;
mod ticks;

pub use components::draw_components;
#[cfg(test)]
pub use pictures::Period;
pub use pictures::{Plot, draw_incidents, draw_period, draw_pictures};
pub use points::Point;
pub use shade::AlertTime;
