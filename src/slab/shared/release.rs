//! The slow paths of a return. They run if the fast path has not put the slot into the [recent cache](crate::slab::thread_cache) of the
//! calling thread.

use super::slab::{Locked, SharedSlab};
use crate::{
    slab::{
        depot::Keep,
        item::Item,
        magazines::{Capacity, MAGAZINE, return_slot},
        reference::{SlabRef, slab_of},
        slab::{Parts, Slab},
        stripes::{StripeGuard, StripeLock},
        thread_cache::{self, Pinned},
        thread_caches, waiting,
    },
    slot::{Vacant, WakeOnDrop},
};

impl<S: Item<Slab = Self>> SharedSlab<S> {
    /// Takes back a slot of an unbounded slab. Retires the slot if `retire` is `true`.
    pub(super) fn release_unbounded(slot: Vacant<S>, retire: bool) {
        if retire {
            return Self::release_slowly(slot, None, true);
        }
        // The recent cache is tried first, because the fast path does not try it after a cancelled operation.
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

    /// Takes back a slot of a bounded slab. Retires the slot if `retire` is `true`. Otherwise, if a future waits for a slot, gives the slot
    /// to this future. Returns the waker of a future whose wait has ended.
    pub(super) fn release_bounded(slot: Vacant<S>, retire: bool) -> WakeOnDrop {
        let released =
            if retire { Err(slot) } else { Self::release_to_stripe(slot, Slab::has_waiters) };
        match released {
            Ok(()) => WakeOnDrop::NONE,
            Err(slot) => Self::release_or_give(slot, retire),
        }
    }

    /// Puts a slot into a stripe. Returns the slot as an error if no stripe can take it, or if `is_awaited` returns `true`.
    fn release_to_stripe(
        slot: Vacant<S>,
        is_awaited: impl Fn(&Self) -> bool,
    ) -> Result<(), Vacant<S>> {
        return_slot::<S, StripeLock>(slot, |slab| slab.stripes.free_place(|| is_awaited(slab)))
    }

    /// Takes back a slot under the lock of the depot. `own` is the cache of the calling thread, if the thread has one. This cache is full
    /// or detached. Retires the slot if `retire` is `true`. Otherwise, if `own` is full, moves a magazine of `own` to the depot, and puts
    /// the slot into `own`. Without a full cache, puts the slot into the depot.
    fn release_slowly(slot: Vacant<S>, own: Option<&Pinned<Self>>, retire: bool) {
        // The slot keeps the slab allocated until here. From here on, `slab` keeps the slab allocated.
        let slab = SlabRef::<Self>::of_slot(&slot);
        let storage = &slab.base.storage;
        // `release_to_depot` may move slots from a stripe to the depot. `locked` publishes that the depot has slots, and only then this
        // stripe is unlocked. So a thread that finds the stripe empty also sees that the depot has slots.
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
            (locked.take_reference(), locked.depot.has_surplus(storage, Keep::Useful), stripe)
        });
        drop(stripe);
        if has_surplus {
            slab.free_empty_pages(Keep::Useful, usize::MAX);
        }
        drop(last);
    }

    /// Puts a slot into the depot. If the stripe of the calling thread is full, also moves a magazine from this stripe to the depot, and
    /// returns the guard of the stripe.
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

    /// Takes back a slot of a bounded slab: retires it, gives it to a future that waits, or puts it into the depot. Returns the waker of a
    /// future whose wait has ended.
    // Not inlined, so that a return to a stripe saves fewer registers on the stack.
    #[inline(never)]
    fn release_or_give(mut slot: Vacant<S>, retire: bool) -> WakeOnDrop {
        // The slot keeps the slab allocated until here. From here on, `slab` keeps the slab allocated.
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

    /// Retires a slot of a bounded slab if `retire` is `true`. Otherwise, puts the slot into the depot. But if a future waits for a slot,
    /// returns the slot as an error.
    fn release_unless_awaited(&self, slot: Vacant<S>, retire: bool) -> Result<(), Vacant<S>> {
        let storage = &self.base.storage;
        // As in `release_slowly`, `locked` publishes that the depot has slots, and only then the stripe is unlocked.
        let (last, has_surplus, stripe) = self.locked(|locked| {
            let mut stripe = None;
            if retire {
                locked.depot.retire(slot);
            } else if self.has_waiters() {
                return Err(slot);
            } else {
                stripe = self.release_to_depot(slot, locked);
            }
            Ok((locked.take_reference(), locked.depot.has_surplus(storage, Keep::Useful), stripe))
        })?;
        drop(stripe);
        if has_surplus {
            self.free_empty_pages(Keep::Useful, usize::MAX);
        }
        drop(last);
        Ok(())
    }
}
