//! Deliveries to servers that accept, refuse, and are killed in between.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};
use chrono::{DateTime, TimeDelta, Utc};

use super::channel::Composer;
use super::deliver::{Channel, Mail};
use super::email::Letterhead;
use super::*;
use crate::config::Metric;
use crate::forecast::Side;
use crate::incident::{Alert, Condition, End, Muted, Policy};
use crate::series::key::SeriesKey;

fn at(minute: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().expect("a time");
    start + TimeDelta::minutes(minute)
}

fn metrics(count: usize) -> Vec<Metric> {
    (0..count)
        .map(|index| Metric::of_file(&format!("m{index}")))
        .collect()
}

fn alert(condition: Condition) -> Alert {
    Alert {
        released: Some(at(0)),
        reason: "refused".into(),
        ..Alert::new(condition, at(0), at(0))
    }
}

fn addressed<'a>(metric: Option<&'a Metric>, alert: &Alert, to: &[&str]) -> AddressedAlert<'a> {
    let recipient = |to: &&str| match *to {
        CHAT => Recipient::Channel(CHAT.into()),
        PAGER => Recipient::Alertmanager(PAGER.into()),
        to => Recipient::Mailbox(to.parse().expect("an address")),
    };
    AddressedAlert {
        metric,
        alert: alert.clone(),
        policy: Policy::default(),
        recipients: to.iter().map(recipient).collect(),
        muted: Muted::No,
        newest: None,
    }
}

/// A server that refuses some recipients, takes mails to others without an answer, and keeps what it gets.
#[derive(Default)]
struct Server {
    refuses: Vec<&'static str>,
    refuses_for_good: Vec<&'static str>,
    /// To whom each mail takes all its time.
    is_slow_for: Vec<&'static str>,
    leaves_unanswered: Vec<&'static str>,
    /// A metric of which no mail can be composed.
    bug_in: Option<&'static str>,
    accepted: Vec<String>,
    /// The subjects of the threads they belong to.
    threads: Vec<Option<String>>,
}

impl Server {
    fn compose(&self, mail: &Mail) -> String {
        let kinds = mail.notifications.iter().map(|notification| {
            let metric = notification.metric.map_or("own", |metric| &metric.name);
            assert_ne!(Some(metric), self.bug_in, "a bug");
            let word = notification.kind.word(notification.alert);
            format!("{metric} {word}")
        });
        kinds.collect::<Vec<_>>().join(", ")
    }
}

impl Channel for Server {
    fn send(&mut self, mail: &Mail) -> Result<()> {
        let to = mail.to.key().to_string();
        let kinds = self.compose(mail);
        ensure!(!self.refuses.contains(&to.as_str()), "451 not now");
        if self.refuses_for_good.contains(&to.as_str()) {
            return Err(SendError::Refused("550 no such user".into())).context("mail");
        }
        if self.is_slow_for.contains(&to.as_str()) {
            return Err(SendError::TimedOut("no answer in time".into())).context("mail");
        }
        let answers = mail.in_reply_to.map_or("", |_| ", in reply");
        self.accepted.push(format!("{to}: {kinds}{answers}"));
        self.threads.push(mail.thread_subject.map(str::to_string));
        if self.leaves_unanswered.contains(&to.as_str()) {
            return Err(SendError::Unanswered("no answer in time".into())).context("mail");
        }
        Ok(())
    }

    fn message_id(&self, mail: &Mail) -> String {
        format!("<{}.{}>", mail.id, mail.to.key())
    }

    fn subject(&mut self, mail: &Mail) -> String {
        self.compose(mail)
    }
}

/// A log, the server, and the minute.
#[derive(Default)]
struct Scene {
    log: NotificationLog,
    server: Server,
    minute: i64,
}

impl Scene {
    /// What the server accepts in a run a minute after the last.
    fn run(&mut self, alerts: &[AddressedAlert]) -> Vec<String> {
        self.minute += 1;
        self.run_by(Route::Email, alerts)
    }

    /// The same of one channel, in a run whose time has come already.
    fn run_by(&mut self, route: Route, alerts: &[AddressedAlert]) -> Vec<String> {
        let delivery = self.delivery(route);
        // The log must survive being written and read.
        let text = serde_json::to_string(&self.log).expect("text");
        self.log = serde_json::from_str(&text).expect("a log");
        let saved = |_: &NotificationLog| Saved::default();
        delivery.run(alerts, &mut self.log, &mut self.server, saved);
        std::mem::take(&mut self.server.accepted)
    }

