//! A source in a field, used again while others come late. A model fails if an operation is given the value of
//! another, or waits for ever, or if the slot is used again before all that was done there is visible.

use std::sync::Arc;

use loom::{future::block_on, thread};
use value_future::{ReusableSource, operation::CompleteErrorKind};

use crate::common::{Value, assert_dropped, bounded_model, model, value};

fn source() -> Arc<ReusableSource<Value>> {
    Arc::new(ReusableSource::new())
}

/// One operation, completed by another thread that has its key, and the next.
#[test]
fn completed_by_key_and_begun_again() {
    bounded_model(3, || {
        let source = source();
        for number in 1..3 {
            let future = source.begin().unwrap();
            let key = source.key().unwrap();
            let (given, rest) = value(number);
            let theirs = Arc::clone(&source);
            let other = thread::spawn(move || theirs.complete_key(key, given).unwrap());
            assert_eq!(*block_on(future).unwrap(), number);
            // Not joined before the source is used again.
            if number == 1 {
                let next = source.begin().unwrap();
                drop(next);
            }
            other.join().unwrap();
            assert_dropped(&rest);
        }
    });
}

/// The future goes, and the next operation begins, while the key of the first comes.
#[test]
fn a_late_key_against_the_next_operation() {
    model(|| {
        let source = source();
        let future = source.begin().unwrap();
        let late = source.key().unwrap();
        let (given, rest) = value(1);
        let theirs = Arc::clone(&source);
        let other = thread::spawn(move || match theirs.complete_key(late, given) {
            Ok(()) => {}
            Err(refused) => {
                assert!(matches!(
                    refused.kind(),
                    CompleteErrorKind::Closed | CompleteErrorKind::Stale
                ));
            }
        });
        drop(future);
        // The late one may be inside its call.
        assert!(!source.is_busy());
        let next = source.begin().expect("one caller, which has dropped its last future");
        let key = source.key().unwrap();
        assert_ne!(key, late);
        let (second, second_rest) = value(2);
        source.complete_key(key, second).unwrap();
        assert_eq!(*block_on(next).unwrap(), 2);
        assert_dropped(&second_rest);
        other.join().unwrap();
        assert_dropped(&rest);
    });
}

/// The slot comes back from one thread, and goes to the other.
#[test]
fn two_begin() {
    bounded_model(3, || {
        let source = source();
        let theirs = Arc::clone(&source);
        let use_it = |source: &ReusableSource<Value>, number| {
            let Ok((completer, future)) = source.begin_held() else { return 0 };
            let (given, rest) = value(number);
            completer.complete(given).unwrap();
            assert_eq!(*block_on(future).unwrap(), number);
            assert_dropped(&rest);
            1
        };
        let other = thread::spawn(move || use_it(&theirs, 1));
        let own = use_it(&source, 2);
        assert!(own + other.join().unwrap() > 0);
        assert!(!source.is_busy());
    });
}

/// Whoever of the two ends goes last frees the source.
#[test]
fn a_completer_against_the_future() {
    model(|| {
        let source: &'static ReusableSource<Value> = Box::leak(Box::new(ReusableSource::new()));
        let (completer, future) = source.begin_held().unwrap();
        let (given, rest) = value(1);
        let other = thread::spawn(move || drop(completer.complete(given)));
        drop(future);
        other.join().unwrap();
        assert!(!source.is_busy());
        assert_dropped(&rest);
    });
}

/// A late key, and the next operation, where generations begin again.
#[test]
fn a_late_key_against_the_next_epoch() {
    bounded_model(3, || {
        let source = Arc::new(ReusableSource::<Value>::with_first_generation(u32::MAX));
        let future = source.begin().unwrap();
        let last = source.key().unwrap();
        let first_again = value_future::Key::from_u64(0);
        let theirs = Arc::clone(&source);
        let other = thread::spawn(move || {
            let (given, rest) = value(1);
            // Its number is that of the next operation but for the epoch.
            let refused = theirs.complete_key(first_again, given).unwrap_err();
            assert!(matches!(
                refused.kind(),
                CompleteErrorKind::Unknown | CompleteErrorKind::Stale
            ));
            drop(refused);
            assert_dropped(&rest);
            let _ = theirs.abandon_key(last);
        });
        drop(future);
        let next = source.begin().expect("one caller, which has dropped its last future");
        let key = source.key().unwrap();
        assert_eq!((key.untyped().index(), key.untyped().generation()), (1, 0));
        let (given, rest) = value(2);
        source.complete_key(key, given).unwrap();
        assert_eq!(*block_on(next).unwrap(), 2);
        assert_dropped(&rest);
        other.join().unwrap();
    });
}

/// Who is refused as *already completed* finds the result there, and as *being completed* soon.
#[test]
fn what_the_refused_one_is_told_holds() {
    model(|| {
        let source = Arc::new(ReusableSource::<Value>::new());
        let future = source.begin().unwrap();
        let key = source.key().unwrap();
        let theirs = Arc::clone(&source);
        let other = thread::spawn(move || theirs.complete_key(key, value(1).0).is_ok());
        match source.complete_key(key, value(2).0).map_err(|refused| refused.kind()) {
            Err(CompleteErrorKind::AlreadyCompleted) => {
                let mut future = future;
                let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
                let std::task::Poll::Ready(taken) = std::pin::Pin::new(&mut future).poll(cx) else {
                    panic!("told that there is a result, and there is none");
                };
                assert_eq!(*taken.unwrap(), 1);
            }
            Err(CompleteErrorKind::BeingCompleted) => assert_eq!(*block_on(future).unwrap(), 1),
            told => assert_eq!((told, *block_on(future).unwrap()), (Ok(()), 2)),
        }
        other.join().unwrap();
    });
}

/// The last generation of an epoch: a key has the number of both or is none.
#[test]
fn a_key_is_asked_for_while_its_operation_ends() {
    model(|| {
        let source: Arc<ReusableSource<Value>> =
            Arc::new(ReusableSource::with_first_generation(u32::MAX));
        let future = source.begin().unwrap();
        let theirs = Arc::clone(&source);
        let asks = thread::spawn(move || {
            if let Some(key) = theirs.key() {
                assert_eq!((key.untyped().index(), key.untyped().generation()), (0, u32::MAX));
            }
        });
        drop(future);
        asks.join().unwrap();
    });
}

/// The slot keeps the state of the last operation, which was completed, until the next one has begun.
#[test]
fn debug_of_a_source_while_its_next_operation_begins() {
    model(|| {
        let source = source();
        let future = source.begin().unwrap();
        source.complete_key(source.key().unwrap(), value(1).0).unwrap();
        drop(block_on(future));
        let theirs = Arc::clone(&source);
        let looks = thread::spawn(move || format!("{theirs:?}"));
        drop(source.begin().unwrap());
        let text = looks.join().unwrap();
        assert!(!text.contains("completed"), "{text}");
    });
}
