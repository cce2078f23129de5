//! The bank, on its own thread.

use std::{collections::VecDeque, sync::mpsc::Receiver};

use value_future::operation::CompleteErrorKind;

/// An attempt to pay.
pub(crate) struct Request {
    /// The client chooses the id, and the answer names it.
    pub(crate) id: u64,
    pub(crate) payment: usize,
    /// `true` if the last attempt has timed out. If the bank has paid then, it does not pay again.
    pub(crate) is_repeated: bool,
    /// `true` if the attempt times out. The client decides that at random, not by a clock.
    pub(crate) is_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) payment: usize,
    /// `false` if the bank denies the payment.
    pub(crate) is_paid: bool,
}

/// The outcome of payments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) payments: usize,
    /// Payments that the bank has made more than once, or not at all.
    pub(crate) not_once: usize,
    /// Payments that were confirmed by the answer to another one.
    pub(crate) wrong: usize,
    /// Answers to attempts that have timed out.
    pub(crate) late: usize,
    /// Late answers that the client has refused.
    pub(crate) refused: usize,
    /// Refused answers whose slot has served another attempt.
    pub(crate) stale: usize,
}

/// Serves requests until the client hangs up. `answer` delivers an answer to the client.
pub(crate) fn serve(
    requests: Receiver<Request>,
    payments: usize,
    answer: impl Fn(u64, Answer) -> Result<(), CompleteErrorKind>,
    outcome: &mut Outcome,
) {
    let (mut made, mut held) = (vec![0; payments], VecDeque::new());
    let mut send_late = |(id, late)| {
        let refused = answer(id, late).err();
        outcome.refused += usize::from(refused.is_some());
        outcome.stale += usize::from(refused == Some(CompleteErrorKind::Stale));
    };
    for Request { id, payment, is_repeated, is_late } in requests {
        outcome.late += usize::from(is_late);
        let is_known = is_repeated && made[payment] > 0;
        // Every second late answer denies the payment.
        let is_paid = is_known || !is_late || outcome.late % 2 == 0;
        made[payment] += usize::from(is_paid && !is_known);
        if is_late {
            held.push_back((id, Answer { payment, is_paid }));
        } else {
            let _ = answer(id, Answer { payment, is_paid });
        }
        // The bank holds late answers back, so the client repeats the attempt before its answer arrives.
        if held.len() > 8 {
            held.drain(..1).for_each(&mut send_late);
        }
    }
    held.into_iter().for_each(send_late);
    outcome.not_once += made.iter().filter(|times| **times != 1).count();
}
