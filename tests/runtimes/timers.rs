//! Scenarios with timeouts, which use the timer of the runtime.

use std::{thread, time::Duration};

use value_future::{Pool, ValueFuture, operation::CompleteErrorKind};

use crate::runtime::Timers;

/// A timeout that is longer than any test.
const LONG: Duration = Duration::from_secs(3600);

pub(crate) fn completed_in_time<R: Timers>() {
    R::run(async {
        let (completer, completion) = Pool::<Option<u32>>::new().rent();
        thread::spawn(move || completer.complete(Some(5)).unwrap());
        assert_eq!(R::timeout(LONG, ValueFuture::from(completion)).await, Some(Some(5)));
    });
}

pub(crate) fn ready_in_time<R: Timers>() {
    R::run(async {
        assert_eq!(R::timeout(Duration::ZERO, ValueFuture::ready(5)).await, Some(5));
    });
}

pub(crate) fn a_timeout_cancels<R: Timers>() {
    R::run(async {
        let (mut completer, completion) = Pool::<Option<u32>>::new().rent();
        let late = R::timeout(Duration::from_millis(1), ValueFuture::from(completion)).await;
        assert_eq!(late, None);
        assert_eq!(R::timeout(LONG, completer.closed()).await, Some(()));
        assert!(completer.complete(Some(5)).is_err());
    });
}

pub(crate) fn a_reply_after_the_timeout_is_refused<R: Timers>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::builder().max_slots(1).build();
        let (completer, completion) = pool.rent();
        let late = completer.into_key();
        assert_eq!(R::timeout(Duration::from_millis(1), completion).await, None);
        let refused = pool.complete_key(late, Some(5)).unwrap_err();
        assert_eq!(refused.kind(), CompleteErrorKind::Closed);
        // The next request has the same slot, and gets its own reply.
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let refused = pool.complete_key(late, Some(5)).unwrap_err();
        assert_eq!(refused.kind(), CompleteErrorKind::Stale);
        pool.complete_key(key, Some(6)).unwrap();
        assert_eq!(R::timeout(LONG, completion).await, Some(Some(6)));
    });
}
