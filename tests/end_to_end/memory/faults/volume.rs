//! A table that is large: 300,000 rows in the suite, and as many as `BANDWATCH_ROWS` says.

use crate::memory::story::Story;
use crate::support::MailServerSetup;
use crate::support::workspace::say;

#[test]
fn the_server_makes_the_buckets_of_a_large_table_and_a_run_without_news_asks_for_one_row() {
    let rows: u64 =
        std::env::var("BANDWATCH_ROWS").map_or(300_000, |text| text.parse().expect("a number"));
    let mut story = Story::without_rows(MailServerSetup::default());
    let database = &story.database;
    database.execute("CREATE TABLE sales (id INT PRIMARY KEY, at DATETIME NOT NULL, amount DOUBLE NOT NULL, KEY (at))");
    // Sales of a hundredth of what is usual in five minutes, spread over four days and an hour.
    let span = 97 * 3600;
    database.execute(&format!(
        "INSERT INTO sales SELECT seq, at, 291 * 400 * (1000 + 400 * SIN(2 * PI() * TIME_TO_SEC(at) / 86400)) / {rows} \
         FROM (SELECT seq, '2026-11-18 11:00:00' + INTERVAL (seq * {span}) DIV {rows} SECOND AS at FROM seq_0_to_{}) AS spread",
        rows - 1
    ));
    story.metric = "aggregate = \"sum\"\ndelay = \"0s\"\n".into();
    let before = story.database.read_by_reader();
    let first = story.run_well("12:00");
    say(&format!("{rows} rows: read in {:?}", first.elapsed));
    assert_eq!(story.state("12:00")["state"], "ok");
    let after = story.database.read_by_reader();
    let sent = after.sent - before.sent;
    // Four days are 1,152 buckets.
    assert!((1152..1200).contains(&sent), "{sent} rows were sent");
    let again = story.run_well("12:01");
    say(&format!("{rows} rows: without news {:?}", again.elapsed));
    assert_eq!(again.stdout, "");
    let read = story.database.read_by_reader().read - after.read;
    assert!(read <= 2, "{read} rows were read");
    story.database.execute(&format!(
        "INSERT INTO sales VALUES ({rows}, '2026-11-22 12:01:00', 1e9)"
    ));
    story.run_well("12:05");
    story.assert_told(&["High"]);
}
