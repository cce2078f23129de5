//! The implementation of pools for any thread and for one thread.

use core::{marker::PhantomData, ops::Range};

use super::{LiveOperation, RentError};
use crate::{
    operation::Consumer,
    origin::Origin,
    slab::{
        BeforeClose, OpenSlab, Settings, Slab, SlabHandle, SlabRecycler, Stats, Unlimited, waiting,
    },
    slot::{
        CompleteError, CompleteErrorKind, CompleterRole, IndexLayout, Key, Number, Presented, Slot,
        SlotRef, Vacant, Word, abandon_key, abandon_keyed, complete_key, orphan, table,
    },
    sync::Backoff,
};

/// The completer and the consumer of an operation.
pub(super) type Ends<T, H> = (CompleterRole<'static, T, H>, Consumer<'static, T, H>);

/// A handle of a pool. It owns a handle of the slab that contains the slots.
pub(crate) struct Handle<T, H: SlabRecycler> {
    slab: SlabHandle<H::Slab<T>, OrphanAll<T, H>>,
    /// Makes the type invariant in `T`, because values are moved into the pool and out of it.
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
            finds_all: true,
            layout: IndexLayout::of(limit.unwrap_or(u32::MAX)),
            first_generation,
        };
        Handle { slab: SlabHandle::new(settings), values: PhantomData }
    }

    /// Creates a pool of one slot. The first operation of the slot has the greatest generation. The layout has only one epoch (one run of
    /// all generations). So the slot is retired when this operation ends.
    #[cfg(test)]
    pub(super) fn with_one_generation(abandoned: fn() -> T) -> Self {
        let settings = Settings {
            table: table::<T, H>(abandoned),
            initial: 0,
            limit: Some(1),
            finds_all: true,
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

/// Begins an operation in a vacant slot.
#[inline(always)]
pub(super) fn begin<T, H: SlabRecycler>(slot: Vacant<Slot<T, H>>, origin: Origin) -> Ends<T, H> {
    let (completer, consumer) = slot.begin_with_completer();
    consumer.set_origin(origin);
    (completer, Consumer::new(consumer))
}

#[cold]
#[inline(never)]
#[track_caller]
fn cannot_rent(error: RentError) -> ! {
    match error {
        RentError::Full { .. } => {
            panic!("{error}; `try_rent` returns that as an error, and `rent_when_vacant` waits")
        }
        RentError::Closed => {
            panic!("{error}; `try_rent` and `rent_when_vacant` return that as an error")
        }
    }
}

impl<T, H: SlabRecycler> Handle<T, H> {
    #[inline(always)]
    pub(super) fn slab(&self) -> OpenSlab<'_, H::Slab<T>> {
        self.slab.open()
    }

    /// Rents a slot of a pool that seemed to be full. If a producer with a key is about to return a slot, waits until that slot is
    /// returned. So a caller that has dropped the completion of an operation without a completer finds the slot of this operation.
    #[cold]
    fn rent_when_returned(&self) -> Result<Vacant<Slot<T, H>>, RentError> {
        let mut backoff = Backoff::new();
        loop {
            // This load comes before `rent`. If it returns `false` because a producer has just returned its slot, `rent` finds this slot.
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

    /// Completes the operation with this key.
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

    /// Returns the slot that a key names, if this slot is initialized. Does not check the key: the functions that claim the operation
    /// compare the key with the number of the slot.
    #[inline(always)]
    fn slot_of(&self, key: Key) -> Option<(SlotRef<'_, Slot<T, H>>, Presented)> {
        let Settings { layout, first_generation, .. } = self.slab().base().settings;
        let slot = self.slab().slot(layout.slot(key.index()))?;
        Some((slot, Presented { number: Number::of_key(key), layout, first_generation }))
    }

    /// Ends all operations that only their keys can complete. Returns the number of operations that this call has ended.
    pub(super) fn abandon_keys(&self) -> u32 {
        self.slab().slots().map(|slot| u32::from(abandon_keyed(slot))).sum()
    }

    /// Returns the live operations, with the lines that rented them.
    pub(super) fn live_operations(&self) -> impl Iterator<Item = LiveOperation> {
        self.slab()
            .slots()
            .filter_map(|slot| Some(LiveOperation { origin: slot.origin()?, state: slot.state() }))
    }

    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        // If `try_rent` calls this function, another thread may close the pool after the load. Then the operation begins in a closed pool.
        // When the consumer of this operation starts to wait, it calls `orphan`, which ends the operation if only a key can complete it.
        self.slab().base().closed.load_own() != 0
    }

    /// Closes the pool, and ends all operations that only their keys could complete. Returns the number of operations that this call has
    /// ended.
    pub(super) fn close(&self) -> u32 {
        self.slab().base().closed.announce();
        // If a waker panics in `end_all`, the destructor of `orphans` calls `orphans.orphan()`.
        let mut orphans = Orphans::<T, H>::new(self.slab());
        waiting::end_all(self.slab().get());
        orphans.orphan()
    }

    /// Makes sure that this thread finds `additional` vacant slots, as far as the bound of the pool allows it.
    pub(super) fn reserve(&self, additional: u32) {
        self.slab().reserve(additional, Unlimited);
    }

    pub(super) fn stats(&self) -> Stats {
        Slab::stats(self.slab())
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

/// The action before a slab is closed: it calls [`orphan`] for all slots.
struct OrphanAll<T, H>(PhantomData<fn(T, H)>);

impl<T, H: SlabRecycler> BeforeClose<H::Slab<T>> for OrphanAll<T, H> {
    fn before_close(slab: OpenSlab<'_, H::Slab<T>>) {
        Orphans::<T, H>::new(slab).orphan();
    }
}

/// The slots of a closed or dropped pool for which [`orphan`] was not called yet. If a waker panics, the destructor calls `orphan` for the
/// remaining slots. (If another waker panics in the destructor, the process aborts.)
struct Orphans<'s, T, H: SlabRecycler> {
    slab: OpenSlab<'s, H::Slab<T>>,
    indices: Range<u32>,
    ended: u32,
}

impl<'s, T, H: SlabRecycler> Orphans<'s, T, H> {
    fn new(slab: OpenSlab<'s, H::Slab<T>>) -> Self {
        Orphans { slab, indices: 0..slab.end(), ended: 0 }
    }

    /// Calls [`orphan`] for the remaining slots. Returns the number of operations that were ended.
    fn orphan(&mut self) -> u32 {
        let slab = self.slab;
        for slot in self.indices.by_ref().filter_map(|index| slab.slot(index)) {
            self.ended += u32::from(orphan(slot));
        }
        self.ended
    }
}

impl<T, H: SlabRecycler> Drop for Orphans<'_, T, H> {
    fn drop(&mut self) {
        self.orphan();
    }
}
