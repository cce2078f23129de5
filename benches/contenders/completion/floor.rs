//! A contender that does the least work of a completion whose ends may be on two threads. The consumer clones and stores its waker, and
//! makes an atomic exchange. The producer writes the value, makes an atomic exchange, and wakes the waker. The consumer reads the value.
//! All operations of a thread use one slot, and most misuse is not detected.

use std::{
    cell::UnsafeCell,
    future::Future,
    mem::MaybeUninit,
    pin::Pin,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
    task::{Context, Poll, Waker},
};

use super::{
    Channels,
    ours::{ThroughDyn, Value},
};

pub(crate) const FLOOR: &str = "floor";
const FLOOR_DYN: &str = "floor through &mut dyn";

const RENTED: u64 = 0;
const WAITING: u64 = 1;
const COMPLETED: u64 = 2;

#[repr(align(64))]
pub(crate) struct Slot {
    state: AtomicU64,
    waker: UnsafeCell<MaybeUninit<Waker>>,
    value: UnsafeCell<MaybeUninit<Value>>,
}

// SAFETY: the state says which of the producer and the consumer may access the waker and the value.
unsafe impl Sync for Slot {}

impl Slot {
    #[inline(always)]
    fn exchange(&self, from: u64, to: u64) -> bool {
        self.state.compare_exchange(from, to, AcqRel, Acquire).is_ok()
    }

    #[inline(always)]
    fn complete(&self, value: Value) {
        // SAFETY: the slot is not completed, so only the producer accesses the value.
        unsafe { self.value.get().cast::<Value>().write(value) };
        // SAFETY: each case polls the consumer before it calls `complete`, so the slot contains a waker. `complete` is called once for each
        // waker.
        let waker = unsafe { self.waker.get().cast::<Waker>().read() };
        assert!(self.exchange(WAITING, COMPLETED));
        waker.wake();
    }
}

macro_rules! floor {
    ($Channels:ident, $name:expr, $Consumer:ty) => {
        pub(crate) struct $Channels(&'static Slot);

        impl $Channels {
            pub(crate) fn new() -> Self {
                let (waker, value) = (MaybeUninit::uninit().into(), MaybeUninit::uninit().into());
                $Channels(Box::leak(Box::new(Slot { state: RENTED.into(), waker, value })))
            }
        }

        /// Creates a contender with another slot, for the other thread.
        impl Clone for $Channels {
            fn clone(&self) -> Self {
                $Channels::new()
            }
        }

        impl Channels for $Channels {
            type Producer = &'static Slot;
            type Error = value_future::Dropped;
            type Consumer<'a> = $Consumer;

            fn name() -> String {
                $name.into()
            }

            #[inline(always)]
            fn pair(&mut self) -> (&'static Slot, $Consumer) {
                (self.0, Consumer(self.0).into())
            }

            #[inline(always)]
            fn complete(slot: &'static Slot, value: u64) -> Option<u64> {
                slot.complete(Ok(value));
                None
            }
        }
    };
}

floor!(Floor, FLOOR, Consumer);
floor!(FloorDyn, FLOOR_DYN, ThroughDyn<Consumer>);

pub(crate) struct Consumer(&'static Slot);

impl Future for Consumer {
    type Output = Value;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        let slot = self.0;
        if slot.state.load(Acquire) == COMPLETED {
            // SAFETY: the slot is completed, so it contains a value, and only the consumer accesses it.
            let value = unsafe { slot.value.get().cast::<Value>().read() };
            slot.state.store(RENTED, Relaxed);
            return Poll::Ready(value);
        }
        // SAFETY: no waker is stored yet, so only the consumer accesses the waker field.
        unsafe { slot.waker.get().cast::<Waker>().write(cx.waker().clone()) };
        assert!(slot.exchange(RENTED, WAITING));
        Poll::Pending
    }
}
