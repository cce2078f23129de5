//! Two threads, one at each end of an operation, and everything that one may do against everything
//! that the other may do: there is one outcome, the value is delivered or handed back, nobody waits
//! for ever.

#![expect(clippy::needless_pass_by_value, reason = "dropped where they are no longer needed")]

mod common;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use common::{
    poll,
    race::{Given, Reply, Seen, Value, every_kind_of_pool},
};
use futures::executor::block_on;
use value_future::{
    Completer, Completion, Key, Pool, ValueFuture,
    operation::{CompleteError, CompleteErrorKind},
};

fn given(result: Result<(), CompleteError<Reply>>) -> Given {
    match result.map_err(CompleteError::into_value) {
        Ok(()) => Given::Delivered,
        Err(Some(_)) => Given::HandedBack,
        Err(None) => panic!("that is not what was given"),
    }
}

fn seen(reply: Reply) -> Seen {
    match reply {
        Some(_) => Seen::Value,
        None => Seen::Nothing,
    }
}

fn by_key(pool: &Pool<Reply>, key: Key, value: Reply) -> Result<(), CompleteError<Reply>> {
    pool.complete_key(key, value).inspect_err(|error| {
        assert!(matches!(
            error.kind(),
            CompleteErrorKind::Closed | CompleteErrorKind::AlreadyCompleted
        ));
    })
}

mod produce {
    use super::*;

    pub(super) fn complete(pool: Pool<Reply>, completer: Completer<Reply>, value: Reply) -> Given {
        drop(pool);
        given(completer.complete(value))
    }

    pub(super) fn watch_and_complete(
        pool: Pool<Reply>,
        mut completer: Completer<Reply>,
        value: Reply,
    ) -> Given {
        drop(pool);
        for _ in 0..2 {
            let cx = &mut Context::from_waker(Waker::noop());
            if completer.poll_closed(cx).is_ready() {
                assert!(completer.is_closed());
            }
        }
        given(completer.complete(value))
    }

    pub(super) fn drop_completer(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> Given {
        drop(pool);
        drop(completer);
        drop(value);
        Given::Ended
    }

    pub(super) fn complete_key(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> Given {
        given(by_key(&pool, completer.into_key().untyped(), value))
    }

    /// The first that comes is the one: here the completer, or the consumer's going.
    pub(super) fn complete_then_key(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> Given {
        let key = completer.key_while_held();
        let result = given(completer.complete(value));
        assert_eq!(given(by_key(&pool, key.untyped(), second())), Given::HandedBack);
        result
    }

    /// Here it is the key.
    pub(super) fn key_then_complete(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> Given {
        let result = given(by_key(&pool, completer.key_while_held().untyped(), value));
        assert_eq!(given(completer.complete(second())), Given::HandedBack);
        result
    }

    pub(super) fn abandon_key(
        pool: Pool<Reply>,
        completer: Completer<Reply>,
        value: Reply,
    ) -> Given {
        drop(value);
        match pool.abandon_key(completer.into_key()) {
            Ok(()) => Given::Ended,
            Err(error) => {
                assert_eq!(error.kind(), CompleteErrorKind::Closed);
                Given::TooLate
            }
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a pool takes it")]
    fn second() -> Reply {
        Some(Value(Arc::default()))
    }
}

mod consume {
    use super::*;

    pub(super) fn wait(completion: Completion<Reply>) -> Seen {
        seen(block_on(completion))
    }

    pub(super) fn wait_erased(completion: Completion<Reply>) -> Seen {
        seen(block_on(ValueFuture::from(completion)))
    }

    pub(super) fn leave(completion: Completion<Reply>) -> Seen {
        drop(completion);
        Seen::Left
    }

    fn poll_and_leave(mut completion: impl Future<Output = Reply> + Unpin) -> Seen {
        match poll(&mut completion) {
            Poll::Ready(reply) => seen(reply),
            Poll::Pending => {
                drop(completion);
                Seen::Left
            }
        }
    }

    pub(super) fn poll_then_leave(completion: Completion<Reply>) -> Seen {
        poll_and_leave(completion)
    }

    pub(super) fn poll_then_leave_erased(completion: Completion<Reply>) -> Seen {
        poll_and_leave(ValueFuture::from(completion))
    }

    /// Only the waker of the last poll is one that wakes this thread.
    pub(super) fn change_waker(mut completion: Completion<Reply>) -> Seen {
        for _ in 0..2 {
            let other = Waker::from(Arc::new(Deaf));
            let cx = &mut Context::from_waker(&other);
            if let Poll::Ready(reply) = Pin::new(&mut completion).poll(cx) {
                return seen(reply);
            }
        }
        seen(block_on(completion))
    }

    pub(super) fn try_take_then_wait(completion: Completion<Reply>) -> Seen {
        match completion.try_take() {
            Ok(reply) => seen(reply),
            Err(completion) => seen(block_on(completion)),
        }
    }

    pub(super) fn try_take_then_leave(completion: Completion<Reply>) -> Seen {
        completion.try_take().map_or(Seen::Left, seen)
    }

    struct Deaf;

    impl std::task::Wake for Deaf {
        fn wake(self: Arc<Self>) {}
    }
}

macro_rules! matrix {
    ($($produce:ident,)*) => {
        $(matrix! { $produce: wait, wait_erased, leave, poll_then_leave, poll_then_leave_erased,
            change_waker, try_take_then_wait, try_take_then_leave })*
    };
    ($produce:ident: $($consume:ident),*) => {
        mod $produce {
            $(
                #[test]
                fn $consume() {
                    super::every_kind_of_pool(super::produce::$produce, super::consume::$consume);
                }
            )*
        }
    };
}

matrix! {
    complete, watch_and_complete, drop_completer, complete_key, complete_then_key,
    key_then_complete, abandon_key,
}
