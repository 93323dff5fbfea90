//! The judged points as CSV, one a row. Numbers are the shortest that read back as the same number;
//! no field needs quotes.

use super::replay::Replay;
use crate::commands::report::stamp;

const HEADER: &str = "time,value,expected,lower,upper,score,verdict\n";

/// The whole table; limits and score are empty where nothing was decided.
pub fn write(replay: &Replay) -> String {
    let rows = replay.points.iter().map(|point| {
        let figures = point.decision().map_or(",,,".to_string(), |decision| {
            let (band, score) = (decision.band, decision.score);
            format!(
                "{:?},{:?},{:?},{score:?}",
                band.expected, band.lower, band.upper
            )
        });
        let (time, value, verdict) = (stamp(point.time), point.value, point.word());
        format!("{time},{value:?},{figures},{verdict}\n")
    });
    std::iter::once(HEADER.to_string()).chain(rows).collect()
}
