use futures::poll;
use value_future::{ValueFuture, error::Rule, operation::CompleteErrorKind};

use super::*;
use crate::common::{allocated, exit_code_of_arguments};

const PAID: Answer = Answer { payment: 1, is_paid: true };
const OTHER: Answer = Answer { payment: 2, is_paid: true };

/// Runs rounds of payments until `is_done` returns `true`, or until there are a million payments.
fn pay_until<A: Attempts>(attempts: &A, is_done: impl Fn(&Outcome) -> bool) -> Outcome {
    let mut outcome = Outcome::default();
    while !is_done(&outcome) && outcome.payments < 1_000_000 {
        run_round(attempts, 2_000, 10, &mut outcome);
    }
    outcome
}

#[test]
fn with_slot_indices_payments_are_repeated_and_confirmations_are_wrong() {
    let outcome =
        pay_until(&SlotIndices::default(), |outcome| outcome.not_once > 0 && outcome.wrong > 0);
    assert!(outcome.not_once > 0 && outcome.wrong > 0, "{outcome:?}");
}

#[test]
fn with_pool_keys_late_answers_are_refused_and_each_payment_is_executed_once() {
    let outcome = pay_until(&PoolKeys(Pool::new()), |outcome| outcome.late > 1_000);
    let Outcome { payments, late, stale, .. } = outcome;
    assert!(late > 1_000 && stale > 0, "{outcome:?}");
    let expected = Outcome { payments, late, refused: late, stale, not_once: 0, wrong: 0 };
    assert_eq!(outcome, expected);
}

#[test]
fn without_late_answers_both_clients_are_correct() {
    let [mut by_index, mut by_key] = [Outcome::default(); 2];
    run_round(&SlotIndices::default(), 2_000, 0, &mut by_index);
    run_round(&PoolKeys(Pool::new()), 2_000, 0, &mut by_key);
    let expected = Outcome { payments: 2_000, ..Outcome::default() };
    assert_eq!([by_index, by_key], [expected; 2]);
}

#[test]
fn payments_end_although_90_percent_of_attempts_time_out() {
    let mut outcome = Outcome::default();
    run_round(&PoolKeys(Pool::new()), 1_000, 90, &mut outcome);
    assert_eq!((outcome.payments, outcome.not_once, outcome.wrong), (1_000, 0, 0));
    assert!(outcome.late > 1_000 && outcome.refused == outcome.late, "{outcome:?}");
}

/// Reproduces, step by step, the error that the program counts.
#[test]
fn a_late_answer_completes_the_next_attempt_only_with_slot_indices() {
    fn late_answer<A: Attempts>(attempts: &A) -> (Result<(), CompleteErrorKind>, bool) {
        let (timed_out, reply) = attempts.begin();
        drop(reply);
        let (_, mut next) = attempts.begin();
        let result = attempts.answer(timed_out, PAID);
        (result, block_on(async { poll!(&mut next).is_ready() }))
    }

    assert_eq!(late_answer(&SlotIndices::default()), (Ok(()), true));
    assert_eq!(late_answer(&PoolKeys(Pool::new())), (Err(CompleteErrorKind::Stale), false));
}

#[test]
fn a_refused_answer_returns_its_reason() {
    let keys = PoolKeys(Pool::new());
    let (id, reply) = keys.begin();
    assert_eq!(keys.answer(id, PAID), Ok(()));
    assert_eq!(keys.answer(id, OTHER), Err(CompleteErrorKind::AlreadyCompleted));
    assert_eq!(block_on(reply), Some(PAID));
    let (id, reply) = keys.begin();
    drop(reply);
    assert_eq!(keys.answer(id, PAID), Err(CompleteErrorKind::Closed));
}

#[test]
fn a_second_await_panics_with_keys_and_returns_a_wrong_answer_with_slot_indices() {
    assert_eq!(second_await(&SlotIndices::default()), "payment 2");
    assert_eq!(second_await(&PoolKeys(Pool::new())), "panics");
}

#[test]
#[should_panic = "polled after completion"]
fn the_panic_of_a_second_await_names_its_reason() {
    let keys = PoolKeys(Pool::new());
    let (id, mut reply) = keys.begin();
    keys.answer(id, PAID).unwrap();
    block_on(async { [(&mut reply).await, (&mut reply).await] });
}

#[test]
fn a_second_await_of_a_checked_future_returns_an_error() {
    let keys = PoolKeys(Pool::new());
    let (id, reply) = keys.begin();
    let mut reply = ValueFuture::from(reply).checked();
    keys.answer(id, PAID).unwrap();
    assert_eq!(block_on(&mut reply), Ok(Some(PAID)));
    let (id, _next) = keys.begin();
    keys.answer(id, OTHER).unwrap();
    assert_eq!(block_on(&mut reply).unwrap_err().rule(), Rule::PolledAfterCompletion);
}

#[test]
fn an_attempt_after_warm_up_allocates_nothing() {
    fn assert_allocates_nothing<A: Attempts>(attempts: &A) {
        let run = async |count| {
            for _ in 0..count {
                let (late, timed_out) = attempts.begin();
                drop(timed_out);
                let (id, mut reply) = attempts.begin();
                assert!(poll!(&mut reply).is_pending());
                attempts.answer(id, PAID).unwrap();
                assert_eq!(reply.await, Some(PAID));
                assert!(attempts.answer(late, OTHER).is_err());
            }
        };
        block_on(async {
            run(10).await;
            let before = allocated();
            run(10_000).await;
            assert_eq!(allocated(), before);
        });
    }

    assert_allocates_nothing(&SlotIndices::default());
    assert_allocates_nothing(&PoolKeys(Pool::new()));
}

#[test]
fn invalid_arguments_exit_with_code_2() {
    for arguments in [["--payments", "0"], ["--rounds", "1"], ["--late", "91"], ["--late", "x"]] {
        assert_eq!(exit_code_of_arguments::<Options>(&arguments), Some(2));
    }
    assert_eq!(exit_code_of_arguments::<Options>(&[]), None);
}
