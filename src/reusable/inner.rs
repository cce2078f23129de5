//! The state of a reusable source: a slot, and whether the source is busy.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(all(feature = "alloc", target_has_atomic = "64"))]
use alloc::sync::Arc;
use core::{any::type_name, cell::Cell, marker::PhantomData, ptr, ptr::NonNull};

#[cfg(feature = "alloc")]
use super::owned::Owned;
#[cfg(target_has_atomic = "64")]
use crate::{
    affinity::AnyThread,
    sync::{AtomicPtr, AtomicU64},
};
use crate::{
    affinity::OneThread,
    operation::{Abandoned, CompleteError, CompleteErrorKind, Consumer},
    slot::{
        CompleterRole, ConsumerRole, End, ForThreads, IndexLayout, Key, Number, Presented,
        Recycler, Slot, SlotHeader, SlotRef, SlotTable, SourceName, State, Vacant, WakeOnDrop,
        WakerCell, Word, abandon_key, complete_key, table,
    },
    sync::Backoff,
};

/// The recycler of a slot that is in a source, with the cells of the affinity `A`.
pub(crate) struct Standalone<A>(PhantomData<A>);

/// A slot, and whether an operation may begin.
///
/// The slot is the first field. So a pointer to all of this is a pointer to the slot. Each pointer to the slot is derived from a pointer to all
/// of this, so that the slot is found busy or free by its address.
#[repr(C)]
pub(super) struct Inner<T, H: Recycler> {
    slot: Slot<T, H>,
    /// [`FREE`], or [`BUSY`] from the beginning of an operation until its slot is returned.
    busy: H::Word,
}

const NULL: *mut () = ptr::null_mut();

const FREE: u64 = 0;
const BUSY: u64 = 1;
/// All 2⁶³ operations are over.
const RETIRED: u64 = 2;

/// Takes the slot back: from now on, the next operation may begin.
#[inline(always)]
fn take_back<T, H: Recycler>(slot: Vacant<Slot<T, H>>, end: End) {
    let is_last = end.exhausted && !slot.begin_epoch(IndexLayout::ONE_SLOT);
    // SAFETY: a slot with this recycler is in an `Inner`, to which its pointer leads. It lives until the slot is returned.
    let inner = unsafe { slot.into_pointer().cast::<Inner<T, H>>().as_ref() };
    inner.busy.publish(if is_last { RETIRED } else { FREE });
}

/// Calls a function that captures nothing. A source was created with a value of it, which it does not store.
fn call_without_value<T, F: Fn() -> T + Copy>() -> T {
    const {
        assert!(
            size_of::<F>() == 0,
            "`with_abandoned` needs the name of a function, or a closure that captures nothing, because the source does not store it"
        );
    };
    // SAFETY: it has no bytes, and a value of it existed, which can be copied. `Inner::with_abandoned` checks that it may be used as
    // long as the source exists, on any thread that may use the source.
    let function = unsafe { NonNull::<F>::dangling().read() };
    function()
}

