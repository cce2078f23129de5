//! The caches of a thread, by the addresses of their slabs.
//!
//! A slab may have the address of one that was closed before. Then the cache of that one has no room, and is replaced.

use alloc::vec::Vec;
use core::{
    cell::{Cell, RefCell},
    ptr::NonNull,
};
use std::collections::HashMap;

#[cfg(loom)]
use loom::thread_local;
#[cfg(not(loom))]
use std::thread_local;

use super::{cache::Cache, list::Node};
use crate::sync::{AtomicUsize, Ordering::Relaxed};

/// The slabs whose caches are found at once: of those with the same place, the one that was used last.
struct Front {
    places: [Place; PLACES],
    /// Whether [`ALL`] was used, which may not be done for the first time where nothing may be allocated.
    has_any: Cell<bool>,
    /// A number for the thread, or 0.
    number: Cell<usize>,
}

type Place = Cell<Option<(NonNull<()>, Node<Cache>)>>;

const PLACES: usize = if cfg!(loom) { 2 } else { 32 };

impl Front {
    const fn new() -> Self {
        let places = [const { Cell::new(None) }; PLACES];
        Front { places, has_any: Cell::new(false), number: Cell::new(0) }
    }

    #[inline(always)]
    fn place(&self, slab: NonNull<()>) -> &Place {
        // A slab takes several times 128 bytes, and many slabs that follow each other have equal distances.
        let lines = slab.addr().get() / 128;
        &self.places[(lines ^ (lines / PLACES)) % PLACES]
    }
}

/// All caches of the thread, which leaves them when it ends.
struct All(RefCell<HashMap<NonNull<()>, Node<Cache>>>);

impl Drop for All {
    fn drop(&mut self) {
        // A model that has failed is over before its threads are.
        #[cfg(loom)]
        if std::thread::panicking() {
            return;
        }
        let _ended = FRONT.try_with(|front| {
            front.has_any.set(false);
            front.places.iter().for_each(|place| place.set(None));
        });
        for cache in self.0.get_mut().drain() {
            // SAFETY: it was this thread's, and is found no more.
            unsafe { Cache::leave(cache.1) };
        }
    }
}

#[cfg(not(loom))]
thread_local! {
    // Apart from what has a destructor, because this is read without asking whether it is there.
    static FRONT: Front = const { Front::new() };
    static ALL: All = All(RefCell::default());
}
#[cfg(loom)]
thread_local! {
    static FRONT: Front = Front::new();
    static ALL: All = All(RefCell::default());
}

/// The cache that this thread has of a slab, if it is found at once. It lives until the thread leaves it.
#[inline(always)]
pub(crate) fn find(slab: NonNull<()>) -> Option<Node<Cache>> {
    let found = FRONT.try_with(|front| {
        let (of, cache) = front.place(slab).get()?;
        (of == slab).then_some(cache)
    });
    found.ok().flatten()
}

/// The cache that this thread has of a slab, which has not let go of it. The next time it is found at once. For who
/// holds no lock: one that is of a slab that has gone is left.
pub(crate) fn find_anywhere(slab: NonNull<()>) -> Option<Node<Cache>> {
    let cache = find_any(slab)?;
    if cache.is_left() {
        leave(slab);
        return None;
    }
    let _found = FRONT.try_with(|front| front.place(slab).set(Some((slab, cache))));
    Some(cache)
}

fn find_any(slab: NonNull<()>) -> Option<Node<Cache>> {
    let may_have_one = FRONT.try_with(|front| front.has_any.get()).unwrap_or(false);
    let find = || ALL.try_with(|all| all.0.borrow().get(&slab).copied()).ok();
    may_have_one.then(find)??
}

/// Leaves the cache that this thread has of a slab, if there is one.
pub(crate) fn leave(slab: NonNull<()>) {
    if find_any(slab).is_some() {
        let _found = FRONT.try_with(|front| front.place(slab).set(None));
        let cache = ALL.try_with(|all| all.0.borrow_mut().remove(&slab));
        if let Ok(Some(cache)) = cache {
            // SAFETY: it was this thread's, and is found no more.
            unsafe { Cache::leave(cache) };
        }
    }
}

/// Gives this thread a cache of a slab of which it has none. `None` if the thread has ended.
pub(crate) fn add(slab: NonNull<()>, make: impl FnOnce() -> Node<Cache>) -> Option<Node<Cache>> {
    ALL.try_with(|all| {
        // Instead of growing: perhaps some are of slabs that are gone.
        let len = all.0.borrow().len();
        if len == all.0.borrow().capacity() {
            let all = all.0.borrow();
            let gone = all.iter().filter(|(_, cache)| cache.is_left()).map(|(slab, _)| *slab);
            let gone = gone.collect::<Vec<_>>();
            drop(all);
            gone.into_iter().for_each(leave);
        }
        let cache = make();
        let old = all.0.borrow_mut().insert(slab, cache);
        // Where thread-locals have no order, the front may have been made anew, and not have found it.
        if let Some(old) = old {
            // SAFETY: it was this thread's, and is found no more.
            unsafe { Cache::leave(old) };
        }
        let _found = FRONT.try_with(|front| {
            front.has_any.set(true);
            front.place(slab).set(Some((slab, cache)));
        });
        cache
    })
    .ok()
}

/// A number for this thread. Threads that follow each other have numbers that do.
#[inline(always)]
pub(crate) fn number() -> usize {
    let number = FRONT.try_with(|front| {
        if front.number.get() == 0 {
            front.number.set(next_number());
        }
        front.number.get()
    });
    number.unwrap_or(0)
}

#[cold]
fn next_number() -> usize {
    #[cfg(not(loom))]
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    #[cfg(loom)]
    crate::sync::model_static! {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
    }
    // ORDERING: Relaxed: only the number matters.
    NEXT.fetch_add(1, Relaxed)
}
