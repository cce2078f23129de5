//! The state of a reusable source: a slot, and a word that says whether an operation may begin.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(all(feature = "alloc", target_has_atomic = "64"))]
use alloc::sync::Arc;
use core::{cell::Cell, marker::PhantomData, ptr, ptr::NonNull};

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
        Recycler, Slot, SlotHeader, SlotRef, SlotTable, State, Vacant, WakeOnDrop, WakerCell, Word,
        abandon_key, complete_key, table,
    },
    sync::Backoff,
};

/// The recycler of a slot that is in a reusable source. `A` decides whether the fields of the slot are atomics or `Cell`s.
pub(crate) struct Standalone<A>(PhantomData<A>);

/// A slot, and a word that says whether an operation may begin.
///
/// The slot is the first field. So a pointer to the `Inner` is also a pointer to the slot. Each pointer to the slot is derived from a
/// pointer to the whole `Inner`. So `take_back` can cast the pointer to the slot to a pointer to the `Inner`, and change `busy`.
#[repr(C)]
pub(super) struct Inner<T, H: Recycler> {
    slot: Slot<T, H>,
    /// [`BUSY`] from the beginning of an operation until its slot is returned. Otherwise [`FREE`], or [`RETIRED`] if the source has used
    /// all its [`Number`]s.
    busy: H::Word,
}

const NULL: *mut () = ptr::null_mut();

const FREE: u64 = 0;
const BUSY: u64 = 1;
/// The source has used all its numbers, and the last operation is over.
const RETIRED: u64 = 2;

/// Takes the slot back. After that, the next operation may begin, unless the source has used all its numbers.
#[inline(always)]
fn take_back<T, H: Recycler>(slot: Vacant<Slot<T, H>>, end: End) {
    let is_last = end.exhausted && !slot.begin_epoch(IndexLayout::ONE_SLOT);
    // SAFETY: only the recycler `Standalone` calls this function, and each slot of this recycler is the first field of an `Inner`. The
    // pointer to the slot is derived from a pointer to the `Inner`, which stays allocated until the slot is returned.
    let inner = unsafe { slot.into_pointer().cast::<Inner<T, H>>().as_ref() };
    inner.busy.publish(if is_last { RETIRED } else { FREE });
}

/// Calls a function of the type `F`, which captures nothing. The source was created with a value of this type, but does not store the
/// value.
fn call_without_value<T, F: Fn() -> T + Copy>() -> T {
    const {
        assert!(
            size_of::<F>() == 0,
            "`with_abandoned` needs the name of a function, or a closure that captures nothing, because the source does not store it"
        );
    };
    // SAFETY: an `F` has no bytes and is `Copy`, and a value of this type existed. The bounds of `Inner::with_abandoned` allow that an `F`
    // is used as long as the source exists, and on any thread that may use the source.
    let function = unsafe { NonNull::<F>::dangling().read() };
    function()
}

macro_rules! standalone {
    ($affinity:ty, $Word:ty, $Pointer:ty, $Reference:ident, $($Send:ident)?) => {
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

            // These two functions do nothing: a source has one slot, and the state of this slot says whether the slot is returning.
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
                /// Creates the state of a source. The first operation will have the number `first`.
                pub(super) fn new(first: Number) -> Self
                where
                    T: Abandoned,
                {
                    Self::with_table(const { &table::<T, Standalone<$affinity>>(T::abandoned) }, first)
                }
            }

            crate::sync::const_unless_loom! {
                /// Creates the state of a source. `abandoned` creates the result of an operation that was abandoned.
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
                /// Creates the state of a source with this table, which is a constant.
                fn with_table(table: *const SlotTable<T, Standalone<$affinity>>, first: Number) -> Self {
                    assert!(first.generation() > 0, "`with_first_generation(0)`: generations begin at 1");
                    let waker = WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL));
                    let watcher = WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL));
                    let state = <$Word>::new(State::before(first).bits());
                    let number = <$Word>::new(first.bits());
                    // SAFETY: the table is a constant, which `new` or `with_abandoned` has created in a `const` block. So the table lives
                    // as long as the slot. `Standalone` does not return slots to slabs. The waker fields are empty, `number` is the number of the first operation, and `state` is the
                    // one that `State::before` returns for this number.
                    let header = unsafe { SlotHeader::new(table) };
                    let slot = Slot::standalone(header, state, number, waker, watcher);
                    Inner { slot, busy: <$Word>::new(FREE) }
                }
            }

            /// Begins an operation that only its key can complete. The returned consumer owns the reference to the source that contains the
            /// `Inner`.
            #[cfg(feature = "alloc")]
            pub(super) fn begin_owned<S>(
                source: $Reference<S>,
                inner: impl for<'s> FnOnce(&'s S) -> &'s Self,
            ) -> Option<Owned<T, Standalone<$affinity>, $Reference<S>>> {
                // SAFETY: `Owned` drops the consumer before the reference to the source. The source does not move, because it is behind the
                // reference.
                let slot = unsafe { inner(&source).rent() }?;
                Some(Owned::new(Consumer::new(slot.begin_with_key()), source))
            }
        }
    };
}

