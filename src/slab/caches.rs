//! The caches of a thread, by the addresses of their slabs: a table with open addressing.
//!
//! A slab may have the address of one that was closed before. Then the cache of that one has no room, and is replaced.

use alloc::boxed::Box;
use core::{
    cell::Cell,
    ptr::{self, NonNull},
    // What only one thread uses is nothing to loom.
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

#[cfg(loom)]
use loom::thread_local;
#[cfg(not(loom))]
use std::thread_local;

use super::cache::Cache;

/// The cells are atomics so that the first table can be a static; each is stored to by one thread.
struct Entry {
    slab: AtomicPtr<()>,
    cache: AtomicPtr<Cache>,
}

impl Entry {
    const fn new() -> Self {
        let (slab, cache) = (AtomicPtr::new(ptr::null_mut()), AtomicPtr::new(ptr::null_mut()));
        Entry { slab, cache }
    }

    #[inline(always)]
    fn slab(&self) -> *mut () {
        // ORDERING: Relaxed, here and below: they are one thread's.
        self.slab.load(Relaxed)
    }

    #[inline(always)]
    fn cache(&self) -> Option<NonNull<Cache>> {
        NonNull::new(self.cache.load(Relaxed))
    }

    fn set(&self, slab: *mut (), cache: *mut Cache) {
        self.slab.store(slab, Relaxed);
        self.cache.store(cache, Relaxed);
    }
}

/// A table: `2^(64 - shift)` entries, of which at least half are vacant.
#[derive(Clone, Copy)]
struct Entries {
    first: NonNull<Entry>,
    shift: u32,
}

impl Entries {
    /// Of threads that have no caches.
    const NONE: Entries = {
        static NONE: [Entry; 2] = [const { Entry::new() }; 2];
        let first = NonNull::new((&raw const NONE).cast_mut()).expect("a static has an address");
        Entries { first: first.cast(), shift: 63 }
    };

    /// Twice as many as these, but vacant.
    fn twice(self) -> Self {
        let shift = self.shift - 1;
        let entries = (0..1_usize << (64 - shift)).map(|_| Entry::new()).collect::<Box<[_]>>();
        Entries { first: NonNull::from(Box::leak(entries)).cast(), shift }
    }

    /// # Safety
    ///
    /// They are not used again.
    unsafe fn free(self) {
        if self.shift != Self::NONE.shift {
            let entries = NonNull::slice_from_raw_parts(self.first, self.mask() + 1);
            // SAFETY: they are from `Box::leak`, and this is the end of them.
            drop(unsafe { Box::from_raw(entries.as_ptr()) });
        }
    }

    fn mask(self) -> usize {
        (1 << (64 - self.shift)) - 1
    }

    /// Where an entry for the slab is looked for first. Multiplied by 2⁶⁴ divided by the golden ratio, addresses with equal
    /// distances get places with equal distances (Knuth, volume 3, 6.4).
    #[inline(always)]
    fn home(self, slab: *mut ()) -> usize {
        let hash = (slab.addr() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        #[expect(clippy::cast_possible_truncation, reason = "there are far less than 2³² places")]
        let place = (hash >> (self.shift & 63)) as usize;
        place
    }

    #[inline(always)]
    fn get(&self, place: usize) -> &Entry {
        // SAFETY: all places that are computed here are below the number of entries.
        let entry = unsafe { self.first.add(place) };
        // SAFETY: entries are freed when they are used no more.
        unsafe { entry.as_ref() }
    }

    /// The place of the entry of a slab, or of the vacant one where it belongs.
    fn place(self, slab: *mut ()) -> usize {
        let mut place = self.home(slab);
        while ![slab, ptr::null_mut()].contains(&self.get(place).slab()) {
            place = (place + 1) & self.mask();
        }
        place
    }

    /// Makes an entry vacant, and moves those behind it that would not be found any more.
    fn remove(self, place: usize) {
        let (mut gap, mut next) = (place, place);
        loop {
            next = (next + 1) & self.mask();
            let entry = self.get(next);
            let Some(cache) = entry.cache() else { break };
            let from_home = next.wrapping_sub(self.home(entry.slab())) & self.mask();
            let from_gap = next.wrapping_sub(gap) & self.mask();
            if from_home >= from_gap {
                self.get(gap).set(entry.slab(), cache.as_ptr());
                gap = next;
            }
        }
        self.get(gap).set(ptr::null_mut(), ptr::null_mut());
    }
}

struct Table {
    entries: Cell<Entries>,
    /// The number of caches.
    len: Cell<usize>,
    /// Where to look next for caches of slabs that are gone.
    hand: Cell<usize>,
}

/// So many entries are looked at when one is added, so that those that go are as many as those that come.
const AT_ONCE: usize = 4;

impl Table {
    const fn new() -> Self {
        Table { entries: Cell::new(Entries::NONE), len: Cell::new(0), hand: Cell::new(0) }
    }

    /// Takes out the cache at a place, if there is one, and leaves it.
    fn leave(&self, place: usize) {
        let entries = self.entries.get();
        let Some(cache) = entries.get(place).cache() else { return };
        entries.remove(place);
        self.len.set(self.len.get() - 1);
        // SAFETY: it was this thread's, and is found no more.
        unsafe { Cache::leave(cache) };
    }

    /// Leaves some caches of slabs that are gone.
    fn sweep(&self) {
        for _ in 0..AT_ONCE {
            let place = self.hand.get() & self.entries.get().mask();
            // SAFETY: a cache lives as long as it is in the table.
            let is_left = |cache: NonNull<Cache>| unsafe { cache.as_ref() }.is_left();
            if self.entries.get().get(place).cache().is_some_and(is_left) {
                self.leave(place);
            } else {
                self.hand.set(place + 1);
            }
        }
    }

    fn add(&self, slab: NonNull<()>, cache: NonNull<Cache>) {
        let old = self.entries.get();
        if (self.len.get() + 1) * 2 > old.mask() + 1 || old.shift == Entries::NONE.shift {
            let new = old.twice();
            for place in 0..=old.mask() {
                let entry = old.get(place);
                if let Some(cache) = entry.cache() {
                    new.get(new.place(entry.slab())).set(entry.slab(), cache.as_ptr());
                }
            }
            self.entries.set(new);
            // SAFETY: the new ones are used instead.
            unsafe { old.free() };
        }
        let entries = self.entries.get();
        entries.get(entries.place(slab.as_ptr())).set(slab.as_ptr(), cache.as_ptr());
        self.len.set(self.len.get() + 1);
    }

    /// Leaves all caches, at the end of the thread.
    fn leave_all(&self) {
        // A model that has failed is over before its threads are.
        #[cfg(loom)]
        if std::thread::panicking() {
            return;
        }
        let entries = self.entries.replace(Entries::NONE);
        for place in 0..=entries.mask() {
            if let Some(cache) = entries.get(place).cache() {
                // SAFETY: it was this thread's, and is found no more.
                unsafe { Cache::leave(cache) };
            }
        }
        // SAFETY: they were taken out.
        unsafe { entries.free() };
    }
}

#[cfg(not(loom))]
thread_local! {
    // Apart from what has a destructor, because this is read without asking whether it is there.
    static TABLE: Table = const { Table::new() };
    static LEAVER: Leaver = const { Leaver };
}
#[cfg(loom)]
thread_local! {
    static TABLE: Table = Table::new();
}

#[cfg(not(loom))]
struct Leaver;

#[cfg(not(loom))]
impl Drop for Leaver {
    fn drop(&mut self) {
        TABLE.with(Table::leave_all);
    }
}

/// Loom has no order between the values of a thread.
#[cfg(loom)]
impl Drop for Table {
    fn drop(&mut self) {
        self.leave_all();
    }
}

/// The thread has ended, as far as this crate is concerned, and gets no cache any more.
fn has_ended() -> bool {
    #[cfg(not(loom))]
    return LEAVER.try_with(|_| ()).is_err();
    #[cfg(loom)]
    return TABLE.try_with(|_| ()).is_err();
}

/// The cache that this thread has of a slab, if it is where it is looked for first. It lives until the thread leaves
/// it.
#[inline(always)]
pub(crate) fn find(slab: NonNull<()>) -> Option<NonNull<Cache>> {
    let found = TABLE.try_with(|table| {
        let entries = table.entries.get();
        let entry = entries.get(entries.home(slab.as_ptr()));
        // SAFETY: an entry with a slab has a cache.
        let cache = || unsafe { NonNull::new_unchecked(entry.cache.load(Relaxed)) };
        (entry.slab() == slab.as_ptr()).then(cache)
    });
    found.ok().flatten()
}

/// The cache that this thread has of a slab, wherever it is. From then on it is where it is looked for first.
pub(crate) fn find_anywhere(slab: NonNull<()>) -> Option<NonNull<Cache>> {
    let found = TABLE.try_with(|table| {
        let entries = table.entries.get();
        let entry = entries.get(entries.place(slab.as_ptr()));
        let cache = entry.cache()?;
        // The other one is found here, because its way leads from its own first place past that of this one.
        let first = entries.get(entries.home(slab.as_ptr()));
        entry.set(first.slab(), first.cache.load(Relaxed));
        first.set(slab.as_ptr(), cache.as_ptr());
        Some(cache)
    });
    found.ok().flatten()
}

/// Leaves the cache that this thread has of a slab, if there is one.
pub(crate) fn leave(slab: NonNull<()>) {
    // A thread that has ended has left all of them.
    let _left = TABLE.try_with(|table| table.leave(table.entries.get().place(slab.as_ptr())));
}

/// Gives this thread a cache of a slab of which it has none. `None` if the thread has ended.
pub(crate) fn add(
    slab: NonNull<()>,
    make: impl FnOnce() -> NonNull<Cache>,
) -> Option<NonNull<Cache>> {
    if has_ended() {
        return None;
    }
    let added = TABLE.try_with(|table| {
        table.sweep();
        let cache = make();
        table.add(slab, cache);
        cache
    });
    added.ok()
}
