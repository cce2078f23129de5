//! A slot that lies by itself, and goes back to itself.

use core::{cell::Cell, marker::PhantomData, ptr, ptr::NonNull};

use crate::{
    Abandoned, CompleteError, Key, KeyError, OneThread,
    erased::VTable,
    operation::{Consumer, Producer, keyed, table},
    slot::{End, Home, Slot, State, WakerCell, Word},
};
#[cfg(target_has_atomic = "64")]
use crate::{
    AnyThread,
    sync::{AtomicPtr, AtomicU64},
};

/// The home of a slot that lies by itself, with the cells of `A`.
pub(crate) struct InPlace<A>(PhantomData<A>);

/// A slot, and who may begin its next use.
///
/// A pointer to the slot is one to all of it: that is how the slot finds back.
#[repr(C)]
pub(super) struct Place<T, H: Home> {
    slot: Slot<T, H>,
    uses: H::Word,
}

const NULL: *mut () = ptr::null_mut();

/// In [`Place::uses`]: the slot is out. The upper half counts how often its generations were used up,
/// and is the index of its keys.
const OUT: u64 = 1;
const EPOCH: u64 = 1 << 32;

const fn epoch(uses: u64) -> u32 {
    (uses >> 32) as u32
}

/// Takes the slot back: from now on its next use may begin.
///
/// # Safety
///
/// As [`Home::put`], where the slot is that of a `Place`, and the pointer one to all of it.
#[inline(always)]
unsafe fn put_back<T, H: Home>(slot: NonNull<Slot<T, H>>, end: End) {
    // SAFETY: the slot is out, so it lives.
    let place = unsafe { slot.cast::<Place<T, H>>().as_ref() };
    let next = if end.exhausted { EPOCH } else { 0 };
    place.uses.publish(place.uses.load() - OUT + next);
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
                    let state = <$Word>::new(State::before(first_generation).bits());
                    let slot = Slot::by_itself(
                        table,
                        state,
                        first_generation,
                        WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL)),
                        WakerCell::of(<$Pointer>::new(NULL), <$Pointer>::new(NULL)),
                    );
                    Place { slot, uses: <$Word>::new(0) }
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
        self.uses.load() & OUT != 0
    }

    /// Takes the slot out, if it is not.
    #[inline(always)]
    fn rent(&self) -> Option<NonNull<Slot<T, H>>> {
        let uses = self.uses.load();
        if uses & OUT != 0 || self.uses.exchange(uses, uses | OUT).is_err() {
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
    pub(super) fn begin_held(&self) -> Option<(Producer<'_, T, H>, Consumer<T, H>)> {
        let slot = self.rent()?;
        // SAFETY: the slot is out, and nobody else has it.
        unsafe { self.slot.begin() };
        // SAFETY: this is the beginning of its operation, and there is no other completer.
        let producer = unsafe { Producer::new(slot) };
        // SAFETY: and no other consumer.
        Some((producer, unsafe { Consumer::new(slot) }))
    }

    /// The key of an operation whose completer this is.
    pub(super) fn key_of(&self, producer: &Producer<'_, T, H>) -> Key {
        Key::new(epoch(self.uses.load()), producer.key().generation())
    }

    /// The key of the operation that waits for one.
    pub(super) fn key(&self) -> Option<Key> {
        let before = epoch(self.uses.load());
        let state = self.slot.state();
        // Otherwise the generation may be the last of an epoch, and the epoch the next one.
        let waits = state.waits_for_key() && epoch(self.uses.load()) == before;
        waits.then(|| Key::new(before, state.generation()))
    }

    #[inline]
    pub(super) fn complete(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
        let Some(first) = self.first_generation(key) else {
            return Err(CompleteError { key, kind: self.refusal(key), value });
        };
        // SAFETY: it lives, and the key has its index.
        unsafe { keyed::complete(self.slot(), key, first, value) }
    }

    pub(super) fn reset(&self, key: Key) -> Result<(), CompleteError<()>> {
        let Some(first) = self.first_generation(key) else {
            return Err(CompleteError { key, kind: self.refusal(key), value: () });
        };
        // SAFETY: it lives, and the key has its index.
        unsafe { keyed::end(self.slot(), key, first) }
    }

    /// The first generation of a key's epoch, if that is the one which is now.
    #[inline(always)]
    fn first_generation(&self, key: Key) -> Option<u32> {
        (epoch(self.uses.load()) == key.index()).then(|| u32::from(key.index() == 0))
    }

    /// Why a key of another epoch is refused.
    #[cold]
    fn refusal(&self, key: Key) -> KeyError {
        if key.index() < epoch(self.uses.load()) { KeyError::Stale } else { KeyError::Unknown }
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

impl<T, H: Home> Drop for Place<T, H> {
    fn drop(&mut self) {
        self.clear();
    }
}
