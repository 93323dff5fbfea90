//! The statements on the tables of the state. They are such that a Galera cluster takes them: rows have primary
//! keys, and no lock is held but those of the rows of a transaction.

use std::time::Duration;

use crate::series::shard::Shard;

/// What makes the tables.
///
/// A row of `bandwatch_state` is what is known of one series, or of metrics with many series and of bandwatch
/// itself as one shard sees them. A run holds a row as long as its token stands in it and `held_until` has not
/// come, by the clock of the server.
pub const CREATE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS bandwatch_state (
    id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    metric CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    place BIGINT UNSIGNED NOT NULL,
    name BLOB NOT NULL,
    shard VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    token CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    holder VARCHAR(128) CHARACTER SET utf8mb4 NOT NULL,
    held_until DATETIME(6) NOT NULL,
    state LONGBLOB NOT NULL,
    told LONGBLOB NOT NULL,
    runs LONGBLOB NOT NULL,
    PRIMARY KEY (id),
    KEY (metric)
) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS bandwatch_notes (
    name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    value LONGBLOB NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB",
];

/// Parameters: name and value of a note that is not there yet.
pub const ADD_NOTE: &str = "INSERT IGNORE INTO bandwatch_notes (name, value) VALUES (?, ?)";

/// Column: the value. Parameter: the name.
pub const NOTE: &str = "SELECT value FROM bandwatch_notes WHERE name = ?";

/// The same, which nobody else changes until the transaction ends.
pub const NOTE_TO_CHANGE: &str = "SELECT value FROM bandwatch_notes WHERE name = ? FOR UPDATE";

/// Parameters: value and name.
pub const CHANGE_NOTE: &str = "UPDATE bandwatch_notes SET value = ? WHERE name = ?";

/// The columns of a row: name, shard, whether the run of a token holds it, and what is known if so.
/// Parameters: four times that token; then those of the rows.
pub fn held(rows: &str) -> String {
    format!(
        "SELECT name, shard, token = ?, IF(token = ?, state, ''), IF(token = ?, told, ''), IF(token = ?, runs, '') FROM bandwatch_state WHERE {rows}"
    )
}

/// The same of all rows, whoever holds them. Parameters: those of the rows.
pub fn all(rows: &str) -> String {
    format!("SELECT name, shard, 1, state, told, runs FROM bandwatch_state WHERE {rows}")
}

/// Takes the rows that nobody holds. Parameters: token, holder; those of the rows; token.
pub fn take(rows: &str, length: Duration) -> String {
    let until = until(length);
    format!(
        "UPDATE bandwatch_state SET token = ?, holder = ?, held_until = {until} WHERE {rows} AND (held_until <= UTC_TIMESTAMP(6) OR token = ?)"
    )
}

/// Lets go of the rows. Parameters: those of the rows; token.
pub fn let_go(rows: &str) -> String {
    format!(
        "UPDATE bandwatch_state SET token = '', held_until = UTC_TIMESTAMP(6) WHERE {rows} AND token = ?"
    )
}

/// Parameters: those of the rows; token.
pub fn delete(rows: &str) -> String {
    format!("DELETE FROM bandwatch_state WHERE {rows} AND token = ?")
}

/// Columns: name and shard of the rows that a run holds. Parameters: those of the rows; token.
pub fn still_held(rows: &str) -> String {
    format!("SELECT name, shard FROM bandwatch_state WHERE {rows} AND token = ?")
}

/// The id of each row.
pub fn ids(rows: &str) -> String {
    format!("SELECT id FROM bandwatch_state WHERE {rows}")
}

/// Rows of nothing that is watched any more: nobody held them in so long.
pub const DELETE_FORGOTTEN: &str =
    "DELETE FROM bandwatch_state WHERE held_until < UTC_TIMESTAMP(6) - INTERVAL 35 DAY";

/// Adds rows that are not there, held. Parameters of each: see [`values`].
pub fn add(count: usize, length: Duration) -> String {
    let values = values(count, length);
    format!("INSERT IGNORE INTO bandwatch_state {COLUMNS} VALUES {values}")
}

/// Writes what is known into the rows that a run holds, and adds those that are not there. Parameters of each:
/// see [`values`].
pub fn write(count: usize, length: Duration) -> String {
    let values = values(count, length);
    format!(
        "INSERT INTO bandwatch_state {COLUMNS} VALUES {values} ON DUPLICATE KEY UPDATE state = IF(token = VALUES(token), VALUES(state), state), told = IF(token = VALUES(token), VALUES(told), told)"
    )
}

const COLUMNS: &str =
    "(id, metric, place, name, shard, token, holder, state, told, runs, held_until)";

/// Id, metric, place, name, shard, token, holder, state and what was told.
fn values(count: usize, length: Duration) -> String {
    let until = until(length);
    let one = format!("(?, ?, ?, ?, ?, ?, ?, ?, ?, '', {until})");
    vec![one; count].join(", ")
}

/// Parameters: when the last runs of a shard were; id; token.
pub const NOTE_RUNS: &str = "UPDATE bandwatch_state SET runs = ? WHERE id = ? AND token = ?";

/// Rows by their ids; so many parameters.
pub fn of_ids(count: usize) -> String {
    format!("id IN ({})", vec!["?"; count].join(", "))
}

/// The rows of so many metrics, in a shard.
pub fn of_metrics(count: usize, shard: Shard) -> String {
    let metrics = vec!["?"; count].join(", ");
    let (of, number) = (shard.count(), shard.number() - 1);
    format!("metric IN ({metrics}) AND shard = '' AND MOD(place, {of}) = {number}")
}

/// What shards keep for themselves. The parameter is the metric that stands there.
pub const OF_ALL_SHARDS: &str = "metric = ?";

/// The same of shards of another count, those that fall to a shard of the present one.
pub fn of_other_shards(shard: Shard) -> String {
    let (of, number) = (shard.count(), shard.number() - 1);
    format!("metric = ? AND shard NOT LIKE '%/{of}' AND MOD(place, {of}) = {number}")
}

/// Nobody runs them any more.
pub const IF_ABANDONED: &str = " AND held_until < UTC_TIMESTAMP(6) - INTERVAL 1 HOUR";

fn until(length: Duration) -> String {
    let micros = length.as_micros();
    format!("UTC_TIMESTAMP(6) + INTERVAL {micros} MICROSECOND")
}
