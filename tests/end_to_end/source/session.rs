//! The test servers give each session settings of their own (`INIT_CONNECT`): all of the tests here see
//! that bandwatch undoes them, and these what would go wrong.

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, wave};

#[test]
fn letters_beyond_ascii_mean_what_they_say_and_double_quotes_are_text() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    shop.sql("ALTER TABLE sales ADD ville VARCHAR(40) CHARACTER SET latin1 DEFAULT 'Orléans'");
    shop.sql("INSERT INTO sales SELECT at, 1e6, 'Lyon' FROM sales");
    for condition in [
        "ville = 'Orléans'",
        "ville <> 'Lyon'",
        r#"ville = \"Orléans\""#,
        r"ville <> 'L\\yon'",
    ] {
        let lines = format!("{HOURLY}where = \"{condition}\"\n");
        assert_eq!(shop.judge(&lines, AT), expected, "{condition}");
    }
}

#[test]
fn a_query_gets_all_of_its_rows() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "DOUBLE", &wave(NEWEST, 60, HOURS));
    let query = "query = \"SELECT at, amount FROM sales WHERE at >= :from AND at < :to ORDER BY at DESC\"\nevery = \"1h\"\nwindow = \"4d\"";
    assert_eq!(shop.judge(query, AT)["rows"], HOURS);
}