macro_rules! standalone {
    ($affinity:ty, $Word:ty, $Pointer:ty, $Source:ident, $Reference:ident, $($Send:ident)?) => {
        impl SourceName for Standalone<$affinity> {
            fn source_name<T>() -> &'static str {
                type_name::<super::$Source<T>>()
            }
        }

        impl Recycler for Standalone<$affinity> {
            type Word = $Word;
            type Pointer = $Pointer;

            fn key_of(number: Number) -> Key {
                IndexLayout::key_of_one(number)
            }

            #[inline(always)]
            fn try_release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> Result<(), Vacant<Slot<T, Self>>> {
                take_back(slot, end);
                Ok(())
            }

            fn release<T>(_: Vacant<Slot<T, Self>>, _: End) -> WakeOnDrop {
                unreachable!("the fast path always takes the slot back");
            }

            // A source has one slot, whose state says that it is returning.
            fn begin_return<T>(_: &Slot<T, Self>) {}
            fn end_return<T>(_: &Slot<T, Self>) {}

            /// A source is never closed.
            #[inline(always)]
            fn is_closed<T>(_: &Slot<T, Self>) -> bool {
                false
            }
        }

        impl<T> Inner<T, Standalone<$affinity>> {
            crate::sync::const_unless_loom! {
                /// The first operation has the number `first`.
                pub(super) fn new(first: Number) -> Self
                where
                    T: Abandoned,
                {
                    Self::with_table(const { &table::<T, Standalone<$affinity>>(T::abandoned) }, first)
                }
            }

            crate::sync::const_unless_loom! {
                /// An operation that is abandoned has the result of `abandoned`.
                pub(super) fn with_abandoned<F>(first: Number, abandoned: F) -> Self
                where
                    F: Fn() -> T + Copy $(+ $Send)? + 'static,
                {
                    let _ = abandoned;
                    let table = const { &table::<T, Standalone<$affinity>>(call_without_value::<T, F>) };
                    Self::with_table(table, first)
                }
            }

            crate::sync::const_unless_loom! {
                /// The table is a constant.
                fn with_table(table: *const SlotTable<T, Standalone<$affinity>>, first: Number) -> Self {
                    assert!(first.generation() > 0, "`with_first_generation(0)`: generations begin at 1");
                    let waker = WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL));
                    let watcher = WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL));
                    let state = <$Word>::new(State::before(first).bits());
                    let number = <$Word>::new(first.bits());
                    // SAFETY: `new` and `with_abandoned` have promoted the table to a constant, which lives as long as a `T` may. The
                    // cells above are those of a vacant slot.
                    let header = unsafe { SlotHeader::new(table) };
                    let slot = Slot::standalone(header, state, number, waker, watcher);
                    Inner { slot, busy: <$Word>::new(FREE) }
                }
            }

            /// Begins an operation that only its key can complete. The consumer keeps the source that contains this.
            #[cfg(feature = "alloc")]
            pub(super) fn begin_owned<S>(
                source: $Reference<S>,
                inner: impl for<'s> FnOnce(&'s S) -> &'s Self,
            ) -> Option<Owned<T, Standalone<$affinity>, $Reference<S>>> {
                // SAFETY: the consumer is dropped before the reference to the source. The source does not move.
                let slot = unsafe { inner(&source).rent() }?;
                Some(Owned::new(Consumer::new(slot.begin_with_key()), source))
            }
        }
    };
}

#[cfg(target_has_atomic = "64")]
// SAFETY: they are atomics.
unsafe impl ForThreads for Standalone<AnyThread> {}
#[cfg(target_has_atomic = "64")]
standalone!(AnyThread, AtomicU64, AtomicPtr<()>, ReusableSource, Arc, Send);
standalone!(OneThread, Cell<u64>, Cell<*mut ()>, LocalReusableSource, Rc,);

// SAFETY: a value is moved in and out on any thread, and `ForThreads` says that the cells are atomic.
unsafe impl<T: Send, H: ForThreads> Send for Inner<T, H> {}
// SAFETY: as above. No function returns a `&T`.
unsafe impl<T: Send, H: ForThreads> Sync for Inner<T, H> {}

