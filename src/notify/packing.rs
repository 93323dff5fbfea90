//! From notices to mails: each notice to its metric's recipients, with pictures; many at once to the
//! same recipients as one.

use std::panic::catch_unwind;

use anyhow::anyhow;
use chrono::{DateTime, Utc};

use crate::chart::{self, Pictures};
use crate::config::{Metric, file_name};
use crate::context::Plan;
use crate::detect::Evaluation;
use crate::incident::{Matter, Notice, Stage, Stamp};
use crate::notify::mail::{self, Announcement, Mailbox, OwnTrouble, Writing};
use crate::state::{Addressee, Contents, Parcel, Purpose};

/// A notice, and what there is to show.
#[derive(Debug, Clone, Copy)]
pub struct Tiding<'a> {
    pub metric: &'a Metric,
    pub notice: &'a Notice,
    pub evaluation: Option<&'a Evaluation>,
}

/// Mails, and what could not be drawn for them.
#[derive(Debug, Default)]
pub struct Packed {
    pub parcels: Vec<Parcel>,
    pub failures: Vec<anyhow::Error>,
}

/// A digest shows no more pictures than this: those of what is farthest out.
const MOST_PICTURED: usize = 5;

impl Packed {
    /// Packs everything that is to be told.
    pub fn of(tidings: &[Tiding], plan: &Plan) -> Self {
        let mut packed = Self::default();
        let mut groups: Vec<(Vec<Mailbox>, Vec<Tiding>)> = Vec::new();
        for tiding in tidings {
            let recipients = plan.recipients(tiding.metric);
            match groups.iter_mut().find(|(known, _)| *known == recipients) {
                Some((_, group)) => group.push(*tiding),
                None => groups.push((recipients, vec![*tiding])),
            }
        }
        for (recipients, group) in groups {
            packed.add_group(&group, &recipients, plan);
        }
        packed
    }

    /// Adds what is told to the same recipients, in its order. What is over is news only to who was told
    /// that it was: it is no part of a mail about something else.
    fn add_group(&mut self, group: &[Tiding], recipients: &[Mailbox], plan: &Plan) {
        let (over, alerts): (Vec<Tiding>, Vec<Tiding>) =
            group.iter().copied().partition(Tiding::is_over);
        let are_digested = |tidings: &[Tiding]| tidings.len() > plan.digest_over();
        for digested in [&alerts, &over] {
            if are_digested(digested) {
                self.add_digest(digested, recipients, plan);
            }
        }
        for tiding in group {
            let alike = if tiding.is_over() { &over } else { &alerts };
            if !are_digested(alike) {
                self.add_one(tiding, recipients, plan);
            }
        }
    }

    fn add_one(&mut self, tiding: &Tiding, recipients: &[Mailbox], plan: &Plan) {
        let pictures = self.draw(tiding, plan);
        let writing = mail::announce(&tiding.announced(pictures.as_ref(), plan));
        self.add(&[*tiding], writing, recipients, plan);
    }

    fn add_digest(&mut self, tidings: &[Tiding], recipients: &[Mailbox], plan: &Plan) {
        let mut by_deviation: Vec<usize> = (0..tidings.len()).collect();
        by_deviation.sort_by(|one, other| {
            let [one, other] = [one, other].map(|index| tidings[*index].notice.deviation());
            other.total_cmp(&one)
        });
        by_deviation.truncate(MOST_PICTURED);
        let pictures: Vec<Option<Pictures>> = tidings
            .iter()
            .enumerate()
            .map(|(index, tiding)| {
                let is_shown = by_deviation.contains(&index);
                is_shown.then(|| self.draw(tiding, plan)).flatten()
            })
            .collect();
        let announcements: Vec<Announcement> = tidings
            .iter()
            .zip(&pictures)
            .map(|(tiding, pictures)| tiding.announced(pictures.as_ref(), plan))
            .collect();
        self.add(tidings, mail::digest(&announcements), recipients, plan);
    }

