//! The pictures of one run, and what it leaves in `plots_dir`. Each metric is drawn once, however many
//! mails show it; a dry run also writes the mail, as a file and as a page for a browser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};

use super::email::{self, Envelope, Letterhead, Occasion};
use super::notification::Notification;
use crate::chart::{Pictures, draw_pictures};
use crate::config::{Mailbox, Metric};
use crate::detect::Evaluation;
use crate::output::fingerprint::random_mark;
use crate::output::owner::ensure_root_may_write;
use crate::output::{contain, write_whole};

pub struct Gallery<'a> {
    plots: &'a PlotsDir,
    /// By the name of the metric; `None` if they cannot be drawn.
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
    fn draw(&mut self, metric: &Metric, evaluation: &Evaluation) -> Option<&Pictures> {
        if !self.drawn.contains_key(&metric.name) {
            let pictures = contain("draw the pictures", || draw_pictures(metric, evaluation));
            let pictures = pictures.map_err(|error| self.failures.push(error)).ok();
            if let Some(pictures) = &pictures {
                let (day, two_days) = (pictures.day.as_slice(), pictures.two_days.as_slice());
                self.write(metric, [("24h.png", day), ("48h.png", two_days)]);
            }
            self.drawn.insert(metric.name.clone(), pictures);
        }
        self.drawn(metric)
    }

    pub fn drawn(&self, metric: &Metric) -> Option<&Pictures> {
        self.drawn.get(&metric.name)?.as_ref()
    }

    /// Writes the mail of an evaluation, breach or not, and its pictures.
    pub fn write_preview(
        &mut self,
        metric: &Metric,
        evaluation: &Evaluation,
        [from, to]: [&Mailbox; 2],
        letterhead: &Letterhead,
        occasion: Occasion,
    ) {
        self.draw(metric, evaluation);
        let (pictures, plots) = (self.drawn(metric), self.plots);
        let (start, verdict) = (evaluation.bucket.start, evaluation.verdict.word());
        // Each trial is a mail of its own.
        let trial = random_mark();
        let id = format!(
            "{trial} {}.{}.{verdict}",
            metric.file_name(),
            start.timestamp()
        );
        let composed = contain("compose the mail", || {
            let email =
                email::compose_evaluation(metric, evaluation, pictures, letterhead, occasion);
            let message = email.message(&Envelope {
                from,
                to,
                date: letterhead.now.to_utc(),
                message_id: &email::message_id(from, to, &id),
                in_reply_to: None,
            })?;
            let files = ["24h.png", "48h.png"].map(|name| plots.file_name(metric, name));
            let page = email.preview(files.each_ref().map(String::as_str))?;
            Ok((message.formatted(), page))
        });
        match composed {
            Ok((message, page)) => {
                let (message, page) = (message.as_slice(), page.as_bytes());
                self.write(metric, [("alert.eml", message), ("alert.html", page)]);
            }
            Err(error) => self.failures.push(error),
        }
    }

    /// Writes two files of a metric. What is half there is not told of.
    fn write(&mut self, metric: &Metric, files: [(&str, &[u8]); 2]) {
        let files = files.into_iter();
        let written = files.map(|(name, bytes)| self.plots.write(metric, name, bytes));
        match written.collect::<Result<Vec<_>>>() {
            Ok(paths) => {
                let written = self.files.entry(metric.name.clone()).or_default();
                written.extend(paths);
            }
            Err(error) => self.failures.push(error),
        }
    }
}

/// The folder, and how the files of one metric are called in it.
#[derive(Debug, Clone)]
pub struct PlotsDir {
    dir: PathBuf,
    names_metrics: bool,
}

impl PlotsDir {
    /// With one metric the names are those of the script that people know.
    pub fn new(dir: &Path, metrics: usize) -> Self {
        Self {
            dir: dir.to_path_buf(),
            names_metrics: metrics > 1,
        }
    }

    fn write(&self, metric: &Metric, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.dir.join(self.file_name(metric, name));
        if !self.dir.exists() {
            // The user whose folder it is to be in could not write to it.
            ensure_root_may_write("plots_dir", &self.dir)?;
        }
        fs::create_dir_all(&self.dir)
            .and_then(|()| write_whole(&path, bytes))
            .with_context(|| {
                let (dir, path) = (self.dir.display().to_string(), path.display());
                format!("plots_dir = {dir:?}: cannot write {path}")
            })?;
        Ok(path)
    }

    fn file_name(&self, metric: &Metric, name: &str) -> String {
        if self.names_metrics {
            format!("{}_{name}", metric.file_name())
        } else if name.ends_with("h.png") {
            format!("plot_{name}")
        } else {
            name.to_string()
        }
    }
}
