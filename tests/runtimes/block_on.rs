//! Scenarios that need only a runtime that runs one future.

use std::{pin::pin, sync::Arc, thread};

use futures::{
    StreamExt,
    channel::mpsc::{UnboundedSender, unbounded},
    executor::block_on,
    future::{Either, join, join_all, join3, poll_fn, ready as at_once, select},
    poll,
};
use smol::future::yield_now;
use value_future::{
    Dropped, FuturePool, Key, Pool, ReusableSource, ValueFuture, async_trait,
    operation::CompleteErrorKind,
};

use crate::runtime::{Runtime, reporting};

/// The number of rounds of a scenario. In scenarios with two threads, the timing of the threads differs from round to round.
const ROUNDS: u32 = if cfg!(miri) { 4 } else { 200 };

#[async_trait]
trait Store: Send + Sync {
    async fn get(&self, key: u32) -> u32;
}

/// A store. For keys below 10, the result is ready. For other keys, the future yields three times.
struct Numbers;

#[async_trait]
impl Store for Numbers {
    #[ready((*key < 10).then_some(*key))]
    async fn get(&self, key: u32) -> u32 {
        for _ in 0..3 {
            yield_now().await;
        }
        key
    }
}

pub(crate) fn ready<R: Runtime>() {
    let store: Arc<dyn Store> = Arc::new(Numbers);
    let sum = async move {
        let (one, two) = (store.get(1), store.get(2));
        assert!(one.is_ready() && two.is_ready());
        one.await + two.await
    };
    assert_eq!(R::run(sum), 3);
}

pub(crate) fn woken_by_its_own_thread<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        for number in 0..ROUNDS {
            let (completer, completion) = pool.rent();
            let complete = async {
                yield_now().await;
                completer.complete(Some(number)).unwrap();
            };
            assert_eq!(join(ValueFuture::from(completion), complete).await.0, Some(number));
        }
    });
}

/// Calls a function on another thread. In three of four rounds, that thread first waits for a message from the returned sender. The task
/// sends this message, by `reporting`, when its future is pending.
fn on_another_thread(round: u32, call: impl FnOnce() + Send + 'static) -> UnboundedSender<()> {
    let (pending, mut is_pending) = unbounded();
    thread::spawn(move || {
        if round % 4 != 3 {
            block_on(is_pending.next()).unwrap();
        }
        // The number of yields varies. So in some rounds, `call` runs when the executor is about to block, and in other rounds when the
        // executor already blocks.
        for _ in 0..round % 4 * 10 {
            thread::yield_now();
        }
        call();
    });
    pending
}

pub(crate) fn completed_by_another_thread<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        for round in 0..ROUNDS {
            let (completer, completion) = pool.rent();
            let pending =
                on_another_thread(round, move || completer.complete(Some(round)).unwrap());
            let answer = ValueFuture::from(completion);
            assert_eq!(reporting(answer, pending).await, Some(round));
        }
    });
}

pub(crate) fn cancelled<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, completion) = pool.rent();
        let mut answer = ValueFuture::from(completion);
        assert!(poll!(&mut answer).is_pending() && !completer.is_closed());
        let drop_answer = async {
            yield_now().await;
            drop(answer);
        };
        join(completer.closed(), drop_answer).await;
        assert!(completer.is_closed());
        assert_eq!(completer.complete(Some(5)).unwrap_err().into_value(), Some(5));
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 1));
    });
}

pub(crate) fn cancelled_by_another_thread<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        for round in 0..ROUNDS {
            let (mut completer, completion) = pool.rent();
            let pending = on_another_thread(round, move || drop(completion));
            reporting(completer.closed(), pending).await;
            assert!(completer.complete(Some(round)).is_err());
        }
    });
}

pub(crate) fn dropped_after_select<R: Runtime>() {
    R::run(async {
        let (completer, completion) = Pool::<Option<u32>>::new().rent();
        let answer = ValueFuture::from(completion);
        let Either::Right(((), answer)) = select(answer, at_once(())).await else {
            panic!("the operation is not completed");
        };
        assert!(!completer.is_closed());
        drop(answer);
        assert!(completer.is_closed());
    });
}

pub(crate) fn producer_dropped<R: Runtime>() {
    R::run(async {
        let (completer, completion) = Pool::<Option<u32>>::new().rent();
        let drop_completer = async {
            yield_now().await;
            drop(completer);
        };
        assert_eq!(join(completion, drop_completer).await.0, None);
        let (completer, completion) = Pool::<Result<u32, Dropped>>::new().rent();
        drop(completer);
        assert!(ValueFuture::from(completion).await.is_err());
    });
}

