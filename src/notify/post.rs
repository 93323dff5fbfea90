//! The mails on their way: each is tried until the server has accepted it or it is given up, and what
//! became of it is written down before the next one is sent.

use anyhow::{Result, anyhow, bail};
use chrono::TimeDelta;

use crate::config::MailSettings;
use crate::context::Plan;
use crate::incident::Stamp;
use crate::notify::mail::{self, Address, Courier, Letter, Mailbox, message_id};
use crate::output::one_line;
use crate::state::{Contents, Delivery, LostMail, Parcel, Purpose, Store};

/// By whom, when and how mails are sent.
pub struct Post<'a> {
    from: Mailbox,
    settings: &'a MailSettings,
    now: Stamp,
    courier: Courier<'a>,
}

/// Tried again after a minute, then two, four and so on, up to this. A little less, as the run that
/// tries again is started by the minute.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);
const HEAD_START: TimeDelta = TimeDelta::seconds(10);
/// A clock that jumped ahead is no reason to give up what was hardly tried.
const FEWEST_ATTEMPTS: u32 = 3;
/// So long an alert waits for an earlier one of its thread that does not get through.
const POLITENESS: TimeDelta = TimeDelta::minutes(15);

/// A mail that was tried to be sent.
#[derive(Debug)]
pub struct Attempt {
    pub delivery: mail::Delivery,
    /// What it tells of.
    pub threads: Vec<String>,
}

/// What came of this run's mails.
#[derive(Debug, Default)]
pub struct Sent {
    pub attempts: Vec<Attempt>,
    /// What could not be written down.
    pub failures: Vec<anyhow::Error>,
}

/// A mail to one of its recipients, by its parcel's place in the outbox and his in the parcel.
#[derive(Debug, Clone, Copy)]
struct Item {
    parcel: usize,
    addressee: usize,
}

/// What is to be done about one.
enum Step {
    Wait,
    Drop,
    GiveUp {
        why: String,
    },
    /// Send it, in answer to the mail of this Message-ID.
    Send {
        answers: Option<String>,
    },
}

impl<'a> Post<'a> {
    pub fn of(plan: &Plan, settings: &'a MailSettings) -> Self {
        Self {
            from: plan.sender(),
            settings,
            now: Stamp::from(plan.now),
            courier: Courier::new(settings, plan.deadline),
        }
    }

    /// Sends what is due; of threads that are silent, nothing.
    pub fn deliver(mut self, store: &mut Store, is_silent: impl Fn(&str) -> bool) -> Sent {
        let mut sent = Sent::default();
        // That mails were lost comes first: the next mail that gets through is to say so.
        let mut order: Vec<usize> = (0..store.parcels.len()).collect();
        order.sort_by_key(|parcel| store.parcels[*parcel].purpose != Purpose::Losses);
        for parcel in order {
            if store.parcels[parcel]
                .threads
                .iter()
                .all(|thread| is_silent(thread))
            {
                continue;
            }
            for addressee in 0..store.parcels[parcel].addressees.len() {
                let item = Item { parcel, addressee };
                let step = self.step(store, item);
                let Some(delivery) = self.take(step, store, item, &mut sent) else {
                    continue;
                };
                store.parcels[parcel].addressees[addressee].delivery = delivery;
                sent.failures.extend(store.update(parcel).err());
            }
        }
        self.courier.close();
        sent
    }

    fn step(&self, store: &Store, item: Item) -> Step {
        let parcel = &store.parcels[item.parcel];
        let addressee = &parcel.addressees[item.addressee];
        let Delivery::Waiting {
            attempts,
            not_before,
            why,
        } = &addressee.delivery
        else {
            return Step::Wait;
        };
        match parcel.writing {
            Contents::Writing(_) => {}
            Contents::Withheld => return Step::Wait,
            Contents::Gone => {
                let why = "it could not be read back from state_dir".to_string();
                return Step::GiveUp { why };
            }
        }
        let age = *self.now - *parcel.created;
        let patience = TimeDelta::from_std(self.settings.give_up_after).unwrap_or(TimeDelta::MAX);
        if age >= patience && *attempts >= FEWEST_ATTEMPTS {
            let why = why.clone().unwrap_or_default();
            return Step::GiveUp { why };
        }
        // What was to be told him before, in the same threads.
        let before: Vec<&Delivery> = store.parcels[..item.parcel]
            .iter()
            .filter(|other| other.shares_a_thread_with(parcel))
            .filter_map(|other| other.addressee(&addressee.to))
            .map(|earlier| &earlier.delivery)
            .collect();
        let is_waited_for = before
            .iter()
            .any(|delivery| matches!(delivery, Delivery::Waiting { .. }));
        let first = before.iter().find_map(|delivery| match delivery {
            Delivery::Accepted { message_id, .. } => Some(message_id.clone()),
            _ => None,
        });
        let is_all_clear = parcel.purpose == Purpose::AllClear;
        if is_waited_for && (is_all_clear || age < POLITENESS) {
            return Step::Wait;
        }
        if is_all_clear && first.is_none() {
            return Step::Drop;
        }
        // A clock that was set back must not make a pause of hours, nor one before the first attempt.
        let pause = **not_before - *self.now;
        if *attempts > 0 && pause > TimeDelta::zero() && pause <= LONGEST_PAUSE {
            return Step::Wait;
        }
        Step::Send { answers: first }
    }

