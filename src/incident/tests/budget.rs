//! The budget of false alerts, and what it asks of each witness.

use super::*;
use crate::forecast::Direction;
use crate::forecast::sigmas_of;
use crate::series::Step;

fn budget(text: &str) -> Budget {
    text.parse().expect("a budget")
}

fn step(text: &str) -> Step {
    text.parse().expect("a step")
}

#[test]
fn a_budget_is_a_number_of_alerts_in_a_time() {
    for text in ["1/week", "0.5/month", "12/day", "2/year"] {
        assert_eq!(budget(text).to_string(), text);
    }
    for text in [
        "", "1", "1/", "/week", "0/day", "-1/day", "1/hour", "inf/day", "NaN/day",
    ] {
        let refusal = text.parse::<Budget>().expect_err(text);
        assert!(
            refusal.contains("allowed: a number above 0 per day, week, month or year"),
            "{refusal}"
        );
    }
}

#[test]
fn more_alerts_than_surprises_are_refused() {
    let check = |text, every| budget(text).check_step(step(every));
    assert_eq!(
        check("2/day", "1d"),
        Err(
            "max_false_alerts = \"2/day\": with every = \"1d\", allowed: at most \"0.2/day\""
                .into()
        )
    );
    assert!(check("0.2/day", "1d").is_ok() && check("1/month", "1s").is_ok());
    let of_months = check("1/week", "1mo").expect_err("too many");
    assert!(
        of_months.ends_with("allowed: at most \"2.4/year\""),
        "{of_months}"
    );
    assert!(check("2.4/year", "1mo").is_ok());
}

#[test]
fn a_third_of_the_budget_is_how_rare_the_newest_bucket_must_be() {
    let of = |direction| {
        budget("1/week")
            .limits(step("5m").mean_length(), direction)
            .bucket()
    };
    assert!((of(Direction::Both) * 2016.0 * 3.0 - 1.0).abs() < 1e-9);
    assert!(
        (of(Direction::Low) / of(Direction::Both) - 2.0).abs() < 1e-9,
        "of two tails, one counts"
    );
}

#[test]
fn normal_quantiles_are_those_of_scipy() {
    // from scipy.stats import norm; print([norm.isf(p / 2) for p in (1, .05, .001, 1e-12)])  scipy 1.17.1
    for (probability, expected) in [
        (1.0, 0.0),
        (0.05, 1.959_963_984_540_054),
        (0.001, 3.290_526_731_491_925_6),
        (1e-12, 7.130_506_848_171_279),
    ] {
        let found = sigmas_of(probability);
        assert!((found - expected).abs() < 1e-8, "{probability}: {found}");
    }
}

/// Independent normal scores: each side's sum, begun anew after each alarm, as the limit says.
#[test]
fn a_cusum_of_healthy_scores_keeps_its_third_of_the_budget() {
    let limits = budget("3/day").limits(step("5m").mean_length(), Direction::Both);
    let mut state: u64 = 42;
    let mut normal = || -> f64 {
        let uniform = |state: &mut u64| {
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            f64::from(u32::try_from(*state >> 32).expect("32 bits")) / f64::from(u32::MAX)
        };
        (0..12).map(|_| uniform(&mut state)).sum::<f64>() - 6.0
    };
    let (mut high, mut low, mut alarms) = (0.0_f64, 0.0_f64, 0);
    let days = 2000;
    for _ in 0..288 * days {
        let score = normal();
        high = (high + score - 0.5).max(0.0);
        low = (low - score - 0.5).max(0.0);
        if high.max(low) > limits.cusum() {
            (high, low) = (0.0, 0.0);
            alarms += 1;
        }
    }
    // One a day is its share; a third more height makes it several times rarer.
    assert!((days / 40..days).contains(&alarms), "{alarms}");
}
