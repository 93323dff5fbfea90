//! Which columns of which tables are worth watching: a ranking by their types, names and indexes, and by how many
//! and how new the rows are.

use chrono::TimeDelta;

use crate::config::TimeMeaning;
use crate::output::{separate_thousands, write_length};
use crate::series::Aggregate;
use crate::source::catalog::{ColumnKind, ListedColumn, ListedTable};

/// A series that a table may hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal<'a> {
    pub table: &'a ListedTable,
    pub time: &'a ListedColumn,
    /// `None`: its rows are counted.
    pub value: Option<&'a ListedColumn>,
    /// How rows become a value, if they are not ready-made.
    pub aggregate: Aggregate,
    /// What the time column tells, if its type does not say so.
    pub meaning: Option<TimeMeaning>,
    /// How long ago the newest row was; negative if it is ahead of now.
    pub age: Option<TimeDelta>,
    score: i32,
}

/// What somebody has chosen already.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wish<'a> {
    pub table: Option<&'a str>,
    pub time: Option<&'a str>,
    pub value: Option<&'a str>,
    pub aggregate: Option<Aggregate>,
}

/// Words of names, with what they are worth: of the highest and the lowest that a name has, the sum counts.
type Words = [(&'static [&'static str], i32)];

const TIME_WORDS: &Words = &[
    (
        &[
            "created",
            "ordered",
            "placed",
            "paid",
            "sold",
            "sell",
            "sale",
            "purchased",
            "booked",
            "occurred",
            "recorded",
            "measured",
            "logged",
            "order",
            "invoice",
            "transaction",
            "event",
        ],
        5,
    ),
    (
        &[
            "at",
            "time",
            "timestamp",
            "ts",
            "date",
            "datetime",
            "day",
            "on",
        ],
        2,
    ),
    (&["from", "start", "started", "begin", "hire", "hired"], 2),
    (
        &[
            "updated",
            "modified",
            "changed",
            "deleted",
            "removed",
            "last",
            "expires",
            "expiry",
            "expired",
            "until",
            "to",
            "end",
            "ended",
            "due",
            "birth",
            "birthday",
            "dob",
            "shipped",
            "delivered",
            "cancelled",
            "canceled",
            "login",
            "scheduled",
            "planned",
            "valid",
            "read",
            "verified",
            "confirmed",
        ],
        -6,
    ),
];

const VALUE_WORDS: &Words = &[
    (
        &[
            "amount", "total", "revenue", "turnover", "sales", "gross", "net", "grand", "ca",
            "value", "sum",
        ],
        6,
    ),
    (
        &[
            "price",
            "cost",
            "fee",
            "salary",
            "payment",
            "paid",
            "income",
            "quantity",
            "qty",
            "count",
            "units",
            "bytes",
            "requests",
            "visits",
            "temperature",
            "power",
            "energy",
            "duration",
            "latency",
        ],
        3,
    ),
    (
        &[
            "tax",
            "vat",
            "discount",
            "rate",
            "percent",
            "pct",
            "shipping",
            "latitude",
            "longitude",
            "lat",
            "lng",
            "lon",
            "weight",
            "width",
            "height",
            "limit",
            "min",
            "max",
            "unit",
            "old",
            "previous",
            "balance",
            "refunded",
        ],
        -4,
    ),
    (
        &[
            "id", "no", "nr", "number", "code", "zip", "postal", "postcode", "phone", "year",
            "month", "day", "version", "position", "sort", "rank", "status", "state", "type",
            "flag", "is", "has", "level", "priority", "batch",
        ],
        -12,
    ),
];

const TABLE_WORDS: &Words = &[
    (
        &[
            "orders",
            "order",
            "sales",
            "sale",
            "purchases",
            "transactions",
        ],
        4,
    ),
    (
        &[
            "payments",
            "payment",
            "invoices",
            "bookings",
            "checkouts",
            "events",
            "measurements",
            "readings",
            "requests",
        ],
        3,
    ),
    (&["items", "lines", "details", "positions"], -1),
    (
        &[
            "log",
            "logs",
            "audit",
            "sessions",
            "session",
            "migrations",
            "schema",
            "queue",
            "jobs",
            "cache",
            "history",
            "archive",
            "backup",
            "tmp",
            "temp",
            "old",
            "staging",
            "tokens",
            "carts",
            "refunds",
            "users",
            "customers",
            "products",
            "categories",
            "coupons",
        ],
        -4,
    ),
];

