//! Tests of handles of one shared future on several threads. Each handle that waits gets the result, and nothing is leaked or dropped
//! twice.

mod common;

use std::{
    pin::pin,
    sync::{Arc, Barrier},
    task::Poll,
    thread,
};

use common::{panic_text, poll};
use futures::executor::block_on;
use value_future::{Completer, Pool, Shared, ValueFuture};

type Number = Option<Arc<u32>>;

/// The action of a thread on its handle.
#[derive(Clone, Copy, Debug)]
enum Action {
    Await,
    PollOnce,
    Drop,
    /// Drops the handle, and upgrades a weak handle.
    Upgrade,
    /// Polls the handle once, and awaits a clone.
    CloneAndAwait,
}

const ACTIONS: [Action; 5] =
    [Action::Await, Action::PollOnce, Action::Drop, Action::Upgrade, Action::CloneAndAwait];

fn check(number: &Number, completed: bool) {
    assert_eq!(number.as_deref(), completed.then_some(&7));
}

fn run(action: Action, handle: Shared<'static, Number>, completed: bool) {
    match action {
        Action::Await => check(&block_on(handle), completed),
        Action::PollOnce => {
            if let Poll::Ready(number) = poll(&mut pin!(handle)) {
                check(&number, completed);
            }
        }
        Action::Drop => drop(handle),
        Action::Upgrade => {
            let weak = handle.downgrade();
            drop(handle);
            if let Some(handle) = weak.and_then(|weak| weak.upgrade()) {
                check(&block_on(handle), completed);
            }
        }
        Action::CloneAndAwait => {
            let other = handle.clone();
            let taken = match poll(&mut pin!(handle)) {
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

fn round(actions: [Action; 2], complete: bool, polled: bool) {
    let pool = Pool::<Number>::new();
    let value = Arc::new(7);
    let (completer, completion): (Completer<Number>, _) = pool.rent();
    let mut first = Box::pin(ValueFuture::from(completion).share());
    // `first` is the only handle, so the future gets the waker of this poll.
    if polled {
        assert!(poll(&mut first).is_pending());
    }
    let start = Arc::new(Barrier::new(actions.len() + 1));
    let threads = actions.map(|action| {
        let (handle, start) = (Shared::clone(&first), Arc::clone(&start));
        thread::spawn(move || {
            start.wait();
            run(action, handle, complete);
        })
    });
    let result = Some(Arc::clone(&value));
    start.wait();
    if complete {
        let _ = completer.complete(result);
    } else {
        drop((completer, result));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    check(&block_on(first), complete);
    assert_eq!((Arc::strong_count(&value), pool.stats().live), (1, 0), "{actions:?}");
}

#[test]
fn each_pair_of_actions_races_with_the_completion() {
    let rounds = if cfg!(miri) { 1 } else { 50 };
    for _ in 0..rounds {
        for (index, one) in ACTIONS.into_iter().enumerate() {
            for other in ACTIONS {
                round([one, other], index % 2 == 0, index % 3 == 0);
            }
        }
    }
}

/// All handles are dropped while the producer completes the operation.
#[test]
fn the_drop_of_the_last_handle_races_with_the_completion() {
    let rounds = if cfg!(miri) { 3 } else { 500 };
    for _ in 0..rounds {
        let pool = Pool::<Number>::new();
        let (completer, completion) = pool.rent();
        let shared = ValueFuture::from(completion).share();
        let mut other = Box::pin(shared.clone());
        assert!(poll(&mut other).is_pending());
        let value = Arc::new(7);
        let result = Some(Arc::clone(&value));
        let producer = thread::spawn(move || drop(completer.complete(result)));
        let dropper = thread::spawn(move || drop(other));
        drop(shared);
        producer.join().unwrap();
        dropper.join().unwrap();
        assert_eq!((Arc::strong_count(&value), pool.stats().live), (1, 0));
    }
}

#[test]
fn a_panic_reaches_all_waiting_threads() {
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
