//! A slot that lies by itself, and goes back to itself.

use core::{any::type_name, cell::Cell, marker::PhantomData, ptr, ptr::NonNull};

use crate::sync::Backoff;
#[cfg(target_has_atomic = "64")]
use crate::{
    affinity::AnyThread,
    sync::{AtomicPtr, AtomicU64},
};
use crate::{
    affinity::OneThread,
    operation::{
        CompleteError, CompleteErrorKind, Consumer, Producer,
        keyed::{self, Presented},
        table,
    },
    slot::{
        End, Home, IndexLayout, Key, Number, Slot, SourceName, State, Vacant, WakeOnDrop,
        WakerCell, Word,
    },
};

/// The home of a slot that lies by itself, with the cells of `A`.
pub(crate) struct InPlace<A>(PhantomData<A>);

/// A slot, and whether an operation may begin.
///
/// A pointer to the slot is one to all of it: that is how the slot finds back.
#[repr(C)]
pub(super) struct Place<T, H: Home> {
    slot: Slot<T, H>,
    /// [`FREE`], or [`BUSY`] from the beginning of an operation until its slot comes back.
    busy: H::Word,
}

const NULL: *mut () = ptr::null_mut();

const FREE: u64 = 0;
const BUSY: u64 = 1;
/// All 2⁶³ operations are over.
const RETIRED: u64 = 2;

/// Takes the slot back: from now on its next operation may begin.
///
/// # Safety
///
/// The slot is that of a `Place`, and its pointer is one to all of it.
#[inline(always)]
unsafe fn put_back<T, H: Home>(slot: Vacant<Slot<T, H>>, end: End) {
    let is_retired = end.exhausted && !Slot::begin_epoch(&slot, IndexLayout::ONE_SLOT);
    // SAFETY: the slot is out, so it lives.
    let place = unsafe { slot.into_pointer().cast::<Place<T, H>>().as_ref() };
    place.busy.publish(if is_retired { RETIRED } else { FREE });
}

/// Calls a function that captures nothing. A place was made with a value of it, so there is one. (So a place need not store it.)
fn call_without_value<T, F: Fn() -> T + Copy>() -> T {
    const {
        assert!(
            size_of::<F>() == 0,
            "the function that makes the result of an abandoned operation captures nothing"
        );
    };
    // SAFETY: it has no bytes, there was a value of it, and that can be copied. By the contract of `Place::new` it may be used
    // here.
    let function = unsafe { NonNull::<F>::dangling().read() };
    function()
}

macro_rules! in_place {
    ($affinity:ty, $Word:ty, $Pointer:ty, $Source:ident) => {
        impl SourceName for InPlace<$affinity> {
            fn source_name<T>() -> &'static str {
                type_name::<super::$Source<T>>()
            }
        }

        impl Home for InPlace<$affinity> {
            type Word = $Word;
            type Pointer = $Pointer;

            fn key_of(number: Number) -> Key {
                IndexLayout::key_of_one(number)
            }

            #[inline(always)]
            fn try_put<T>(
                slot: Vacant<Slot<T, Self>>,
                end: End,
            ) -> Result<(), Vacant<Slot<T, Self>>> {
                // SAFETY: all slots with this home are those of places.
                unsafe { put_back(slot, end) };
                Ok(())
            }

            fn put<T>(_: Vacant<Slot<T, Self>>, _: End) -> WakeOnDrop {
                unreachable!("a place takes its slot back at once");
            }

            // A place has one slot, whose state shows that it is returning: there is nothing to count.
            fn begin_return<T>(_: &Slot<T, Self>) {}
            fn end_return<T>(_: &Slot<T, Self>) {}

            /// A source is not closed.
            #[inline(always)]
            fn is_closed<T>(_: &Slot<T, Self>) -> bool {
                false
            }
        }

        impl<T> Place<T, InPlace<$affinity>> {
            crate::sync::const_unless_loom! {
                /// Its first operation has this number. An operation that is abandoned results in what `abandoned` makes.
                ///
                /// # Safety
                ///
                /// A value of `F` may be used as long as there is a place with an output of this type, and on each thread that
                /// may use the place.
                pub(super) unsafe fn new<F: Fn() -> T + Copy>(first: Number, abandoned: F) -> Self {
                    assert!(first.generation() > 0, "`with_first_generation(0)`: generations begin at 1");
                    let _ = abandoned;
                    let table = const { &table::<T, InPlace<$affinity>>(call_without_value::<T, F>) };
                    let state = <$Word>::new(State::before(first).bits());
                    let slot = Slot::by_itself(
                        table,
                        state,
                        <$Word>::new(first.bits()),
                        WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL)),
                        WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL)),
                    );
                    Place { slot, busy: <$Word>::new(FREE) }
                }
            }
        }
    };
}