/// A value of these is a state, which does not add up.
const AVERAGED: [&str; 16] = [
    "temperature",
    "rate",
    "percent",
    "pct",
    "balance",
    "level",
    "score",
    "rating",
    "latency",
    "duration",
    "unit",
    "average",
    "avg",
    "mean",
    "ratio",
    "stock",
];

/// So many columns of values of a table are proposed.
const MOST_VALUES: usize = 2;

/// As a shell takes it: whoever reads it copies it.
fn for_shell(name: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    if name.chars().all(is_plain) {
        name.to_string()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

impl Proposal<'_> {
    /// `shop.orders: sum of total by created_at (about 12,000 rows, the newest 3 min ago)`
    pub fn write(&self) -> String {
        let what = match self.value {
            Some(value) => format!("{} of {}", self.aggregate.word(), value.name),
            None => "count of rows".to_string(),
        };
        let rows = self.table.rows.map(|rows| {
            let rows = separate_thousands(&rows.to_string());
            format!("about {rows} rows")
        });
        let newest = self.age.map(|age| {
            let length = write_length(age.abs());
            if age < TimeDelta::zero() {
                format!("the newest {length} ahead")
            } else {
                format!("the newest {length} ago")
            }
        });
        let index = (!self.time.is_indexed).then(|| "no index on the time".to_string());
        let notes: Vec<String> = [rows, newest, index].into_iter().flatten().collect();
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" ({})", notes.join(", "))
        };
        format!(
            "{}: {what} by {}{notes}",
            self.table.full_name(),
            self.time.name
        )
    }

    /// The flags that choose it.
    pub fn flags(&self) -> String {
        let value = self
            .value
            .map(|value| format!(" --value {}", for_shell(&value.name)));
        format!(
            "--table {} --time {}{} --aggregate {}",
            for_shell(&self.table.full_name()),
            for_shell(&self.time.name),
            value.unwrap_or_default(),
            self.aggregate.word()
        )
    }

    /// Takes in how new the newest row is.
    pub fn note_age(&mut self, age: Option<TimeDelta>) {
        self.score += match age {
            None => 0,
            Some(age) if age < TimeDelta::days(-2) => -8,
            Some(age) if age <= TimeDelta::days(2) => 5,
            Some(age) if age <= TimeDelta::days(14) => 3,
            Some(age) if age <= TimeDelta::days(90) => 0,
            Some(_) => -3,
        };
        self.age = age;
    }
}

/// All that suits the wish, the best first.
pub fn proposals<'a>(tables: &'a [ListedTable], wish: Wish) -> Vec<Proposal<'a>> {
    let tables = tables.iter().filter(|table| is_wanted(table, wish.table));
    let mut proposals: Vec<Proposal> = tables.flat_map(|table| of_table(table, wish)).collect();
    sort(&mut proposals);
    proposals
}

/// The best first; among equals the order of before.
pub fn sort(proposals: &mut [Proposal]) {
    proposals.sort_by_key(|proposal| -proposal.score);
}

/// Whether a table is the one of that name, with or without its database.
pub fn is_wanted(table: &ListedTable, name: Option<&str>) -> bool {
    name.is_none_or(|name| name == table.name || name == table.full_name())
}

fn of_table<'a>(table: &'a ListedTable, wish: Wish) -> Vec<Proposal<'a>> {
    let times = table.columns.iter().filter(|column| match wish.time {
        Some(name) => column.name == name && (is_date(column) || column.kind == ColumnKind::Whole),
        None => is_time(column),
    });
    let values = values(table, wish);
    let of_table = table_score(table);
    let mut proposals = Vec::new();
    for time in times {
        let values = values
            .iter()
            .filter(|value| value.is_none_or(|value| value != time));
        proposals.extend(values.map(|value| Proposal {
            table,
            time,
            value: *value,
            aggregate: wish.aggregate.unwrap_or_else(|| usual_aggregate(*value)),
            meaning: None,
            age: None,
            score: of_table + time_score(time) + value.map_or(1, value_score),
        }));
    }
    proposals
}