    fn delivery<'a>(&self, route: Route<'a>) -> Delivery<'a> {
        Delivery {
            route,
            digest_over: 3,
            give_up_after: TimeDelta::hours(1),
            now: at(self.minute),
        }
    }

    /// The metrics of the alerts that a pager is told once more, and what is wrong if it does not listen.
    fn repeat(&mut self, alerts: &[AddressedAlert], listens: Result<()>) -> Vec<String> {
        let mut told = Vec::new();
        let repeated = self
            .delivery(Route::Web(PAGER))
            .repeat(alerts, &mut self.log, |lasting| {
                let metrics = lasting.iter().filter_map(|one| one.metric);
                told.extend(metrics.map(|metric| metric.name.clone()));
                listens
            });
        told.extend(repeated.err().map(|error| error.to_string()));
        told
    }
}

const OPS: &str = "ops@example.com";
const NIGHT: &str = "night@example.com";
const CHAT: &str = "chat";
const PAGER: &str = "pager";

#[test]
fn each_recipient_is_notified_once_and_of_the_end_in_reply() {
    let metrics = metrics(1);
    let mut low = alert(Condition::Breach(Side::Low));
    let mut scene = Scene::default();
    let open = [addressed(metrics.first(), &low, &[OPS, NIGHT])];
    let opening = ["ops@example.com: m0 low", "night@example.com: m0 low"];
    assert_eq!(scene.run(&open), opening);
    assert!(scene.run(&open).is_empty());
    low.end = Some(End::Over {
        until: at(2),
        evaluation: None,
    });
    let over = [addressed(metrics.first(), &low, &[OPS, NIGHT])];
    assert!(!over[0].is_settled(&scene.log, at(3)));
    assert_eq!(
        scene.run(&over),
        [
            "ops@example.com: m0 over, in reply",
            "night@example.com: m0 over, in reply"
        ]
    );
    assert!(over[0].is_settled(&scene.log, at(4)));
}

#[test]
fn one_bad_address_holds_nobody_up_and_is_lost_and_told() {
    let metrics = metrics(1);
    let no_data = alert(Condition::NoData);
    let alerts = [addressed(metrics.first(), &no_data, &[NIGHT, OPS])];
    let mut scene = Scene::default();
    scene.server.refuses = vec![NIGHT];
    assert_eq!(scene.run(&alerts), ["ops@example.com: m0 no_data"]);
    for _ in 0..70 {
        assert!(scene.run(&alerts).is_empty());
    }
    let [lost] = scene.log.lost.as_slice() else {
        panic!("{:?}", scene.log.lost);
    };
    assert_eq!(lost.to, NIGHT);
    assert_eq!(lost.why, "451 not now");
    let mut own = Vec::new();
    let mut own_alerts = OwnAlerts {
        alerts: &mut own,
        now: at(90),
    };
    own_alerts.report_lost(&mut scene.log.lost);
    own_alerts.report_lost(&mut scene.log.lost);
    assert_eq!(own.len(), 1);
    let alerts = [addressed(None, &own[0], &[OPS])];
    assert_eq!(
        scene.run(&alerts),
        ["ops@example.com: own notifications_lost"]
    );
    assert!(scene.log.lost[0].told);
}

#[test]
fn an_incident_that_came_and_went_while_mail_was_down_is_told_in_order() {
    let metrics = metrics(1);
    let mut high = alert(Condition::Breach(Side::High));
    let mut scene = Scene::default();
    scene.server.refuses = vec![OPS];
    assert!(
        scene
            .run(&[addressed(metrics.first(), &high, &[OPS])])
            .is_empty()
    );
    high.end = Some(End::Over {
        until: at(5),
        evaluation: None,
    });
    scene.server.refuses.clear();
    let over = [addressed(metrics.first(), &high, &[OPS])];
    assert_eq!(
        scene.run(&over),
        [
            "ops@example.com: m0 high",
            "ops@example.com: m0 over, in reply"
        ]
    );
}

