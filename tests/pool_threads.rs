//! Each test runs one action of a producer and one action of a consumer at the same time, on two threads. There is a test for each pair of
//! actions. Both sides see the same outcome: a value is either delivered or returned to the producer. The consumer never waits forever.

#![expect(clippy::needless_pass_by_value, reason = "each function drops its handles")]

mod common;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use common::{
    poll,
    race::{ConsumerOutcome, ProducerOutcome, Reply, Value, race_on_each_kind_of_pool},
};
use futures::executor::block_on;
use value_future::{
    Completer, Completion, Key, Pool, ValueFuture,
    operation::{CompleteError, CompleteErrorKind},
};

fn producer_outcome(result: Result<(), CompleteError<Reply>>) -> ProducerOutcome {
    match result.map_err(CompleteError::into_value) {
        Ok(()) => ProducerOutcome::Delivered,
        Err(Some(_)) => ProducerOutcome::Returned,
        Err(None) => panic!("the returned value is not the value of the producer"),
    }
}

fn consumer_outcome(reply: Reply) -> ConsumerOutcome {
    match reply {
        Some(_) => ConsumerOutcome::Value,
        None => ConsumerOutcome::Abandoned,
    }
}

fn complete_by_key(pool: &Pool<Reply>, key: Key, value: Reply) -> Result<(), CompleteError<Reply>> {
    pool.complete_key(key, value).inspect_err(|error| {
        assert!(matches!(
            error.kind(),
            CompleteErrorKind::Closed | CompleteErrorKind::AlreadyCompleted
        ));
    })
}

mod produce {
    use super::*;

    pub(super) fn complete(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> ProducerOutcome {
        drop(pool);
        producer_outcome(completer.complete(value))
    }

    pub(super) fn poll_closed_then_complete(
        pool: Pool<Reply>,
        mut completer: Completer<Reply>,
        value: Reply,
    ) -> ProducerOutcome {
        drop(pool);
        for _ in 0..2 {
            let cx = &mut Context::from_waker(Waker::noop());
            if completer.poll_closed(cx).is_ready() {
                assert!(completer.is_closed());
            }
        }
        producer_outcome(completer.complete(value))
    }

    pub(super) fn drop_completer(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> ProducerOutcome {
        drop(pool);
        drop(completer);
        drop(value);
        ProducerOutcome::Abandoned
    }

    pub(super) fn complete_key(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> ProducerOutcome {
        producer_outcome(complete_by_key(&pool, completer.into_key().untyped(), value))
    }

    /// Completes the operation with the completer, and then uses the key. The key is refused, even if the completion was dropped first.
    pub(super) fn complete_then_key(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> ProducerOutcome {
        let key = completer.key_while_held();
        let result = producer_outcome(completer.complete(value));
        assert_eq!(
            producer_outcome(complete_by_key(&pool, key.untyped(), second_value())),
            ProducerOutcome::Returned
        );
        result
    }

    /// Completes the operation with the key, and then uses the completer. The completer gets its value back, even if the completion was
    /// dropped first.
    pub(super) fn key_then_complete(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> ProducerOutcome {
        let result =
            producer_outcome(complete_by_key(&pool, completer.key_while_held().untyped(), value));
        assert_eq!(producer_outcome(completer.complete(second_value())), ProducerOutcome::Returned);
        result
    }

    pub(super) fn abandon_key(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> ProducerOutcome {
        drop(value);
        match pool.abandon_key(completer.into_key()) {
            Ok(()) => ProducerOutcome::Abandoned,
            Err(error) => {
                assert_eq!(error.kind(), CompleteErrorKind::Closed);
                ProducerOutcome::Refused
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the output of the pool is an `Option`")]
    fn second_value() -> Reply {
        Some(Value(Arc::default()))
    }
}

mod consume {
    use super::*;

    pub(super) fn await_completion(completion: Completion<Reply>) -> ConsumerOutcome {
        consumer_outcome(block_on(completion))
    }

    pub(super) fn await_value_future(completion: Completion<Reply>) -> ConsumerOutcome {
        consumer_outcome(block_on(ValueFuture::from(completion)))
    }

    pub(super) fn drop_completion(completion: Completion<Reply>) -> ConsumerOutcome {
        drop(completion);
        ConsumerOutcome::Dropped
    }

    fn poll_and_drop(mut completion: impl Future<Output = Reply> + Unpin) -> ConsumerOutcome {
        match poll(&mut completion) {
            Poll::Ready(reply) => consumer_outcome(reply),
            Poll::Pending => {
                drop(completion);
                ConsumerOutcome::Dropped
            }
        }
    }

    pub(super) fn poll_then_drop(completion: Completion<Reply>) -> ConsumerOutcome {
        poll_and_drop(completion)
    }

    pub(super) fn poll_value_future_then_drop(completion: Completion<Reply>) -> ConsumerOutcome {
        poll_and_drop(ValueFuture::from(completion))
    }

    /// Polls with wakers that wake nothing, and then awaits the completion.
    pub(super) fn change_waker(mut completion: Completion<Reply>) -> ConsumerOutcome {
        for _ in 0..2 {
            let waker = Waker::from(Arc::new(NoWake));
            let cx = &mut Context::from_waker(&waker);
            if let Poll::Ready(reply) = Pin::new(&mut completion).poll(cx) {
                return consumer_outcome(reply);
            }
        }
        consumer_outcome(block_on(completion))
    }

    pub(super) fn try_take_then_await(completion: Completion<Reply>) -> ConsumerOutcome {
        match completion.try_take() {
            Ok(reply) => consumer_outcome(reply),
            Err(completion) => consumer_outcome(block_on(completion)),
        }
    }

    pub(super) fn try_take_then_drop(completion: Completion<Reply>) -> ConsumerOutcome {
        completion.try_take().map_or(ConsumerOutcome::Dropped, consumer_outcome)
    }

    struct NoWake;

    impl std::task::Wake for NoWake {
        fn wake(self: Arc<Self>) {}
    }
}

macro_rules! matrix {
    ($($produce:ident,)*) => {
        $(matrix! { $produce: await_completion, await_value_future, drop_completion, poll_then_drop, poll_value_future_then_drop,
            change_waker, try_take_then_await, try_take_then_drop })*
    };
    ($produce:ident: $($consume:ident),*) => {
        mod $produce {
            $(
                #[test]
                fn $consume() {
                    super::race_on_each_kind_of_pool(super::produce::$produce, super::consume::$consume);
                }
            )*
        }
    };
}

matrix! {
    complete, poll_closed_then_complete, drop_completer, complete_key, complete_then_key,
    key_then_complete, abandon_key,
}