/// The columns of values, the best first, and none for the number of rows.
fn values<'a>(table: &'a ListedTable, wish: Wish) -> Vec<Option<&'a ListedColumn>> {
    let numbers = table
        .columns
        .iter()
        .filter(|column| column.kind.is_number());
    if let Some(name) = wish.value {
        return numbers
            .filter(|column| column.name == name)
            .map(Some)
            .collect();
    }
    if wish.aggregate == Some(Aggregate::Count) {
        return vec![None];
    }
    let mut values: Vec<&ListedColumn> = numbers
        .filter(|column| !column.is_key && !is_time(column) && value_score(column) > 0)
        .collect();
    values.sort_by_key(|column| -value_score(column));
    values.truncate(MOST_VALUES);
    let rows = wish.aggregate.is_none().then_some(None);
    values.into_iter().map(Some).chain(rows).collect()
}

fn usual_aggregate(value: Option<&ListedColumn>) -> Aggregate {
    let Some(value) = value else {
        return Aggregate::Count;
    };
    let words = words(&value.name);
    if words.iter().any(|word| AVERAGED.contains(&word.as_str())) {
        Aggregate::Avg
    } else {
        Aggregate::Sum
    }
}

fn is_date(column: &ListedColumn) -> bool {
    matches!(column.kind, ColumnKind::Time | ColumnKind::Date)
}

/// Whether its type, or the name of a whole number, says that it is a time.
fn is_time(column: &ListedColumn) -> bool {
    let names = [
        "at",
        "time",
        "timestamp",
        "ts",
        "epoch",
        "created",
        "unixtime",
    ];
    let is_named = || {
        words(&column.name)
            .iter()
            .any(|word| names.contains(&word.as_str()))
    };
    is_date(column) || (column.kind == ColumnKind::Whole && is_named())
}

fn table_score(table: &ListedTable) -> i32 {
    let rows = match table.rows {
        None => 3,
        // An estimate, which may be 0 of a table with rows.
        Some(0) => -8,
        Some(rows) => rows.ilog10().try_into().unwrap_or(0),
    };
    rows + worth(&table.name, TABLE_WORDS)
}

fn time_score(column: &ListedColumn) -> i32 {
    let kind = match column.kind {
        ColumnKind::Time => 6,
        ColumnKind::Date => 4,
        ColumnKind::Whole | ColumnKind::Fraction | ColumnKind::Other => 3,
    };
    kind + worth(&column.name, TIME_WORDS) + i32::from(column.is_indexed) * 2
}

fn value_score(column: &ListedColumn) -> i32 {
    let kind = if column.kind == ColumnKind::Fraction {
        4
    } else {
        2
    };
    kind + worth(&column.name, VALUE_WORDS)
}

/// The best and the worst of what the words of a name are worth.
fn worth(name: &str, known: &Words) -> i32 {
    let words = words(name);
    let of_word = |word: &String| {
        let mut known = known.iter();
        known.find_map(|(words, worth)| words.contains(&word.as_str()).then_some(*worth))
    };
    let worths: Vec<i32> = words.iter().filter_map(of_word).collect();
    let best = worths.iter().copied().max().unwrap_or(0).max(0);
    best + worths.iter().copied().min().unwrap_or(0).min(0)
}