    fn add(&mut self, tidings: &[Tiding], writing: Writing, recipients: &[Mailbox], plan: &Plan) {
        let threads = tidings.iter().map(Tiding::thread).collect();
        let told: String = tidings
            .iter()
            .map(|tiding| format!("{} {}\n", tiding.thread(), tiding.notice.sequence))
            .chain(recipients.iter().map(|to| format!("{}\n", to.email)))
            .collect();
        let purpose = if tidings.iter().all(Tiding::is_over) {
            Purpose::AllClear
        } else {
            Purpose::Alert
        };
        self.parcels.push(Parcel {
            threads,
            purpose,
            ..parcel(&told, writing, recipients, plan.now.to_utc())
        });
    }

    /// Draws what there is to see, and leaves it in `plots_dir` too.
    fn draw(&mut self, tiding: &Tiding, plan: &Plan) -> Option<Pictures> {
        let evaluation = tiding.evaluation?;
        if !matches!(tiding.notice.matter, Matter::Breach { .. }) {
            return None;
        }
        // An alert without pictures is better than none, whatever goes wrong with them.
        let drawn = catch_unwind(|| chart::draw_pictures(tiding.metric, evaluation))
            .unwrap_or_else(|_| {
                Err(anyhow!(
                    "draw the pictures: a bug in bandwatch, please report it"
                ))
            });
        let pictures = drawn.map_err(|error| self.failures.push(error)).ok()?;
        let written = plan.plots.write_pictures(tiding.metric, &pictures);
        self.failures.extend(written.err());
        Some(pictures)
    }
}

impl<'a> Tiding<'a> {
    fn announced(&self, pictures: Option<&'a Pictures>, plan: &'a Plan) -> Announcement<'a> {
        Announcement {
            metric: self.metric,
            notice: self.notice,
            evaluation: self.evaluation,
            pictures,
            now: plan.now,
            contact: plan.contact(),
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.notice.stage, Stage::Over { .. })
    }

    fn thread(&self) -> String {
        thread_of(&self.metric.name, &self.notice.thread)
    }
}

/// A thread of a metric among those of all.
pub fn thread_of(metric: &str, thread: &str) -> String {
    format!("{}.{thread}", file_name(metric))
}

/// The metric of a thread, as files call it.
pub fn metric_of(thread: &str) -> Option<&str> {
    thread.rsplitn(3, '.').nth(2)
}

/// A mail of bandwatch's about itself, to everybody it mails to.
pub fn pack_own(trouble: &OwnTrouble, plan: &Plan) -> Parcel {
    let mut recipients: Vec<Mailbox> = Vec::new();
    for metric in &plan.all_metrics {
        for recipient in plan.recipients(metric) {
            if recipients
                .iter()
                .all(|known| known.email != recipient.email)
            {
                recipients.push(recipient);
            }
        }
    }
    let writing = mail::own(trouble, plan.now, plan.contact());
    // At another time it is another mail, even if it says the same.
    let told = format!("{trouble:?} {}", plan.now.timestamp());
    Parcel {
        threads: vec![format!("bandwatch.{}", Parcel::id_of(&told))],
        purpose: match trouble {
            OwnTrouble::MailsLost { .. } => Purpose::Losses,
            OwnTrouble::MemoryLost { .. }
            | OwnTrouble::DiskUnwell { .. }
            | OwnTrouble::DiskWellAgain => Purpose::Alert,
        },
        ..parcel(&told, writing, &recipients, plan.now.to_utc())
    }
}

fn parcel(told: &str, writing: Writing, recipients: &[Mailbox], now: DateTime<Utc>) -> Parcel {
    let now = Stamp::from(now);
    Parcel {
        id: Parcel::id_of(told),
        batch: 0,
        place: 0,
        created: now,
        subject: writing.subject().to_string(),
        threads: Vec::new(),
        purpose: Purpose::Alert,
        addressees: recipients
            .iter()
            .map(|to| Addressee::to(to.to_string(), now))
            .collect(),
        writing: Contents::Writing(Box::new(writing)),
    }
}
