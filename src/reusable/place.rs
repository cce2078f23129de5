//! A slot that lies by itself, and goes back to itself.

use core::{cell::Cell, marker::PhantomData, ptr, ptr::NonNull};

use crate::{
    Abandoned, CompleteError, Key, KeyError, OneThread,
    erased::VTable,
    operation::{
        Consumer, Producer,
        keyed::{self, Presented},
        table,
    },
    slot::{End, Home, Number, Sharing, Slot, State, WakerCell, Word},
};
#[cfg(target_has_atomic = "64")]
use crate::{
    AnyThread,
    sync::{AtomicPtr, AtomicU64},
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

/// Takes the slot back: from now on its next operation may begin.
///
/// # Safety
///
/// As [`Home::put`], where the slot is that of a `Place`, and the pointer one to all of it.
#[inline(always)]
unsafe fn put_back<T, H: Home>(slot: NonNull<Slot<T, H>>, end: End) {
    // SAFETY: the slot is out, so it lives.
    let place = unsafe { slot.cast::<Place<T, H>>().as_ref() };
    // SAFETY: the slot has just ended its last operation so.
    if end.exhausted && !unsafe { place.slot.begin_epoch(Sharing::ONE) } {
        // All 2⁶³ operations are over: it stays busy.
        return;
    }
    place.busy.publish(FREE);
}

macro_rules! in_place {
    ($affinity:ty, $Word:ty, $Pointer:ty) => {
        impl Home for InPlace<$affinity> {
            type Word = $Word;
            type Pointer = $Pointer;

            #[inline(always)]
            unsafe fn try_put<T>(slot: NonNull<Slot<T, Self>>, end: End) -> bool {
                // SAFETY: the caller's; all slots with this home are those of places.
                unsafe { put_back(slot, end) };
                true
            }

            unsafe fn put<T>(_: NonNull<Slot<T, Self>>, _: End) {
                unreachable!("a place takes its slot back at once");
            }
        }

        impl<T: Abandoned> Place<T, InPlace<$affinity>> {
            crate::sync::const_unless_loom! {
                /// Its first operation has this generation.
                pub(super) fn new(first_generation: u32) -> Self {
                    assert!(first_generation > 0, "generations begin at 1");
                    let table: *const VTable<T> = const { &table::<T, InPlace<$affinity>>() };
                    let first = Number::new(0, first_generation);
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
in_place!(AnyThread, AtomicU64, AtomicPtr<()>);
in_place!(OneThread, Cell<u64>, Cell<*mut ()>);

impl<T, H: Home> Place<T, H> {
    /// To all of it.
    #[inline(always)]
    fn slot(&self) -> NonNull<Slot<T, H>> {
        NonNull::from(self).cast()
    }

    #[inline(always)]
    pub(super) fn is_busy(&self) -> bool {
        self.busy.load() == BUSY
    }

    /// Takes the slot out, if it is not.
    #[inline(always)]
    fn rent(&self) -> Option<NonNull<Slot<T, H>>> {
        if self.busy.load() == BUSY || self.busy.exchange(FREE, BUSY).is_err() {
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
    pub(super) fn begin(&self) -> Option<Consumer<T, H>> {
        let slot = self.rent()?;
        // SAFETY: the slot is out, and nobody else has it.
        unsafe { self.slot.begin_by_key() };
        // SAFETY: this is the beginning of its operation.
        Some(unsafe { Consumer::new(slot) })
    }

    /// Begins an operation with a completer.
    #[inline(always)]
    pub(super) fn begin_held(&self) -> Option<(Producer<T, H>, Consumer<T, H>)> {
        let slot = self.rent()?;
        // SAFETY: the slot is out, and nobody else has it.
        unsafe { self.slot.begin() };
        // SAFETY: this is the beginning of its operation, and there is no other completer.
        let producer = unsafe { Producer::new(slot) };
        // SAFETY: and no other consumer.
        Some((producer, unsafe { Consumer::new(slot) }))
    }

    /// The key of an operation whose completer this is.
    pub(super) fn key_of(&self, producer: &Producer<T, H>) -> Key {
        Sharing::key_of_one(producer.issue_key())
    }

    /// The key of the operation that waits for one.
    pub(super) fn key(&self) -> Option<Key> {
        let state = self.slot.state();
        // If it is that of the next operation, this one has ended since.
        let number = self.slot.number_now();
        let waits = state.waits_for_key() && state.generation() == number.generation();
        waits.then(|| Sharing::key_of_one(number))
    }

    #[inline]
    pub(super) fn complete(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
        let completed = match presented(key) {
            // SAFETY: it lives, and has one slot.
            Some(presented) => unsafe { keyed::complete(self.slot(), presented, value) },
            None => Err((KeyError::Unknown, value)),
        };
        completed.map_err(|(kind, value)| CompleteError { key, kind, value })
    }

    pub(super) fn reset(&self, key: Key) -> Result<(), CompleteError<()>> {
        let ended = match presented(key) {
            // SAFETY: it lives, and has one slot.
            Some(presented) => unsafe { keyed::end(self.slot(), presented) },
            None => Err((KeyError::Unknown, ())),
        };
        ended.map_err(|(kind, value)| CompleteError { key, kind, value })
    }

    /// For `Debug`.
    pub(super) fn progress(&self) -> &'static str {
        match self.slot.state() {
            _ if !self.is_busy() => "free",
            state if state.is_pending() => "pending",
            _ => "completed",
        }
    }

    /// Ends what was leaked: there is no future, and no completer, that refers to the slot.
    pub(super) fn clear(&mut self) {
        if !self.is_busy() {
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
    let number = Sharing::number_of_one(key)?;
    // Where it began is not kept.
    Some(Presented { number, sharing: Sharing::ONE, first_generation: 0 })
}

impl<T, H: Home> Drop for Place<T, H> {
    fn drop(&mut self) {
        self.clear();
    }
}