/// `total_amount` and `totalAmount` are two words each.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if !letter.is_alphabetic() || (was_small && letter.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphabetic()) {
            word.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(text: &str) -> ListedColumn {
        let mut words = text.split(' ');
        let name = words.next().expect("a name").to_string();
        let kind = match words.next().expect("a type") {
            "time" => ColumnKind::Time,
            "date" => ColumnKind::Date,
            "whole" => ColumnKind::Whole,
            "fraction" => ColumnKind::Fraction,
            _ => ColumnKind::Other,
        };
        let marks: Vec<&str> = words.collect();
        ListedColumn {
            name,
            kind,
            is_key: marks.contains(&"key"),
            is_indexed: marks.contains(&"indexed"),
        }
    }

    fn table(name: &str, rows: u64, columns: &[&str]) -> ListedTable {
        ListedTable {
            database: "shop".to_string(),
            name: name.to_string(),
            rows: Some(rows),
            columns: columns.iter().map(|text| column(text)).collect(),
        }
    }

    fn flags(tables: &[ListedTable], wish: Wish) -> Vec<String> {
        proposals(tables, wish)
            .iter()
            .map(Proposal::flags)
            .collect()
    }

    #[test]
    fn amounts_come_before_counts_and_keys_flags_and_years_are_no_values() {
        let tables = [table(
            "orders",
            50_000,
            &[
                "id whole key",
                "customer_id whole key",
                "createdAt time indexed",
                "updatedAt time",
                "grand_total fraction",
                "tax fraction",
                "items whole",
                "fiscal_year whole",
                "is_gift other",
            ],
        )];
        let found = flags(&tables, Wish::default());
        let of = |rest: &str| format!("--table shop.orders --time {rest}");
        assert_eq!(
            found[0],
            of("createdAt --value grand_total --aggregate sum")
        );
        assert!(
            found.contains(&of("createdAt --aggregate count")),
            "{found:?}"
        );
        let last = found.last().expect("a proposal");
        assert!(last.starts_with(&of("updatedAt")), "{found:?}");
        for never in ["fiscal_year", "customer_id", "--value id", "is_gift"] {
            assert!(
                !found.iter().any(|flags| flags.contains(never)),
                "{found:?}"
            );
        }
    }

    #[test]
    fn what_is_old_or_ahead_of_now_comes_later() {
        let tables = [
            table("payments", 1000, &["paid_at time", "amount fraction"]),
            table("invoices", 1000, &["paid_at time", "amount fraction"]),
            table("bookings", 1000, &["paid_at time", "amount fraction"]),
        ];
        let mut found = proposals(&tables, Wish::default());
        for proposal in &mut found {
            proposal.note_age(match proposal.table.name.as_str() {
                "payments" => Some(TimeDelta::days(900)),
                "invoices" => Some(TimeDelta::days(-900)),
                _ => Some(TimeDelta::minutes(3)),
            });
        }
        sort(&mut found);
        assert_eq!(found[0].table.name, "bookings");
        assert_eq!(
            found[0].write(),
            "shop.bookings: sum of amount by paid_at (about 1,000 rows, the newest 3 min ago, no index on the time)"
        );
    }

    #[test]
    fn a_whole_number_is_a_time_by_its_name_alone_and_a_state_is_averaged() {
        let tables = [table(
            "readings",
            1000,
            &["ts whole", "sensor whole", "temperature fraction"],
        )];
        let found = flags(&tables, Wish::default());
        assert_eq!(
            found[0],
            "--table shop.readings --time ts --value temperature --aggregate avg"
        );
        assert!(found.iter().all(|flags| flags.contains("--time ts")));
    }

    #[test]
    fn a_wish_is_taken_as_it_is() {
        let tables = [
            table("a", 10, &["t time", "other_id whole key"]),
            table("b", 10, &["t time", "x fraction"]),
        ];
        let wish = Wish {
            table: Some("shop.a"),
            time: Some("t"),
            value: Some("other_id"),
            aggregate: Some(Aggregate::Max),
        };
        assert_eq!(
            flags(&tables, wish),
            ["--table shop.a --time t --value other_id --aggregate max"]
        );
        let counted = Wish {
            table: Some("b"),
            aggregate: Some(Aggregate::Count),
            ..Wish::default()
        };
        assert_eq!(
            flags(&tables, counted),
            ["--table shop.b --time t --aggregate count"]
        );
        let unknown = Wish {
            time: Some("x"),
            ..counted
        };
        assert!(flags(&tables, unknown).is_empty());
    }
}
