//! Servers in good order, and rows that tell a story.

mod accept;
mod answer;
mod cron;
mod events;
mod fairness;
mod groups;
mod incident;
mod lack;
mod missed;
mod report;
mod several;
mod silence;
mod status;
mod windows;
