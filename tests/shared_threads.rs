//! Who does what with the handles of one future, on several threads at once: every handle that waits is given
//! the result, nothing is dropped twice, and nothing is left.

mod common;

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Barrier},
    task::{Context, Poll, Waker},
    thread,
};

use common::panic_text;
use futures::executor::block_on;
use value_future::{Completer, Pool, Shared, ValueFuture};

type Number = Option<Arc<u32>>;

/// What a thread does with a handle.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Await,
    PollOnce,
    Drop,
    /// By a weak handle, once the strong one has gone.
    Upgrade,
    /// Two at a time, of which one is dropped between polls.
    CloneAndAwait,
}

const DEEDS: [Deed; 5] =
    [Deed::Await, Deed::PollOnce, Deed::Drop, Deed::Upgrade, Deed::CloneAndAwait];

fn poll_once(handle: Pin<&mut Shared<'static, Number>>) -> Poll<Number> {
    handle.poll(&mut Context::from_waker(Waker::noop()))
}

fn check(number: &Number, completed: bool) {
    assert_eq!(number.as_deref(), completed.then_some(&7));
}

fn deed(deed: Deed, handle: Shared<'static, Number>, completed: bool) {
    match deed {
        Deed::Await => check(&block_on(handle), completed),
        Deed::PollOnce => {
            if let Poll::Ready(number) = poll_once(pin!(handle)) {
                check(&number, completed);
            }
        }
        Deed::Drop => drop(handle),
        Deed::Upgrade => {
            let weak = handle.downgrade();
            drop(handle);
            if let Some(handle) = weak.and_then(|weak| weak.upgrade()) {
                check(&block_on(handle), completed);
            }
        }
        Deed::CloneAndAwait => {
            let other = handle.clone();
            let taken = match poll_once(pin!(handle)) {
                Poll::Ready(number) => Some(number),
                Poll::Pending => None,
            };
            check(&block_on(other), completed);
            if let Some(number) = taken {
                check(&number, completed);
            }
        }
    }
}

fn round(deeds: [Deed; 2], complete: bool, polled: bool) {
    let pool = Pool::<Number>::new();
    let value = Arc::new(7);
    let (completer, completion): (Completer<Number>, _) = pool.rent();
    let mut first = Box::pin(ValueFuture::from(completion).share());
    // Alone, with the waker of its own task in the future.
    if polled {
        assert!(poll_once(first.as_mut()).is_pending());
    }
    let start = Arc::new(Barrier::new(deeds.len() + 1));
    let threads = deeds.map(|what| {
        let (handle, start) = (Shared::clone(&first), Arc::clone(&start));
        thread::spawn(move || {
            start.wait();
            deed(what, handle, complete);
        })
    });
    let given = Some(Arc::clone(&value));
    start.wait();
    if complete {
        let _ = completer.complete(given);
    } else {
        drop((completer, given));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    check(&block_on(first), complete);
    assert_eq!((Arc::strong_count(&value), pool.stats().live), (1, 0), "{deeds:?}");
}

#[test]
fn every_pair_of_deeds_against_the_completion() {
    let rounds = if cfg!(miri) { 1 } else { 50 };
    for _ in 0..rounds {
        for (index, one) in DEEDS.into_iter().enumerate() {
            for other in DEEDS {
                round([one, other], index % 2 == 0, index % 3 == 0);
            }
        }
    }
}

/// Nobody is left to give the result to: the future is dropped, on whatever thread.
#[test]
fn the_last_handle_against_the_completion() {
    let rounds = if cfg!(miri) { 3 } else { 500 };
    for _ in 0..rounds {
        let pool = Pool::<Number>::new();
        let (completer, completion) = pool.rent();
        let shared = ValueFuture::from(completion).share();
        let mut other = Box::pin(shared.clone());
        assert!(poll_once(other.as_mut()).is_pending());
        let value = Arc::new(7);
        let given = Some(Arc::clone(&value));
        let producer = thread::spawn(move || drop(completer.complete(given)));
        let drops = thread::spawn(move || drop(other));
        drop(shared);
        producer.join().unwrap();
        drops.join().unwrap();
        assert_eq!((Arc::strong_count(&value), pool.stats().live), (1, 0));
    }
}

#[test]
fn a_panic_reaches_whoever_waits() {
    let rounds = if cfg!(miri) { 2 } else { 100 };
    for _ in 0..rounds {
        let (completer, completion) = Pool::<Number>::new().rent();
        let failing = ValueFuture::boxed(async { assert!(completion.await.is_none(), "it fails") });
        let shared = failing.share();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let handle = shared.clone();
                thread::spawn(|| panic_text(|| block_on(handle)))
            })
            .collect();
        completer.complete(Some(Arc::new(7))).unwrap();
        let texts: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(texts.iter().filter(|text| text.contains("it fails")).count() <= 1, "{texts:?}");
        assert!(panic_text(|| block_on(shared)).contains("polled after a panic"));
    }
}