// SAFETY: they are atomics.
#[cfg(target_has_atomic = "64")]
unsafe impl crate::slot::ForThreads for InPlace<AnyThread> {}
#[cfg(target_has_atomic = "64")]
in_place!(AnyThread, AtomicU64, AtomicPtr<()>, ReusableSource);
in_place!(OneThread, Cell<u64>, Cell<*mut ()>, LocalReusableSource);

impl<T, H: Home> Place<T, H> {
    /// To all of it.
    #[inline(always)]
    fn slot(&self) -> NonNull<Slot<T, H>> {
        NonNull::from(self).cast()
    }

    /// The slot is out, and not [about to come back](State::is_returning).
    #[inline(always)]
    pub(super) fn is_busy(&self) -> bool {
        match self.busy.load() {
            BUSY => !self.slot.state().is_returning(),
            other => other == RETIRED,
        }
    }

    #[inline(always)]
    fn try_rent(&self) -> bool {
        self.busy.load() == FREE && self.busy.exchange(FREE, BUSY).is_ok()
    }

    /// Waits for a slot that [is returning](State::is_returning): usually for a producer that has claimed an
    /// operation whose consumer has gone since. It is inside a call, in which it finds that out and returns the slot.
    /// (The drop of a future and the beginning of an operation look the same for a few instructions.)
    #[cold]
    fn rent_when_returned(&self) -> bool {
        let mut backoff = Backoff::new();
        while self.slot.state().is_returning() && self.busy.load() != RETIRED {
            if self.try_rent() {
                return true;
            }
            backoff.wait();
        }
        self.try_rent()
    }

    /// Takes the slot out, unless it [is busy](Place::is_busy).
    #[inline(always)]
    fn rent(&self) -> Option<NonNull<Slot<T, H>>> {
        if !self.try_rent() && !self.rent_when_returned() {
            return None;
        }
        let slot = self.slot();
        // SAFETY: nobody else has it.
        #[cfg(loom)]
        unsafe {
            Slot::touch_for_reuse(slot);
        }
        Some(slot)
    }