#[test]
fn nobody_hears_the_end_of_what_they_were_not_told() {
    let metrics = metrics(1);
    let mut high = alert(Condition::Breach(Side::High));
    let mut scene = Scene::default();
    scene.server.refuses = vec![OPS];
    let open = [addressed(metrics.first(), &high, &[OPS])];
    for _ in 0..70 {
        scene.run(&open);
    }
    assert_eq!(scene.log.lost.len(), 1);
    high.end = Some(End::Over {
        until: at(71),
        evaluation: None,
    });
    scene.server.refuses.clear();
    let over = [addressed(metrics.first(), &high, &[OPS])];
    assert!(scene.run(&over).is_empty());
}

#[test]
fn a_refusal_for_good_is_final_after_a_few_tries_and_is_reported() {
    let metrics = metrics(1);
    let high = alert(Condition::Breach(Side::High));
    let open = [addressed(metrics.first(), &high, &[OPS, NIGHT])];
    let mut scene = Scene::default();
    scene.server.refuses_for_good = vec![OPS];
    let mut tries = Vec::new();
    for minute in 1..=20 {
        scene.run(&open);
        let pending = scene.log.pending(open[0].key()).next();
        tries.push(pending.map(|(_, pending)| pending.attempts));
        assert_eq!(scene.log.lost.is_empty(), minute < 13, "{minute}");
    }
    assert_eq!(tries[11..13], [Some(4), None]);
    let lost = &scene.log.lost[0];
    assert_eq!(
        (lost.to.as_str(), lost.why.as_str()),
        (OPS, "mail: 550 no such user")
    );
}

#[test]
fn who_takes_all_the_time_comes_after_the_others() {
    let metrics = metrics(2);
    let high = alert(Condition::Breach(Side::High));
    let mut scene = Scene::default();
    scene.server.is_slow_for = vec![OPS];
    scene.server.refuses = vec![NIGHT];
    let open = [addressed(metrics.first(), &high, &[OPS, NIGHT])];
    scene.run(&open);
    scene.server.refuses.clear();
    scene.server.is_slow_for.clear();
    let told = ["night@example.com: m0 high", "ops@example.com: m0 high"];
    assert_eq!(scene.run(&open), told);
}

#[test]
fn what_is_old_is_tried_before_it_is_given_up() {
    let metrics = metrics(1);
    let alerts = [addressed(
        metrics.first(),
        &alert(Condition::NoData),
        &[OPS],
    )];
    let mut scene = Scene::default();
    scene.server.refuses = vec![OPS];
    for _ in 0..50 {
        scene.run(&alerts);
    }
    // Nobody runs it for a while, and meanwhile the server is back.
    scene.minute = 600;
    scene.server.refuses.clear();
    assert_eq!(scene.run(&alerts), ["ops@example.com: m0 no_data"]);
    assert_eq!(scene.log.lost, []);
}

#[test]
fn what_the_server_takes_and_never_answers_is_sent_three_times_and_told_once() {
    let metrics = metrics(2);
    let mut low = alert(Condition::Breach(Side::Low));
    let mut scene = Scene::default();
    scene.server.leaves_unanswered = vec![OPS];
    let mut received = Vec::new();
    let mut own = Vec::new();
    for minute in 0..70 {
        let mut own_alerts = OwnAlerts {
            alerts: &mut own,
            now: at(minute),
        };
        own_alerts.report_lost(&mut scene.log.lost);
        let mut alerts = vec![addressed(metrics.first(), &low, &[OPS])];
        alerts.extend(own.iter().map(|own| addressed(None, own, &[OPS])));
        received.extend(scene.run(&alerts));
        own.retain(|alert| !addressed(None, alert, &[OPS]).is_settled(&scene.log, at(minute)));
    }
    received.sort();
    let expected = [
        "ops@example.com: m0 low",
        "ops@example.com: own notifications_lost",
    ];
    assert_eq!(received, expected.map(|told| [told; 3]).concat());
    let [lost] = scene.log.lost.as_slice() else {
        panic!("{:?}", scene.log.lost);
    };
    let why = "mail: no answer to the message, which may have arrived: no answer in time";
    assert_eq!((lost.why.as_str(), lost.told), (why, true));
    // Whoever may have the opening hears of the end, after what was not waited for in vain.
    low.end = Some(End::Over {
        until: at(71),
        evaluation: None,
    });
    let over = addressed(metrics.first(), &low, &[OPS]);
    let over_told = "ops@example.com: m0 over, in reply";
    assert_eq!(scene.run(std::slice::from_ref(&over)), [over_told]);
    let other = alert(Condition::NoData);
    let both = [over, addressed(metrics.last(), &other, &[OPS])];
    assert_eq!(scene.run(&both), ["ops@example.com: m1 no_data", over_told]);
}

