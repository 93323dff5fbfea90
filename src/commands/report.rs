//! What is printed of a metric: a line for people, or a JSON object for programs.

mod blind;

use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Serialize;

use crate::calendar::Occurrence;
use crate::cli::Format;
use crate::config::{Metric, time_delta};
use crate::detect::{Breakdown, Evaluation, SpanTotal, Verdict};
use crate::forecast::Season;
use crate::forecast::clean::Cleaned;
use crate::incident::{
    Acknowledgement, Answer, Author, Incident, MetricState, Nature, Silence, outage_shows_after,
};
use crate::notify::email::write_parts;
use crate::notify::{
    BreakdownObject, EvaluationObject, Route, VerdictWord, breakdown_object, evaluation_object,
};
pub use crate::notify::{EventObject, Stamp, event_object, event_objects, stamp};
use crate::output::{
    Colour, MINUS, Notation, Painted, is_of_days, one_line, print, separate_thousands,
    write_change, write_lasting, write_span, write_time, write_times, write_weekday, write_when,
};
use crate::series::{Step, Window};
pub use blind::{blind_sides, explain_blind};

/// What is said of a series that is a running total.
pub const RUNNING_TOTAL: &str =
    "a running total: judged by what each bucket adds to it (increments = false: by its values)";

/// The colours of the verdicts, as of the mails.
pub const VERDICTS: [Painted; 3] = [
    ("HIGH", Colour::Blue),
    ("LOW", Colour::Orange),
    ("UNDECIDED", Colour::Grey),
];

/// How much a run tells in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// What no mail tells, nor will tell.
    Quiet,
    /// What no mail has told before, where nobody looks on.
    Unmailed,
    /// What wants attention, of a run that remembers nothing.
    Notable,
    /// A line for every metric.
    Everything,
    /// And how it came about.
    Details,
}

/// What came of the check of one metric.
#[derive(Debug, Default)]
pub struct MetricReport {
    /// So wide is the column of the names.
    pub name_width: usize,
    /// None where the metric could not be read or judged.
    pub evaluation: Option<Evaluation>,
    /// As of when it is; of an evaluation that knows what it was made from, that is in it.
    pub as_of: Option<DateTime<Tz>>,
    /// The evaluation as programs read it, where it does not know what it was made from.
    pub object: Option<EvaluationObject>,
    /// The bucket that was evaluated last, where there is none after it.
    pub unchanged_since: Option<DateTime<Tz>>,
    /// The events of now, each on one line.
    pub events: Vec<String>,
    /// The parts that explain an incident.
    pub breakdown: Option<Breakdown>,
    /// The addresses whose mail the server accepted, and the channels that accepted what they were posted.
    pub mailed: Vec<String>,
    pub files: Vec<PathBuf>,
    /// What could not be done, each on one line.
    pub failures: Vec<String>,
    /// Whether a mail about it was refused.
    pub is_refused: bool,
}

impl MetricReport {
    /// The text for standard output, if there is something to tell.
    pub fn write(&self, metric: &Metric, format: Format, verbosity: Verbosity) -> Option<String> {
        match format {
            Format::Json if verbosity == Verbosity::Quiet => None,
            Format::Json => serde_json::to_string(&check_object(metric, self)).ok(),
            Format::Text => self.write_text(metric, verbosity),
        }
    }

