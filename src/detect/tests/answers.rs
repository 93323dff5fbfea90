//! What people said of an incident, and what is made of it a week later.

use super::*;

/// An incident from 12:00 to 15:00 on a Sunday with this share of what is usual, which was known when the
/// bucket of 16:00 was judged.
struct Sunday {
    share: f64,
    side: Side,
}

const LOW: Sunday = Sunday {
    share: 0.6,
    side: Side::Low,
};

impl Sunday {
    fn holds(time: DateTime<Tz>) -> bool {
        let (start, end) = (
            super::time("2026-11-15 12:00"),
            super::time("2026-11-15 15:00"),
        );
        (start..end).contains(&time)
    }

    /// Four weeks up to a time, whose bucket has this share of what is usual.
    fn rows_until(&self, end: &str, share: f64) -> Vec<(DateTime<Tz>, f64)> {
        let mut rows = rows(end, 27);
        for (time, value) in &mut rows {
            if Self::holds(*time) {
                *value *= self.share;
            }
        }
        rows.last_mut().expect("a row").1 *= share;
        rows
    }

    /// How far it was from what was expected, as a check at its time found.
    fn size(&self) -> f64 {
        let evaluation = judged(&self.rows_until("2026-11-15 13:00", 1.0));
        let (value, band) = evaluation.value.zip(evaluation.band).expect("a forecast");
        (value - band.expected).abs()
    }

    fn answered(&self, is_fine: bool) -> Answers {
        let healthy = HealthyDeviation {
            side: self.side,
            size: self.size(),
        };
        Answers {
            judged: vec![AnsweredTime {
                start: time("2026-11-15 12:00").to_utc(),
                end: time("2026-11-15 15:00").to_utc(),
                counts_from: time("2026-11-15 16:00").to_utc(),
                healthy: is_fine.then_some(healthy),
            }],
            ..Answers::default()
        }
    }
}

fn judged_with(rows: &[(DateTime<Tz>, f64)], answers: &Answers) -> Evaluation {
    let now = rows.last().expect("a row").0 + TimeDelta::minutes(STEP_MINUTES.into());
    evaluate(reading(rows, now), &Method::default(), answers).expect("an evaluation")
}

#[test]
fn what_was_fine_is_normal_at_that_time_of_the_next_week_and_told_where_it_is_clearly_larger() {
    let fine = LOW.answered(true);
    let silent = Answers::default();
    for hour in ["12:00", "13:30", "14:30"] {
        let next_week = LOW.rows_until(&format!("2026-11-22 {hour}"), LOW.share);
        let verdict = |answers| judged_with(&next_week, answers).verdict;
        assert_eq!(verdict(&silent), Verdict::Breach(Side::Low), "{hour}");
        assert_eq!(verdict(&fine), Verdict::Normal, "{hour}");
        let worse = LOW.rows_until(&format!("2026-11-22 {hour}"), 0.1);
        let verdict = judged_with(&worse, &fine).verdict;
        assert_eq!(verdict, Verdict::Breach(Side::Low), "{hour}");
    }
}

#[test]
fn what_was_fine_at_one_time_is_a_breach_at_another() {
    let fine = LOW.answered(true);
    for end in ["2026-11-21 13:00", "2026-11-22 18:00", "2026-11-23 13:00"] {
        let elsewhere = LOW.rows_until(end, LOW.share);
        let verdict = judged_with(&elsewhere, &fine).verdict;
        assert_eq!(verdict, Verdict::Breach(Side::Low), "{end}");
        let usual = LOW.rows_until(end, 1.0);
        assert_eq!(judged_with(&usual, &fine).verdict, Verdict::Normal, "{end}");
    }
    // Nor does a drop excuse a rise.
    let rise = LOW.rows_until("2026-11-22 13:00", 2.0);
    let verdict = judged_with(&rise, &fine).verdict;
    assert_eq!(verdict, Verdict::Breach(Side::High));
}