#[test]
fn a_bug_in_one_mail_keeps_no_other_back_and_is_a_failure_of_that_one() {
    let metrics = metrics(2);
    let no_data = alert(Condition::NoData);
    let alerts = metrics
        .iter()
        .map(|metric| addressed(Some(metric), &no_data, &[OPS]))
        .collect::<Vec<_>>();
    let mut scene = Scene::default();
    scene.server.bug_in = Some("m0");
    assert_eq!(scene.run(&alerts), ["ops@example.com: m1 no_data"]);
    let (_, pending) = scene.log.pending(alerts[0].key()).next().expect("pending");
    assert_eq!(pending.attempts, 1);
    for _ in 0..70 {
        scene.run(&alerts);
    }
    let [lost] = scene.log.lost.as_slice() else {
        panic!("{:?}", scene.log.lost);
    };
    assert_eq!(lost.subject, "m0");
    assert!(lost.why.ends_with("a bug in bandwatch, please report it"));
}

#[test]
fn many_at_once_are_one_mail_and_stay_it_until_it_is_accepted() {
    let metrics = metrics(5);
    let low = alert(Condition::Breach(Side::Low));
    let all = |count: usize| -> Vec<AddressedAlert> {
        let metrics = metrics[..count].iter();
        metrics
            .map(|metric| addressed(Some(metric), &low, &[OPS]))
            .collect()
    };
    let mut scene = Scene::default();
    scene.server.refuses = vec![OPS];
    scene.run(&all(4));
    scene.server.refuses.clear();
    // One more has become due, which goes out on its own: the digest may have arrived already.
    assert_eq!(
        scene.run(&all(5)),
        [
            "ops@example.com: m0 low, m1 low, m2 low, m3 low",
            "ops@example.com: m4 low"
        ]
    );
}

/// Series of one metric, each with an incident that is told from a minute on.
fn series(released: &[i64]) -> Vec<(Metric, Alert)> {
    let metric = Metric::of_file("m");
    let column = ["k".to_string()];
    let series = released.iter().enumerate().map(|(key, minute)| {
        let key = SeriesKey::new(&column, [Some(key.to_string())]);
        let low = Alert {
            released: Some(at(*minute)),
            ..alert(Condition::Breach(Side::Low))
        };
        (metric.of_series(&key, None, 1), low)
    });
    series.collect()
}

#[test]
fn series_that_open_one_after_the_other_are_gathered_into_one_mail() {
    let series = series(&[1, 2, 5, 15, 17, 40]);
    let mut scene = Scene::default();
    let mut told = Vec::new();
    for minute in 1..60 {
        let open = series
            .iter()
            .filter(|(_, low)| low.released <= Some(at(minute)));
        let open = open.map(|(metric, low)| addressed(Some(metric), low, &[OPS]));
        let open: Vec<_> = open.collect();
        let mails = scene.run(&open);
        told.extend(mails.into_iter().map(|mail| (minute, mail)));
    }
    let told: Vec<(i64, &str)> = told.iter().map(|(at, mail)| (*at, mail.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "ops@example.com: m{k=0} low"),
            (16, "ops@example.com: m{k=1} low, m{k=2} low, m{k=3} low"),
            (31, "ops@example.com: m{k=4} low"),
            (46, "ops@example.com: m{k=5} low"),
        ]
    );
}

