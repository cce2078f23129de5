//! Tests of the documentation of shared futures: the order of wake-ups, a future that awaits itself, and the clones of a waker.

use std::{
    cell::RefCell,
    future::{Future, pending, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{RawWaker, RawWakerVTable, Wake, Waker},
};

use value_future::{LocalShared, LocalValueFuture, Shared, Source, ValueFuture};

use crate::{
    common::{ManualSource, poll_with},
    words::documented,
};

type Order = Arc<Mutex<Vec<&'static str>>>;

struct Push(Order, &'static str);

impl Wake for Push {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().push(self.1);
    }
}

#[test]
fn handles_are_woken_in_the_order_of_their_registrations() {
    let source = Arc::new(Source::new(ManualSource::<u32>::new()));
    let shared = ValueFuture::from_source(Arc::clone(&source), source.live()).share();
    let order = Order::default();
    let waker = |name| Waker::from(Arc::new(Push(Arc::clone(&order), name)));
    let mut handles: [Pin<Box<Shared<'_, u32>>>; 4] = [(); 4].map(|()| Box::pin(shared.clone()));
    let mut wait = |at: usize, waker: &Waker| {
        assert!(poll_with(&mut handles[at], waker).is_pending());
    };
    let first = waker("first");
    wait(0, &first);
    wait(1, &waker("second"));
    wait(2, &waker("third"));
    // A handle that is polled again with its registered waker keeps its place in the queue. A handle that is polled with another waker goes
    // to the end.
    wait(0, &first);
    wait(1, &waker("second, of another task"));
    wait(3, &waker("fourth"));
    source.complete(5);
    assert_eq!(*order.lock().unwrap(), ["first", "third", "second, of another task", "fourth"],);
    documented!(
        "src/shared/shared.rs",
        "in the order in which their current wakers were registered: a handle that is polled with another waker goes to the end."
    );
}

#[test]
fn a_future_that_awaits_a_handle_of_itself_waits_forever() {
    let own = Rc::new(RefCell::new(None::<Pin<Box<LocalShared<'_, u32>>>>));
    let shared = LocalValueFuture::boxed({
        let own = Rc::clone(&own);
        poll_fn(move |cx| own.borrow_mut().as_mut().unwrap().as_mut().poll(cx))
    })
    .share();
    *own.borrow_mut() = Some(Box::pin(shared.clone()));
    let woken = Order::default();
    let waker = Waker::from(Arc::new(Push(Arc::clone(&woken), "woken")));
    let mut shared = Box::pin(shared);
    for _ in 0..3 {
        assert!(poll_with(&mut shared, &waker).is_pending());
    }
    assert!(woken.lock().unwrap().is_empty());
    // The future owns a handle of itself, so there is a reference cycle.
    let weak = shared.downgrade().unwrap();
    drop(shared);
    assert!(weak.upgrade().is_some());
    let own = own.borrow_mut().take();
    drop(own);
    assert!(weak.upgrade().is_none());
    documented!(
        "src/shared/shared.rs",
        "A future that awaits a handle of itself waits forever. If the future owns that handle, there is a reference cycle, and the future leaks."
    );
}

static CLONES: AtomicUsize = AtomicUsize::new(0);

/// Returns a waker that counts its clones in `CLONES`.
fn counting_waker() -> Waker {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            CLONES.fetch_add(1, Relaxed);
            RawWaker::new(data, &VTABLE)
        },
        |_| (),
        |_| (),
        |_| (),
    );
    // SAFETY: the functions of the table do not use the data pointer.
    unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) }
}

/// The future that is shared may also clone the waker. The future of this test, `pending`, does not clone the waker.
#[test]
fn a_single_handle_clones_its_waker_once() {
    let waker = counting_waker();
    let mut shared = Box::pin(ValueFuture::boxed(pending::<u32>()).share());
    for _ in 0..3 {
        assert!(poll_with(&mut shared, &waker).is_pending());
    }
    assert_eq!(CLONES.load(Relaxed), 1);
}
