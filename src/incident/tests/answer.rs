//! What people answer, and what is told from then on.

use super::*;

fn author() -> Author {
    Author {
        user: "anna".into(),
        host: "web1".into(),
    }
}

impl Story {
    /// Somebody knows of what is open, for so many minutes.
    fn acknowledge(&mut self, minutes: Option<i64>) -> usize {
        let answer = Acknowledgement {
            by: author(),
            at: at(self.minute),
            until: minutes.map(|minutes| at(self.minute + minutes)),
            because: None,
        };
        self.state.acknowledge(&answer).len()
    }

    fn say(&mut self, nature: Nature) {
        let newest = self.state.incident_at(None).expect("an incident");
        let now = at(self.minute);
        self.state.answer(&newest, nature, author(), now);
    }
}

fn impatient() -> Story {
    Story::new(Policy {
        renotify: Renotify::After(TimeDelta::minutes(10)),
        ..policy()
    })
}

#[test]
fn what_is_acknowledged_is_not_repeated_and_its_end_is_told() {
    let mut story = impatient();
    assert_eq!(story.next(Out(1.5)), told(&["high since 0"]));
    assert_eq!(story.acknowledge(None), 1);
    assert!(story.all(&[Out(1.5); 50]).concat().is_empty());
    assert_eq!(story.all(&[In, In]).concat(), ["high over after 255"]);
    // What opens later is another one.
    let again = story.all(&[Out(1.5), Out(1.5), Out(1.5)]).concat();
    assert_eq!(again, ["high since 265", "high lasts, no. 1"]);
}

#[test]
fn that_it_is_worse_is_told_and_ends_the_acknowledgement() {
    let mut story = impatient();
    story.next(Out(1.5));
    story.acknowledge(None);
    assert!(story.all(&[Out(1.5); 5]).concat().is_empty());
    assert_eq!(story.next(Out(4.0)), told(&["high worse, no. 1"]));
    let repeats = story.all(&[Out(4.0), Out(4.0), Out(4.0)]).concat();
    assert_eq!(repeats, ["high lasts, no. 2"]);
    // Until somebody knows of that too.
    story.acknowledge(None);
    assert!(story.all(&[Out(4.0); 9]).concat().is_empty());
}

#[test]
fn an_acknowledgement_may_end_before_the_incident_does() {
    let mut story = impatient();
    story.next(Out(1.5));
    story.acknowledge(Some(30));
    let repeats = story.all(&[Out(1.5); 7]);
    assert!(repeats[..5].concat().is_empty(), "{repeats:?}");
    assert_eq!(repeats[5], told(&["high lasts, no. 1"]));
}

#[test]
fn a_lack_can_be_acknowledged_and_nothing_cannot() {
    let mut story = impatient();
    assert_eq!(story.acknowledge(None), 0);
    assert_eq!(story.next(NoData), told(&["no data since 0"]));
    assert_eq!(story.acknowledge(None), 1);
    assert!(story.all(&[NoData; 9]).concat().is_empty());
    assert_eq!(story.next(In), told(&["no data over after 55"]));
    assert_eq!(story.acknowledge(None), 0);
}

#[test]
fn of_an_incident_that_is_fine_only_that_it_is_worse_is_told() {
    let mut story = impatient();
    story.next(Out(1.5));
    story.say(Nature::Fine);
    assert!(story.all(&[Out(1.5); 9]).concat().is_empty());
    assert!(story.all(&[In, In, In]).concat().is_empty());
    assert!(story.state.incident().is_none());
    story.next(Out(1.5));
    story.say(Nature::Fine);
    let worse = story.all(&[Out(4.0), In, In]).concat();
    assert_eq!(worse, ["high worse, no. 1", "high over after 10"]);
}

#[test]
fn an_answer_grows_with_its_incident_and_the_last_one_counts() {
    let mut story = Story::new(policy());
    story.next(Out(1.5));
    story.say(Nature::Fine);
    story.all(&[Out(1.5), Out(-0.2), Out(2.5), In, In, In]);
    let judged = story.state.answers_for_forecast().judged;
    assert_eq!((judged[0].start, judged[0].end), (at(0), at(20)));
    let healthy = judged[0].healthy.expect("a deviation");
    assert_eq!((healthy.side, healthy.size), (Side::High, 25.0));
    // It is for buckets from the one on that was judged next.
    assert_eq!(judged[0].counts_from, at(5));
    story.say(Nature::Real);
    let judged = story.state.answers_for_forecast().judged;
    assert_eq!(judged.len(), 1);
    assert_eq!((judged[0].healthy, judged[0].end), (None, at(20)));
}

#[test]
fn what_gets_so_much_worse_that_it_is_told_is_not_what_was_called_fine() {
    let mut story = Story::new(policy());
    story.next(Out(1.5));
    story.say(Nature::Fine);
    story.all(&[Out(1.5), Out(4.0), Out(1.5)]);
    let judged = story.state.answers_for_forecast().judged;
    assert_eq!((judged[0].start, judged[0].end), (at(0), at(10)));
    assert_eq!(judged[0].healthy.map(|fine| fine.size), Some(15.0));
}

#[test]
fn an_incident_is_found_by_a_time_within_it() {
    let mut story = Story::new(policy());
    story.all(&[Out(1.5), In, In, Out(-1.5), Out(-1.5), In, In]);
    let found = |minute| story.state.incident_at(Some(at(minute)));
    assert_eq!(found(2).map(|found| found.side), Some(Side::High));
    assert_eq!(found(7), None);
    assert_eq!(found(24).map(|found| found.since), Some(at(15)));
    assert_eq!(found(25), None);
}

#[test]
fn only_so_many_answers_are_kept() {
    let mut story = Story::new(policy());
    for _ in 0..Answer::MOST + 5 {
        story.all(&[Out(1.5), In, In]);
        story.say(Nature::Real);
    }
    assert_eq!(story.state.answers().len(), Answer::MOST);
    assert_eq!(story.state.answers()[0].since, at(5 * 15));
}