#[test]
fn on_the_widened_band_the_score_is_that_of_its_level() {
    let fine = LOW.answered(true);
    let rows = LOW.rows_until("2026-11-22 13:00", LOW.share);
    let evaluation = judged_with(&rows, &fine);
    let forecast = evaluation.forecast().expect("a forecast");
    let band = judged_with(&rows, &Answers::default())
        .band
        .expect("a band");
    assert!(forecast.band.lower < band.lower - 0.1 * band.expected);
    for limits in &forecast.limits {
        let score = forecast.score(limits.band.lower);
        let rarity = 1.0 - limits.level.share();
        assert!((score - rarity).abs() < 1e-6, "{score} at {}", limits.level);
    }
    // The farther out, the rarer.
    let scores =
        (0..100).map(|step| forecast.score(f64::from(step) / 100.0 * forecast.band.expected));
    assert!(scores.is_sorted());
}

#[test]
fn totals_of_what_was_fine_are_usual_a_week_later() {
    let fine = LOW.answered(true);
    let mut next_week = LOW.rows_until("2026-11-22 14:30", LOW.share);
    for (at, value) in &mut next_week {
        if *at >= time("2026-11-22 12:00") && *at < time("2026-11-22 14:30") {
            *value *= LOW.share;
        }
    }
    let sigmas = |answers: &Answers| {
        let evaluation = judged_with(&next_week, answers);
        let hour = evaluation.reference.hour().expect("an hour");
        hour.departure(&[1.0]).sigmas
    };
    assert!(sigmas(&Answers::default()) < -4.0);
    assert!(sigmas(&fine).abs() < 2.0, "{}", sigmas(&fine));
}

#[test]
fn what_was_fine_is_learnt_a_day_later_and_not_held_to_be_an_incident() {
    let fine = LOW.answered(true);
    // How far the forecasts of its last hour were from it, on the mean.
    let error = |end: &str, answers: &Answers| {
        let evaluation = judged_with(&LOW.rows_until(end, 1.0), answers);
        let forecast = evaluation.forecast().expect("a forecast");
        let history = &forecast.cleaned.history;
        let errors = ["2026-11-15 14:00", "2026-11-15 14:30"].map(|at| {
            let index = history.index(history.grid().slot(time(at)));
            let expected = forecast.past[index].expect("a band").expected;
            (history.values()[index].expect("a value") - expected).abs()
        });
        errors.iter().sum::<f64>() / 2.0
    };
    let silent = Answers::default();
    let (soon, later) = ("2026-11-15 18:00", "2026-11-17 18:00");
    assert!(error(later, &fine) < error(later, &silent) / 2.0);
    // Until then it is held, so that its end is no fall.
    assert!((error(soon, &fine) - error(soon, &silent)).abs() < 1e-9);
}

#[test]
fn what_was_real_is_left_out_of_what_is_learnt() {
    let real = LOW.answered(false);
    let rows = LOW.rows_until("2026-11-22 14:00", 1.0);
    let evaluation = judged_with(&rows, &real);
    let history = &evaluation.cleaned().expect("a history").history;
    let seen = (0..history.len()).filter(|index| Sunday::holds(history.time(*index)));
    assert_eq!(seen.clone().count(), 6);
    assert!(
        seen.map(|index| history.values()[index])
            .all(|value| value.is_none())
    );
    assert_eq!(evaluation.verdict, Verdict::Normal);
    // The same values could have been anything.
    let other = Sunday {
        share: 40.0,
        side: Side::High,
    };
    let other = other.rows_until("2026-11-22 14:00", 1.0);
    assert_eq!(judged_with(&other, &real).band, evaluation.band);
    assert_eq!(judged_with(&other, &real).reference, evaluation.reference);
}

#[test]
fn an_answer_changes_no_verdict_before_it_was_given() {
    let rows = LOW.rows_until("2026-11-15 15:30", LOW.share);
    let silent = judged_with(&rows, &Answers::default());
    for is_fine in [true, false] {
        let answered = judged_with(&rows, &LOW.answered(is_fine));
        assert_eq!(answered.band, silent.band);
        assert_eq!(answered.score, silent.score);
    }
}
