//! A `ReusableSource` in a field of its owner runs one operation after another. Each operation has its own result, and late keys
//! are refused.

mod common;

use std::{
    collections::HashSet,
    mem,
    rc::Rc,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    task::Poll,
    thread,
};

use common::{DropCounter, count, counter, panic_text, poll, poll_with, task::Task};
use futures::executor::block_on;
use futures_test::task::new_count_waker;
use value_future::{Key, future::Arm, operation::CompleteErrorKind, reusable::BeginError};

/// Repeats items for `ReusableSource` and `LocalReusableSource`, in a module for each. In both modules, the types have the names without
/// `Local`.
macro_rules! for_both_sources {
    ($($item:item)*) => {
        mod source {
            #[allow(clippy::wildcard_imports)]
            use super::*;
            use value_future::{ReusableSource, ValueFuture};
            use std::sync::Arc as Counted;

            $($item)*
        }

        mod local_source {
            #[allow(clippy::wildcard_imports)]
            use super::*;
            use value_future::{LocalReusableSource as ReusableSource, LocalValueFuture as ValueFuture};
            use std::rc::Rc as Counted;

            $($item)*
        }
    };
}

for_both_sources! {
    type Source = ReusableSource<Option<u32>>;

    /// Runs a test with a `'static` source, to which wakers can refer. The test must drop these wakers before it returns.
    fn with_static(test: impl FnOnce(&'static Source)) {
        let source = Box::into_raw(Box::new(Source::new()));
        // SAFETY: the source lives until it is freed below.
        test(unsafe { &*source });
        // SAFETY: the pointer comes from `into_raw`, and no references to the source exist.
        drop(unsafe { Box::from_raw(source) });
    }

    /// Begins the next operation, and returns its key and its future.
    fn begin(source: &Source) -> (Key, ValueFuture<'_, Option<u32>>) {
        let future = source.begin().unwrap();
        (source.key().unwrap().untyped(), future)
    }

    #[test]
    fn begin_with_key_returns_the_key_of_the_operation() {
        let source = Source::new();
        for number in 0..3 {
            let (key, future) = source.begin_with_key().unwrap();
            assert_eq!(Some(key), source.key());
            assert!(source.begin_with_key().is_err());
            source.complete_key(key, Some(number)).unwrap();
            assert_eq!(block_on(future), Some(number));
            assert_eq!(source.complete_key(key, None).unwrap_err().kind(), CompleteErrorKind::AlreadyCompleted);
        }
    }

    #[test]
    fn an_owned_future_keeps_its_source_allocated() {
        let source = Counted::new(Source::new());
        let future: ValueFuture<'static, Option<u32>> = source.begin_owned().unwrap();
        assert_eq!(Counted::strong_count(&source), 2);
        assert!(source.begin_owned().is_err());
        drop(future);
        assert_eq!(Counted::strong_count(&source), 1, "the operation was cancelled");

        let mut future = source.begin_owned().unwrap();
        assert!(poll(&mut future).is_pending());
        source.complete_key(source.key().unwrap(), Some(5)).unwrap();
        let weak = Counted::downgrade(&source);
        drop(source);
        assert_eq!(block_on(&mut future), Some(5));
        assert!(weak.upgrade().is_none(), "the future released the source with the result");
        let text = panic_text(|| poll(&mut future));
        assert!(text.contains("polled after completion"), "{text}");
    }

    #[test]
    fn an_owned_future_drops_its_operation_before_its_source() {
        static DROPPED: AtomicUsize = counter();
        let source = Counted::new(ReusableSource::<Option<DropCounter<'static>>>::new());
        let future = source.begin_owned().unwrap();
        source.complete_key(source.key().unwrap(), Some(DropCounter(&DROPPED))).unwrap();
        drop(source);
        assert_eq!(count(&DROPPED), 0);
        drop(future);
        assert_eq!(count(&DROPPED), 1);
    }

    #[test]
    fn with_abandoned_sets_the_result_of_abandoned_operations() {
        let source = ReusableSource::with_abandoned(|| Err::<u32, _>("unplugged"));
        let (completer, future) = source.begin_with_completer().unwrap();
        drop(completer);
        assert_eq!(block_on(future), Err("unplugged"));
        let (key, future) = source.begin_with_key().unwrap();
        source.abandon_key(key).unwrap();
        assert_eq!(block_on(future), Err("unplugged"));
    }

    #[test]
    fn a_source_runs_one_operation_after_another() {
        let source = Source::new();
        for number in 0..100 {
            let (key, mut future) = begin(&source);
            let (waker, woken) = new_count_waker();
            if number % 2 == 0 {
                assert!(poll_with(&mut future, &waker).is_pending());
            }
            source.complete_key(key, Some(number)).unwrap();
            assert_eq!(woken.get(), usize::from(number % 2 == 0));
            assert!(source.is_busy(), "the result was not taken");
            assert_eq!(poll(&mut future), Poll::Ready(Some(number)));
            assert!(!source.is_busy());
        }
    }

    #[test]
    fn a_second_operation_is_refused() {
        let source = Source::new();
        let (key, future) = begin(&source);
        let busy: BeginError = source.begin().unwrap_err();
        assert!(busy.to_string().contains("one operation at a time"), "{busy}");
        assert_eq!(source.begin_with_completer().unwrap_err(), busy);
        assert_eq!(std::io::Error::from(busy).kind(), std::io::ErrorKind::WouldBlock);
        source.complete_key(key, Some(5)).unwrap();
        assert!(source.begin().is_err());
        assert_eq!(block_on(future), Some(5));
    }

    #[test]
    fn each_operation_has_its_own_token_and_key() {
        let source = Source::new();
        let mut seen = HashSet::new();
        for _ in 0..10 {
            let (key, future) = begin(&source);
            let Arm::Source { token, .. } = future.into_arm() else { panic!("not the source arm") };
            assert!(seen.insert((key, token)));
            assert_eq!(u32::from(token.get()), key.generation());
        }
    }

    #[test]
    fn a_source_is_not_busy_after_its_future_is_dropped() {
        let source = Source::new();
        let (late, future) = begin(&source);
        drop(future);
        assert!(!source.is_busy());
        assert_eq!(source.key(), None);
        let refused = source.complete_key(late, Some(5)).unwrap_err();
        assert_eq!((refused.kind(), refused.key()), (CompleteErrorKind::Closed, late));
        assert_eq!(refused.into_value(), Some(5));

        let (key, future) = begin(&source);
        assert_eq!(source.complete_key(late, Some(6)).unwrap_err().kind(), CompleteErrorKind::Stale);
        assert_eq!(source.abandon_key(late).unwrap_err().kind(), CompleteErrorKind::Stale);
        source.complete_key(key, Some(7)).unwrap();
        assert_eq!(source.complete_key(key, Some(8)).unwrap_err().kind(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!(block_on(future), Some(7));
        assert_eq!(source.complete_key(key, Some(9)).unwrap_err().kind(), CompleteErrorKind::AlreadyCompleted);
    }

    #[test]
    fn a_key_that_was_not_issued_is_refused() {
        let source = Source::new();
        let forged = |index, generation: u32| {
            Key::from_u64(u64::from(generation) << 32 | index)
        };
        assert_eq!(source.complete_key(forged(0, 1), None).unwrap_err().kind(), CompleteErrorKind::Unknown);
        let (completer, future) = source.begin_with_completer().unwrap();
        for key in [forged(0, 1), forged(0, 2), forged(1, 1)] {
            assert_eq!(source.complete_key(key, None).unwrap_err().kind(), CompleteErrorKind::Unknown);
            assert_eq!(source.abandon_key(key).unwrap_err().kind(), CompleteErrorKind::Unknown);
        }
        completer.complete(Some(5)).unwrap();
        assert_eq!(block_on(future), Some(5));
    }

    #[test]
    fn abandon_key_ends_the_operation_without_a_value() {
        let source = Source::new();
        let (key, mut future) = begin(&source);
        let (waker, woken) = new_count_waker();
        assert!(poll_with(&mut future, &waker).is_pending());
        source.abandon_key(key).unwrap();
        assert_eq!((woken.get(), block_on(future)), (1, None));
        assert_eq!(source.abandon_key(key).unwrap_err().kind(), CompleteErrorKind::AlreadyCompleted);
        assert!(!source.is_busy());
    }

    #[test]
    fn a_source_is_busy_until_the_completer_is_dropped() {
        let source = Source::new();
        let (mut completer, future) = source.begin_with_completer().unwrap();
        let (waker, woken) = new_count_waker();
        let cx = &mut std::task::Context::from_waker(&waker);
        assert!(completer.poll_closed(cx).is_pending() && !completer.is_closed());
        drop(future);
        assert_eq!((woken.get(), completer.is_closed(), source.is_busy()), (1, true, true));
        block_on(completer.closed());
        assert!(source.begin().is_err());
        assert_eq!(completer.complete(Some(5)).unwrap_err().into_value(), Some(5));
        assert!(!source.is_busy());

        let (completer, future) = source.begin_with_completer().unwrap();
        drop(completer);
        assert_eq!(block_on(future), None);
        let (completer, future) = source.begin_with_completer().unwrap();
        completer.complete(Some(6)).unwrap();
        assert!(source.is_busy(), "the result was not taken");
        drop(future);
        assert!(!source.is_busy());
    }

    #[test]
    fn a_completer_and_its_key_complete_once() {
        let source = Source::new();
        let (completer, future) = source.begin_with_completer().unwrap();
        assert_eq!(source.key(), None);
        let key = completer.key_while_held();
        assert_eq!(source.key(), Some(key));
        source.complete_key(key, Some(5)).unwrap();
        assert_eq!(completer.complete(Some(6)).unwrap_err().into_value(), Some(6));
        assert_eq!(block_on(future), Some(5));
        let (completer, future) = source.begin_with_completer().unwrap();
        assert_eq!(source.complete_key(key, Some(7)).unwrap_err().kind(), CompleteErrorKind::Stale);
        let key = completer.key_while_held();
        completer.complete(Some(8)).unwrap();
        assert_eq!(source.complete_key(key, Some(9)).unwrap_err().kind(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!(block_on(future), Some(8));
    }

    #[test]
    fn tokens_wrap_and_keys_do_not() {
        let source = Source::with_first_generation(1);
        let (first, future) = begin(&source);
        drop(future);
        let source = Source::with_first_generation(0x1_0001);
        let (key, future) = begin(&source);
        assert_eq!(key.generation() & 0xffff, first.generation());
        assert!(source.complete_key(first, Some(5)).is_err());
        source.complete_key(key, Some(6)).unwrap();
        assert_eq!(block_on(future), Some(6));
    }

    #[test]
    fn keys_have_another_index_after_the_last_generation() {
        let source = Source::with_first_generation(u32::MAX);
        let (last, future) = begin(&source);
        assert_eq!((last.index(), last.generation()), (0, u32::MAX));
        source.complete_key(last, Some(5)).unwrap();
        assert_eq!(block_on(future), Some(5));
        for number in 0..3 {
            let (key, future) = begin(&source);
            assert_eq!((key.index(), key.generation()), (1, number));
            assert_eq!(source.complete_key(last, Some(6)).unwrap_err().kind(), CompleteErrorKind::Stale);
            // Generations begin at 1, so a key with the generation 0 and the index 0 was never issued.
            let earlier_key = Key::from_u64(u64::from(number) << 32);
            let kind = if number == 0 { CompleteErrorKind::Unknown } else { CompleteErrorKind::Stale };
            assert_eq!(source.complete_key(earlier_key, None).unwrap_err().kind(), kind);
            let future_key = Key::from_u64(key.to_u64() + 1);
            assert_eq!(source.complete_key(future_key, None).unwrap_err().kind(), CompleteErrorKind::Unknown);
            source.complete_key(key, Some(number)).unwrap();
            assert_eq!(block_on(future), Some(number));
        }
        let (completer, future) = source.begin_with_completer().unwrap();
        let key = completer.key_while_held();
        assert_eq!((key.untyped().index(), key.untyped().generation()), (1, 3));
        source.complete_key(key, None).unwrap();
        assert_eq!((block_on(future), completer.is_closed()), (None, true));
    }

    #[test]
    fn clear_and_drop_end_a_leaked_operation() {
        let task = Task::new();
        let value = Arc::new(5);
        let mut source = ReusableSource::<Option<Arc<i32>>>::new();
        // For the values 0 to 3 of `leak`, these handles are leaked: both handles of an operation with a key, the future of a completed
        // operation, both handles of an operation without a key, and the completer alone.
        for leak in 0..4 {
            leak_an_operation(&source, &task, &value, leak);
            assert!(source.is_busy());
            source = moved(source);
            source.clear();
            assert!(!source.is_busy());
            assert_eq!((Arc::strong_count(&value), task.wakers.get()), (1, 0));
        }
        for leak in 0..4 {
            let source = ReusableSource::<Option<Arc<i32>>>::new();
            leak_an_operation(&source, &task, &value, leak);
            drop(source);
            assert_eq!((Arc::strong_count(&value), task.wakers.get()), (1, 0));
        }
    }

    fn moved<T>(source: T) -> T {
        *Box::new(source)
    }

    fn leak_an_operation(
        source: &ReusableSource<Option<Arc<i32>>>,
        task: &Rc<Task>,
        value: &Arc<i32>,
        leak: u32,
    ) {
        let (completer, mut future) = source.begin_with_completer().unwrap();
        assert!(poll_with(&mut future, &task.waker()).is_pending());
        match leak {
            0 => {
                let _ = completer.key_while_held();
                mem::forget((completer, future));
            }
            1 => {
                completer.complete(Some(Arc::clone(value))).unwrap();
                mem::forget(future);
            }
            2 => mem::forget((completer, future)),
            _ => {
                drop(future);
                mem::forget(completer);
            }
        }
    }

    #[test]
    fn a_waker_can_take_the_result_and_begin_the_next_operation() {
        with_static(|source| {
        let task = Task::new();
        let (key, mut future) = begin(source);
        assert!(poll_with(&mut future, &task.waker()).is_pending());
        let next = Rc::new(std::cell::Cell::new(None));
        task.on_wake({
            let next = Rc::clone(&next);
            move || {
                assert_eq!(poll(&mut future), Poll::Ready(Some(5)));
                next.set(Some(begin(source)));
            }
        });
        source.complete_key(key, Some(5)).unwrap();
        let (next_key, future) = next.take().unwrap();
        assert_ne!(next_key, key);
        source.complete_key(next_key, Some(6)).unwrap();
        assert_eq!((block_on(future), task.wakers.get()), (Some(6), 0));
        });
    }

    #[test]
    fn a_waker_can_drop_its_future_in_wake() {
        with_static(|source| {
        let task = Task::new();
        let (key, mut future) = begin(source);
        assert!(poll_with(&mut future, &task.waker()).is_pending());
        task.on_wake(move || drop(future));
        source.complete_key(key, Some(5)).unwrap();
        assert!(task.hooks_ran() && !source.is_busy());
        });
    }

    #[test]
    fn a_waker_that_panics_does_not_lose_the_result() {
        let source = Source::new();
        let task = Task::new();
        let (key, mut future) = begin(&source);
        assert!(poll_with(&mut future, &task.waker()).is_pending());
        task.on_wake(|| panic!("a waker panics"));
        assert_eq!(panic_text(|| source.complete_key(key, Some(5))), "a waker panics");
        assert_eq!((block_on(future), source.is_busy()), (Some(5), false));
    }

    #[test]
    fn a_value_that_is_not_taken_is_dropped_once() {
        let dropped = counter();
        let source = ReusableSource::<Option<DropCounter<'_>>>::new();
        let future = source.begin().unwrap();
        source.complete_key(source.key().unwrap(), Some(DropCounter(&dropped))).unwrap();
        assert_eq!(count(&dropped), 0);
        drop(future);
        assert_eq!((count(&dropped), source.is_busy()), (1, false));
        // The caller owns a refused value.
        let (completer, future) = source.begin_with_completer().unwrap();
        drop(future);
        let refused = completer.complete(Some(DropCounter(&dropped)));
        assert_eq!(count(&dropped), 1);
        drop(refused);
        assert_eq!(count(&dropped), 2);
    }

    #[test]
    #[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
    fn a_poll_after_completion_panics_and_does_not_affect_the_next_operation() {
        let source = Source::new();
        let (key, mut future) = begin(&source);
        source.complete_key(key, Some(5)).unwrap();
        assert_eq!(poll(&mut future), Poll::Ready(Some(5)));
        // A poll of the first future does not affect the next operation.
        let (key, mut next) = begin(&source);
        source.complete_key(key, Some(6)).unwrap();
        assert_eq!(
            panic_text(|| poll(&mut future)),
            "value future of `core::option::Option<u32>` polled after completion: its result (source \
             arm) was already returned, and a result is returned once",
        );
        assert!(poll(&mut future.checked()).is_ready());
        assert_eq!(poll(&mut next), Poll::Ready(Some(6)));
    }

    #[test]
    #[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
    fn sources_can_be_fields_of_a_struct() {
        struct Connection {
            read: Source,
            write: Source,
        }
        impl Connection {
            const fn new() -> Self {
                Connection { read: Source::new(), write: Source::new() }
            }
        }
        let connection = Connection::new();
        let (read, write) = (begin(&connection.read), begin(&connection.write));
        connection.write.complete_key(write.0, Some(1)).unwrap();
        connection.read.complete_key(read.0, Some(2)).unwrap();
        assert_eq!((block_on(read.1), block_on(write.1)), (Some(2), Some(1)));
        if cfg!(target_pointer_width = "64") {
            assert_eq!(size_of::<ReusableSource<Option<std::num::NonZero<u64>>>>(), 72);
        }
    }

    #[test]
    fn debug_of_a_future_names_its_source() {
        let source = Source::new();
        let text = format!("{:?}", source.begin().unwrap());
        let name = std::any::type_name::<Source>();
        assert!(text.ends_with(&format!("(Source {{ source: {name}, token: 1 }})")), "{text}");
    }

    #[test]
    fn debug_shows_the_state_of_the_operation() {
        let name = std::any::type_name::<Source>();
        let name = name.split('<').next().unwrap().rsplit("::").next().unwrap();
        let source = Source::default();
        assert_eq!(format!("{source:?}"), format!("{name}(free)"));
        let (completer, future) = source.begin_with_completer().unwrap();
        assert_eq!(format!("{source:?}"), format!("{name}(pending)"));
        let shown = format!("{completer:?}");
        assert!(shown.ends_with("Completer { closed: false }"), "{shown}");
        completer.complete(None).unwrap();
        assert_eq!(format!("{source:?}"), format!("{name}(completed)"));
        drop(future);
        assert_eq!(format!("{source:?}"), format!("{name}(free)"));
    }
}

#[test]
fn a_static_is_completed_by_other_threads() {
    static SOURCE: value_future::ReusableSource<Option<u64>> = value_future::ReusableSource::new();
    let operations = if cfg!(miri) { 20 } else { 2_000 };
    let (keys, inbox) = std::sync::mpsc::channel::<Key>();
    let inbox = Arc::new(Mutex::new(inbox));
    let producers: Vec<_> = (0..2)
        .map(|_| {
            let inbox = Arc::clone(&inbox);
            thread::spawn(move || {
                loop {
                    let Ok(key) = inbox.lock().unwrap().recv() else { return };
                    // Each key is sent twice, and the future may already be dropped. So the source may refuse the key.
                    let _ = SOURCE.complete_key(key, Some(key.to_u64()));
                }
            })
        })
        .collect();
    for operation in 0..operations {
        let future = SOURCE.begin().unwrap();
        let key = SOURCE.key().unwrap();
        keys.send(key.untyped()).unwrap();
        keys.send(key.untyped()).unwrap();
        if operation % 3 == 0 {
            drop(future);
            while SOURCE.is_busy() {
                thread::yield_now();
            }
        } else {
            assert_eq!(block_on(future), Some(key.to_u64()));
        }
    }
    drop(keys);
    for producer in producers {
        producer.join().unwrap();
    }
    assert!(!SOURCE.is_busy());
}

#[test]
fn only_one_thread_at_a_time_has_an_operation() {
    let source = value_future::ReusableSource::<Option<u32>>::new();
    let begun = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for number in 0..50 {
                    let Ok((completer, future)) = source.begin_with_completer() else {
                        thread::yield_now();
                        continue;
                    };
                    completer.complete(Some(number)).unwrap();
                    assert_eq!(block_on(future), Some(number));
                    *begun.lock().unwrap() += 1;
                }
            });
        }
    });
    assert!(*begun.lock().unwrap() > 0 && !source.is_busy());
}
