//! The slab of one thread: a list, and counts.

use alloc::boxed::Box;
use core::{
    cell::{Cell, RefCell},
    mem::MaybeUninit,
    ptr::NonNull,
};

use super::{
    Depot, Item, Settings, Slab, Stats, Storage,
    magazines::{MAGAZINE, Magazines, ROOM},
};
use crate::slot::End;

#[repr(C)]
pub(crate) struct LocalSlab<S: Item> {
    settings: Settings<S>,
    magazines: Magazines<Cell<u64>, Cell<*mut ()>>,
    live: Cell<u64>,
    handles: Cell<usize>,
    storage: Storage<S>,
    depot: RefCell<Depot<S>>,
    /// The number of rents, if slots do not count their uses.
    rented: Cell<u64>,
    abandoned: Cell<u64>,
    refused: Cell<u64>,
    allocations: Cell<u64>,
}

fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

impl<S: Item> LocalSlab<S> {
    #[cold]
    #[inline(never)]
    fn rent_from_depot(&self) -> Option<NonNull<S>> {
        loop {
            self.magazines.refill(&mut self.depot.borrow_mut(), 1);
            let slot = self.magazines.pop(ROOM);
            if slot.is_some() || !self.grow() {
                return slot;
            }
        }
    }

    fn grow(&self) -> bool {
        let capacity = self.depot.borrow().capacity();
        if capacity >= self.settings.limit() {
            return false;
        }
        let (page, allocations) = self.storage.allocate(capacity);
        self.depot.borrow_mut().add(page);
        self.allocations.set(self.allocations.get() + allocations);
        true
    }

    /// Moves slots to the depot, to make room for others.
    #[cold]
    #[inline(never)]
    fn make_room(&self) {
        self.magazines.drain(MAGAZINE.into(), &mut self.depot.borrow_mut(), &self.storage);
        self.free_empty_pages(false);
    }

    /// Frees empty pages: all, or the surplus.
    fn free_empty_pages(&self, all: bool) -> u32 {
        let before = self.depot.borrow().capacity();
        while let Some(page) = { self.depot.borrow_mut().remove_surplus(&self.storage, all) } {
            // SAFETY: all its slots are vacant, and it is in no list.
            unsafe { self.storage.free(page) };
        }
        before - self.depot.borrow().capacity()
    }

    /// Frees a slab without handles, or its empty pages if slots are in use.
    ///
    /// # Safety
    ///
    /// There is no handle, and the caller does not use the slab again.
    unsafe fn end(this: NonNull<Self>) {
        // SAFETY: the slab is allocated until the last slot is returned, which calls this last.
        let slab = unsafe { this.as_ref() };
        if slab.live.get() == 0 {
            // SAFETY: `new` made it with `Box::leak`, and nobody uses it again.
            drop(unsafe { Box::from_raw(this.as_ptr()) });
        } else {
            slab.trim();
        }
    }
}

impl<S: Item> Drop for LocalSlab<S> {
    fn drop(&mut self) {
        while let Some(page) = self.depot.get_mut().remove_page() {
            // SAFETY: no slot is in use, and nobody refers to the slab.
            unsafe { self.storage.free(page) };
        }
    }
}

impl<S: Item> Slab for LocalSlab<S> {
    type Slot = S;

    fn new(settings: Settings<S>) -> NonNull<Self> {
        let zero = || Cell::new(0);
        let initial = settings.initial;
        let this = NonNull::from(Box::leak(Box::<Self>::new_uninit())).cast::<Self>();
        let slab = MaybeUninit::new(LocalSlab {
            magazines: Magazines::new(),
            live: zero(),
            handles: Cell::new(1),
            storage: Storage::new(this.cast(), &settings.table, settings.limit()),
            depot: RefCell::new(Depot::new(settings.first_generation)),
            settings,
            rented: zero(),
            abandoned: zero(),
            refused: zero(),
            allocations: Cell::new(1),
        });
        // SAFETY: it is the place of a slab, which nobody else has seen.
        unsafe { this.cast::<MaybeUninit<Self>>().write(slab) };
        // SAFETY: the handle that is about to be returned keeps the slab.
        unsafe { this.as_ref() }.reserve(initial);
        this
    }

    fn settings(&self) -> &Settings<S> {
        &self.settings
    }

    #[inline(always)]
    fn storage(&self) -> &Storage<S> {
        &self.storage
    }

    #[inline(always)]
    fn rent(&self) -> Option<NonNull<S>> {
        let slot = self.magazines.pop(ROOM).or_else(|| self.rent_from_depot())?;
        count(&self.live);
        if !S::INDEXED {
            count(&self.rented);
        }
        Some(slot)
    }

    #[inline(always)]
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> bool {
        // SAFETY: the slot is out, so the slab lives.
        let slab = unsafe { this.as_ref() };
        let usual = !end.exhausted && !end.abandoned && slab.handles.get() != 0;
        let put = usual && slab.magazines.push(slot, ROOM);
        if put {
            slab.live.set(slab.live.get() - 1);
        }
        put
    }

    unsafe fn put(this: NonNull<Self>, slot: NonNull<S>, end: End) {
        // SAFETY: the slot is out, so the slab lives.
        let slab = unsafe { this.as_ref() };
        // SAFETY: the slot came back so.
        if end.exhausted && !unsafe { S::begin_epoch(slot, slab.settings.layout) } {
            slab.depot.borrow_mut().retire();
        } else if !slab.magazines.push(slot, ROOM) {
            slab.make_room();
            slab.magazines.push(slot, ROOM);
        }
        if end.abandoned {
            count(&slab.abandoned);
        }
        slab.live.set(slab.live.get() - 1);
        if slab.handles.get() == 0 {
            // SAFETY: nobody has a handle.
            unsafe { Self::end(this) };
        }
    }

    fn reserve(&self, additional: u32) {
        let gone = |depot: &Depot<S>| self.live.get() + u64::from(depot.retired());
        let is_short =
            |depot: &Depot<S>| u64::from(depot.capacity()) - gone(depot) < additional.into();
        let kept = self.live.get().saturating_add(additional.into());
        self.depot.borrow_mut().reserve(u32::try_from(kept).unwrap_or(u32::MAX));
        while is_short(&self.depot.borrow()) && self.grow() {}
    }

    fn trim(&self) -> u32 {
        let mut depot = self.depot.borrow_mut();
        self.magazines.drain(self.magazines.len(), &mut depot, &self.storage);
        depot.forget_reserved();
        drop(depot);
        self.free_empty_pages(true)
    }

    fn stats(&self) -> Stats {
        let depot = self.depot.borrow();
        let uses = self.storage.uses(self.settings.first_generation);
        let (rented, high_water) = uses.unwrap_or((self.rented.get(), depot.most().into()));
        let live = self.live.get();
        Stats {
            rented,
            returned: rented - live,
            live,
            high_water,
            capacity: depot.capacity().into(),
            retired: depot.retired().into(),
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
        // SAFETY: nobody has a handle any more.
        unsafe { Self::end(this) };
    }
}
