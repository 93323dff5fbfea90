//! Made shops whose parts are known: which of them are named, and which never are.

use proptest::prelude::*;

use super::super::comparison::Span;
use super::*;
use crate::series::sample::time;

/// The generator of splitmix64, <https://prng.di.unimi.it/splitmix64.c>.
struct Random(u64);

impl Random {
    /// From 0 up to, not including, 1.
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((bits ^ (bits >> 31)) >> 32).expect("32 bits");
        f64::from(bits) / 4_294_967_296.0
    }

    /// The amounts of as many sales as come by chance where so many are usual.
    fn sales(&mut self, mean: f64) -> Vec<f64> {
        let (mut time, mut sales) = (0.0, Vec::new());
        loop {
            time -= (1.0 - self.share()).ln();
            if time > mean {
                return sales;
            }
            // Many small amounts and a few large ones.
            sales.push((10.0 * (1.0 - self.share()).powf(-0.4)).round());
        }
    }
}

/// Parts, with how many sales are usual of each.
struct Shop {
    random: Random,
    parts: Vec<(&'static str, f64)>,
    /// Earlier times that are usual, and more.
    times: [usize; 2],
    /// Whether sales are counted, or their amounts added up.
    counts: bool,
    /// By how much all was less in each earlier time.
    growth: f64,
}

const COUNTRIES: [(&str, f64); 5] = [
    ("DE", 300.0),
    ("FR", 300.0),
    ("IT", 300.0),
    ("ES", 300.0),
    ("NL", 300.0),
];

impl Shop {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            parts: COUNTRIES.to_vec(),
            times: [4, 6],
            counts: false,
            growth: 0.0,
        }
    }

    fn of(seed: u64, parts: &[(&'static str, f64)]) -> Self {
        Self {
            parts: parts.to_vec(),
            ..Self::new(seed)
        }
    }

    /// What is found where each part has so many times the sales that are usual.
    fn explain(&mut self, change: impl Fn(&str) -> f64) -> Breakdown {
        let (usual, all) = (self.times[0], 1 + self.times[0] + self.times[1]);
        let mut comparison = empty(usual, all);
        let mut column = ColumnSums {
            column: "country".to_string(),
            parts: Vec::new(),
        };
        for (name, mean) in self.parts.clone() {
            let mut part = PartSums {
                value: Some(name.to_string()),
                sums: Vec::new(),
                squares: 0.0,
            };
            for place in 0..all {
                let age = i32::try_from(place).expect("a few");
                let change = match place {
                    0 => change(name),
                    _ => (1.0 - self.growth).powi(if place <= usual { age } else { 0 }),
                };
                let sales = self.random.sales(mean * change);
                let amounts = sales
                    .iter()
                    .map(|amount| if self.counts { 1.0 } else { *amount });
                let amounts: Vec<f64> = amounts.collect();
                part.sums.push(amounts.iter().sum());
                part.squares += amounts.iter().map(|amount| amount * amount).sum::<f64>();
            }
            for (span, sum) in spans(&mut comparison).zip(&part.sums) {
                span.total += sum;
            }
            column.parts.push(part);
        }
        // About what a forecast would say: the level of now.
        let mut totals: Vec<f64> = comparison.usual.iter().map(|span| span.total).collect();
        let age = f64::from(u32::try_from(usual + 1).expect("a few")) / 2.0;
        let growth = (1.0 - self.growth).powf(-age);
        comparison.expected = median(&mut totals).expect("times") * growth;
        comparison.explain(vec![column]).expect("a breakdown")
    }
}

fn empty(usual: usize, all: usize) -> Comparison {
    let span = Span {
        range: time("2026-11-22 14:00")..time("2026-11-22 14:05"),
        total: 0.0,
    };
    Comparison {
        judged: span.clone(),
        expected: 0.0,
        usual: vec![span.clone(); usual],
        others: vec![span; all - 1 - usual],
    }
}

fn spans(comparison: &mut Comparison) -> impl Iterator<Item = &mut Span> {
    let earlier = comparison.usual.iter_mut().chain(&mut comparison.others);
    std::iter::once(&mut comparison.judged).chain(earlier)
}

/// Those that stand out, the first one most.
fn named(breakdown: &Breakdown) -> Vec<&str> {
    let columns = breakdown.columns.iter();
    let parts = columns.flat_map(ColumnParts::standing_out);
    parts
        .map(|part| part.value.as_deref().unwrap_or("(none)"))
        .collect()
}

fn only(part: &'static str, change: f64) -> impl Fn(&str) -> f64 {
    move |name| if name == part { change } else { 1.0 }
}

#[test]
fn one_country_of_five_that_falls_by_60_percent_is_named_in_each_of_20_seeds() {
    for counts in [false, true] {
        for seed in 0..20 {
            let mut shop = Shop::new(seed);
            shop.counts = counts;
            let breakdown = shop.explain(only("DE", 0.4));
            assert_eq!(named(&breakdown), ["DE"], "seed {seed}: {breakdown:#?}");
            assert_eq!(breakdown.side(), Side::Low);
            let first = &breakdown.columns[0].parts[0];
            assert_eq!(first.value.as_deref(), Some("DE"));
            assert!(breakdown.share(first) > 0.5, "{breakdown:#?}");
        }
    }
}

#[test]
fn none_is_named_where_all_fall_or_rise_alike_in_each_of_20_seeds() {
    let uneven = [
        ("DE", 1200.0),
        ("FR", 300.0),
        ("IT", 60.0),
        ("ES", 8.0),
        ("NL", 1.0),
    ];
    for parts in [&COUNTRIES[..], &uneven, &uneven[..2], &uneven[2..]] {
        for seed in 0..20 {
            for change in [0.0, 0.4, 0.8, 1.0, 2.0] {
                let breakdown = Shop::of(seed, parts).explain(|_| change);
                assert_eq!(
                    named(&breakdown),
                    [""; 0],
                    "seed {seed}, {change}: {breakdown:#?}"
                );
            }
        }
    }
}

#[test]
fn few_sales_name_nobody_by_chance() {
    let few = [
        ("DE", 2.0),
        ("FR", 2.0),
        ("IT", 2.0),
        ("ES", 1.0),
        ("NL", 1.0),
    ];
    let mut names = 0;
    for seed in 0..200 {
        for change in [0.3, 1.0, 2.5] {
            let mut shop = Shop::of(seed, &few);
            shop.counts = seed % 2 == 0;
            names += named(&shop.explain(|_| change)).len();
        }
    }
    assert!(names <= 2, "{names} names in 600");
}

#[test]
fn a_part_gone_to_zero_a_new_one_and_one_that_doubles_are_named() {
    for seed in 0..20 {
        let gone = Shop::new(seed).explain(only("FR", 0.0));
        assert_eq!(named(&gone), ["FR"], "seed {seed}");
        let mut shop = Shop::new(seed);
        shop.parts.push(("XX", 600.0));
        // It was never there before, and neither was the whole of now.
        let mut comparison = empty(4, 11);
        let mut column = ColumnSums {
            column: "country".into(),
            parts: Vec::new(),
        };
        for (name, mean) in shop.parts.clone() {
            let sums = (0..11).map(|place| {
                let mean = if name == "XX" && place > 0 { 0.0 } else { mean };
                shop.random.sales(mean).len()
            });
            let sums: Vec<f64> = sums.map(count).collect();
            for (span, sum) in spans(&mut comparison).zip(&sums) {
                span.total += sum;
            }
            let squares = sums.iter().sum();
            column.parts.push(PartSums {
                value: Some(name.into()),
                sums,
                squares,
            });
        }
        comparison.expected = 1500.0;
        let new = comparison.explain(vec![column]).expect("a breakdown");
        assert_eq!(
            (named(&new), new.side()),
            (vec!["XX"], Side::High),
            "seed {seed}"
        );
        let doubled = Shop::new(seed).explain(only("ES", 2.0));
        assert_eq!(named(&doubled), ["ES"], "seed {seed}");
        assert_eq!(doubled.side(), Side::High);
    }
}

#[test]
fn growth_of_all_is_no_part_of_the_difference() {
    for seed in 0..20 {
        let mut shop = Shop::new(seed);
        shop.growth = 0.08;
        assert_eq!(named(&shop.explain(only("DE", 0.4))), ["DE"], "seed {seed}");
        assert_eq!(named(&shop.explain(|_| 0.5)), [""; 0], "seed {seed}");
    }
}

#[test]
fn several_parts_are_named_by_what_they_explain_and_no_more_than_three() {
    let many: [(&str, f64); 10] = [
        ("A", 900.0),
        ("B", 700.0),
        ("C", 600.0),
        ("D", 500.0),
        ("E", 400.0),
        ("F", 900.0),
        ("G", 900.0),
        ("H", 900.0),
        ("I", 900.0),
        ("J", 900.0),
    ];
    let explain = |fallen: &str| {
        let mut shop = Shop::of(3, &many);
        shop.counts = true;
        shop.explain(|name| if fallen.contains(name) { 0.2 } else { 1.0 })
    };
    assert_eq!(named(&explain("AB")), ["A", "B"]);
    let breakdown = explain("ABCD");
    assert_eq!(named(&breakdown), ["A", "B", "C"]);
    assert_eq!(breakdown.columns[0].parts.len(), 3);
}

#[test]
fn an_incident_of_an_earlier_week_does_not_hide_this_one() {
    for seed in 0..20 {
        let mut comparison = empty(4, 11);
        let mut random = Random(seed);
        let parts = COUNTRIES.map(|(name, mean)| {
            let sums = (0..11).map(|place| {
                let is_out = name == "DE" && [0, 2].contains(&place);
                random.sales(if is_out { 0.3 * mean } else { mean }).len()
            });
            let sums: Vec<f64> = sums.map(count).collect();
            for (span, sum) in spans(&mut comparison).zip(&sums) {
                span.total += sum;
            }
            PartSums {
                value: Some(name.into()),
                squares: sums.iter().sum(),
                sums,
            }
        });
        comparison.expected = 1500.0;
        let column = ColumnSums {
            column: "country".into(),
            parts: parts.to_vec(),
        };
        let breakdown = comparison.explain(vec![column]).expect("a breakdown");
        assert_eq!(named(&breakdown), ["DE"], "seed {seed}: {breakdown:#?}");
    }
}

/// Sums of parts that need no chance: `[judged, usual]` of each, four times the same.
fn plain(column: &str, parts: &[(Option<&str>, [f64; 2])]) -> ColumnSums {
    let parts = parts.iter().map(|(value, [seen, usual])| PartSums {
        value: value.map(str::to_string),
        sums: vec![*seen, *usual, *usual, *usual, *usual],
        squares: *seen + 4.0 * usual,
    });
    ColumnSums {
        column: column.to_string(),
        parts: parts.collect(),
    }
}

fn compare(seen: f64, usual: f64, expected: f64) -> Comparison {
    let mut comparison = empty(4, 5);
    for span in spans(&mut comparison) {
        span.total = usual;
    }
    comparison.judged.total = seen;
    comparison.expected = expected;
    comparison
}

#[test]
fn the_column_that_explains_comes_first_and_null_is_a_part_like_others() {
    let alike = plain(
        "product",
        &[(Some("A"), [420.0, 600.0]), (Some("B"), [280.0, 400.0])],
    );
    let by_country = plain(
        "country",
        &[(None, [100.0, 400.0]), (Some("FR"), [600.0, 600.0])],
    );
    let breakdown = compare(700.0, 1000.0, 1000.0).explain(vec![alike, by_country]);
    let breakdown = breakdown.expect("a breakdown");
    let columns: Vec<&str> = breakdown
        .columns
        .iter()
        .map(|column| column.column.as_str())
        .collect();
    assert_eq!(columns, ["country", "product"]);
    assert_eq!(named(&breakdown), ["(none)"]);
    assert!((breakdown.share(&breakdown.columns[0].parts[0]) - 1.0).abs() < 1e-9);
    assert!(
        !breakdown.columns[1]
            .parts
            .iter()
            .any(|part| part.stands_out)
    );
}

#[test]
fn parts_that_are_not_listed_count_as_others() {
    // The whole lacks 500, and what is listed next to nothing of it.
    let listed = plain(
        "product",
        &[(Some("A"), [90.0, 100.0]), (Some("B"), [60.0, 60.0])],
    );
    let breakdown = compare(500.0, 1000.0, 1000.0)
        .explain(vec![listed])
        .expect("a breakdown");
    assert!(!breakdown.has_standing_out());
}

#[test]
fn weeks_that_say_nothing_of_what_was_expected_explain_nothing() {
    let column = || vec![plain("country", &[(Some("DE"), [0.0, 100.0])])];
    for (usual, expected) in [
        (100.0, 300.0),
        (100.0, 30.0),
        (0.0, 10.0),
        (100.0, -50.0),
        (-100.0, -100.0),
    ] {
        assert_eq!(
            compare(0.0, usual, expected).explain(column()),
            None,
            "{usual} {expected}"
        );
    }
}

#[test]
fn what_is_stored_is_what_is_read() {
    let column = plain(
        "country",
        &[(None, [100.0, 400.0]), (Some("FR"), [600.0, 600.0])],
    );
    let breakdown = compare(700.0, 1000.0, 1000.0)
        .explain(vec![column])
        .expect("a breakdown");
    let text = serde_json::to_string(&breakdown).expect("JSON");
    let read: Breakdown = serde_json::from_str(&text).expect("a breakdown");
    assert_eq!(read, breakdown);
}

proptest! {
    #[test]
    fn whatever_the_sums_are_what_is_named_explains_and_nothing_panics(
        sums in prop::collection::vec(prop::collection::vec(-1e3..1e6_f64, 5), 0..12),
        expected in -1e3..1e7_f64,
        scale in prop::sample::select(vec![1e-9, 1.0, 1e9, 1e300]),
    ) {
        let mut comparison = compare(0.0, 0.0, expected * scale);
        let parts = sums.iter().enumerate().map(|(place, sums)| {
            let sums: Vec<f64> = sums.iter().map(|sum| sum * scale).collect();
            for (span, sum) in spans(&mut comparison).zip(&sums) {
                span.total += sum;
            }
            PartSums {
                value: Some(place.to_string()),
                squares: sums.iter().map(|sum| sum * sum).sum(),
                sums,
            }
        });
        let column = ColumnSums { column: "country".into(), parts: parts.collect() };
        if let Some(breakdown) = comparison.explain(vec![column]) {
            let column = &breakdown.columns[0];
            prop_assert!(column.parts.len() <= MOST_PARTS);
            let explained = column.standing_out().map(|part| breakdown.share(part));
            let explained: Vec<f64> = explained.collect();
            prop_assert!(explained.iter().all(|share| *share >= LEAST_EACH));
            prop_assert!(explained.is_empty() || explained.iter().sum::<f64>() >= LEAST_TOGETHER - 1e-9);
        }
    }

    #[test]
    fn another_unit_names_the_same_parts(seed in 0..1000_u64, scale in 1e-6..1e6_f64) {
        let mut random = Random(seed);
        let mut explain = |scale: f64| {
            let mut comparison = compare(0.0, 0.0, 0.0);
            let parts = COUNTRIES.map(|(name, mean)| {
                let mut squares = 0.0;
                let sums = (0..5).map(|place| {
                    let mean = if place == 0 && name == "DE" { mean / 3.0 } else { mean };
                    let sales = random.sales(mean);
                    squares += sales.iter().map(|sale| (sale * scale).powi(2)).sum::<f64>();
                    scale * sales.iter().sum::<f64>()
                });
                let sums: Vec<f64> = sums.collect();
                for (span, sum) in spans(&mut comparison).zip(&sums) {
                    span.total += sum;
                }
                PartSums { value: Some(name.into()), sums, squares }
            });
            random = Random(seed);
            comparison.expected = comparison.usual[0].total;
            let column = ColumnSums { column: "country".into(), parts: parts.to_vec() };
            comparison.explain(vec![column]).map(|breakdown| {
                named(&breakdown).into_iter().map(str::to_string).collect::<Vec<_>>()
            })
        };
        prop_assert_eq!(explain(1.0), explain(scale));
    }
}
