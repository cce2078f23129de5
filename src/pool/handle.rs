//! What the pools of both kinds do.

use core::{marker::PhantomData, ops::Range, ptr::NonNull};

use super::{LiveOperation, RentError};
use crate::{
    operation::{
        CompleteError, CompleteErrorKind, Consumer, Producer,
        keyed::{self, Presented},
        orphan, refuse_left, table,
    },
    origin::Origin,
    slab::{BeforeClose, OpenSlab, Settings, Slab, SlabHandle, SlabRecycler, Unlimited, waiting},
    slot::{IndexLayout, Key, Number, Slot, Vacant, Word},
    sync::Backoff,
};

/// The two ends of an operation.
pub(super) type Ends<T, H> = (Producer<'static, T, H>, Consumer<'static, T, H>);

/// A handle of a pool. It keeps the slab, and may rent.
pub(crate) struct Handle<T, H: SlabRecycler> {
    slab: SlabHandle<H::Slab<T>, OrphanAll<T, H>>,
    /// Values go in and out.
    values: PhantomData<fn(T) -> T>,
}

impl<T, H: SlabRecycler> Handle<T, H> {
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
        Handle { slab: SlabHandle::new(settings), values: PhantomData }
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
        Handle { slab: SlabHandle::new(settings), values: PhantomData }
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
        Ok(begin(slot, origin))
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
#[inline(always)]
pub(super) fn begin<T, H: SlabRecycler>(slot: Vacant<Slot<T, H>>, origin: Origin) -> Ends<T, H> {
    let slot = slot.into_pointer();
    // SAFETY: nobody else has it.
    #[cfg(loom)]
    unsafe {
        Slot::touch_for_reuse(slot);
    }
    // SAFETY: the slot is out.
    let rented = unsafe { slot.as_ref() };
    // SAFETY: nobody else has it.
    unsafe { rented.begin() };
    rented.origin().set(origin);
    // SAFETY: this is the beginning of its operation, and there is no other completer.
    let producer = unsafe { Producer::new(slot) };
    // SAFETY: and no other consumer.
    let consumer = unsafe { Consumer::new(slot) };
    (producer, consumer)
}

#[cold]
#[inline(never)]
#[track_caller]
fn cannot_rent(error: RentError) -> ! {
    panic!("{error}; `try_rent` returns that as an error, and `rent_when_vacant` waits")
}

impl<T, H: SlabRecycler> Handle<T, H> {
    #[inline(always)]
    pub(super) fn slab(&self) -> &H::Slab<T> {
        &self.slab
    }

    /// Rents from a pool that was full. Waits while a claimant is about to return a slot, so that a caller finds
    /// the slot of a completion that it has dropped.
    #[cold]
    fn rent_when_returned(&self) -> Result<Vacant<Slot<T, H>>, RentError> {
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
            // SAFETY: a slab that has a handle keeps its slots.
            Some((slot, presented)) => unsafe { keyed::complete(slot, presented, value) },
            None => Err((CompleteErrorKind::Unknown, value)),
        };
        completed.map_err(|(kind, value)| self.refused(CompleteError { key, kind, value }))
    }

    /// Ends the operation with this key without a value.
    pub(super) fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
        let ended = match self.slot_of(key) {
            // SAFETY: a slab that has a handle keeps its slots.
            Some((slot, presented)) => unsafe { keyed::end(slot, presented) },
            None => Err((CompleteErrorKind::Unknown, ())),
        };
        ended.map_err(|(kind, value)| self.refused(CompleteError { key, kind, value }))
    }

    /// The slot that a key names, if it was ever rented. Whether the key is that of its operation is for
    /// [`keyed`] to find out.
    #[inline(always)]
    fn slot_of(&self, key: Key) -> Option<(NonNull<Slot<T, H>>, Presented)> {
        let Settings { layout, first_generation, .. } = self.slab().base().settings;
        let slot = self.slab.open().slot(layout.slot(key.index()))?;
        Some((
            NonNull::from(slot),
            Presented { number: Number::of_key(key), layout, first_generation },
        ))
    }

    /// Ends all operations that were left to their keys; tells how many.
    pub(super) fn abandon_keys(&self) -> u32 {
        // SAFETY: a slab that has a handle keeps its slots.
        let refused = |slot| unsafe { refuse_left(NonNull::from(slot)) };
        self.slab.open().slots().map(|slot| u32::from(refused(slot))).sum()
    }

    /// Returns the operations whose lines are known.
    pub(super) fn live_operations(&self) -> impl Iterator<Item = LiveOperation> {
        self.slab.open().slots().filter_map(|slot| {
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
        let mut orphans = Orphans::<T, H>::new(self.slab.open());
        waiting::end_all(self.slab());
        orphans.orphan()
    }

    #[cold]
    fn refused<V>(&self, error: CompleteError<V>) -> CompleteError<V> {
        self.slab().base().refused.add(1);
        error
    }
}

impl<T, H: SlabRecycler> Clone for Handle<T, H> {
    fn clone(&self) -> Self {
        Handle { slab: self.slab.clone(), values: PhantomData }
    }
}

/// [Orphans](orphan) all operations.
struct OrphanAll<T, H>(PhantomData<fn(T, H)>);

impl<T, H: SlabRecycler> BeforeClose<H::Slab<T>> for OrphanAll<T, H> {
    fn before_close(slab: OpenSlab<'_, H::Slab<T>>) {
        Orphans::<T, H>::new(slab).orphan();
    }
}

/// The slots of a pool that is closed, as far as their operations were not [orphaned](orphan). The drop goes on where a
/// waker has panicked. (If another one panics in there, the process aborts.)
struct Orphans<'s, T, H: SlabRecycler> {
    slab: OpenSlab<'s, H::Slab<T>>,
    indices: Range<u32>,
    ended: u32,
}

impl<'s, T, H: SlabRecycler> Orphans<'s, T, H> {
    fn new(slab: OpenSlab<'s, H::Slab<T>>) -> Self {
        Orphans { slab, indices: 0..slab.end(), ended: 0 }
    }

    /// Returns the number of operations that had been left to their keys, and were ended.
    fn orphan(&mut self) -> u32 {
        let slab = self.slab;
        for slot in self.indices.by_ref().filter_map(|index| slab.slot(index)) {
            // SAFETY: a slab that is open keeps its slots.
            self.ended += u32::from(unsafe { orphan(NonNull::from(slot)) });
        }
        self.ended
    }
}

impl<T, H: SlabRecycler> Drop for Orphans<'_, T, H> {
    fn drop(&mut self) {
        self.orphan();
    }
}