#[test]
fn what_is_gathered_waits_no_longer_for_a_server_that_was_down_and_is_told_with_its_end() {
    let mut series = series(&[1, 2, 10]);
    let mut scene = Scene::default();
    let mut told = Vec::new();
    for minute in 1..30 {
        scene.server.refuses = if minute < 8 { vec![OPS] } else { Vec::new() };
        if minute == 12 {
            series[1].1.end = Some(End::Over {
                until: at(12),
                evaluation: None,
            });
        }
        let open = series
            .iter()
            .filter(|(_, low)| low.released <= Some(at(minute)));
        let open = open.map(|(metric, low)| addressed(Some(metric), low, &[OPS]));
        let open: Vec<_> = open.collect();
        assert!(!(2..17).contains(&minute) || !open[1].is_settled(&scene.log, at(minute)));
        let mails = scene.run(&open);
        told.extend(mails.into_iter().map(|mail| (minute, mail)));
    }
    let told: Vec<(i64, &str)> = told.iter().map(|(at, mail)| (*at, mail.as_str())).collect();
    assert_eq!(
        told,
        [
            (8, "ops@example.com: m{k=0} low"),
            (17, "ops@example.com: m{k=1} low, m{k=2} low"),
            (17, "ops@example.com: m{k=1} over, in reply"),
        ]
    );
}

#[test]
fn a_digest_tells_each_recipient_of_what_is_addressed_to_them_and_of_no_more() {
    let metrics = metrics(4);
    let low = alert(Condition::Breach(Side::Low));
    let all = |recipients: [&[&str]; 4]| -> Vec<AddressedAlert> {
        let metrics = metrics.iter().zip(recipients);
        metrics
            .map(|(metric, to)| addressed(Some(metric), &low, to))
            .collect()
    };
    let mut scene = Scene::default();
    scene.server.refuses = vec![OPS, NIGHT];
    scene.run(&all([&[OPS, NIGHT]; 4]));
    // The mails keep the id they share.
    scene.server.refuses.clear();
    let both: &[&str] = &[OPS, NIGHT];
    assert_eq!(
        scene.run(&all([both, both, both, &[OPS]])),
        [
            "ops@example.com: m0 low, m1 low, m2 low, m3 low",
            "night@example.com: m0 low, m1 low, m2 low",
        ]
    );
    let again = scene.run(&all([both; 4]));
    assert_eq!(again, ["night@example.com: m3 low"]);
}

#[test]
fn a_channel_that_is_down_leaves_those_of_others_alone() {
    let metrics = metrics(1);
    let low = alert(Condition::Breach(Side::Low));
    let open = [addressed(metrics.first(), &low, &[OPS, CHAT])];
    let mut scene = Scene::default();
    scene.server.refuses = vec![OPS, CHAT];
    assert!(scene.run(&open).is_empty());
    assert!(scene.run_by(Route::Web(CHAT), &open).is_empty());
    // Each has a record, and attempts, of its own.
    assert_eq!(scene.log.attempts(Route::Email), 1);
    scene.minute += 1;
    scene.server.refuses = vec![CHAT];
    assert!(scene.run_by(Route::Web(CHAT), &open).is_empty());
    assert_eq!(scene.log.attempts(Route::Web(CHAT)), 2);
    assert_eq!(scene.run(&open), ["ops@example.com: m0 low"]);
    assert!(!open[0].is_settled(&scene.log, at(9)));
    scene.minute += 5;
    scene.server.refuses.clear();
    assert_eq!(scene.run_by(Route::Web(CHAT), &open), ["chat: m0 low"]);
    assert!(open[0].is_settled(&scene.log, at(9)));
}

#[test]
fn what_waits_for_a_channel_that_is_not_there_any_more_is_taken_back() {
    let metrics = metrics(1);
    let low = alert(Condition::Breach(Side::Low));
    let open = [addressed(metrics.first(), &low, &[OPS, CHAT])];
    let mut scene = Scene::default();
    scene.server.refuses = vec![OPS, CHAT];
    scene.run_by(Route::Web(CHAT), &open);
    scene
        .log
        .take_back_all_but(&[Route::Email, Route::Web(CHAT)]);
    assert!(scene.log.is_waiting());
    scene.log.take_back_all_but(&[Route::Email]);
    assert!(!scene.log.is_waiting());
}

