use super::*;

fn learn(cells: &[&str]) -> Result<TimeColumn> {
    let mut column = TimeColumn::default();
    for cell in cells {
        column.learn(cell)?;
    }
    Ok(column)
}

fn read(cells: &[&str]) -> Result<Vec<CellTime>> {
    let format = learn(cells)?.format()?;
    cells.iter().map(|cell| format.read(cell)).collect()
}

fn refusal(cells: &[&str]) -> String {
    format!("{:#}", read(cells).expect_err("refused"))
}

#[test]
fn a_wall_clock_time_is_read_as_spreadsheets_and_databases_write_it() {
    let expected = CellTime::Local(
        NaiveDate::from_ymd_opt(2026, 11, 22)
            .and_then(|date| date.and_hms_opt(14, 5, 0))
            .expect("a time"),
    );
    for text in [
        "2026-11-22 14:05",
        "2026-11-22T14:05:00.000",
        "2026-11-22 14:05:00,000",
        "2026/11/22 14:05:00",
        "2026.11.22. 14:05",
        "20261122140500",
        "202611221405",
        "20261122T140500",
        "22/11/2026 14:05",
        "11/22/2026 2:05 PM",
        "11/22/2026, 2:05:00\u{202f}PM",
        "22/11/2026 02:05:00 p. m.",
        "22.11.2026 14:05",
        "22. 11. 2026 14:05:00",
        "22-11-2026 14:05",
        "22-NOV-26 02:05 pm",
        "22-NOV-26 02.05.00.000000 PM",
        "22.11.2026 14.05",
        "22 Nov 2026 14:05",
        "Sunday, November 22, 2026 14:05:00",
    ] {
        assert_eq!(read(&[text]).expect(text), [expected], "{text}");
    }
}

#[test]
fn an_instant_is_read_with_its_offset_or_as_a_time_since_1970() {
    let expected = DateTime::parse_from_rfc3339("2026-11-22T13:05:00Z").expect("a time");
    for text in [
        "2026-11-22T13:05:00Z",
        "2026-11-22 14:05:00+01",
        "2026-11-22T14:05:00.000+0100",
        "2026-11-22 08:05 -05:00",
        "2026-11-22 13:05:00 UTC",
        "2026-11-22 13:05:00 +0000 UTC",
        "Sun, 22 Nov 2026 13:05:00 GMT",
        "20261122T130500Z",
        "1795352700",
        "1795352700.25",
        "1795352700000",
        "1795352700000000",
        "1795352700000000000",
    ] {
        let times = read(&[text]).expect(text);
        assert_eq!(times, [CellTime::Instant(expected)], "{text}");
    }
}

#[test]
fn the_whole_column_tells_the_order_of_day_month_and_year() {
    let days = |cells: &[&str]| -> Vec<String> {
        let times = read(cells).expect("times").into_iter();
        let day = |time| match time {
            CellTime::Local(time) => time.date().to_string(),
            CellTime::Instant(time) => panic!("{time}"),
        };
        times.map(day).collect()
    };
    let expected = ["2026-11-03", "2026-11-22"];
    assert_eq!(days(&["03/11/2026", "22/11/2026"]), expected);
    assert_eq!(days(&["11/03/2026", "11/22/2026"]), expected);
    // Nobody writes the month first with dots.
    assert_eq!(days(&["03.11.2026"]), ["2026-11-03"]);
    // Either way the same.
    assert_eq!(days(&["11/11/2026", "11/11/2026"]), ["2026-11-11"; 2]);
    // Years change least.
    for cells in [
        ["22/11/26", "28/11/26"],
        ["11/22/26", "11/28/26"],
        ["26/11/22", "26/11/28"],
    ] {
        assert_eq!(days(&cells), ["2026-11-22", "2026-11-28"], "{cells:?}");
    }
}

#[test]
fn a_column_that_can_be_read_in_two_ways_is_refused() {
    let told = "day and month: \"03/11/2026\" may be either";
    assert!(refusal(&["03/11/2026", "04/11/2026"]).starts_with(told));
    let told = "the hours 1 to 12 come twice a day; write them with AM and PM";
    let hours = ["2026-11-22 11:00", "2026-11-22 12:00", "2026-11-22 1:00"];
    assert!(refusal(&hours).starts_with(told));
    let told = "day, month and year: dates such as \"22/11/26\" do not tell";
    assert!(refusal(&["22/11/26", "22/11/26"]).starts_with(told));
}

#[test]
fn a_column_that_is_written_in_two_ways_is_refused() {
    for (cells, told) in [
        (
            ["22/11/2026", "11/23/2026"],
            "\"11/23/2026\" is not day-first, as the",
        ),
        (
            ["2026-11-22", "23/11/2026"],
            "\"23/11/2026\" is not written as \"2026",
        ),
        (
            ["2026-11-22", "1795352700"],
            "\"1795352700\" is not written as \"2026",
        ),
        (
            ["1795352700", "1795352700000"],
            "\"1795352700000\" is not written",
        ),
        (
            ["2026-11-22 01:00", "2026-11-22 01:00Z"],
            "one of \"2026-11-22 01:00\"",
        ),
        (
            ["11/22/2026 1:00 PM", "11/22/2026 14:00"],
            "one of \"11/22/2026 1:00 PM",
        ),
    ] {
        let error = refusal(&cells);
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "yesterday",
        "14:05",
        "2026-02-30",
        "2026-11-22 25:00",
        "2026-11-22 13:05 PM",
        "2026-11-22 10:00 CET",
        "0000-11-22",
        "+12026-11-22",
        "1001.89",
        "1.001,89",
        "1.234.567",
        "22/11/126",
        "99999999999999999999",
    ] {
        let error = refusal(&[text]);
        assert!(error.contains("is not a time; allowed: such as"), "{error}");
    }
    let told = "\"46348.58\" is not a time; a spreadsheet's number of a day";
    assert!(refusal(&["46348.58"]).starts_with(told));
}

#[test]
fn a_cell_is_a_time_on_a_calendar_or_as_a_number_but_no_version_is_one() {
    for (text, expected) in [
        ("22.11.2026", Some(TimeKind::Calendar)),
        ("2026-11-22 14:05", Some(TimeKind::Calendar)),
        ("20261122T1405", Some(TimeKind::Calendar)),
        ("20261122", Some(TimeKind::Number)),
        ("1795352700", Some(TimeKind::Number)),
        ("1795352700.25", Some(TimeKind::Number)),
        ("99.99.2026", None),
        ("1.32.45", None),
        ("1.2.3", None),
        ("2026.13.1", None),
        ("1795352700.1.2", None),
        ("", None),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}
