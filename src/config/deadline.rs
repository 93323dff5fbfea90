//! The end of the run: every wait is cut to what is left, and the last resort ends the program.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use crate::output::{complain, write_setting};

/// An instant by which the run must be over.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    end: Instant,
    length: Duration,
    /// What it ends.
    purpose: &'static str,
    /// What is being waited for, so that it can be told. It lives as long as the program.
    waiting_for: &'static Mutex<String>,
    /// Where the whole run is told the same.
    of_run: Option<&'static Mutex<String>>,
}

impl Deadline {
    pub fn after(length: Duration) -> Self {
        Self {
            end: Instant::now() + length,
            length,
            purpose: "the whole run",
            waiting_for: Box::leak(Box::default()),
            of_run: None,
        }
    }

    /// The same for one of several threads, each of which waits for something else.
    pub fn of_another_thread(self) -> Self {
        Self {
            waiting_for: Box::leak(Box::default()),
            of_run: Some(self.of_run.unwrap_or(self.waiting_for)),
            ..self
        }
    }

    /// The earlier end of what must leave time for something else: three fifths of the whole.
    pub fn for_reading(self) -> Self {
        let length = self.length * 3 / 5;
        let rest = self.length.saturating_sub(length);
        Self {
            end: self.end.checked_sub(rest).unwrap_or(self.end),
            length,
            purpose: "reading, three fifths of that for the whole run,",
            ..self
        }
    }

    /// The end of one of so many things that are yet to do, each of which may take as long as the others;
    /// `purpose` says which.
    pub fn share_of(self, things: usize, purpose: &'static str) -> Self {
        if things <= 1 {
            return self;
        }
        let length = self.left() / u32::try_from(things).unwrap_or(u32::MAX);
        // To the tenth of a second, as people are told.
        let told =
            Duration::from_millis(u64::try_from(length.as_millis() / 100 * 100).unwrap_or(0));
        Self {
            end: Instant::now() + length,
            length: told,
            purpose,
            ..self
        }
    }

    /// Its length, and what it is for.
    pub fn purpose(&self) -> String {
        format!("{} for {}", write_setting(self.length), self.purpose)
    }

    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Whether anything is worth beginning.
    pub fn has_time_left(&self) -> bool {
        self.left() > Duration::from_millis(1)
    }

    /// `wish`, or what is left if that is less; an error if that is nothing.
    pub fn at_most(&self, wish: Duration) -> Result<Duration> {
        ensure!(
            self.has_time_left(),
            "the deadline of {} has passed (key deadline)",
            self.purpose()
        );
        Ok(wish.min(self.left()))
    }

    pub fn waiting_for(&self, what: String) {
        if let Some(of_run) = self.of_run {
            lock(of_run).clone_from(&what);
        }
        *lock(self.waiting_for) = what;
    }

    pub fn waited_for(&self) -> String {
        lock(self.waiting_for).clone()
    }

    /// Ends the program a little after the deadline if it is still there then: the last resort against a
    /// wait that no timeout covers, such as the resolver's, or a peer that says a letter a second.
    pub fn enforce(self) {
        const GRACE: Duration = Duration::from_secs(2);
        std::thread::spawn(move || {
            std::thread::sleep(self.left() + GRACE);
            let what = self.waited_for();
            let length = write_setting(self.length);
            complain(&anyhow!(
                "{what}: stopped waiting: the deadline of {length} for the whole run has passed (key deadline); what came after was not reached"
            ));
            std::process::exit(1);
        });
    }
}

fn lock(waiting_for: &'static Mutex<String>) -> MutexGuard<'static, String> {
    waiting_for.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_cut_to_what_is_left() {
        let deadline = Deadline::after(Duration::from_secs(5));
        let at_most = |wish| deadline.at_most(wish).expect("time is left");
        assert!(at_most(Duration::from_mins(1)) <= Duration::from_secs(5));
        assert_eq!(at_most(Duration::from_secs(1)), Duration::from_secs(1));
    }

    #[test]
    fn a_share_leaves_as_much_for_each_of_the_others() {
        let deadline = Deadline::after(Duration::from_secs(30));
        let share = deadline.share_of(3, "this one");
        assert!(share.left() <= Duration::from_secs(10) && share.left() > Duration::from_secs(9));
        assert_eq!(
            deadline.share_of(1, "this one").purpose(),
            deadline.purpose()
        );
        let refused = deadline
            .share_of(100_000_000, "this one")
            .at_most(Duration::from_secs(1));
        let error = refused.expect_err("no time is left").to_string();
        assert!(error.contains("for this one has passed"), "{error}");
    }

    #[test]
    fn past_the_deadline_nothing_is_begun() {
        let refused = Deadline::after(Duration::ZERO).at_most(Duration::from_secs(1));
        let error = refused.expect_err("no time is left").to_string();
        let told = "the deadline of 0s for the whole run has passed";
        assert!(error.contains(told), "{error}");
    }
}
