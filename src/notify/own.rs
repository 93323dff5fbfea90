//! What bandwatch has to tell of itself: what of its state it could not read or write, and what it could
//! not deliver.

use chrono::{DateTime, TimeDelta, Utc};

use super::log::LostNotification;
use crate::incident::{Alert, Condition, End};

/// How long a disk may take nothing before that is told.
const UNWRITABLE_PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// Opens and ends the alerts about bandwatch itself.
pub struct OwnAlerts<'a> {
    pub alerts: &'a mut Vec<Alert>,
    pub now: DateTime<Utc>,
}

impl OwnAlerts<'_> {
    /// Files of the state that were newly found to be unreadable, each with why.
    pub fn report_unreadable(&mut self, files: &[String]) {
        if !files.is_empty() {
            self.open(Condition::StateUnreadable, &files.join("\n"));
        }
    }

    /// Why the state cannot be written, while it cannot.
    pub fn report_unwritable(&mut self, complaint: Option<&str>) {
        let mut open = self.alerts.iter_mut().filter(|alert| alert.is_open());
        let open = open.find(|alert| alert.condition == Condition::StateUnwritable);
        match (open, complaint) {
            (None, None) => {}
            (None, Some(complaint)) => {
                self.open(Condition::StateUnwritable, complaint);
            }
            (Some(alert), Some(complaint)) => {
                alert.reason = complaint.to_string();
                if self.now - alert.since >= UNWRITABLE_PATIENCE {
                    alert.released.get_or_insert(self.now);
                }
            }
            (Some(alert), None) => {
                alert.end = Some(End::Over {
                    until: self.now,
                    evaluation: None,
                });
            }
        }
        self.alerts
            .retain(|alert| alert.is_open() || alert.released.is_some());
    }

    /// Notifications that were given up and that no mail tells of that got through or is on its way.
    pub fn report_lost(&mut self, lost: &mut [LostNotification]) {
        let untold: Vec<&mut LostNotification> = lost
            .iter_mut()
            .filter(|lost| {
                let is_teller = |alert: &Alert| lost.told_by.as_ref() == Some(&alert.id);
                !lost.told && !self.alerts.iter().any(is_teller)
            })
            .collect();
        if untold.is_empty() {
            return;
        }
        let lines = untold.iter().map(|lost| {
            let since = lost.since.format("%Y-%m-%d %H:%M UTC");
            let (subject, to, why) = (&lost.subject, &lost.to, &lost.why);
            format!("{subject:?} to {to}, written at {since}: {why}")
        });
        let lines: Vec<String> = lines.collect();
        let id = self.open(Condition::NotificationsLost, &lines.join("\n"));
        for lost in untold {
            lost.told_by = Some(id.clone());
        }
    }

    /// Opens an alert and returns its id.
    fn open(&mut self, condition: Condition, reason: &str) -> String {
        // A disk has its patience.
        let is_told_at_once = condition != Condition::StateUnwritable;
        let alert = Alert {
            reason: reason.to_string(),
            released: is_told_at_once.then_some(self.now),
            ..Alert::new(condition, self.now, self.now)
        };
        let id = alert.id.clone();
        self.alerts.push(alert);
        id
    }
}
