//! The slab of one thread: a list, and counts.

use alloc::boxed::Box;
use core::{
    cell::{Cell, RefCell},
    mem::MaybeUninit,
    ptr::NonNull,
};

use super::{
    Base, Depot, Item, Keep, Room, Settings, Slab, Spare, Stats, Unlimited,
    magazines::{MAGAZINE, Magazines, ROOM},
    waiters::{self, Waiters},
};
use crate::slot::{End, WakeOnDrop, Word};

#[repr(C)]
pub(crate) struct LocalSlab<S: Item> {
    base: Base<S>,
    magazines: Magazines<Cell<u64>, Cell<*mut ()>>,
    handles: Cell<usize>,
    /// `true` if there is a handle and no future waits: a slot that is returned needs no more than a place.
    is_plain: Cell<bool>,
    waiters: RefCell<Waiters<S>>,
    depot: RefCell<Depot<S>>,
}

impl<S: Item> LocalSlab<S> {
    /// Moves slots to the depot, to make room for others.
    #[cold]
    #[inline(never)]
    fn make_room(&self) {
        self.magazines.drain(MAGAZINE.into(), &mut self.depot.borrow_mut(), &self.base.storage);
        self.free_empty_pages(Keep::Useful, usize::MAX);
    }

    /// Frees a slab without handles, or its empty pages if slots are in use.
    ///
    /// # Safety
    ///
    /// There is no handle, and the caller does not use the slab again.
    unsafe fn end(this: NonNull<Self>) {
        // SAFETY: the slab is allocated until the last slot is returned, which calls this last.
        let slab = unsafe { this.as_ref() };
        if u64::from(slab.depot.borrow().counts.in_use()) == slab.magazines.len() {
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
            unsafe { self.base.storage.free(page) };
        }
    }
}

impl<S: Item> Slab for LocalSlab<S> {
    type Slot = S;

    fn new(settings: Settings<S>) -> NonNull<Self> {
        let initial = settings.initial;
        let this = NonNull::from(Box::leak(Box::<Self>::new_uninit())).cast::<Self>();
        let slab = MaybeUninit::new(LocalSlab {
            magazines: Magazines::new(),
            handles: Cell::new(1),
            is_plain: Cell::new(true),
            waiters: RefCell::new(Waiters::new()),
            depot: RefCell::new(Depot::new(settings.first_generation)),
            base: Base::new(this.cast(), settings, 1),
        });
        // SAFETY: it is the place of a slab, which nobody else has seen.
        unsafe { this.cast::<MaybeUninit<Self>>().write(slab) };
        // SAFETY: the handle that is about to be returned keeps the slab.
        unsafe { this.as_ref() }.reserve(initial, Unlimited);
        this
    }

    #[inline(always)]
    fn base(&self) -> &Base<S> {
        &self.base
    }

    fn with_depot<R>(&self, f: impl FnOnce(&mut Depot<S>) -> R) -> R {
        f(&mut self.depot.borrow_mut())
    }

    fn begin_growth(&self) -> impl Sized {}

    fn cached(&self) -> u64 {
        self.magazines.len()
    }

    fn drain(&self) {
        let depot = &mut self.depot.borrow_mut();
        self.magazines.drain(self.magazines.len(), depot, &self.base.storage);
    }

    fn spare(&self) -> (Spare, u64) {
        (self.depot.borrow().spare(&self.base.storage), self.cached())
    }

    fn stats(&self) -> Stats {
        let vacant = self.cached() + u64::from(self.waiters.borrow().given());
        self.base.stats(self.depot.borrow().counts, vacant, 0)
    }

    #[inline(always)]
    fn try_rent(&self) -> Option<NonNull<S>> {
        let slot = self.magazines.pop(ROOM)?;
        if !S::INDEXED {
            self.base.rented.add(1);
        }
        Some(slot)
    }

    #[cold]
    #[inline(never)]
    fn rent_slowly(&self, room: impl Room) -> Option<NonNull<S>> {
        loop {
            self.magazines.refill(&mut self.depot.borrow_mut(), 1);
            let slot = self.try_rent();
            if slot.is_some() || !self.grow(room, |_| false) {
                return slot;
            }
        }
    }

    #[inline(always)]
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> bool {
        // SAFETY: the slot is out, so the slab lives.
        let slab = unsafe { this.as_ref() };
        let usual = !end.exhausted && !end.cancelled && slab.is_plain.get();
        usual && slab.magazines.push(slot, ROOM)
    }

    unsafe fn put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> WakeOnDrop {
        // SAFETY: the slot is out, so the slab lives.
        let slab = unsafe { this.as_ref() };
        let mut wake = WakeOnDrop::NONE;
        // SAFETY: the slot came back so.
        if end.exhausted && !unsafe { S::begin_epoch(slot, slab.base.settings.layout) } {
            slab.depot.borrow_mut().counts.retired += 1;
            if slab.has_waiters() && waiters::is_worn_out(slab) {
                wake = waiters::end_first(slab);
            }
        } else if slab.has_waiters() {
            let given = slab.with_waiters(|waiters| waiters.give(slot));
            wake = WakeOnDrop(given.map(|(_, waker)| waker));
        } else if !slab.magazines.push(slot, ROOM) {
            slab.make_room();
            slab.magazines.push(slot, ROOM);
        }
        if end.cancelled {
            slab.base.cancelled.add(1);
        }
        if slab.handles.get() == 0 {
            // SAFETY: nobody has a handle.
            unsafe { Self::end(this) };
        }
        wake
    }

    fn with_waiters<R>(&self, f: impl FnOnce(&mut Waiters<S>) -> R) -> R {
        let mut waiters = self.waiters.borrow_mut();
        let result = f(&mut waiters);
        self.is_plain.set(self.handles.get() != 0 && waiters.is_empty());
        result
    }

    fn has_waiters(&self) -> bool {
        !self.is_plain.get() && self.handles.get() != 0
    }

    fn pass_locks(&self) {}

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
        slab.is_plain.set(false);
        // SAFETY: nobody has a handle any more.
        unsafe { Self::end(this) };
    }
}