#[test]
fn the_log_of_the_version_before_is_that_of_mail() {
    let metrics = metrics(1);
    let low = alert(Condition::Breach(Side::Low));
    let id = &low.id;
    let text = format!(
        r#"{{"records":{{"m0":{{"{id}":{{"ops@example.com":{{"thread":"<a@b>","last":{{"kind":"firing","at":"2026-11-22T00:00:00Z"}},"count":1}},"night@example.com":{{"count":0,"pending":{{"mail":"17","kind":"firing","since":"2026-11-22T00:00:00Z","attempts":1,"unanswered":0,"not_before":"2026-11-22T00:00:50Z","error":"451 not now"}}}}}}}}}},"lost":[]}}"#
    );
    let mut scene = Scene {
        log: serde_json::from_str(&text).expect("a log"),
        ..Scene::default()
    };
    let open = [addressed(metrics.first(), &low, &[OPS, NIGHT, CHAT])];
    // Who was told is not told again, what waits goes out, and a channel that is new is told.
    scene
        .log
        .take_back_all_but(&[Route::Email, Route::Web(CHAT)]);
    assert_eq!(scene.run(&open), ["night@example.com: m0 low"]);
    assert_eq!(scene.run_by(Route::Web(CHAT), &open), ["chat: m0 low"]);
}

#[test]
fn an_alertmanager_is_told_what_goes_on_and_the_end_a_minute_after_the_beginning() {
    let metrics = metrics(2);
    let mut low = alert(Condition::Breach(Side::Low));
    let pager = Route::Web(PAGER);
    let mut scene = Scene {
        minute: 1,
        ..Scene::default()
    };
    let lost = alert(Condition::NotificationsLost);
    let open = [
        addressed(metrics.first(), &low, &[PAGER]),
        addressed(metrics.last(), &low, &[OPS]),
        addressed(None, &lost, &[PAGER]),
    ];
    assert_eq!(
        scene.run_by(pager, &open),
        ["pager: own notifications_lost", "pager: m0 low"]
    );
    // What was told just now is not repeated yet, and what is an event never is.
    assert!(scene.repeat(&open, Ok(())).is_empty());
    // It repeats and escalates by itself, however long that lasts.
    scene.minute = 600;
    assert!(scene.run_by(pager, &open).is_empty());
    assert_eq!(scene.repeat(&open, Ok(())), ["m0"]);
    assert!(open[2].is_settled(&scene.log, at(600)));
    // It is told the end too where an incident turned, and never at once after the beginning.
    low.end = Some(End::Turned);
    let over = [
        addressed(metrics.first(), &low, &[PAGER]),
        addressed(metrics.last(), &low, &[PAGER]),
    ];
    let told = scene.run_by(pager, &over);
    assert_eq!(told, ["pager: m0 over, in reply", "pager: m1 low"]);
    assert!(scene.repeat(&over, Ok(())).is_empty());
    assert!(over[0].is_settled(&scene.log, at(600)));
    assert!(!over[1].is_settled(&scene.log, at(600)));
    scene.minute += 1;
    assert_eq!(scene.run_by(pager, &over), ["pager: m1 over, in reply"]);
    assert!(over[1].is_settled(&scene.log, at(601)));
}

#[test]
fn an_alertmanager_hears_the_end_of_what_it_knows_of_while_the_metric_is_muted() {
    let metrics = metrics(2);
    let pager = Route::Web(PAGER);
    let [mut known, mut new] = [Side::Low, Side::High].map(|side| alert(Condition::Breach(side)));
    let both = |known: &Alert, new: &Alert, muted| {
        let alerts = [(metrics.first(), known), (metrics.last(), new)];
        alerts.map(|(metric, alert)| AddressedAlert {
            muted,
            ..addressed(metric, alert, &[PAGER, OPS])
        })
    };
    let mut scene = Scene::default();
    let open = both(&known, &new, Muted::No);
    scene.run_by(pager, &open[..1]);
    scene.run(&open[..1]);
    // What was on its way is taken back.
    scene.server.refuses = vec![PAGER, OPS];
    scene.run(&open);
    scene.run_by(pager, &open);
    scene.server.refuses.clear();
    scene.minute = 30;
    let muted = both(&known, &new, Muted::Yes);
    assert!(scene.run(&muted).is_empty());
    assert!(scene.run_by(pager, &muted).is_empty());
    assert!(!scene.log.is_waiting());
    assert_eq!(scene.repeat(&muted, Ok(())), ["m0"]);
    for alert in [&mut known, &mut new] {
        alert.end = Some(End::Over {
            until: at(31),
            evaluation: None,
        });
    }
    let over = both(&known, &new, Muted::Yes);
    assert!(over[0].is_news_to(pager, &scene.log, at(31)));
    assert!(!over[1].is_news_to(pager, &scene.log, at(31)));
    assert!(scene.run(&over).is_empty());
    assert_eq!(scene.run_by(pager, &over), ["pager: m0 over, in reply"]);
    // People are told when they want to hear of it again.
    let heard = both(&known, &new, Muted::No);
    assert!(!heard[0].is_settled(&scene.log, at(32)));
    let told = scene.run(&heard[..1]);
    assert_eq!(told, ["ops@example.com: m0 over, in reply"]);
}