    fn take(
        &mut self,
        step: Step,
        store: &mut Store,
        item: Item,
        sent: &mut Sent,
    ) -> Option<Delivery> {
        let at = self.now;
        match step {
            Step::Wait => None,
            Step::Drop => Some(Delivery::Dropped { at }),
            Step::GiveUp { why } => {
                let parcel = &store.parcels[item.parcel];
                if parcel.purpose != Purpose::Losses {
                    let lost = LostMail {
                        id: parcel.id.clone(),
                        subject: parcel.subject.clone(),
                        to: parcel.addressees[item.addressee].to.clone(),
                        since: parcel.created,
                        why,
                        told_by: None,
                        told: false,
                    };
                    store.memory.lose(lost);
                    // It is remembered as lost before it is no longer waiting.
                    sent.failures.extend(store.commit(Vec::new()).err());
                }
                Some(Delivery::GivenUp { at })
            }
            Step::Send { answers } => {
                let parcel = &store.parcels[item.parcel];
                let attempt = Attempt {
                    delivery: self.send(parcel, item.addressee, answers.as_deref()),
                    threads: parcel.threads.clone(),
                };
                let delivery = match &attempt.delivery.outcome {
                    Ok(()) => Delivery::Accepted {
                        at,
                        message_id: message_id(&self.from, &attempt.delivery.to, &parcel.id),
                    },
                    Err(error) => parcel.addressees[item.addressee].delivery.failed(error, at),
                };
                if attempt.delivery.outcome.is_ok() {
                    let told_by = Some(parcel.id.clone());
                    let told = store.memory.lost.iter_mut();
                    told.filter(|lost| lost.told_by == told_by)
                        .for_each(|lost| lost.told = true);
                }
                sent.attempts.push(attempt);
                Some(delivery)
            }
        }
    }

    fn send(&mut self, parcel: &Parcel, addressee: usize, answers: Option<&str>) -> mail::Delivery {
        let written = &parcel.addressees[addressee].to;
        let Ok(to) = written.parse::<Mailbox>() else {
            return mail::Delivery {
                to: self.from.clone(),
                outcome: Err(anyhow!("{written:?} is not a mail address")),
            };
        };
        match self.write(parcel, &to, answers) {
            Ok(letter) => self.courier.send(&letter),
            Err(error) => mail::Delivery {
                to,
                outcome: Err(error),
            },
        }
    }

    fn write(&self, parcel: &Parcel, to: &Mailbox, answers: Option<&str>) -> Result<Letter> {
        let Contents::Writing(writing) = &parcel.writing else {
            bail!("the mail is not there to be sent");
        };
        writing.address(&Address {
            from: &self.from,
            to,
            date: *parcel.created,
            name: &parcel.id,
            answers,
        })
    }
}

impl Delivery {
    /// After one more attempt that failed.
    fn failed(&self, error: &anyhow::Error, now: Stamp) -> Self {
        let attempts = match self {
            Self::Waiting { attempts, .. } => attempts.saturating_add(1),
            Self::Accepted { .. } | Self::GivenUp { .. } | Self::Dropped { .. } => 1,
        };
        let minutes = 1_i32 << (attempts - 1).min(8);
        let pause = (TimeDelta::minutes(1) * minutes).min(LONGEST_PAUSE) - HEAD_START;
        Self::Waiting {
            attempts,
            not_before: Stamp::from(*now + pause),
            why: Some(one_line(&format!("{error:#}"))),
        }
    }
}
