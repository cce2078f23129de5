//! How a slot is returned that does not fit into the recent cache of the thread.

use super::slab::{Locked, SharedSlab};
use crate::{
    slab::{
        depot::Keep,
        item::Item,
        magazines::{Capacity, MAGAZINE, return_slot},
        reference::{SlabRef, slab_of},
        slab::Slab,
        stripes::{StripeGuard, StripeLock},
        thread_cache::{self, Pinned},
        thread_caches, waiting,
    },
    slot::{Vacant, WakeOnDrop},
};

impl<S: Item<Slab = Self>> SharedSlab<S> {
    /// Returns a slot of a slab with thread caches.
    pub(super) fn release_unbounded(slot: Vacant<S>, retire: bool) {
        if retire {
            return Self::release_slowly(slot, None, true);
        }
        // The fast path does not try this for a cancelled operation.
        let Err(slot) = thread_cache::push(slot) else { return };
        let own = thread_caches::find(slab_of::<S>(&slot));
        let released = match &own {
            Some(own) => own.push(slot),
            None => Self::release_to_stripe(slot, |_| false),
        };
        if let Err(slot) = released {
            Self::release_slowly(slot, own.as_ref(), false);
        }
    }

    /// Returns a slot of a bounded slab. If a future waits, it gets the slot, and its waker is returned.
    pub(super) fn release_bounded(slot: Vacant<S>, retire: bool) -> WakeOnDrop {
        let released =
            if retire { Err(slot) } else { Self::release_to_stripe(slot, Slab::has_waiters) };
        match released {
            Ok(()) => WakeOnDrop::NONE,
            Err(slot) => Self::release_or_give(slot, retire),
        }
    }

    fn release_to_stripe(
        slot: Vacant<S>,
        is_awaited: impl Fn(&Self) -> bool,
    ) -> Result<(), Vacant<S>> {
        return_slot::<S, StripeLock>(slot, |slab| slab.stripes.free_place(|| is_awaited(slab)))
    }

    /// Returns a slot under the lock: to the full cache of the calling thread if there is one, and otherwise to the depot. Retires the
    /// slot instead if `retire` is `true`.
    fn release_slowly(slot: Vacant<S>, own: Option<&Pinned<Self>>, retire: bool) {
        // The slot keeps the slab allocated, and from here on the reference does.
        let slab = SlabRef::<Self>::of_slot(&slot);
        let storage = &slab.base.storage;
        // The stripe is unlocked when the depot is known to have slots: a thread that sees the stripe empty sees that.
        let (last, has_surplus, stripe) = slab.locked(|locked| {
            let mut stripe = None;
            if retire {
                locked.depot.retire(slot);
            } else if let Some(own) = own.and_then(|own| own.attached_in(&locked.caches)) {
                own.drain(MAGAZINE.into(), &mut locked.depot, storage);
                let _pushed = own.push(slot, Capacity::FULL);
            } else {
                stripe = slab.release_to_depot(slot, locked);
            }
            (locked.take_own(), locked.depot.has_surplus(storage, Keep::Useful), stripe)
        });
        drop(stripe);
        if has_surplus {
            slab.free_empty_pages(Keep::Useful, usize::MAX);
        }
        drop(last);
    }

    /// Returns a slot to the depot. If the stripe of the calling thread is full, moves slots from there too, to make room for the next
    /// ones. Then it returns the guard of the stripe.
    fn release_to_depot(
        &self,
        slot: Vacant<S>,
        Locked { depot, .. }: &mut Locked<S>,
    ) -> Option<StripeGuard<'_, S>> {
        let storage = &self.base.storage;
        depot.release(storage, slot);
        let stripe = self.stripes.own().try_lock_full()?;
        stripe.drain(MAGAZINE.into(), depot, storage);
        Some(stripe)
    }

    /// Returns a slot of a bounded slab to the depot, or gives it to a future.
    // Not inlined, so that a return to a stripe saves fewer registers.
    #[inline(never)]
    fn release_or_give(mut slot: Vacant<S>, retire: bool) -> WakeOnDrop {
        // The slot keeps the slab allocated, and from here on the reference does.
        let slab = SlabRef::<Self>::of_slot(&slot);
        let mut wake = WakeOnDrop::NONE;
        while let Err(awaited) = slab.release_unless_awaited(slot, retire) {
            match slab.with_waiters(|waiters| waiters.give(awaited)) {
                Ok((_, waker)) => {
                    wake = WakeOnDrop(Some(waker));
                    break;
                }
                Err(vacant) => slot = vacant,
            }
        }
        if retire && slab.has_waiters() && waiting::is_retired(&*slab) {
            wake = waiting::end_first(&*slab);
        }
        wake
    }

    /// Returns a slot of a bounded slab to the depot, or retires it. Returns the slot if a future waits.
    fn release_unless_awaited(&self, slot: Vacant<S>, retire: bool) -> Result<(), Vacant<S>> {
        let storage = &self.base.storage;
        // As in `release_slowly`, the stripe is unlocked afterwards.
        let (last, has_surplus, stripe) = self.locked(|locked| {
            let mut stripe = None;
            if retire {
                locked.depot.retire(slot);
            } else if self.has_waiters() {
                return Err(slot);
            } else {
                stripe = self.release_to_depot(slot, locked);
            }
            Ok((locked.take_own(), locked.depot.has_surplus(storage, Keep::Useful), stripe))
        })?;
        drop(stripe);
        if has_surplus {
            self.free_empty_pages(Keep::Useful, usize::MAX);
        }
        drop(last);
        Ok(())
    }
}
