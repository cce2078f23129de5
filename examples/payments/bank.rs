//! The bank, which [`serve`]s the requests of a client on its own thread.

use std::{collections::VecDeque, sync::mpsc::Receiver};

use value_future::operation::CompleteErrorKind;

/// One attempt of a payment.
pub(crate) struct Request {
    /// The id of the attempt. The client chooses it, and the answer repeats it.
    pub(crate) id: u64,
    pub(crate) payment: usize,
    /// `true` if the previous attempt of this payment timed out. If a repeated payment was already executed, the bank does not pay a second
    /// time.
    pub(crate) is_repeated: bool,
    /// `true` if the attempt times out. The client decides this at random, without a clock.
    pub(crate) is_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) payment: usize,
    /// `false` if the bank declined the payment.
    pub(crate) is_paid: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) payments: usize,
    /// Payments that the bank executed more than once, or not at all.
    pub(crate) not_once: usize,
    /// Payments for which the client accepted the answer to another payment.
    pub(crate) wrong: usize,
    /// Answers to attempts that had timed out.
    pub(crate) late: usize,
    /// Late answers that the client refused.
    pub(crate) refused: usize,
    /// Refused answers that came after another attempt had reused the slot.
    pub(crate) stale: usize,
}

/// Serves requests until the client drops its sender. `answer` delivers an answer to the client.
pub(crate) fn serve(
    requests: Receiver<Request>,
    payments: usize,
    answer: impl Fn(u64, Answer) -> Result<(), CompleteErrorKind>,
    outcome: &mut Outcome,
) {
    let (mut executions, mut delayed) = (vec![0; payments], VecDeque::new());
    let mut send_late = |(id, late_answer)| {
        let refused = answer(id, late_answer).err();
        outcome.refused += usize::from(refused.is_some());
        outcome.stale += usize::from(refused == Some(CompleteErrorKind::Stale));
    };
    for Request { id, payment, is_repeated, is_late } in requests {
        outcome.late += usize::from(is_late);
        let is_duplicate = is_repeated && executions[payment] > 0;
        // The bank declines every second late attempt, unless it has already executed the payment.
        let is_paid = is_duplicate || !is_late || outcome.late % 2 == 0;
        executions[payment] += usize::from(is_paid && !is_duplicate);
        if is_late {
            delayed.push_back((id, Answer { payment, is_paid }));
        } else {
            let _ = answer(id, Answer { payment, is_paid });
        }
        // If more than 8 late answers are delayed, the bank sends the oldest one. The client repeats a late attempt at once, before any
        // other payment sends a request. So the attempt to which the oldest answer belongs was already repeated, and another attempt may
        // use its slot.
        if delayed.len() > 8 {
            delayed.drain(..1).for_each(&mut send_late);
        }
    }
    delayed.into_iter().for_each(send_late);
    outcome.not_once += executions.iter().filter(|count| **count != 1).count();
}