    fn write_text(&self, metric: &Metric, verbosity: Verbosity) -> Option<String> {
        let evaluation = self.evaluation.as_ref();
        let verdict = evaluation.map(|evaluation| &evaluation.verdict);
        let is_usual = verdict.is_none_or(|verdict| *verdict == Verdict::Normal);
        let is_wanted = match verbosity {
            Verbosity::Quiet | Verbosity::Unmailed => !is_usual && self.is_refused,
            Verbosity::Notable => !is_usual || !self.mailed.is_empty(),
            Verbosity::Everything | Verbosity::Details => true,
        };
        if !is_wanted {
            return None;
        }
        let mut lines = vec![match (evaluation, self.unchanged_since) {
            (Some(evaluation), _) => write_line_at(metric, evaluation, self.as_of),
            (None, Some(since)) => {
                format!("{}  nothing new since {}", metric.name, write_minute(since))
            }
            (None, None) => return None,
        }];
        let (name, rest) = lines[0].split_at(metric.name.len());
        lines[0] = format!("{name:<width$}{rest}", width = self.name_width);
        if verbosity >= Verbosity::Everything {
            lines.extend(self.events.iter().cloned());
            let parts = evaluation.zip(self.breakdown.as_ref());
            let parts = parts.and_then(|(evaluation, breakdown)| {
                let now = evaluation.window()?.as_of;
                write_parts(metric, breakdown, evaluation.bucket, now)
            });
            lines.extend(parts);
            let blind = evaluation.map(|evaluation| blind_sides(&metric.method, evaluation));
            lines.extend(blind.into_iter().flatten());
            // Of no data it is in the reason.
            let hint = evaluation.filter(|evaluation| evaluation.reason().is_none());
            lines.extend(
                hint.and_then(Evaluation::window)
                    .and_then(|window| window.hint.clone()),
            );
        }
        let mailed = self.mailed.iter().map(|to| match Route::to(to) {
            Route::Email => format!("mailed to {to}"),
            Route::Web(name) => format!("posted to the channel {name}"),
        });
        lines.extend(mailed);
        let files = self.files.iter().map(|path| path.display());
        lines.extend(files.map(|path| format!("wrote {path}")));
        if verbosity == Verbosity::Details {
            let details = evaluation.and_then(|evaluation| details(metric, evaluation));
            lines.extend(details.into_iter().flatten());
        }
        Some(lines.join("\n  "))
    }
}

/// A time in full, to the minute: `2026-11-22 14:05 CET`
pub fn write_minute(time: DateTime<Tz>) -> String {
    time.format("%Y-%m-%d %H:%M %Z").to_string()
}

/// A line, and the entries below it, each after its heading.
pub fn write_page<'a>(title: &str, entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let lines = entries.map(|(heading, text)| format!("\n  {heading:<12}{text}"));
    let lines: String = lines.collect();
    format!("{title}{lines}\n")
}

/// The verdict on one line: `sales  HIGH  1,843 at 14:05 CET, expected 1,102 (912 to 1,298)`
pub fn write_line(metric: &Metric, evaluation: &Evaluation) -> String {
    write_line_at(metric, evaluation, None)
}

fn write_line_at(metric: &Metric, evaluation: &Evaluation, as_of: Option<DateTime<Tz>>) -> String {
    let (name, verdict) = (&metric.name, evaluation.verdict.word().to_uppercase());
    let now = evaluation.window().map(|window| window.as_of);
    let now = now.or(as_of).unwrap_or(evaluation.start(chrono_tz::UTC));
    let latest = evaluation.latest(now.timezone());
    let told = match (evaluation.reason(), latest, evaluation.band) {
        (Some(reason), Some(latest), _) => {
            let value = evaluation.notation().write(latest.value);
            let when = write_when(latest.time, evaluation.bucket.length(), now);
            format!("{reason} (newest: {value} {when})")
        }
        (Some(reason), None, _) => reason.to_string(),
        (_, Some(latest), _) => {
            let when = write_when(latest.time, evaluation.bucket.length(), now);
            match write_against(evaluation, &when) {
                Some(told) => told,
                None => return format!("{name}  {verdict}"),
            }
        }
        _ => return format!("{name}  {verdict}"),
    };
    format!("{name}  {verdict}  {told}")
}

/// `1,843 at 14:05 CET, expected 1,102 (912 to 1,298)`
pub fn write_against(evaluation: &Evaluation, when: &str) -> Option<String> {
    let (notation, band) = (evaluation.notation(), evaluation.band?);
    let value = notation.write(evaluation.value?);
    let expected = notation.write_expected(band.expected);
    let band = band.write(notation);
    Some(format!("{value} {when}, expected {expected} ({band})"))
}

/// `12,096 (empty 0, not finite 0, time unclear 0, repeated 0)`
pub fn write_rows(window: &Window) -> String {
    let rows = window.row_counts;
    format!(
        "{} (empty {}, not finite {}, time unclear {}, repeated {})",
        separate_thousands(&rows.rows.to_string()),
        rows.empty,
        rows.not_finite,
        rows.unclear_time,
        rows.repeated
    )
}