pub(crate) fn producer_dropped_by_another_thread<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        for round in 0..ROUNDS {
            let (completer, completion) = pool.rent();
            let pending = on_another_thread(round, move || drop(completer));
            assert_eq!(reporting(completion, pending).await, None);
        }
    });
}

pub(crate) fn shared_by_three<R: Runtime>() {
    R::run(async {
        for round in 0..ROUNDS {
            let (completer, completion) = Pool::<Option<u32>>::new().rent();
            let shared = ValueFuture::from(completion).share();
            let pending =
                on_another_thread(round, move || completer.complete(Some(round)).unwrap());
            let handles = join3(shared.clone(), shared.clone(), shared);
            assert_eq!(reporting(handles, pending).await, (Some(round), Some(round), Some(round)));
        }
    });
}

pub(crate) fn pooled_future_that_yields<R: Runtime>() {
    let store: Arc<dyn Store> = Arc::new(Numbers);
    assert_eq!(R::run(async move { store.get(10).await + store.get(20).await }), 30);

    R::run(async {
        let pool = FuturePool::new();
        let mut pending = 0;
        let mut answer = pool.pooled(Numbers.get(30));
        let answer = poll_fn(|cx| {
            let polled = pin!(&mut answer).poll(cx);
            pending += u32::from(polled.is_pending());
            polled
        });
        assert_eq!(answer.await, 30);
        assert_eq!((pending, pool.stats().rented, pool.stats().live), (3, 1, 0));
    });
}

pub(crate) fn completed_by_key<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::builder().max_slots(1).build();
        let mut last = None;
        for round in 0..ROUNDS {
            let (completer, completion) = pool.rent();
            let id = completer.into_key().to_u64();
            let replies = pool.clone();
            let pending = on_another_thread(round, move || {
                replies.complete_key(Key::from_u64(id), Some(round)).unwrap();
            });
            // A late reply to the previous request does not reach this request.
            if let Some(last) = last.replace(id) {
                let late = pool.complete_key(Key::from_u64(last), Some(u32::MAX)).unwrap_err();
                assert_eq!(late.kind(), CompleteErrorKind::Stale);
            }
            assert_eq!(reporting(completion, pending).await, Some(round));
            let twice = pool.complete_key(Key::from_u64(id), Some(round)).unwrap_err();
            assert_eq!(twice.kind(), CompleteErrorKind::AlreadyCompleted);
        }
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        drop(completion);
        assert_eq!(pool.complete_key(key, Some(5)).unwrap_err().kind(), CompleteErrorKind::Closed);
    });
}

pub(crate) fn completed_by_keys_out_of_order<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        let (mut ids, mut answers) = (Vec::new(), Vec::new());
        for number in 0..50 {
            let (completer, completion) = pool.rent();
            ids.push((completer.into_key().to_u64(), number));
            answers.push(ValueFuture::from(completion));
        }
        let pending = on_another_thread(0, move || {
            for (id, number) in ids.into_iter().rev() {
                pool.complete_key(Key::from_u64(id), Some(number)).unwrap();
            }
        });
        let answers = reporting(join_all(answers), pending).await;
        assert_eq!(answers, (0..50).map(Some).collect::<Vec<_>>());
    });
}

pub(crate) fn reusable_source<R: Runtime>() {
    R::run(async {
        let source = Arc::new(ReusableSource::<Option<u32>>::new());
        for round in 0..ROUNDS {
            let answer = source.begin_owned().unwrap();
            let (key, port) = (source.key().unwrap(), Arc::clone(&source));
            let pending =
                on_another_thread(round, move || port.complete_key(key, Some(round)).unwrap());
            assert_eq!(reporting(answer, pending).await, Some(round));
            assert!(source.complete_key(key, None).is_err());
        }
    });
}

pub(crate) fn rent_when_vacant<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::builder().max_slots(1).build();
        let mut handles = pool.rent();
        for round in 0..ROUNDS {
            let pending = on_another_thread(round, move || drop(handles));
            handles = reporting(pool.rent_when_vacant(), pending).await.unwrap();
        }
    });
}

pub(crate) fn blocking_wait_on_a_thread<R: Runtime>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        for number in 0..ROUNDS {
            let (completer, completion) = pool.rent();
            let waiting = thread::spawn(move || completion.wait());
            yield_now().await;
            completer.complete(Some(number)).unwrap();
            assert_eq!(waiting.join().unwrap(), Some(number));
        }
    });
}
