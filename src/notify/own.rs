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
        let open = self
            .alerts
            .iter_mut()
            .find(|alert| alert.is_open() && alert.condition == Condition::StateUnwritable);
        match (open, complaint) {
            (None, None) => {}
            (None, Some(complaint)) => self.alerts.push(Alert {
                reason: complaint.to_string(),
                ..Alert::new(Condition::StateUnwritable, self.now, self.now)
            }),
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
                let teller = lost.told_by.as_ref();
                let is_on_its_way =
                    teller.is_some_and(|id| self.alerts.iter().any(|alert| alert.id == *id));
                !lost.told && !is_on_its_way
            })
            .collect();
        if untold.is_empty() {
            return;
        }
        let lines: Vec<String> = untold.iter().map(ToString::to_string).collect();
        let id = self.open(Condition::NotificationsLost, &lines.join("\n"));
        for lost in untold {
            lost.told_by = Some(id.clone());
        }
    }

    fn open(&mut self, condition: Condition, reason: &str) -> String {
        let alert = Alert {
            reason: reason.to_string(),
            released: Some(self.now),
            ..Alert::new(condition, self.now, self.now)
        };
        let id = alert.id.clone();
        self.alerts.push(alert);
        id
    }
}