/// `3.8 half-widths of the 95 % band above what was expected`
pub fn write_deviation(evaluation: &Evaluation) -> Option<String> {
    let half_widths = evaluation.deviation?;
    let side = if half_widths < 0.0 { "below" } else { "above" };
    let (times, level) = (write_times(half_widths.abs()), evaluation.level);
    Some(format!(
        "{times} half-widths of the {level} band {side} what was expected"
    ))
}

pub fn write_count(count: usize) -> String {
    separate_thousands(&count.to_string())
}

/// `12,345 in the last 6 h, where 13,100 is usual (-1.2 standard deviations)`, for each span.
pub fn write_totals(evaluation: &Evaluation) -> Vec<String> {
    let spans = evaluation.reference.spans.iter();
    let line = |total: &SpanTotal| {
        let [seen, usual] =
            [total.seen, total.usual].map(|sum| evaluation.notation_of(sum).write(sum));
        let length = write_last(evaluation, total.length);
        let sigmas = total.departure(&[1.0]).sigmas;
        let times = write_times(sigmas.abs());
        let sign = match (times.starts_with(char::is_numeric), sigmas < 0.0) {
            (false, _) => "",
            (true, false) => "+",
            (true, true) => MINUS,
        };
        let sigmas = format!("{sign}{times}");
        format!(
            "{seen} in the last {length}, where {usual} is usual ({sigmas} standard deviations)"
        )
    };
    spans.map(line).collect()
}

/// How long the newest buckets are, up to and with the evaluated one.
fn write_last(evaluation: &Evaluation, length: TimeDelta) -> String {
    let bucket = evaluation.bucket;
    let zone = evaluation.window().map_or(Tz::UTC, Window::zone);
    let since = (bucket.end - length).with_timezone(&zone);
    write_lasting(since, length, bucket.length())
}

/// How soon a total outage is told, under a budget of false alerts.
pub fn write_outage(metric: &Metric, evaluation: &Evaluation) -> Option<String> {
    metric.policy.budget?;
    Some(match outage_shows_after(evaluation, &metric.policy) {
        Some(length) => {
            let length = write_last(evaluation, length);
            format!("a total outage shows within {length}")
        }
        None if is_of_days(evaluation.bucket.length()) => {
            "a total outage would not show".to_string()
        }
        None => "at this hour a total outage would not show within three days".to_string(),
    })
}

/// `Black Friday: muted until 2026-11-28 00:00 CET`, for each event at a time.
pub fn write_events(metric: &Metric, step: Option<Step>, now: DateTime<Tz>) -> Vec<String> {
    let events = metric.events.at(now.to_utc());
    let line = |occurrence: Occurrence| {
        let until = occurrence.period.end.with_timezone(&now.timezone());
        let effect = occurrence.participle(time_delta(metric.window_as_known(step)));
        let name = &occurrence.event.name;
        format!("{name}: {effect} until {}", write_minute(until))
    };
    events.map(line).collect()
}

/// `new level since Tuesday 10:00 CET, 40 % lower`, and whether the open incident is kept.
pub fn write_levels(known: &MetricState, now: DateTime<Tz>) -> Vec<String> {
    let levels = known.new_levels(now.to_utc());
    let levels = levels.map(|level| {
        let since = level
            .since
            .map(|since| write_weekday(since.with_timezone(&now.timezone()), now));
        let since = since.map_or(String::new(), |since| format!(" since {since}"));
        let change = write_change(f64::from(level.ratio) - 1.0);
        let by_hand = level.asked_at.map_or("", |_| ", by accept");
        format!("new level{since}, {change}{by_hand}")
    });
    let kept = known.is_kept().then(|| {
        "the level of the open incident is not accepted (accept --keep), until the values are back"
            .to_string()
    });
    levels.chain(kept).collect()
}

/// Text that is kept for whoever looks at the status or reads a mail.
pub fn brief_reason(text: &str) -> String {
    const LONGEST: usize = 200;
    one_line(text).chars().take(LONGEST).collect()
}

