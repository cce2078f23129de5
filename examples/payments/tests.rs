use futures::poll;
use value_future::{ValueFuture, error::Rule, operation::CompleteErrorKind};

use super::*;
use crate::common::{allocated, refusal};

const PAID: Answer = Answer { payment: 1, is_paid: true };
const OTHER: Answer = Answer { payment: 2, is_paid: true };

/// Makes as many payments as it takes until `is_shown`, and returns what became of them.
fn pay_until<C: Calls>(calls: &C, is_shown: impl Fn(&Outcome) -> bool) -> Outcome {
    let mut outcome = Outcome::default();
    while !is_shown(&outcome) && outcome.payments < 1_000_000 {
        round(calls, 2_000, 10, &mut outcome);
    }
    outcome
}

#[test]
fn slots_without_generations_pay_twice_and_confirm_wrongly() {
    let outcome =
        pay_until(&Indices::default(), |outcome| outcome.not_once > 0 && outcome.wrong > 0);
    assert!(outcome.not_once > 0 && outcome.wrong > 0, "{outcome:?}");
}

#[test]
fn keys_refuse_each_late_answer_and_pay_once() {
    let outcome = pay_until(&Keys(Pool::new()), |outcome| outcome.late > 1_000);
    let Outcome { payments, late, stale, .. } = outcome;
    assert!(late > 1_000 && stale > 0, "{outcome:?}");
    let expected = Outcome { payments, late, refused: late, stale, not_once: 0, wrong: 0 };
    assert_eq!(outcome, expected);
}

#[test]
fn without_late_answers_both_are_right() {
    let [mut by_index, mut by_key] = [Outcome::default(); 2];
    round(&Indices::default(), 2_000, 0, &mut by_index);
    round(&Keys(Pool::new()), 2_000, 0, &mut by_key);
    let expected = Outcome { payments: 2_000, ..Outcome::default() };
    assert_eq!([by_index, by_key], [expected; 2]);
}

#[test]
fn payments_end_if_most_attempts_time_out() {
    let mut outcome = Outcome::default();
    round(&Keys(Pool::new()), 1_000, 90, &mut outcome);
    assert_eq!((outcome.payments, outcome.not_once, outcome.wrong), (1_000, 0, 0));
    assert!(outcome.late > 1_000 && outcome.refused == outcome.late, "{outcome:?}");
}

/// The incident of the program, step by step.
#[test]
fn a_late_answer_ends_the_next_attempt_only_without_keys() {
    fn late_answer<C: Calls>(calls: &C) -> (Result<(), CompleteErrorKind>, bool) {
        let (timed_out, reply) = calls.begin();
        drop(reply);
        let (_, mut next) = calls.begin();
        let refused = calls.answer(timed_out, PAID);
        (refused, block_on(async { poll!(&mut next).is_ready() }))
    }

    assert_eq!(late_answer(&Indices::default()), (Ok(()), true));
    assert_eq!(late_answer(&Keys(Pool::new())), (Err(CompleteErrorKind::Stale), false));
}

#[test]
fn a_refusal_names_its_reason() {
    let keys = Keys(Pool::new());
    let (id, reply) = keys.begin();
    assert_eq!(keys.answer(id, PAID), Ok(()));
    assert_eq!(keys.answer(id, OTHER), Err(CompleteErrorKind::AlreadyCompleted));
    assert_eq!(block_on(reply), Some(PAID));
    let (id, reply) = keys.begin();
    drop(reply);
    assert_eq!(keys.answer(id, PAID), Err(CompleteErrorKind::Closed));
}

#[test]
fn a_second_await_is_an_error_only_with_keys() {
    assert_eq!(await_again(&Indices::default()), "payment 2");
    assert_eq!(await_again(&Keys(Pool::new())), "panics");
}

#[test]
#[should_panic = "polled after completion: its result has been given out, and a result is given out once"]
fn a_second_await_panics_with_a_clear_text() {
    let keys = Keys(Pool::new());
    let (id, mut reply) = keys.begin();
    keys.answer(id, PAID).unwrap();
    block_on(async { [(&mut reply).await, (&mut reply).await] });
}

#[test]
fn a_second_await_of_a_checked_future_returns_an_error() {
    let keys = Keys(Pool::new());
    let (id, reply) = keys.begin();
    let mut reply = ValueFuture::from(reply).checked();
    keys.answer(id, PAID).unwrap();
    assert_eq!(block_on(&mut reply), Ok(Some(PAID)));
    let (id, _next) = keys.begin();
    keys.answer(id, OTHER).unwrap();
    assert_eq!(block_on(&mut reply).unwrap_err().rule(), Rule::PolledAfterCompletion);
}

#[test]
fn a_warm_attempt_allocates_nothing() {
    fn assert_allocates_nothing<C: Calls>(calls: &C) {
        let attempts = async |attempts| {
            for _ in 0..attempts {
                let (late, timed_out) = calls.begin();
                drop(timed_out);
                let (id, mut reply) = calls.begin();
                assert!(poll!(&mut reply).is_pending());
                calls.answer(id, PAID).unwrap();
                assert_eq!(reply.await, Some(PAID));
                assert!(calls.answer(late, OTHER).is_err());
            }
        };
        block_on(async {
            attempts(10).await;
            let before = allocated();
            attempts(10_000).await;
            assert_eq!(allocated(), before);
        });
    }

    assert_allocates_nothing(&Indices::default());
    assert_allocates_nothing(&Keys(Pool::new()));
}

#[test]
fn bad_arguments_are_refused_with_code_2() {
    for arguments in [["--payments", "0"], ["--rounds", "1"], ["--late", "91"], ["--late", "x"]] {
        assert_eq!(refusal::<Options>(&arguments), Some(2));
    }
    assert_eq!(refusal::<Options>(&[]), None);
}
