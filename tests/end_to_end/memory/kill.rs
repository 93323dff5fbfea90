//! Runs that are killed at random moments, many of them: what is delivered in the end is what an
//! undisturbed installation delivers.
//!
//! The suite kills 300, with delays of a fixed seed; `BANDWATCH_KILLS=5000 tests/run kill` is the larger
//! campaign, and `BANDWATCH_SEED` gives it other delays.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{NaiveDateTime, TimeDelta, Timelike};

use super::story::{Story, label, moment};
use crate::support::clock;
use crate::support::workspace::say;

/// An hour of the story: an incident of three buckets, and peace.
const HOUR: [f64; 12] = [
    600.0, 550.0, 500.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

const SEED: u64 = 1;

/// So many runs are begun for each of these buckets: most where there is something to tell.
const RUNS: [u64; 12] = [9, 3, 3, 3, 9, 1, 1, 1, 1, 1, 1, 1];

#[test]
fn killed_runs_lose_nothing_and_tell_nothing_else_than_undisturbed_ones() {
    let kills = number("BANDWATCH_KILLS").unwrap_or(300);
    let seed = number("BANDWATCH_SEED").unwrap_or(SEED);
    say(&format!(
        "kill campaign: BANDWATCH_KILLS={kills} BANDWATCH_SEED={seed}"
    ));
    let mut campaign = Campaign {
        story: Story::new(),
        random: Random(seed),
        durations: [Duration::ZERO; 12],
        tally: Tally::default(),
    };
    let mut calm = Story::new();
    for story in [&mut calm, &mut campaign.story] {
        // What no run came to see in hours would be told in one mail.
        story.smtp = "digest_over = 1000\n".into();
    }
    calm.run_well("12:00");
    campaign.story.run_well("12:00");
    let mut hour = moment("12:00");
    while campaign.tally.killed < kills {
        for ((at, value), duration) in buckets(hour).zip(&mut campaign.durations) {
            calm.sell_at(at, value);
            let run = calm.run_at(at + TimeDelta::minutes(5), &[]);
            run.assert_status(0);
            *duration = run.elapsed;
        }
        campaign.disturb(hour);
        hour += TimeDelta::hours(1);
        // Runs that have much to make up for would never come to an end in the time they get.
        if hour.hour().is_multiple_of(3) {
            campaign.story.run_at(hour, &[]).assert_status(0);
        }
    }
    campaign.story.run_at(hour, &[]).assert_status(0);

    let told = messages(&campaign.story);
    let duplicates: usize = told.values().map(|copies| copies.len() - 1).sum();
    let tally = campaign.tally;
    say(&format!(
        "kill campaign: {tally:?}, {} mails, {duplicates} of them twice",
        told.len()
    ));
    // That it grew worse is no news to a run that comes when it is over already.
    let is_due = |name: &&Name| name.1 != "High, worse";
    let subjects = |told: &BTreeMap<Name, Vec<Content>>| -> Vec<[Option<String>; 2]> {
        let due = told.iter().filter(|(name, _)| is_due(name));
        let subject = due.map(|((to, ..), copies)| [Some(to.clone()), copies[0][0].clone()]);
        let mut subjects: Vec<_> = subject.collect();
        subjects.sort();
        subjects
    };
    let undisturbed = messages(&calm);
    assert_eq!(subjects(&told), subjects(&undisturbed), "seed {seed}");
    // Nor is a mail of one installation taken for one of another.
    let ids = |told: &BTreeMap<Name, Vec<Content>>| -> BTreeSet<String> {
        told.keys().map(|(_, _, id)| id.clone()).collect()
    };
    assert!(ids(&told).is_disjoint(&ids(&undisturbed)));
    for (name, copies) in &told {
        // What comes twice is the same mail.
        assert!(
            copies.iter().all(|copy| copy == &copies[0]),
            "{name:?}, seed {seed}: {copies:?}"
        );
    }
    // The server has accepted it, and that is not written down yet: a moment.
    assert!(
        duplicates as u64 <= tally.killed / 4,
        "{duplicates} of {tally:?}"
    );
    assert!(tally.with_mail_waiting > 0, "{tally:?}");
    assert_eq!(campaign.story.files(), calm.files(), "seed {seed}");
}

struct Campaign {
    story: Story,
    random: Random,
    /// What an undisturbed run takes for each bucket of the hour.
    durations: [Duration; 12],
    tally: Tally,
}

/// What became of the runs.
#[derive(Debug, Default)]
struct Tally {
    killed: u64,
    /// They were faster.
    ended: u64,
    /// After so many of the kills, mail was on its way.
    with_mail_waiting: u64,
}

impl Campaign {
    fn disturb(&mut self, hour: NaiveDateTime) {
        for (((at, value), runs), duration) in buckets(hour).zip(RUNS).zip(self.durations) {
            self.story.sell_at(at, value);
            for number in 0..runs {
                let minute = i64::try_from(number * 5 / runs).expect("a minute");
                let delay = duration.mul_f64(1.1 * self.random.share());
                self.begin_and_kill(at + TimeDelta::minutes(5 + minute), delay);
            }
        }
    }

    fn begin_and_kill(&mut self, at: NaiveDateTime, delay: Duration) {
        let begun = Instant::now();
        let mut run = self.story.begin(at);
        let mut run = run.stderr(Stdio::piped()).spawn().expect("it starts");
        thread::sleep(delay.saturating_sub(begun.elapsed()));
        let had_ended = run.try_wait().expect("the state of a child").is_some();
        run.kill().expect("a child can be killed");
        let process = run.id();
        let ended = run.wait_with_output().expect("it ends");
        clock::forget(process);
        if had_ended || ended.status.code().is_some() {
            let told = String::from_utf8_lossy(&ended.stderr);
            assert!(ended.status.success(), "at {at}: {told}");
            self.tally.ended += 1;
            return;
        }
        self.tally.killed += 1;
        let status = self.story.run_at(at, &["status", "--format", "json"]);
        status.assert_status(0);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
        assert_eq!(status["unreadable"], serde_json::json!([]), "at {at}");
        let waiting = status["outbox"].as_array().expect("a list");
        self.tally.with_mail_waiting += u64::from(!waiting.is_empty());
    }
}

fn buckets(hour: NaiveDateTime) -> impl Iterator<Item = (NaiveDateTime, f64)> {
    (0..)
        .zip(HOUR)
        .map(move |(step, value)| (hour + TimeDelta::minutes(5 * step), value))
}

/// Whom a mail is to, what it begins with, and its Message-ID.
type Name = (String, String, String);

/// Its subject and its date. The text and the pictures of a copy are those of the run that composed it:
/// one that came later has the stored figures, and not always the database's.
type Content = [Option<String>; 2];

/// The mails that came, each with its copies.
fn messages(story: &Story) -> BTreeMap<Name, Vec<Content>> {
    let mut messages: BTreeMap<Name, Vec<Content>> = BTreeMap::new();
    for received in story.server.received() {
        let mail = received.parse();
        let header = |name| mail.header(name).map(ToOwned::to_owned);
        let id = header("Message-ID").expect("a Message-ID");
        let name = (received.to[0].clone(), label(&mail), id);
        let content = [Some(mail.subject.clone()), header("Date")];
        messages.entry(name).or_default().push(content);
    }
    messages
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// The generator of splitmix64, <https://prng.di.unimi.it/splitmix64.c>.
struct Random(u64);

impl Random {
    /// From 0 up to, not including, 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((bits ^ (bits >> 31)) >> 32).expect("32 bits");
        f64::from(bits) / 4_294_967_296.0
    }
}