/// `LOW from Tuesday 10:00 to 11:25 CET`, or `since` while it is open.
pub fn write_incident(incident: &Incident, now: DateTime<Tz>) -> String {
    let zone = now.timezone();
    let side = incident.side.word().to_uppercase();
    let since = incident.since.with_timezone(&zone);
    if incident.is_open {
        return format!("{side} since {}", write_time(since, now));
    }
    let span = write_span(since, incident.until.with_timezone(&zone), now);
    format!("{side} from {span}")
}

/// `acknowledged by anna on web1 at 14:05 CET until 18:05 CET: the truck is late`
pub fn write_acknowledgement(answer: &Acknowledgement, now: DateTime<Tz>) -> String {
    let time = |time: DateTime<Utc>| write_time(time.with_timezone(&now.timezone()), now);
    let Author { user, host } = &answer.by;
    let until = answer.until.map(|until| format!(" until {}", time(until)));
    let because = answer.because.as_ref().map(|text| format!(": {text}"));
    format!(
        "acknowledged by {user} on {host} at {}{}{}",
        time(answer.at),
        until.unwrap_or_default(),
        because.unwrap_or_default()
    )
}

/// `fine: LOW from Tuesday 10:00 to 11:25 CET, says anna on web1; learnt as usual`, oldest first.
pub fn write_answers(known: &MetricState, now: DateTime<Tz>) -> Vec<String> {
    let open = known.incident().map(|open| open.id.as_str());
    let answers = known.answers().iter();
    let is_open = |answer: &Answer| open == Some(answer.alert.as_str());
    answers
        .map(|answer| write_answer(answer, is_open(answer), now))
        .collect()
}

/// One of them.
pub fn write_answer(answer: &Answer, is_open: bool, now: DateTime<Tz>) -> String {
    let Author { user, host } = &answer.by;
    let incident = Incident {
        id: answer.alert.clone(),
        side: answer.side,
        since: answer.since,
        until: answer.until,
        size: answer.size,
        is_open,
    };
    let (incident, word) = (write_incident(&incident, now), answer.nature.word());
    let effect = match answer.nature {
        Nature::Fine => "learnt as usual, and one like it at that time of the week is not told",
        Nature::Real => "not learnt from",
    };
    format!("{word}: {incident}, says {user} on {host}; {effect}")
}

/// What people said of an incident, for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AnswerObject {
    was: &'static str,
    side: &'static str,
    since: Stamp,
    until: Stamp,
    user: String,
    host: String,
    at: Stamp,
}

/// Who knows of an alert, for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AcknowledgementObject {
    user: String,
    host: String,
    at: Stamp,
    until: Option<Stamp>,
    because: Option<String>,
}

/// When nothing is told, for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SilenceObject {
    from: Option<Stamp>,
    until: Stamp,
    because: Option<String>,
}

pub fn silence_objects<'a>(
    silences: impl IntoIterator<Item = &'a Silence>,
    zone: Tz,
) -> Vec<SilenceObject> {
    let stamped = |time: DateTime<Utc>| stamp(time.with_timezone(&zone));
    let silences = silences.into_iter().map(|silence| SilenceObject {
        from: silence.from.map(stamped),
        until: stamped(silence.until),
        because: silence.because.clone(),
    });
    silences.collect()
}

pub fn answer_objects(answers: &[Answer], zone: Tz) -> Vec<AnswerObject> {
    let stamped = |time: DateTime<Utc>| stamp(time.with_timezone(&zone));
    let answers = answers.iter().map(|answer| AnswerObject {
        was: answer.nature.word(),
        side: answer.side.word(),
        since: stamped(answer.since),
        until: stamped(answer.until),
        user: answer.by.user.clone(),
        host: answer.by.host.clone(),
        at: stamped(answer.at),
    });
    answers.collect()
}

pub fn acknowledgement_object(answer: &Acknowledgement, zone: Tz) -> AcknowledgementObject {
    let stamped = |time: DateTime<Utc>| stamp(time.with_timezone(&zone));
    AcknowledgementObject {
        user: answer.by.user.clone(),
        host: answer.by.host.clone(),
        at: stamped(answer.at),
        until: answer.until.map(stamped),
        because: answer.because.clone(),
    }
}

