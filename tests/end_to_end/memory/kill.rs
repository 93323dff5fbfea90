//! Runs that are killed at random moments, many of them: what is delivered in the end is what an
//! undisturbed installation delivers, by mail, to a webhook and to what stands for an Alertmanager.
//!
//! The suite kills 300, with delays of a fixed seed; `BANDWATCH_KILLS=5000 tests/run kill` is the larger
//! campaign, and `BANDWATCH_SEED` gives it other delays.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use super::story::{Story, label, moment};
use super::tables::{keep_in_tables, let_time_pass};
use crate::channels::{story_with, webhook};
use crate::support::HttpServer;
use crate::support::clock;
use crate::support::workspace::say;

/// An hour of the story: an incident of three buckets, and peace.
const HOUR: [f64; 12] = [
    600.0, 550.0, 500.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

const SEED: u64 = 1;

/// So many runs are begun for each of these buckets: most where there is something to tell.
const RUNS: [u64; 12] = [9, 3, 3, 3, 9, 1, 1, 1, 1, 1, 1, 1];

/// Where runs keep what they remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    Files,
    Tables,
}

#[test]
fn killed_runs_lose_nothing_and_tell_nothing_else_than_undisturbed_ones() {
    kill_runs(Keeping::Files, 300);
}

#[test]
fn killed_runs_whose_state_is_in_tables_lose_nothing_either() {
    kill_runs(Keeping::Tables, 60);
}

fn kill_runs(keeping: Keeping, usual_kills: u64) {
    let kills = number("BANDWATCH_KILLS").unwrap_or(usual_kills);
    let seed = number("BANDWATCH_SEED").unwrap_or(SEED);
    say(&format!(
        "kill campaign: {keeping:?}, BANDWATCH_KILLS={kills} BANDWATCH_SEED={seed}"
    ));
    let [hooks, pagers] = [(); 2].map(|()| [(); 2].map(|()| HttpServer::start()));
    let mut stories = hooks.iter().zip(&pagers).map(|(hook, pager)| {
        let pager = pager.address();
        story_with(&format!(
            "{}[[channel]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = {pager:?}\n",
            webhook("hook", hook, "digest_over = 1000")
        ))
    });
    let mut calm = stories.next().expect("a story");
    let mut campaign = Campaign {
        story: stories.next().expect("another"),
        random: Random(seed),
        keeping,
        durations: [Duration::ZERO; 12],
        tally: Tally::default(),
    };
    for story in [&mut calm, &mut campaign.story] {
        // What no run came to see in hours would be told in one mail.
        story.smtp = "digest_over = 1000\n".into();
        if keeping == Keeping::Tables {
            keep_in_tables(story);
        }
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
    for story in [&calm, &campaign.story] {
        // An Alertmanager is told the end in a later run than the beginning.
        for minutes in [0, 1] {
            let run = story.run_at(hour + TimeDelta::minutes(minutes), &[]);
            run.assert_status(0);
        }
    }

    let told = messages(&campaign.story);
    let duplicates: usize = told.values().map(|copies| copies.len() - 1).sum();
    let tally = campaign.tally;
    say(&format!(
        "kill campaign: {tally:?}, {} mails, {duplicates} of them twice",
        told.len()
    ));
    // That it grew worse is no news to a run that comes when it is over already.
    let is_due = |name: &&Name| !name.1.ends_with(", worse");
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
    assert_channels_told_the_same(&hooks, &pagers, tally.killed);
    if keeping == Keeping::Files {
        assert_eq!(campaign.story.files(), calm.files(), "seed {seed}");
    }
}

/// Of each kind of channel the undisturbed one, and the one of the runs that were killed.
fn assert_channels_told_the_same(hooks: &[HttpServer; 2], pagers: &[HttpServer; 2], killed: u64) {
    let [undisturbed, posted] = hooks.each_ref().map(messages_of_hook);
    let copies: usize = posted.values().map(|copies| copies.len() - 1).sum();
    assert!(copies as u64 <= killed / 4, "{copies} of {killed}");
    let is_due = |subject: &&String| !subject.contains(", worse] ");
    let subjects = |posted: &BTreeMap<String, Vec<[String; 2]>>| -> Vec<String> {
        let subjects = posted.values().map(|copies| &copies[0][0]);
        // Runs that are killed before they come to it make it due later: after midnight it names the day.
        let without_day = |subject: &String| {
            let words = subject.split(' ');
            let words = words.filter(|word| word.parse::<NaiveDate>().is_err());
            words.collect::<Vec<_>>().join(" ")
        };
        let mut subjects: Vec<_> = subjects.filter(is_due).map(without_day).collect();
        subjects.sort();
        subjects
    };
    assert_eq!(subjects(&posted), subjects(&undisturbed));
    assert!(posted.keys().all(|id| !undisturbed.contains_key(id)));
    for (id, copies) in &posted {
        assert!(
            copies.iter().all(|copy| copy == &copies[0]),
            "{id}: {copies:?}"
        );
    }
    let [undisturbed, paged] = pagers.each_ref().map(incidents_of_pager);
    assert_eq!(paged, undisturbed);
    say(&format!(
        "kill campaign: {} messages to the webhook, {copies} of them twice; {} incidents to the pager",
        posted.len(),
        paged.len()
    ));
}

struct Campaign {
    story: Story,
    keeping: Keeping,
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
        if self.keeping == Keeping::Tables {
            let_time_pass(&self.story);
        }
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

/// What a webhook was posted: by the id of the message the subject and date of each copy.
fn messages_of_hook(server: &HttpServer) -> BTreeMap<String, Vec<[String; 2]>> {
    let mut messages: BTreeMap<String, Vec<[String; 2]>> = BTreeMap::new();
    for posted in server.posted() {
        assert!(posted.is_signed, "{posted:?}");
        let text = |key: &str| posted.body[key].as_str().expect("a text").to_owned();
        let copies = messages.entry(text("id")).or_default();
        copies.push([text("subject"), text("created")]);
    }
    messages
}

/// What an Alertmanager makes of what it was posted: of each incident, by its beginning, the end, before which
/// it was told to be firing.
fn incidents_of_pager(server: &HttpServer) -> BTreeMap<String, String> {
    let (mut firing, mut over) = (BTreeMap::<String, String>::new(), BTreeMap::new());
    for posted in server.posted() {
        for alert in posted.body.as_array().expect("a list") {
            let text = |key: &str| alert[key].as_str().expect("a text").to_owned();
            let (start, end) = (text("startsAt"), text("endsAt"));
            let summary = alert["annotations"]["summary"].as_str().expect("a text");
            // It is held for an hour from each post on, until an earlier end is posted: one that turned into
            // an incident on the other side is not called over.
            let held_until = firing.get(&start);
            let is_end = held_until.is_some_and(|held| end < *held);
            assert!(is_end || !summary.starts_with("[Over]"), "{alert}");
            if is_end {
                let known = over.insert(start, end.clone());
                assert!(known.is_none_or(|known| known == end), "{alert}");
            } else {
                assert!(!over.contains_key(&start), "{alert}");
                firing.insert(start, end);
            }
        }
    }
    let ended: BTreeSet<String> = over.keys().cloned().collect();
    assert_eq!(firing.into_keys().collect::<BTreeSet<_>>(), ended);
    over
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
