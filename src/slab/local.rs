//! The slab of one thread: a list, and counts.

use alloc::boxed::Box;
use core::{cell::Cell, iter, ptr::NonNull};

use super::{
    Find, Indexed, Settings, Slab, Stats, Storage,
    list::{Linked, List},
};
use crate::slot::End;

#[repr(C)]
pub(crate) struct LocalSlab<S: Linked> {
    settings: Settings<Self>,
    /// As it came from the allocator.
    this: NonNull<Self>,
    vacant: List<S>,
    live: Cell<u64>,
    handles: Cell<usize>,
    slots: S::Storage,
    used: Cell<u32>,
    /// If slots do not count that: so many times slots were rented.
    rented: Cell<u64>,
    capacity: Cell<u32>,
    abandoned: Cell<u64>,
    retired: Cell<u64>,
    refused: Cell<u64>,
    allocations: Cell<u64>,
}

fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

impl<S: Linked> LocalSlab<S> {
    #[cold]
    fn rent_new(&self) -> Option<NonNull<S>> {
        let used = self.used.get();
        if used == self.capacity.get() && !self.grow() {
            return None;
        }
        self.used.set(used + 1);
        // SAFETY: there is one thread, and the index is the next.
        unsafe { self.slots.take_new(used) }
    }

    fn grow(&self) -> bool {
        if self.capacity.get() >= self.settings.limit() {
            return false;
        }
        // SAFETY: the place is that of a new slot.
        let make = |place, index| unsafe { self.settings.make(place, self.this, index) };
        // SAFETY: there is one thread, and `make` does not come here.
        self.capacity.set(unsafe { self.slots.add(self.capacity.get(), make) });
        count(&self.allocations);
        true
    }

    /// Frees all vacant slots, and those that were never used; tells how many.
    fn free_all(&self) -> u32 {
        let unused = self.used.get()..self.capacity.get();
        // SAFETY: there is one thread, and these indices are the next.
        let unused = unused.filter_map(|index| unsafe { self.slots.take_new(index) });
        let mut freed = 0;
        for slot in iter::from_fn(|| self.vacant.pop()).chain(unused) {
            // SAFETY: it was in the list, or was never used, so it is vacant.
            unsafe { self.slots.free(slot) };
            freed += 1;
        }
        freed
    }

    /// # Safety
    ///
    /// Nobody has a handle, nothing is out, and nobody uses the slab any more.
    #[cold]
    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: it is from `Box::into_raw`, and the caller is the last.
        drop(unsafe { Box::from_raw(this.as_ptr()) });
    }
}

impl<S: Linked> Drop for LocalSlab<S> {
    fn drop(&mut self) {
        if S::Storage::FREES {
            self.free_all();
        }
    }
}

impl<S: Linked<Storage: Indexed<S>>> Find for LocalSlab<S> {
    #[inline(always)]
    fn used(&self) -> u32 {
        self.used.get()
    }

    #[inline]
    fn get(&self, index: u32) -> Option<NonNull<S>> {
        if index < self.used() { self.slots.get(index) } else { None }
    }
}

impl<S: Linked> Slab for LocalSlab<S> {
    type Slot = S;

    fn new(settings: Settings<Self>) -> NonNull<Self> {
        let zero = || Cell::new(0);
        let initial = settings.initial;
        let slab = Box::new(LocalSlab {
            vacant: List::new(),
            live: zero(),
            handles: Cell::new(1),
            slots: Storage::new(&settings.table, settings.limit()),
            settings,
            this: NonNull::dangling(),
            used: Cell::new(0),
            rented: zero(),
            capacity: Cell::new(0),
            abandoned: zero(),
            retired: zero(),
            refused: zero(),
            allocations: Cell::new(1),
        });
        let this = NonNull::new(Box::into_raw(slab)).expect("a box has an address");
        // SAFETY: nobody else has seen the slab yet.
        unsafe { (*this.as_ptr()).this = this };
        // SAFETY: the handle that is about to be returned keeps the slab.
        unsafe { this.as_ref() }.reserve(initial);
        this
    }

    fn settings(&self) -> &Settings<Self> {
        &self.settings
    }

    #[inline(always)]
    fn rent(&self) -> Option<NonNull<S>> {
        let slot = self.vacant.pop().or_else(|| self.rent_new())?;
        count(&self.live);
        if !S::Storage::COUNTS_RENTS {
            count(&self.rented);
        }
        Some(slot)
    }

    #[inline(always)]
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> bool {
        // SAFETY: the slot is out, so the slab lives.
        let slab = unsafe { this.as_ref() };
        let usual = !end.exhausted && !end.abandoned && slab.handles.get() != 0;
        if usual {
            // SAFETY: the slot is vacant, and in no list.
            unsafe { slab.vacant.push(slot) };
            slab.live.set(slab.live.get() - 1);
        }
        usual
    }

    unsafe fn put(this: NonNull<Self>, slot: NonNull<S>, end: End) {
        // SAFETY: the slot is out, so the slab lives.
        let slab = unsafe { this.as_ref() };
        // SAFETY: the slot came back so.
        if end.exhausted && !unsafe { S::begin_epoch(slot, slab.settings.layout) } {
            count(&slab.retired);
        } else {
            // SAFETY: the slot is vacant, and in no list.
            unsafe { slab.vacant.push(slot) };
        }
        if end.abandoned {
            count(&slab.abandoned);
        }
        slab.live.set(slab.live.get() - 1);
        if slab.handles.get() == 0 && slab.live.get() == 0 {
            // SAFETY: nobody has a handle, and that was the last slot.
            unsafe { Self::free(this) };
        }
    }

    fn reserve(&self, additional: u32) {
        let gone = self.live.get() + self.retired.get();
        while u64::from(self.capacity.get()) - gone < additional.into() && self.grow() {}
    }

    fn trim(&self) -> u32 {
        let freed = self.free_all();
        self.capacity.set(self.capacity.get() - freed);
        self.used.set(self.capacity.get());
        freed
    }

    fn stats(&self) -> Stats {
        let first = self.settings.first_generation;
        let (rented, high_water) = self.slots.uses(self.used.get(), first);
        let rented = rented + self.rented.get();
        let live = self.live.get();
        Stats {
            rented,
            returned: rented - live,
            live,
            high_water,
            capacity: self.capacity.get().into(),
            retired: self.retired.get(),
            stale_rejections: self.refused.get(),
            abandoned: self.abandoned.get(),
            allocations: self.allocations.get(),
        }
    }

    fn count_refused(&self) {
        count(&self.refused);
    }

    // There is no other thread that could be inside a call.
    fn begin_return(&self) {}
    fn end_return(&self) {}
    fn is_returning(&self) -> bool {
        false
    }

    fn add_handle(&self) {
        self.handles.set(self.handles.get().checked_add(1).expect("too many handles"));
    }

    unsafe fn remove_handle(this: NonNull<Self>) -> bool {
        // SAFETY: the handle keeps the slab.
        let handles = unsafe { &(*this.as_ptr()).handles };
        let last = handles.get() == 1;
        // The last one is counted until the slab is closed: it keeps it.
        handles.set(handles.get() - usize::from(!last));
        last
    }

    unsafe fn close(this: NonNull<Self>) {
        // SAFETY: the handle that is still counted keeps the slab.
        let slab = unsafe { this.as_ref() };
        slab.handles.set(0);
        if slab.live.get() == 0 {
            // SAFETY: nobody has a handle, and nothing is out.
            unsafe { Self::free(this) };
        }
    }
}