/// `buckets of the window that are ignored: 288`
pub fn write_ignored(window: &Window) -> Option<String> {
    let count = write_count(window.ignored.buckets);
    (window.ignored.buckets > 0).then(|| format!("buckets of the window that are ignored: {count}"))
}

fn details(metric: &Metric, evaluation: &Evaluation) -> Option<Vec<String>> {
    let workings = evaluation.workings.as_deref()?;
    let window = &workings.window;
    let mut details = vec![format!(
        "rows {}, step {}, as of {}",
        write_rows(window),
        window.step(),
        window.as_of.format("%Y-%m-%d %H:%M:%S %Z")
    )];
    details.extend(workings.cleaned.as_ref().map(write_history));
    if let Some(forecast) = &workings.forecast {
        details.push(write_seasons(&forecast.seasons));
        details.extend(forecast.held_since.map(|since| {
            let since = write_time(since, window.as_of);
            format!("an incident since {since}: the forecast does not follow it before adapt_after")
        }));
    }
    details.extend(write_ignored(window));
    details.extend(window.total_since.map(|_| RUNNING_TOTAL.to_string()));
    details.extend(write_deviation(evaluation));
    details.extend(write_outage(metric, evaluation));
    Some(details)
}

fn write_history(cleaned: &Cleaned) -> String {
    let history = &cleaned.history;
    let fences = cleaned.fences.map_or(String::new(), |fences| {
        let notation = Notation::for_value(fences.upper - fences.lower);
        let [lower, upper] = [fences.lower, fences.upper].map(|fence| notation.write(fence));
        format!(" (for now beyond {lower} and {upper})")
    });
    format!(
        "history {} from {}: {} values, {} missing, {} clipped{fences}",
        history.span(),
        write_minute(history.time(0)),
        write_count(history.len() - history.missing()),
        write_count(history.missing()),
        write_count(cleaned.clipped.len())
    )
}

/// `seasons 1 d (62 %) and 7 d (8 %), by what they explain`
pub fn write_seasons(seasons: &[Season]) -> String {
    if seasons.is_empty() {
        return "no season".into();
    }
    let seasons = seasons.iter().map(|season| {
        let share = season.strength.max(0.0) * 100.0;
        format!("{} ({share:.0} %)", season.length)
    });
    let seasons = seasons.collect::<Vec<_>>().join(" and ");
    format!("seasons {seasons}, by what they explain")
}

/// What came of the check of a metric; `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckObject {
    #[serde(flatten)]
    evaluation: EvaluationObject,
    parts: Option<BreakdownObject>,
    mailed: Vec<String>,
    files: Vec<String>,
    failures: Vec<String>,
}

/// One metric, for programs.
pub fn check_object(metric: &Metric, report: &MetricReport) -> CheckObject {
    let evaluation = report.evaluation.as_ref();
    let zone = evaluation.and_then(Evaluation::window).map(Window::zone);
    let kept = report.object.clone();
    let mut object =
        kept.unwrap_or_else(|| evaluation_object(metric, evaluation, zone.unwrap_or_default()));
    if evaluation.is_none() {
        object.verdict = Some(match report.unchanged_since {
            Some(_) => VerdictWord::Unchanged,
            None => VerdictWord::Failed,
        });
        object.time = report.unchanged_since.map(stamp);
    }
    let unchanged = report.unchanged_since.map(|time| time.timezone());
    let as_of = report.as_of.map(|time| time.timezone());
    let zone = zone.or(unchanged).or(as_of).unwrap_or_default();
    let breakdown = report.breakdown.as_ref();
    let files = report.files.iter().map(|path| path.display().to_string());
    CheckObject {
        evaluation: object,
        parts: breakdown.map(|breakdown| breakdown_object(breakdown, zone)),
        mailed: report.mailed.clone(),
        files: files.collect(),
        failures: report.failures.clone(),
    }
}

/// Prints what a command was asked for, as one object.
pub fn print_object(object: &impl Serialize) -> Result<()> {
    print(&format!("{}\n", serde_json::to_string(object)?))
}

#[cfg(test)]
pub mod tests;
