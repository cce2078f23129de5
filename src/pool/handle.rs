//! What the pools of both kinds do.

use core::{marker::PhantomData, ops::Range, ptr::NonNull};

use super::{LiveOperation, RentError};
use crate::{
    operation::{CompleteError, CompleteErrorKind, Consumer, table},
    origin::Origin,
    slab::{Pooling, Settings, Slab, Unlimited, waiters},
    slot::{
        CompleterRole, IndexLayout, Key, Number, Presented, Slot, SlotRef, Vacant, Word,
        abandon_key, abandon_keyed, complete_key, orphan,
    },
    sync::Backoff,
};

/// The two ends of an operation.
pub(super) type Ends<T, H> = (CompleterRole<'static, T, H>, Consumer<'static, T, H>);

/// A handle of a pool. It keeps the slab, and may rent.
pub(crate) struct Handle<T, H: Pooling> {
    pub(super) slab: NonNull<H::Slab<T>>,
    /// Values go in and out.
    values: PhantomData<fn(T) -> T>,
}

impl<T, H: Pooling> Handle<T, H> {
    pub(super) fn new(
        initial: u32,
        limit: Option<u32>,
        first_generation: u32,
        abandoned: fn() -> T,
    ) -> Self {
        let settings = Settings {
            table: table::<T, H>(abandoned),
            initial,
            limit,
            exact: true,
            layout: IndexLayout::of(limit.unwrap_or(u32::MAX)),
            first_generation,
        };
        Handle { slab: Slab::new(settings), values: PhantomData }
    }

    /// A pool of one slot, which is retired after the last generation.
    #[cfg(test)]
    pub(super) fn that_wears_out(abandoned: fn() -> T) -> Self {
        let settings = Settings {
            table: table::<T, H>(abandoned),
            initial: 0,
            limit: Some(1),
            exact: true,
            layout: IndexLayout::of(u32::MAX),
            first_generation: u32::MAX,
        };
        Handle { slab: Slab::new(settings), values: PhantomData }
    }

    #[inline(always)]
    pub(super) fn try_rent(&self, origin: Origin) -> Result<Ends<T, H>, RentError> {
        if self.is_closed() {
            return Err(RentError::Closed);
        }
        let slot = match self.slab().rent(Unlimited) {
            Some(slot) => slot,
            None => self.rent_when_returned()?,
        };
        // SAFETY: the slot was just rented.
        Ok(unsafe { begin(slot, origin) })
    }

    #[inline(always)]
    #[track_caller]
    pub(super) fn rent(&self, origin: Origin) -> Ends<T, H> {
        match self.try_rent(origin) {
            Ok(ends) => ends,
            Err(error) => cannot_rent(error),
        }
    }
}

/// Begins the operation of a slot.
///
/// # Safety
///
/// The slot is out, and only the caller refers to it.
#[inline(always)]
pub(super) unsafe fn begin<T, H: Pooling>(slot: NonNull<Slot<T, H>>, origin: Origin) -> Ends<T, H> {
    // SAFETY: the caller's.
    let slot = unsafe { Vacant::new(slot) };
    let (completer, consumer) = slot.begin();
    consumer.origin().set(origin);
    (completer, Consumer::new(consumer))
}

#[cold]
#[inline(never)]
#[track_caller]
fn cannot_rent(error: RentError) -> ! {
    panic!("{error}; `try_rent` returns that as an error, and `rent_when_vacant` waits")
}

impl<T, H: Pooling> Handle<T, H> {
    #[inline(always)]
    pub(super) fn slab(&self) -> &H::Slab<T> {
        // SAFETY: a slab lives as long as it has a handle, and until it is closed.
        unsafe { self.slab.as_ref() }
    }

    /// Rents from a pool that was full. Waits while a claimant is about to return a slot, so that a caller finds
    /// the slot of a completion that it has dropped.
    #[cold]
    fn rent_when_returned(&self) -> Result<NonNull<Slot<T, H>>, RentError> {
        let mut backoff = Backoff::new();
        loop {
            // Loaded before `rent`: a return that ended before this load is visible to `rent`.
            let is_returning = self.slab().is_returning();
            if let Some(slot) = self.slab().rent(Unlimited) {
                return Ok(slot);
            }
            if !is_returning {
                return Err(RentError::Full { max_slots: self.slab().base().settings.limit() });
            }
            backoff.wait();
        }
    }

    /// Gives the operation with this key its value.
    #[inline]
    pub(super) fn complete_key(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
        let completed = match self.slot_of(key) {
            Some((slot, presented)) => complete_key(slot, presented, value),
            None => Err((CompleteErrorKind::Unknown, value)),
        };
        completed.map_err(|(kind, value)| self.refused(CompleteError { key, kind, value }))
    }

