//! Loom models of a reusable source that begins operations while other threads use late keys. A model fails if an operation gets the value
//! of another operation, if a consumer waits forever, or if the slot is reused before all writes to it are visible.

use std::sync::Arc;

use loom::{future::block_on, thread};
use value_future::{ReusableSource, operation::CompleteErrorKind};

use crate::common::{Value, assert_dropped, bounded_model, model, value};

fn source() -> Arc<ReusableSource<Value>> {
    Arc::new(ReusableSource::new())
}

/// Another thread completes the operation by key, and then the next operation begins.
#[test]
fn complete_key_against_await_and_the_next_operation() {
    bounded_model(3, || {
        let source = source();
        for number in 1..3 {
            let future = source.begin().unwrap();
            let key = source.key().unwrap();
            let (result, rest) = value(number);
            let clone = Arc::clone(&source);
            let other = thread::spawn(move || clone.complete_key(key, result).unwrap());
            assert_eq!(*block_on(future).unwrap(), number);
            // The next operation begins before the producer thread is joined.
            if number == 1 {
                let next = source.begin().unwrap();
                drop(next);
            }
            other.join().unwrap();
            assert_dropped(&rest);
        }
    });
}

/// The future is dropped, and the next operation begins, while another thread uses the key of the first operation.
#[test]
fn a_late_key_against_the_next_operation() {
    model(|| {
        let source = source();
        let future = source.begin().unwrap();
        let late = source.key().unwrap();
        let (result, rest) = value(1);
        let clone = Arc::clone(&source);
        let other = thread::spawn(move || match clone.complete_key(late, result) {
            Ok(()) => {}
            Err(refused) => {
                assert!(matches!(
                    refused.kind(),
                    CompleteErrorKind::Closed | CompleteErrorKind::Stale
                ));
            }
        });
        drop(future);
        // The late producer may still be inside `complete_key`.
        assert!(!source.is_busy());
        let next = source.begin().expect("the future of the previous operation was dropped");
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

/// A thread may begin its operation just after the other thread has released the slot. If the source is busy, the thread begins no
/// operation.
#[test]
fn begin_with_completer_on_two_threads() {
    bounded_model(3, || {
        let source = source();
        let clone = Arc::clone(&source);
        let run_operation = |source: &ReusableSource<Value>, number| {
            let Ok((completer, future)) = source.begin_with_completer() else { return 0 };
            let (result, rest) = value(number);
            completer.complete(result).unwrap();
            assert_eq!(*block_on(future).unwrap(), number);
            assert_dropped(&rest);
            1
        };
        let other = thread::spawn(move || run_operation(&clone, 1));
        let own = run_operation(&source, 2);
        assert!(own + other.join().unwrap() > 0);
        assert!(!source.is_busy());
    });
}

/// After `complete` has returned and the future was dropped, the source is not busy.
#[test]
fn complete_against_drop_of_the_future() {
    model(|| {
        let source: &'static ReusableSource<Value> = Box::leak(Box::new(ReusableSource::new()));
        let (completer, future) = source.begin_with_completer().unwrap();
        let (result, rest) = value(1);
        let other = thread::spawn(move || drop(completer.complete(result)));
        drop(future);
        other.join().unwrap();
        assert!(!source.is_busy());
        assert_dropped(&rest);
    });
}

/// The generation wraps around between the operation of the late key and the next operation.
#[test]
fn a_late_key_against_the_first_operation_of_the_next_epoch() {
    bounded_model(3, || {
        let source = Arc::new(ReusableSource::<Value>::with_first_generation(u32::MAX));
        let future = source.begin().unwrap();
        let last = source.key().unwrap();
        let first_again = value_future::Key::from_u64(0);
        let clone = Arc::clone(&source);
        let other = thread::spawn(move || {
            let (result, rest) = value(1);
            // This key differs from the key of the next operation only in its epoch.
            let refused = clone.complete_key(first_again, result).unwrap_err();
            assert!(matches!(
                refused.kind(),
                CompleteErrorKind::Unknown | CompleteErrorKind::Stale
            ));
            drop(refused);
            assert_dropped(&rest);
            let _ = clone.abandon_key(last);
        });
        drop(future);
        let next = source.begin().expect("the future of the previous operation was dropped");
        let key = source.key().unwrap();
        assert_eq!((key.untyped().index(), key.untyped().generation()), (1, 0));
        let (result, rest) = value(2);
        source.complete_key(key, result).unwrap();
        assert_eq!(*block_on(next).unwrap(), 2);
        assert_dropped(&rest);
        other.join().unwrap();
    });
}

/// If the error is `AlreadyCompleted`, the operation has a result. If the error is `BeingCompleted`, the operation will have a result.
#[test]
fn the_error_of_complete_key_tells_whether_there_is_a_result() {
    model(|| {
        let source = Arc::new(ReusableSource::<Value>::new());
        let future = source.begin().unwrap();
        let key = source.key().unwrap();
        let clone = Arc::clone(&source);
        let other = thread::spawn(move || clone.complete_key(key, value(1).0).is_ok());
        match source.complete_key(key, value(2).0).map_err(|refused| refused.kind()) {
            Err(CompleteErrorKind::AlreadyCompleted) => {
                let mut future = future;
                let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
                let std::task::Poll::Ready(taken) = std::pin::Pin::new(&mut future).poll(cx) else {
                    panic!("already completed, and the future is pending");
                };
                assert_eq!(*taken.unwrap(), 1);
            }
            Err(CompleteErrorKind::BeingCompleted) => assert_eq!(*block_on(future).unwrap(), 1),
            result => assert_eq!((result, *block_on(future).unwrap()), (Ok(()), 2)),
        }
        other.join().unwrap();
    });
}

/// At the last generation of an epoch, `key` does not combine the index of one epoch with the generation of another epoch.
#[test]
fn key_against_the_end_of_its_operation() {
    model(|| {
        let source: Arc<ReusableSource<Value>> =
            Arc::new(ReusableSource::with_first_generation(u32::MAX));
        let future = source.begin().unwrap();
        let clone = Arc::clone(&source);
        let asking = thread::spawn(move || {
            if let Some(key) = clone.key() {
                assert_eq!((key.untyped().index(), key.untyped().generation()), (0, u32::MAX));
            }
        });
        drop(future);
        asking.join().unwrap();
    });
}

/// The slot keeps the state of the previous operation until the next operation has begun. `Debug` does not show this old state.
#[test]
fn debug_against_begin() {
    model(|| {
        let source = source();
        let future = source.begin().unwrap();
        source.complete_key(source.key().unwrap(), value(1).0).unwrap();
        drop(block_on(future));
        let clone = Arc::clone(&source);
        let formatting = thread::spawn(move || format!("{clone:?}"));
        drop(source.begin().unwrap());
        let text = formatting.join().unwrap();
        assert!(!text.contains("completed"), "{text}");
    });
}