#[cfg(target_has_atomic = "64")]
// SAFETY: `Standalone` has no slabs.
unsafe impl ForThreads for Standalone<AnyThread> {}
#[cfg(target_has_atomic = "64")]
standalone!(AnyThread, AtomicU64, AtomicPtr<()>, Arc, Send);
standalone!(OneThread, Cell<u64>, Cell<*mut ()>, Rc,);

// SAFETY: a `T` may be moved in and out on any thread, because it is `Send`. `ForThreads` guarantees that all other fields that change are
// atomics.
unsafe impl<T: Send, H: ForThreads> Send for Inner<T, H> {}
// SAFETY: code with a `&Inner` can change the fields that are atomics, and can move a `T`, which is `Send`, in and out. No function returns
// a `&T`, so `T` need not be `Sync`.
unsafe impl<T: Send, H: ForThreads> Sync for Inner<T, H> {}

impl<T, H: Recycler> Inner<T, H> {
    /// Returns the slot. Its pointer may access the whole `Inner`, not only the slot.
    #[inline(always)]
    fn slot(&self) -> SlotRef<'_, Slot<T, H>> {
        // SAFETY: the slot is in `self`, which stays allocated for the lifetime of the borrow.
        unsafe { SlotRef::new(NonNull::from(self).cast()) }
    }

    /// Returns `true` if no operation can begin: the slot is rented and not [about to be returned](State::is_returning), or the source is
    /// retired.
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

    /// Waits while the slot [is returning](State::is_returning), and then tries to rent it. A slot is usually in this state because a
    /// producer had claimed the operation before the consumer left. This producer is still inside its call, and returns the slot before the
    /// call ends. (For a few instructions, the slot has the same state while a future is dropped, and while an operation begins.)
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

    /// Takes the slot out of the source, unless the source [is busy](Inner::is_busy).
    ///
    /// # Safety
    ///
    /// The roles of the operation end before the `Inner` is moved or dropped.
    #[inline(always)]
    unsafe fn rent(&self) -> Option<Vacant<Slot<T, H>>> {
        if !self.try_rent() && !self.rent_when_returned() {
            return None;
        }
        // SAFETY: the source was free, so no role refers to the slot. Now the source is busy, so no other thread takes the slot out. The
        // caller guarantees that the slot stays allocated.
        Some(unsafe { Vacant::new(self.slot().pointer()) })
    }

    /// Begins an operation that only its key can complete.
    #[inline(always)]
    pub(super) fn begin(&self) -> Option<Consumer<'_, T, H>> {
        // SAFETY: the consumer borrows `self`, so `self` is neither moved nor dropped before the consumer ends.
        let slot = unsafe { self.rent() }?;
        Some(Consumer::new(slot.begin_with_key()))
    }

    /// Begins an operation like [`begin`](Inner::begin), and also returns its key.
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
        // SAFETY: both roles borrow `self`, so `self` is neither moved nor dropped before the roles end.
        let slot = unsafe { self.rent() }?;
        let (completer, consumer) = slot.begin_with_completer();
        Some((completer, Consumer::new(consumer)))
    }

    /// Returns the key of the operation, if a key can complete the operation.
    pub(super) fn key(&self) -> Option<Key> {
        let state = self.slot.state();
        // `number_now` may already return the number of the next operation. In that case, the operation that `state` describes has ended.
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

    /// Returns the state of the source, for `Debug`.
    pub(super) fn progress(&self) -> &'static str {
        let state = self.slot.state();
        // `number_now` may already return the number of the next operation. In that case, the operation that `state` describes has ended.
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

    /// Ends the roles of the consumer and of the completer, if they were leaked.
    pub(super) fn clear(&mut self) {
        if self.busy.load() != BUSY {
            return;
        }
        let state = self.slot.state();
        let slot = self.slot().pointer();
        if state.is_held() {
            // SAFETY: the slot is held, so the operation has a completer. The exclusive borrow shows that the completer was leaked.
            drop(unsafe { CompleterRole::<T, H>::from_raw(slot.as_ptr().cast()) });
        }
        if !state.has_left() {
            // SAFETY: the consumer has not left, and the exclusive borrow shows that it was leaked.
            unsafe { ConsumerRole::from_leaked(slot) }.leave();
        }
    }
}

#[inline(always)]
fn presented(key: Key) -> Option<Presented> {
    let number = IndexLayout::number_of_one(key)?;
    // The first generation is 1 here, even if the source began with a later generation. So keys of earlier generations are refused as
    // stale, as if their operations had ended.
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

    /// Checks the state of a source that has used all its numbers. A source has too many numbers for a test, so this test begins with the
    /// second to last number.
    #[test]
    fn a_source_is_busy_forever_after_its_last_operation() {
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
