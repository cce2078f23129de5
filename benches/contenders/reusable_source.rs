//! An object that serves one operation after the other, as a connection does. Each operation is begun, polled, completed, and polled again.
//! A method behind `dyn` has to erase the type of its future. So some cases box the future. The futures of this crate are already erased.

use std::{
    cell::RefCell,
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use tokio::sync::Notify;
use value_future::{LocalReusableSource, ReusableSource};

use super::{Case, opaque_waker};

/// Returns a case that does one operation after the other.
fn case(
    name: &'static str,
    mut operation: impl FnMut(&mut Context<'_>, u64) -> u64 + 'static,
) -> Case {
    let operation = RefCell::new(move |cx: &mut Context<'_>, value| operation(cx, value));
    Case::new(name, move |operations| {
        let waker = opaque_waker();
        let mut cx = Context::from_waker(&waker);
        let mut operation = operation.borrow_mut();
        (0..operations).fold(0_u64, |sum, value| sum.wrapping_add(operation(&mut cx, value)))
    })
}

/// Polls the future, completes its operation, and polls the future again.
#[inline(always)]
fn trip<F: Future<Output = u64>>(future: F, cx: &mut Context<'_>, complete: impl FnOnce()) -> u64 {
    let mut future = pin!(future);
    // `black_box` hides the state of the future from the compiler, which would otherwise compute the result at compile time.
    black_box(future.as_mut());
    assert!(future.as_mut().poll(cx).is_pending());
    complete();
    match future.poll(cx) {
        Poll::Ready(value) => black_box(value),
        Poll::Pending => panic!("the operation was completed"),
    }
}

/// A source by hand: an `AtomicWaker`, a flag and a value.
#[derive(Default)]
struct ByHand {
    waker: AtomicWaker,
    set: AtomicBool,
    value: AtomicU64,
}

impl ByHand {
    fn complete(&self, value: u64) {
        self.value.store(value, SeqCst);
        self.set.store(true, SeqCst);
        self.waker.wake();
    }
}

impl Future for &ByHand {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        if !self.set.load(SeqCst) {
            self.waker.register(cx.waker());
            if !self.set.load(SeqCst) {
                return Poll::Pending;
            }
        }
        self.set.store(false, SeqCst);
        Poll::Ready(self.value.load(SeqCst))
    }
}

#[derive(Default)]
struct Notified {
    notify: Notify,
    slot: Mutex<Option<u64>>,
}

impl Notified {
    async fn value(&self) -> u64 {
        loop {
            let notified = self.notify.notified();
            if let Some(value) =
                self.slot.lock().expect("no thread panicked while it had locked the mutex").take()
            {
                return value;
            }
            notified.await;
        }
    }

    fn complete(&self, value: u64) {
        *self.slot.lock().expect("no thread panicked while it had locked the mutex") = Some(value);
        self.notify.notify_one();
    }
}

type Erased<'a> = Pin<Box<dyn Future<Output = u64> + 'a>>;

pub(crate) const BY_KEY: &str = "ours, by key";
pub(crate) const WITH_COMPLETER: &str = "ours, with a completer";
pub(crate) const LOCAL: &str = "ours local, with a completer";
pub(crate) const LOCAL_BY_KEY: &str = "ours local, by key";
pub(crate) const MULTISHOT_BOXED: &str = "multishot boxed";
pub(crate) const NOTIFY_BOXED: &str = "Notify and a Mutex boxed";
const NOT_DROPPED: &str = "neither end was dropped";
const NO_OTHER_SENDER: &str = "the previous sender was dropped";

macro_rules! ours {
    ($Source:ident, $held:expr, $by_key:expr) => {{
        let (held, by_key) = ($Source::<Option<u64>>::new(), $Source::<Option<u64>>::new());
        [
            case($held, move |cx, value| {
                let (completer, future) = held.begin_with_completer().expect("the source is idle");
                let complete = || completer.complete(Some(value)).expect(NOT_DROPPED);
                trip(async { future.await.expect(NOT_DROPPED) }, cx, complete)
            }),
            case($by_key, move |cx, value| {
                let future = by_key.begin().expect("the source is idle");
                let key = black_box(by_key.key().expect("an operation is pending"));
                let complete = || by_key.complete_key(key, Some(value)).expect(NOT_DROPPED);
                trip(async { future.await.expect(NOT_DROPPED) }, cx, complete)
            }),
        ]
    }};
}

pub(crate) fn cases() -> Vec<Case> {
    let (mut direct, mut boxed) =
        (multishot::Receiver::<u64>::new(), multishot::Receiver::<u64>::new());
    let (notified, notified_boxed) = (Notified::default(), Notified::default());
    let (by_hand, by_hand_boxed) = (ByHand::default(), ByHand::default());
    let mut cases = vec![
        case("multishot", move |cx, value| {
            let sender = black_box(direct.sender().expect(NO_OTHER_SENDER));
            trip(async { direct.recv().await.expect(NOT_DROPPED) }, cx, || sender.send(value))
        }),
        case(MULTISHOT_BOXED, move |cx, value| {
            let sender = black_box(boxed.sender().expect(NO_OTHER_SENDER));
            let future: Erased<'_> = Box::pin(async { boxed.recv().await.expect(NOT_DROPPED) });
            trip(future, cx, || sender.send(value))
        }),
        case("Notify and a Mutex", move |cx, value| {
            trip(notified.value(), cx, || notified.complete(value))
        }),
        case(NOTIFY_BOXED, move |cx, value| {
            let future: Erased<'_> = Box::pin(notified_boxed.value());
            trip(future, cx, || notified_boxed.complete(value))
        }),
        case("AtomicWaker by hand", move |cx, value| {
            trip(&by_hand, cx, || by_hand.complete(value))
        }),
        case("AtomicWaker by hand boxed", move |cx, value| {
            let future: Erased<'_> = Box::pin(&by_hand_boxed);
            trip(future, cx, || by_hand_boxed.complete(value))
        }),
    ];
    cases.extend(ours!(ReusableSource, WITH_COMPLETER, BY_KEY));
    cases.extend(ours!(LocalReusableSource, LOCAL, LOCAL_BY_KEY));
    cases
}