    /// Ends the operation with this key without a value.
    pub(super) fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
        let ended = match self.slot_of(key) {
            Some((slot, presented)) => abandon_key(slot, presented),
            None => Err((CompleteErrorKind::Unknown, ())),
        };
        ended.map_err(|(kind, value)| self.refused(CompleteError { key, kind, value }))
    }

    /// The slot that a key names, if it was ever rented. Whether the key is that of its operation is for
    /// the claim to find out.
    #[inline(always)]
    fn slot_of(&self, key: Key) -> Option<(SlotRef<'_, Slot<T, H>>, Presented)> {
        let Settings { layout, first_generation, .. } = self.slab().base().settings;
        let slot = self.slab().base().storage.get(layout.slot(key.index()))?;
        // SAFETY: a slab that is borrowed keeps its slots.
        let slot = unsafe { SlotRef::new(slot) };
        Some((slot, Presented { number: Number::of_key(key), layout, first_generation }))
    }

    /// Ends all operations that were left to their keys; tells how many.
    pub(super) fn abandon_keys(&self) -> u32 {
        let slots = &self.slab().base().storage;
        // SAFETY: a slab that has a handle keeps its slots.
        let refused = |slot| abandon_keyed(unsafe { SlotRef::new(slot) });
        let slots = (0..slots.end()).filter_map(|index| slots.get(index));
        slots.map(|slot| u32::from(refused(slot))).sum()
    }

    /// Returns the operations whose lines are known.
    pub(super) fn live_operations(&self) -> impl Iterator<Item = LiveOperation> {
        let slots = &self.slab().base().storage;
        (0..slots.end()).filter_map(|index| {
            let slot = slots.get(index)?;
            // SAFETY: a slab that has a handle keeps its slots.
            let slot = unsafe { slot.as_ref() };
            Some(LiveOperation { origin: slot.origin().get()?, state: slot.state() })
        })
    }

    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        // An operation that begins although the pool was closed meanwhile ends when its consumer waits.
        self.slab().base().closed.load_own() != 0
    }

    /// Closes the pool; tells how many operations that were left to their keys were ended.
    pub(super) fn close(&self) -> u32 {
        self.slab().base().closed.announce();
        // It goes on if the waker of a future that waits for a slot panics.
        let mut orphans = Orphans::<T, H>::new(self.slab());
        waiters::end_all(self.slab());
        orphans.orphan()
    }

    #[cold]
    fn refused<V>(&self, error: CompleteError<V>) -> CompleteError<V> {
        self.slab().base().refused.add(1);
        error
    }
}

impl<T, H: Pooling> Clone for Handle<T, H> {
    fn clone(&self) -> Self {
        self.slab().add_handle();
        Handle { slab: self.slab, values: PhantomData }
    }
}

impl<T, H: Pooling> Drop for Handle<T, H> {
    fn drop(&mut self) {
        /// Closes the slab, also if a waker has panicked.
        struct CloseSlab<T, H: Pooling>(NonNull<H::Slab<T>>);
        impl<T, H: Pooling> Drop for CloseSlab<T, H> {
            fn drop(&mut self) {
                // SAFETY: there is no handle, and this happens once.
                unsafe { H::Slab::<T>::close(self.0) };
            }
        }

        // SAFETY: this is a handle, and it is gone afterwards.
        if unsafe { Slab::remove_handle(self.slab) } {
            let _close = CloseSlab::<T, H>(self.slab);
            // SAFETY: a slab is not freed before it was closed.
            Orphans::<T, H>::new(unsafe { self.slab.as_ref() }).orphan();
        }
    }
}

/// The slots of a pool that is closed, as far as their operations were not [orphaned](orphan). The drop goes on where a
/// waker has panicked. (If another one panics in there, the process aborts.)
struct Orphans<'s, T, H: Pooling> {
    slab: &'s H::Slab<T>,
    slots: Range<u32>,
    ended: u32,
}

impl<'s, T, H: Pooling> Orphans<'s, T, H> {
    fn new(slab: &'s H::Slab<T>) -> Self {
        Orphans { slab, slots: 0..slab.base().storage.end(), ended: 0 }
    }

    /// Returns the number of operations that had been left to their keys, and were ended.
    fn orphan(&mut self) -> u32 {
        let slots = &self.slab.base().storage;
        for slot in self.slots.by_ref().filter_map(|index| slots.get(index)) {
            // SAFETY: a slab that is borrowed keeps its slots.
            self.ended += u32::from(orphan(unsafe { SlotRef::new(slot) }));
        }
        self.ended
    }
}

impl<T, H: Pooling> Drop for Orphans<'_, T, H> {
    fn drop(&mut self) {
        self.orphan();
    }
}
