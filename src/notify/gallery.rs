//! The pictures of one run. Each metric is drawn once, however many mails show it, and its pictures are
//! left in `plots_dir` too.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::PathBuf;

use anyhow::{Error, anyhow};

use super::notification::Notification;
use super::plots_dir::PlotsDir;
use crate::chart::{Pictures, draw_pictures};
use crate::config::Metric;
use crate::detect::Evaluation;

/// The pictures that were drawn, by the name of their metric.
pub struct Gallery<'a> {
    plots: &'a PlotsDir,
    drawn: BTreeMap<String, Option<Pictures>>,
    /// What was written, by the name of the metric.
    pub files: BTreeMap<String, Vec<PathBuf>>,
    /// What could not be drawn or written.
    pub failures: Vec<Error>,
}

impl<'a> Gallery<'a> {
    pub fn new(plots: &'a PlotsDir) -> Self {
        Self {
            plots,
            drawn: BTreeMap::new(),
            files: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    /// What there is to see of an incident.
    pub fn pictures_of(&mut self, notification: &Notification) -> Option<&Pictures> {
        notification.alert.side()?;
        let own = notification.alert.evaluation.as_ref();
        let own = own.filter(|evaluation| evaluation.workings.is_some());
        self.draw(notification.metric?, notification.newest.or(own)?)
    }

    /// Draws a metric once. An alert without pictures is better than none, whatever goes wrong with them.
    pub fn draw(&mut self, metric: &Metric, evaluation: &Evaluation) -> Option<&Pictures> {
        let name = &metric.name;
        if !self.drawn.contains_key(name) {
            let drawn = catch_unwind(|| draw_pictures(metric, evaluation)).unwrap_or_else(|_| {
                Err(anyhow!(
                    "draw the pictures: a bug in bandwatch, please report it"
                ))
            });
            let pictures = drawn.map_err(|error| self.failures.push(error)).ok();
            let written = pictures
                .as_ref()
                .map(|pictures| self.plots.write_pictures(metric, pictures));
            match written {
                Some(Ok(files)) => drop(self.files.insert(name.clone(), files)),
                Some(Err(error)) => self.failures.push(error),
                None => {}
            }
            self.drawn.insert(name.clone(), pictures);
        }
        self.drawn(metric)
    }

    pub fn drawn(&self, metric: &Metric) -> Option<&Pictures> {
        self.drawn.get(&metric.name)?.as_ref()
    }
}
