//! Servers in good order, and rows that tell a story.

mod accept;
mod cron;
mod events;
mod fairness;
mod incident;
mod lack;
mod missed;
mod several;
mod silence;
mod status;