    /// Begins an operation that is left to its key.
    #[inline(always)]
    pub(super) fn begin(&self) -> Option<Consumer<'_, T, H>> {
        let slot = self.rent()?;
        // SAFETY: the slot is out, and nobody else has it.
        unsafe { self.slot.begin_by_key() };
        // SAFETY: this is the beginning of its operation.
        Some(unsafe { Consumer::new(slot) })
    }

    /// [`begin`](Place::begin), and the key of the operation.
    #[inline(always)]
    pub(super) fn begin_with_key(&self) -> Option<(Key, Consumer<'_, T, H>)> {
        let consumer = self.begin()?;
        Some((IndexLayout::key_of_one(self.slot.number()), consumer))
    }

    /// Begins an operation with a completer.
    #[inline(always)]
    pub(super) fn begin_held(&self) -> Option<(Producer<'_, T, H>, Consumer<'_, T, H>)> {
        let slot = self.rent()?;
        // SAFETY: the slot is out, and nobody else has it.
        unsafe { self.slot.begin() };
        // SAFETY: this is the beginning of its operation, and there is no other completer.
        let producer = unsafe { Producer::new(slot) };
        // SAFETY: and no other consumer.
        Some((producer, unsafe { Consumer::new(slot) }))
    }

    /// The key of the operation that waits for one.
    pub(super) fn key(&self) -> Option<Key> {
        let state = self.slot.state();
        // If it is that of the next operation, this one has ended since.
        let number = self.slot.number_now();
        let waits = state.waits_for_key() && state.generation() == number.generation();
        waits.then(|| IndexLayout::key_of_one(number))
    }

    #[inline]
    pub(super) fn complete_key(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
        let completed = match presented(key) {
            // SAFETY: it lives, and has one slot.
            Some(presented) => unsafe { keyed::complete(self.slot(), presented, value) },
            None => Err((CompleteErrorKind::Unknown, value)),
        };
        completed.map_err(|(kind, value)| CompleteError { key, kind, value })
    }

    pub(super) fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
        let ended = match presented(key) {
            // SAFETY: it lives, and has one slot.
            Some(presented) => unsafe { keyed::end(self.slot(), presented) },
            None => Err((CompleteErrorKind::Unknown, ())),
        };
        ended.map_err(|(kind, value)| CompleteError { key, kind, value })
    }

    /// For `Debug`.
    pub(super) fn progress(&self) -> &'static str {
        let state = self.slot.state();
        // If it is that of the next operation, the one of the state has ended since.
        let has_ended = state.generation() != self.slot.number_now().generation();
        match self.busy.load() {
            RETIRED => "retired",
            BUSY if has_ended => "pending",
            BUSY if state.is_returning() => "free",
            BUSY if state.is_pending() => "pending",
            BUSY => "completed",
            _ => "free",
        }
    }

    /// Ends what was leaked: there is no future, and no completer, that refers to the slot.
    pub(super) fn clear(&mut self) {
        if self.busy.load() != BUSY {
            return;
        }
        let state = self.slot.state();
        let slot = self.slot();
        if state.is_held() {
            // SAFETY: it was leaked.
            drop(unsafe { Producer::new(slot) });
        }
        if !state.is_gone() {
            // SAFETY: it was leaked.
            drop(unsafe { Consumer::new(slot) });
        }
    }
}

#[inline(always)]
fn presented(key: Key) -> Option<Presented> {
    let number = IndexLayout::number_of_one(key)?;
    // With another first generation it is as if the operations before it were over.
    Some(Presented { number, layout: IndexLayout::ONE_SLOT, first_generation: 1 })
}

impl<T, H: Home> Drop for Place<T, H> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::task::{Context, Poll, Waker};

    use super::*;

    /// No number comes twice, and so a source has an end. No test gets there from the first number.
    #[test]
    fn a_source_is_busy_for_ever_after_the_last_of_all_numbers() {
        let last_but_one =
            IndexLayout::number_of_one(Key::new((1 << 31) - 1, u32::MAX - 1)).unwrap();
        // SAFETY: the function captures nothing.
        let place = unsafe { Place::<Option<u32>, InPlace<OneThread>>::new(last_but_one, || None) };
        let mut keys = [None; 2];
        for key in &mut keys {
            let mut consumer = place.begin().unwrap();
            *key = place.key();
            assert!(place.complete_key(key.unwrap(), Some(7)).is_ok());
            let cx = &mut Context::from_waker(Waker::noop());
            assert_eq!(consumer.poll(cx), Poll::Ready(Some(Some(7))));
        }
        let mut place = place;
        for _ in 0..2 {
            assert!(place.is_busy());
            assert!(place.begin().is_none() && place.begin_held().is_none());
            assert_eq!((place.key(), place.progress()), (None, "retired"));
            let kinds = keys.map(|key| place.abandon_key(key.unwrap()).unwrap_err().kind());
            assert_eq!(kinds, [CompleteErrorKind::Stale, CompleteErrorKind::AlreadyCompleted]);
            place.clear();
        }
    }
}
