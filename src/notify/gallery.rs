//! The pictures of one run, and what it leaves in `plots_dir`. Each metric is drawn once, however many
//! mails show it; a dry run also writes the mail, as a file and as a page for a browser.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};

use super::email::{self, Envelope, Letterhead, Occasion};
use super::notification::Notification;
use crate::chart::{AlertTime, Plot, draw_pictures};
use crate::config::{Mailbox, Metric};
use crate::detect::{Evaluation, Verdict};
use crate::incident::Condition;
use crate::output::fingerprint::random_mark;
use crate::output::owner::ensure_root_may_write;
use crate::output::{READABLE, contain, write_whole};

pub struct Gallery<'a> {
    plots: &'a PlotsDir,
    /// By the name of the metric; none if they cannot be drawn.
    drawn: BTreeMap<String, Drawn>,
    /// What was written, by the name of the metric.
    pub files: BTreeMap<String, Vec<PathBuf>>,
    /// What could not be drawn or written.
    pub failures: Vec<Error>,
}

struct Drawn {
    /// What they mark.
    alert: Option<AlertTime>,
    plots: Vec<Plot>,
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

    /// What there is to see of an incident, of missing data, and of a value that stands still.
    pub fn pictures_of(&mut self, notification: &Notification) -> &[Plot] {
        let alert = notification.alert;
        let is_seen = matches!(
            alert.condition,
            Condition::Breach(_) | Condition::NoData | Condition::Frozen
        );
        let own = alert.evaluation.as_ref().filter(|_| alert.side().is_some());
        let evaluation = notification.newest.or(own);
        let evaluation = evaluation.filter(|evaluation| evaluation.workings.is_some());
        match (notification.metric, evaluation) {
            (Some(metric), Some(evaluation)) if is_seen => {
                self.draw(metric, evaluation, Some(AlertTime::new(alert)))
            }
            _ => &[],
        }
    }

    /// Draws a metric once for each alert. An alert without pictures is better than none, whatever goes
    /// wrong with them.
    fn draw(
        &mut self,
        metric: &Metric,
        evaluation: &Evaluation,
        alert: Option<AlertTime>,
    ) -> &[Plot] {
        let drawn = self.drawn.get(&metric.name);
        if drawn.is_none_or(|drawn| drawn.alert != alert) {
            let plots = contain("draw the pictures", || {
                draw_pictures(metric, evaluation, alert)
            });
            let plots = plots.map_err(|error| self.failures.push(error));
            let plots = plots.unwrap_or_default();
            let files = plots
                .iter()
                .map(|plot| (picture_file(plot), plot.png.as_slice()));
            self.write(metric, &files.collect::<Vec<_>>());
            self.drawn
                .insert(metric.name.clone(), Drawn { alert, plots });
        }
        self.drawn(metric)
    }

    pub fn drawn(&self, metric: &Metric) -> &[Plot] {
        let drawn = self.drawn.get(&metric.name);
        drawn.map_or(&[], |drawn| &drawn.plots)
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
        let alert = match evaluation.verdict {
            Verdict::Breach(side) => Some((Condition::Breach(side), evaluation.bucket.start)),
            Verdict::NoData { since, .. } => Some((Condition::NoData, since)),
            Verdict::Normal | Verdict::Undecided(_) => None,
        };
        let alert = alert.map(|(condition, since)| AlertTime {
            condition,
            since,
            until: None,
        });
        self.draw(metric, evaluation, alert);
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
                thread_subject: None,
            })?;
            let files = pictures.iter().map(picture_file);
            let files = files.map(|name| plots.file_name(metric, &name));
            let page = email.preview(&files.collect::<Vec<_>>())?;
            Ok((message.formatted(), page))
        });
        match composed {
            Ok((message, page)) => {
                let files = [
                    ("alert.eml", message.as_slice()),
                    ("alert.html", page.as_bytes()),
                ];
                self.write(
                    metric,
                    &files.map(|(name, bytes)| (name.to_string(), bytes)),
                );
            }
            Err(error) => self.failures.push(error),
        }
    }

    /// Writes files of a metric. What is half there is not told of.
    fn write(&mut self, metric: &Metric, files: &[(String, &[u8])]) {
        let written = files
            .iter()
            .map(|(name, bytes)| self.plots.write(metric, name, bytes));
        match written.collect::<Result<Vec<_>>>() {
            Ok(paths) => {
                let written = self.files.entry(metric.name.clone()).or_default();
                let is_new = |path: &PathBuf| !written.contains(path);
                let paths: Vec<PathBuf> = paths.into_iter().filter(is_new).collect();
                written.extend(paths);
            }
            Err(error) => self.failures.push(error),
        }
    }
}

fn picture_file(plot: &Plot) -> String {
    format!("{}.png", plot.period.mark())
}

/// The folder, and how the files of one metric are called in it.
#[derive(Debug, Clone)]
pub struct PlotsDir {
    dir: PathBuf,
    names_metrics: bool,
}

impl PlotsDir {
    /// With one metric the names are those of the script that people know.
    pub fn new(dir: &Path, metrics: &[Metric]) -> Self {
        Self {
            dir: dir.to_path_buf(),
            names_metrics: metrics.len() > 1 || metrics.iter().any(|one| one.group.is_some()),
        }
    }

    fn write(&self, metric: &Metric, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.dir.join(self.file_name(metric, name));
        if !self.dir.exists() {
            // The user whose folder it is to be in could not write to it.
            ensure_root_may_write("plots_dir", &self.dir)?;
        }
        fs::create_dir_all(&self.dir)
            .and_then(|()| write_whole(&path, bytes, READABLE))
            .with_context(|| {
                let (dir, path) = (self.dir.display().to_string(), path.display());
                format!("plots_dir = {dir:?}: cannot write {path}")
            })?;
        Ok(path)
    }

    fn file_name(&self, metric: &Metric, name: &str) -> String {
        let is_picture = Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "png");
        if self.names_metrics {
            format!("{}_{name}", metric.file_name())
        } else if is_picture {
            format!("plot_{name}")
        } else {
            name.to_string()
        }
    }
}
