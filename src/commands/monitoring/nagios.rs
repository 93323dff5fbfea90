//! The output of a plugin of Nagios, Icinga and their kin, by the Monitoring Plugins Development Guidelines
//! (www.monitoring-plugins.org/doc/guidelines.html): a line with the state, performance data behind a bar, and
//! a line for each metric that wants attention.

use chrono::DateTime;
use chrono_tz::Tz;

use super::Standing;
use crate::cli::{PluginState, Severity};
use crate::commands::report::write_against;
use crate::output::{one_line, write_time, write_when};

/// Nagios reads no more than 8 kB.
const MOST_LINES: usize = 40;
const MOST_FIGURES: usize = 60;

/// The state that outweighs the others, and the text of the plugin. `failures` are of the run itself.
pub fn write_plugin_output(
    standings: &[Standing],
    failures: &[String],
    severity: Severity,
    now: DateTime<Tz>,
) -> (PluginState, String) {
    let standings = standings.iter().filter(|standing| standing.is_told());
    let standings: Vec<&Standing> = standings.collect();
    let told = standings
        .iter()
        .map(|standing| tell(standing, severity, now));
    let mut told: Vec<(PluginState, String)> = told.collect();
    let failed = failures
        .iter()
        .map(|why| (PluginState::Unknown, why.clone()));
    told.extend(failed);
    told.retain(|(state, _)| *state != PluginState::Ok);
    told.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
    let state = told.first().map_or(PluginState::Ok, |(state, _)| *state);
    let summary = match told.as_slice() {
        [] if standings.len() == 1 => tell(standings[0], severity, now).1,
        [] => format!("{} metrics as usual", standings.len()),
        [(_, only)] => only.clone(),
        [(_, first), others @ ..] => format!("{first}, and {} more", others.len()),
    };
    let lines = told.iter().skip(1).take(MOST_LINES);
    let lines = lines.map(|(state, text)| format!("\n{}: {}", state.word(), plain(text)));
    let lines: String = lines.collect();
    let figures = standings
        .iter()
        .take(MOST_FIGURES)
        .filter_map(|standing| figures(standing));
    let figures = figures.collect::<Vec<_>>().join(" ");
    let text = format!("BANDWATCH {}: {}", state.word(), plain(&summary));
    let text = if figures.is_empty() {
        text
    } else {
        format!("{text} | {figures}")
    };
    (state, format!("{text}{lines}\n"))
}

fn tell(standing: &Standing, severity: Severity, now: DateTime<Tz>) -> (PluginState, String) {
    let name = &standing.metric.name;
    if let Some((side, since)) = standing.incident() {
        let since = write_time(since.with_timezone(&now.timezone()), now);
        let latest = latest(standing, now).map_or(String::new(), |latest| format!(": {latest}"));
        return (
            severity.into(),
            format!("{name} {} since {since}{latest}", side.word()),
        );
    }
    if let Some(why) = standing.obstacle() {
        return (PluginState::Unknown, format!("{name}: {why}"));
    }
    match latest(standing, now) {
        Some(latest) => (PluginState::Ok, format!("{name} {latest}")),
        None => (PluginState::Unknown, format!("{name}: not judged yet")),
    }
}

/// "1,843 at 14:05 CET, expected 865 (790 to 940)"
fn latest(standing: &Standing, now: DateTime<Tz>) -> Option<String> {
    let evaluation = standing.evaluation()?;
    let start = evaluation.start(now.timezone());
    write_against(
        evaluation,
        &write_when(start, evaluation.bucket.length(), now),
    )
}

/// "'sales'=1843;790:940;790:940": the value, and twice the band, as a range that is fine.
fn figures(standing: &Standing) -> Option<String> {
    let evaluation = standing.evaluation()?;
    let (value, band) = (evaluation.value?, evaluation.band?);
    let label = standing.metric.name.replace(['=', '\''], "_");
    let range = format!("{}:{}", band.lower, band.upper);
    Some(format!("'{}'={value};{range};{range}", plain(&label)))
}

/// The bar parts text and figures, and a line is a line.
fn plain(text: &str) -> String {
    one_line(text).replace('|', "/")
}