impl<T, H: Recycler> Inner<T, H> {
    /// Returns the slot. The pointer leads to all of this.
    #[inline(always)]
    fn slot(&self) -> SlotRef<'_, Slot<T, H>> {
        // SAFETY: the borrow keeps it.
        unsafe { SlotRef::new(NonNull::from(self).cast()) }
    }

    /// Returns `true` if the slot is rented, and not [about to be returned](State::is_returning).
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

    /// Waits for a slot that [is returning](State::is_returning). Usually, a producer has claimed an operation whose consumer has left since.
    /// The producer is inside a call, in which it returns the slot. (The drop of a future and the beginning of an operation look the same
    /// for a few instructions.)
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

    /// Takes the slot out, unless the source [is busy](Inner::is_busy).
    ///
    /// # Safety
    ///
    /// The roles of the operation end before this moves or is dropped.
    #[inline(always)]
    unsafe fn rent(&self) -> Option<Vacant<Slot<T, H>>> {
        if !self.try_rent() && !self.rent_when_returned() {
            return None;
        }
        // SAFETY: the source was free, so no role refers to the slot, and now it is busy, so no other thread takes the slot out. The caller
        // keeps it allocated.
        Some(unsafe { Vacant::new(self.slot().pointer()) })
    }

    /// Begins an operation that only its key can complete.
    #[inline(always)]
    pub(super) fn begin(&self) -> Option<Consumer<'_, T, H>> {
        // SAFETY: the consumer has the lifetime of the borrow.
        let slot = unsafe { self.rent() }?;
        Some(Consumer::new(slot.begin_with_key()))
    }

    /// [`begin`](Inner::begin), and the key of the operation.
    #[inline(always)]
    pub(super) fn begin_with_key(&self) -> Option<(Key, Consumer<'_, T, H>)> {
        let consumer = self.begin()?;
        Some((IndexLayout::key_of_one(self.slot.number()), consumer))
    }

    /// Begins an operation with a completer.
    #[inline(always)]
    pub(super) fn begin_with_completer(
        &self,
    ) -> Option<(CompleterRole<'_, T, H>, Consumer<'_, T, H>)> {
        // SAFETY: both roles have the lifetime of the borrow.
        let slot = unsafe { self.rent() }?;
        let (completer, consumer) = slot.begin_with_completer();
        Some((completer, Consumer::new(consumer)))
    }

    /// Returns the key of the operation, if only a key can complete it.
    pub(super) fn key(&self) -> Option<Key> {
        let state = self.slot.state();
        // If this is the number of the next operation, the operation of the state has ended since.
        let number = self.slot.number_now();
        let waits = state.waits_for_key() && state.generation() == number.generation();
        waits.then(|| IndexLayout::key_of_one(number))
    }

    #[inline]
    pub(super) fn complete_key(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
        let completed = match presented(key) {
            Some(presented) => complete_key(self.slot(), presented, value),
            None => Err((CompleteErrorKind::Unknown, value)),
        };
        completed.map_err(|(kind, value)| CompleteError { key, kind, value })
    }

    pub(super) fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
        let ended = match presented(key) {
            Some(presented) => abandon_key(self.slot(), presented),
            None => Err((CompleteErrorKind::Unknown, ())),
        };
        ended.map_err(|(kind, value)| CompleteError { key, kind, value })
    }

    /// For `Debug`.
    pub(super) fn progress(&self) -> &'static str {
        let state = self.slot.state();
        // If this is the number of the next operation, the operation of the state has ended since.
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

    /// Ends the roles that were leaked.
    pub(super) fn clear(&mut self) {
        if self.busy.load() != BUSY {
            return;
        }
        let state = self.slot.state();
        let slot = self.slot().pointer();
        if state.is_held() {
            // SAFETY: the slot is held, and the borrow shows that its completer was leaked.
            drop(unsafe { CompleterRole::<T, H>::from_raw(slot.as_ptr().cast()) });
        }
        if !state.has_left() {
            // SAFETY: the consumer has not left, and the borrow shows that it was leaked.
            unsafe { ConsumerRole::from_leaked(slot) }.leave();
        }
    }
}

#[inline(always)]
fn presented(key: Key) -> Option<Presented> {
    let number = IndexLayout::number_of_one(key)?;
    // With another first generation, the operations before it count as ended.
    Some(Presented { number, layout: IndexLayout::ONE_SLOT, first_generation: 1 })
}

impl<T, H: Recycler> Drop for Inner<T, H> {
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
        let inner =
            Inner::<Option<u32>, Standalone<OneThread>>::with_abandoned(last_but_one, || None);
        let mut keys = [None; 2];
        for key in &mut keys {
            let mut consumer = inner.begin().unwrap();
            *key = inner.key();
            assert!(inner.complete_key(key.unwrap(), Some(7)).is_ok());
            let cx = &mut Context::from_waker(Waker::noop());
            assert_eq!(consumer.poll(cx), Poll::Ready(Some(Some(7))));
        }
        let mut inner = inner;
        for _ in 0..2 {
            assert!(inner.is_busy());
            assert!(inner.begin().is_none() && inner.begin_with_completer().is_none());
            assert_eq!((inner.key(), inner.progress()), (None, "retired"));
            let kinds = keys.map(|key| inner.abandon_key(key.unwrap()).unwrap_err().kind());
            assert_eq!(kinds, [CompleteErrorKind::Stale, CompleteErrorKind::AlreadyCompleted]);
            inner.clear();
        }
    }
}