#[test]
fn an_end_that_an_alertmanager_did_not_hear_of_ends_no_later_incident_with_the_same_labels() {
    let metrics = metrics(1);
    let pager = Route::Web(PAGER);
    let over = Alert {
        end: Some(End::Over {
            until: at(2),
            evaluation: None,
        }),
        ..alert(Condition::Breach(Side::Low))
    };
    let next = Alert {
        released: Some(at(10)),
        ..Alert::new(Condition::Breach(Side::Low), at(10), at(10))
    };
    let of = |alert: &Alert| addressed(metrics.first(), alert, &[PAGER]);
    let mut scene = Scene::default();
    scene.run_by(pager, &[of(&alert(Condition::Breach(Side::Low)))]);
    scene.server.refuses = vec![PAGER];
    for minute in 5..9 {
        scene.minute = minute;
        assert!(scene.run_by(pager, &[of(&over)]).is_empty());
    }
    scene.server.refuses.clear();
    // The end waits for its next try when the next incident begins.
    scene.minute = 10;
    let both = [of(&over), of(&next)];
    assert_eq!(scene.run_by(pager, &both), ["pager: m0 low"]);
    scene.minute = 40;
    assert!(scene.run_by(pager, &both).is_empty());
    let over_too = Alert {
        end: over.end.clone(),
        ..next
    };
    let both = [of(&over), of(&over_too)];
    assert_eq!(scene.run_by(pager, &both), ["pager: m0 over, in reply"; 2]);
    assert!(both.iter().all(|one| one.is_settled(&scene.log, at(41))));
}

#[test]
fn what_is_not_addressed_to_an_alertmanager_any_more_is_not_repeated_and_ends_by_itself() {
    let metrics = metrics(1);
    let low = alert(Condition::Breach(Side::Low));
    let of = |to: &[&str]| [addressed(metrics.first(), &low, to)];
    let mut scene = Scene::default();
    scene.run_by(Route::Web(PAGER), &of(&[PAGER, OPS]));
    scene.minute = 5;
    assert!(scene.repeat(&of(&[OPS]), Ok(())).is_empty());
    // It is told again where it comes back.
    assert_eq!(scene.repeat(&of(&[PAGER]), Ok(())), ["m0"]);
}

#[test]
fn an_alertmanager_that_does_not_hear_what_goes_on_is_tried_after_the_usual_pauses() {
    let metrics = metrics(1);
    let low = alert(Condition::Breach(Side::Low));
    let open = [addressed(metrics.first(), &low, &[PAGER])];
    let mut scene = Scene::default();
    scene.run_by(Route::Web(PAGER), &open);
    let mut tried = Vec::new();
    for minute in 1..10 {
        scene.minute = minute;
        if !scene.repeat(&open, Err(anyhow!("refused"))).is_empty() {
            tried.push(minute);
        }
        assert!(scene.log.is_waiting());
    }
    assert_eq!(tried, [1, 2, 4, 8]);
    scene.minute = 30;
    assert_eq!(scene.repeat(&open, Ok(())), ["m0"]);
    assert!(!scene.log.is_waiting());
}

#[test]
fn a_server_that_says_when_is_asked_then_but_not_much_later_than_others() {
    let later = |seconds| SendError::Later {
        words: "429".into(),
        pause: TimeDelta::seconds(seconds),
    };
    for (asked, waits) in [(1, 50), (150, 140), (86_400, 290), (-5, 50)] {
        let mut pending = Pending::new("mail".into(), AlertKind::Firing, at(0));
        pending.fail(&later(asked).into(), at(0));
        assert_eq!(
            pending.not_before - at(0),
            TimeDelta::seconds(waits),
            "{asked}"
        );
        assert_eq!(pending.refused, 0);
    }
}

