//! The text of a configuration that watches one series.

use chrono_tz::Tz;

use crate::config::TimeMeaning;
use crate::output::escape;
use crate::series::{Aggregate, Step};

/// What the file is to say.
#[derive(Debug, Clone)]
pub struct Draft {
    pub zone: Tz,
    /// The lines of `[mysql]`.
    pub server: String,
    pub name: String,
    pub table: String,
    pub time_column: String,
    pub meaning: Option<TimeMeaning>,
    pub value_column: Option<String>,
    /// None: the rows are ready-made.
    pub aggregate: Option<Aggregate>,
    /// None before it is found.
    pub step: Option<Step>,
    /// What was found of the rows, and of the seasons and the weeks that were replayed, a sentence each.
    pub rows: Vec<String>,
    pub seasons: Vec<String>,
    /// As the key would have them.
    pub season_lengths: Vec<String>,
    pub replayed: Vec<String>,
}

/// Where the Debian package has the schema.
const HEAD: &str = "\
#:schema file:///usr/share/bandwatch/config.schema.json
# bandwatch, as \"bandwatch init\" found it. config.example.toml explains these keys, and has all others.
";

const SMTP: &str = "\
# The mail server: fill this in and uncomment it, for no alert is mailed before.
# [smtp]
# host = \"smtp.example.com\"
# port = 587
# user = \"alerts@example.com\"
# password_file = \"/etc/bandwatch/smtp-password\"
# from = \"bandwatch <alerts@example.com>\"
# recipients = [\"ops@example.com\"]
# contact = \"Data team, data@example.com\"
";

impl Draft {
    pub fn write(&self) -> String {
        let mut metric = String::new();
        let mut line = |text: &str| metric.extend([text, "\n"]);
        line(&format!("name = {}", quoted(&self.name)));
        line("# What people call it, and what its values are.");
        line("# title = \"...\"");
        line("# unit = \"EUR\"");
        line("");
        self.rows.iter().for_each(|told| line(&comment(told)));
        line(&format!("table = {}", quoted(&self.table)));
        line(&format!("time_column = {}", quoted(&self.time_column)));
        if let Some(meaning) = self.meaning {
            line(&format!("time = \"{}\"", meaning.word()));
        }
        if let Some(column) = &self.value_column {
            line(&format!("value_column = {}", quoted(column)));
        }
        match self.aggregate {
            Some(aggregate) => line(&format!("aggregate = \"{}\"", aggregate.word())),
            None => line("# The rows are ready-made, one a bucket: no aggregate."),
        }
        if let Some(step) = self.step {
            line(&format!("every = \"{step}\""));
        }
        line(match self.aggregate {
            Some(aggregate) if aggregate.adds_up() => {
                "# A bucket without rows counts as 0; \"gap\": as not measured.\nmissing = \"zero\""
            }
            _ => {
                "# A bucket without rows counts as not measured; \"zero\": as 0.\nmissing = \"gap\""
            }
        });
        line("");
        self.seasons.iter().for_each(|told| line(&comment(told)));
        if !self.season_lengths.is_empty() {
            let lengths: Vec<String> = self.season_lengths.iter().map(|one| quoted(one)).collect();
            line(&format!("# seasons = [{}]", lengths.join(", ")));
        }
        line("");
        line("# How many false alerts are acceptable.");
        self.replayed.iter().for_each(|told| line(&comment(told)));
        line("max_false_alerts = \"1/week\"");
        let zone = quoted(self.zone.name());
        let server = &self.server;
        format!(
            "{HEAD}\n# The wall clock of DATETIME columns, of charts and of mail.\ntimezone = {zone}\n\n[mysql]\n{server}\n{SMTP}\n[[metric]]\n{metric}"
        )
    }
}

/// One line, whatever names the text holds: a name may have a line break.
fn comment(text: &str) -> String {
    format!("# {}", escape(text))
}

/// A text as TOML has it.
pub fn quoted(text: &str) -> String {
    // All that JSON escapes is escaped in TOML too, which also wants this one to be.
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn whatever_the_names_are_the_text_is_a_configuration() {
        let odd = "a\"b\\c\u{7f}\u{1}\nä";
        let draft = Draft {
            zone: Tz::Europe__Paris,
            server: format!("user = {}\ndatabase = \"d\"\n", quoted(odd)),
            name: "sales".to_string(),
            table: odd.replace('.', ""),
            time_column: odd.to_string(),
            meaning: Some(TimeMeaning::EpochMs),
            value_column: Some(odd.to_string()),
            aggregate: Some(Aggregate::Sum),
            step: Step::from_seconds(300),
            rows: vec![format!("There is no index on {odd}.")],
            seasons: vec![odd.to_string()],
            season_lengths: vec!["1d".to_string(), "7d".to_string()],
            replayed: vec![odd.to_string()],
        };
        let config = Config::of_text(&draft.write(), None).expect("a configuration");
        let (time, value) = config.metrics[0].rows.columns();
        assert_eq!((time, value), (Some(odd), Some(odd)));
        assert!(config.smtp.is_none());
        let uncommented = draft.write().replace("# seasons", "seasons");
        let uncommented = uncommented.replace("# unit", "unit");
        let (before, smtp) = uncommented.split_once("# [smtp]").expect("a table");
        let (smtp, after) = smtp.split_once("\n\n").expect("its end");
        let smtp = smtp.replace("\n# ", "\n");
        let filled = format!("{before}[smtp]{smtp}\n\n{after}");
        let config = Config::of_text(&filled, None).expect("a configuration");
        assert!(config.smtp.is_some());
    }
}