#[test]
fn a_mail_is_composed_of_what_it_tells_whatever_was_composed_before() {
    let metrics = metrics(2);
    let no_data = alert(Condition::NoData);
    let told = [0, 1].map(|index| Notification {
        metric: metrics.get(index),
        alert: &no_data,
        kind: AlertKind::Firing,
        told_at: None,
        newest: None,
    });
    let letterhead = Letterhead {
        now: at(0).with_timezone(&chrono_tz::UTC),
        contact: None,
        invocation: None,
    };
    let metrics = ["sales", "orders"].map(Metric::of_file);
    let plots = PlotsDir::new("not-there".as_ref(), &metrics);
    let mut composer = Composer::new(letterhead, Gallery::new(&plots));
    let mut subject = |told: &[Notification]| composer.compose(told, at(0)).subject().to_string();
    assert_eq!(subject(&told), "[2 alerts] no data: M0, M1");
    assert!(subject(&told[..1]).starts_with("[No data] M0"));
    assert!(subject(&told[1..]).starts_with("[No data] M1"));
}

#[test]
fn later_mails_have_the_subject_of_the_opening_unless_that_was_a_digest() {
    let metrics = metrics(4);
    let low = alert(Condition::Breach(Side::Low));
    let over = Alert {
        end: Some(End::Over {
            until: at(2),
            evaluation: None,
        }),
        ..low.clone()
    };
    let all = |count: usize, alert: &Alert| -> Vec<AddressedAlert> {
        let metrics = metrics[..count].iter();
        metrics
            .map(|metric| addressed(Some(metric), alert, &[OPS]))
            .collect()
    };
    let mut scene = Scene::default();
    scene.run(&all(1, &low));
    scene.run(&all(1, &over));
    assert_eq!(scene.server.threads, [None, Some("m0 low".to_string())]);
    let mut scene = Scene::default();
    scene.run(&all(4, &low));
    scene.run(&all(1, &over));
    assert_eq!(scene.server.threads, [None, None]);
    // Of several recipients too, for whom it is kept once.
    let to_both = |alert: &Alert| [addressed(metrics.first(), alert, &[OPS, NIGHT])];
    let mut scene = Scene::default();
    scene.run(&to_both(&low));
    let log = serde_json::to_string(&scene.log).expect("text");
    assert_eq!(log.matches("m0 low").count(), 1, "{log}");
    scene.run(&to_both(&over));
    let subject = Some("m0 low".to_string());
    assert_eq!(scene.server.threads, [None, None, subject.clone(), subject]);
}

#[test]
fn a_mail_that_is_sent_anew_has_the_same_id() {
    let metrics = metrics(1);
    let low = alert(Condition::Breach(Side::Low));
    let alerts = [addressed(metrics.first(), &low, &[OPS])];
    let (mut scene, mut ids) = (Scene::default(), BTreeMap::new());
    for minute in 0..3 {
        scene.server.refuses = vec![OPS];
        scene.run(&alerts);
        let (_, pending) = scene.log.pending(alerts[0].key()).next().expect("pending");
        ids.insert(pending.mail.clone(), minute);
    }
    assert_eq!(ids.len(), 1);
}

#[test]
fn attempts_come_at_growing_pauses() {
    let mut pending = Pending::new("mail".into(), AlertKind::Firing, at(0));
    let mut tried = Vec::new();
    for minute in 0..20 {
        if pending.is_ready(at(minute)) {
            tried.push(minute);
            pending.fail(&anyhow!("no answer"), at(minute));
        }
    }
    assert_eq!(tried, [0, 1, 3, 7, 12, 17]);
    // A clock that was set back makes no pause of hours.
    assert!(pending.is_ready(at(-600)));
}

#[test]
fn a_disk_that_takes_nothing_is_told_after_a_while_and_when_it_is_well() {
    let mut alerts = Vec::new();
    let mut report = |minute, complaint| {
        let mut own = OwnAlerts {
            alerts: &mut alerts,
            now: at(minute),
        };
        own.report_unwritable(complaint);
        alerts
            .iter()
            .map(|alert: &Alert| (alert.released.is_some(), alert.is_open()))
            .collect::<Vec<_>>()
    };
    assert_eq!(report(0, Some("full")), [(false, true)]);
    assert_eq!(report(9, Some("full")), [(false, true)]);
    assert_eq!(report(10, Some("full")), [(true, true)]);
    assert_eq!(report(11, None), [(true, false)]);
}
