//! The cells of a slot: atomics if several threads use the slot, and plain cells if one thread does. Everything else about a slot is the
//! same.

#[cfg(feature = "trace")]
use core::sync::atomic::AtomicPtr as PlainAtomicPtr;
use core::{cell::Cell, panic::Location};
#[cfg(any(feature = "trace", target_has_atomic = "64"))]
use core::{ptr, sync::atomic::Ordering::Relaxed};

use crate::origin::Origin;
#[cfg(target_has_atomic = "64")]
use crate::sync::{
    AtomicPtr, AtomicU64,
    Ordering::{Acquire, Release, SeqCst},
    fence,
};

/// The cell of a [`State`](super::State).
pub(crate) trait Word {
    fn new(bits: u64) -> Self;

    /// Loads the bits. All stores before the store of these bits are visible.
    fn load(&self) -> u64;

    /// Loads the bits, for a caller that is already ordered after the last store.
    fn load_own(&self) -> u64;

    /// Stores the bits, while no other thread stores. All stores of the caller before this are visible to a thread that loads the bits.
    fn publish(&self, bits: u64);

    /// Stores `new` if the word is still `current`. Otherwise, returns the word. The earlier stores of both threads are visible to
    /// each other.
    fn exchange(&self, current: u64, new: u64) -> Result<(), u64>;

    /// Stores 1. If the caller then does not see an [exchange](Word::exchange) of another word, that exchange comes later. Its thread sees the
    /// 1 by [`load_after_exchange`](Word::load_after_exchange).
    fn announce(&self);

    fn load_after_exchange(&self) -> u64;

    /// Adds to a counter for statistics, which orders nothing.
    fn add(&self, number: u64);

    /// Adds to a sum, which wraps. All stores of the caller before this are visible to a thread that [loads](Word::load) the sum.
    fn add_and_publish(&self, number: u64);

    /// Makes a model fail if an access of another thread did not happen before.
    #[cfg(loom)]
    fn touch(&mut self);
}

/// The cell of half a waker, or of a pointer.
pub(crate) trait Pointer {
    fn new(pointer: *mut ()) -> Self;
    fn load(&self) -> *mut ();
    fn store(&self, pointer: *mut ());
    /// Stores a pointer. All stores of the caller before this are visible to a thread that [observes](Pointer::observe) the pointer.
    fn publish(&self, pointer: *mut ());
    fn observe(&self) -> *mut ();
    /// [Publishes](Pointer::publish) a pointer if there was none. Otherwise, returns the other pointer.
    fn publish_first(&self, pointer: *mut ()) -> Result<(), *mut ()>;

    /// Makes a model fail if an access of another thread did not happen before.
    #[cfg(loom)]
    fn touch(&mut self);
}

/// The origin of the operation in a slot, or null. Any thread may read it at any time.
pub(crate) struct OriginCell {
    // ORDERING: relaxed, without a partner. It is for reports only, and points to a constant.
    #[cfg(feature = "trace")]
    location: PlainAtomicPtr<Location<'static>>,
}

#[cfg_attr(
    not(feature = "trace"),
    expect(unused_variables, clippy::unused_self, reason = "the feature uses them")
)]
#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "pools use them"))]
impl OriginCell {
    pub(crate) const fn new() -> Self {
        OriginCell {
            #[cfg(feature = "trace")]
            location: PlainAtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline(always)]
    pub(crate) fn set(&self, origin: Origin) {
        #[cfg(feature = "trace")]
        if let Some(location) = origin.location() {
            self.location.store(ptr::from_ref(location).cast_mut(), Relaxed);
        }
    }

    #[inline(always)]
    pub(crate) fn clear(&self) {
        #[cfg(feature = "trace")]
        self.location.store(ptr::null_mut(), Relaxed);
    }

    pub(crate) fn get(&self) -> Option<&'static Location<'static>> {
        #[cfg(feature = "trace")]
        // SAFETY: the pointer is null, or comes from a `&'static Location`.
        return unsafe { self.location.load(Relaxed).as_ref() };
        #[cfg(not(feature = "trace"))]
        None
    }
}

impl Word for Cell<u64> {
    fn new(bits: u64) -> Self {
        Cell::new(bits)
    }

    #[inline(always)]
    fn load(&self) -> u64 {
        // Volatile, so that the compiler does not load only the half that is needed: a load that begins inside the last store waits for the
        // cache.
        // SAFETY: a cell is valid for reads.
        unsafe { self.as_ptr().read_volatile() }
    }

    #[inline(always)]
    fn load_own(&self) -> u64 {
        self.get()
    }

    #[inline(always)]
    fn publish(&self, bits: u64) {
        self.set(bits);
    }

    #[inline(always)]
    fn exchange(&self, current: u64, new: u64) -> Result<(), u64> {
        let found = self.get();
        if found != current {
            return Err(found);
        }
        self.set(new);
        Ok(())
    }

    fn announce(&self) {
        self.set(1);
    }

    #[inline(always)]
    fn load_after_exchange(&self) -> u64 {
        self.get()
    }

    #[inline(always)]
    fn add(&self, number: u64) {
        self.set(self.get() + number);
    }

    fn add_and_publish(&self, number: u64) {
        self.set(self.get().wrapping_add(number));
    }

    #[cfg(loom)]
    fn touch(&mut self) {}
}

impl Pointer for Cell<*mut ()> {
    fn new(pointer: *mut ()) -> Self {
        Cell::new(pointer)
    }

    #[inline(always)]
    fn load(&self) -> *mut () {
        self.get()
    }

    #[inline(always)]
    fn store(&self, pointer: *mut ()) {
        self.set(pointer);
    }

    fn publish(&self, pointer: *mut ()) {
        self.set(pointer);
    }

    #[inline(always)]
    fn observe(&self) -> *mut () {
        self.get()
    }

    fn publish_first(&self, pointer: *mut ()) -> Result<(), *mut ()> {
        if !self.get().is_null() {
            return Err(self.get());
        }
        self.set(pointer);
        Ok(())
    }

    #[cfg(loom)]
    fn touch(&mut self) {}
}

#[cfg(target_has_atomic = "64")]
impl Word for AtomicU64 {
    fn new(bits: u64) -> Self {
        AtomicU64::new(bits)
    }

    #[inline(always)]
    fn load(&self) -> u64 {
        // ORDERING: Acquire, with the exchange that has stored the state: the value or waker that the state announces is visible.
        self.load(Acquire)
    }

    #[inline(always)]
    fn load_own(&self) -> u64 {
        // ORDERING: Relaxed. The caller has a role, which it got from the thread that stored last.
        self.load(Relaxed)
    }

    #[inline(always)]
    fn publish(&self, bits: u64) {
        // ORDERING: Release, with the Acquire of `load` and `exchange`. A producer that sees the state of an
        // operation sees its number. One that sees the number of the next operation sees the end of this one. A
        // thread that finds a source free sees everything that was done in its slot.
        self.store(bits, Release);
    }

    #[inline(always)]
    fn exchange(&self, current: u64, new: u64) -> Result<(), u64> {
        // ORDERING: Release, with the loads and exchanges of other roles: all accesses of this role to the cells come before. Acquire, with
        // the exchanges of other roles: their accesses to the cells come before those of this role. SeqCst, with the fence in `announce`.
        self.compare_exchange(current, new, SeqCst, Acquire).map(drop)
    }

    fn announce(&self) {
        // ORDERING: Relaxed: the fence orders it before everything that the caller loads afterwards. So either the caller sees an
        // exchange of another thread, or `load_after_exchange` of that thread sees this store. A thread that sees it by a
        // Relaxed load only fails earlier.
        self.store(1, Relaxed);
        fence(SeqCst);
    }

    #[inline(always)]
    fn load_after_exchange(&self) -> u64 {
        // Loom has no exchange that is SeqCst, but fences.
        #[cfg(loom)]
        fence(SeqCst);
        // ORDERING: SeqCst, with the fence in `announce`. The exchange before is SeqCst too.
        self.load(SeqCst)
    }

    #[inline(always)]
    fn add(&self, number: u64) {
        // ORDERING: Relaxed: it is for statistics.
        self.fetch_add(number, Relaxed);
    }

    fn add_and_publish(&self, number: u64) {
        // ORDERING: Release, with the Acquire of `load`.
        self.fetch_add(number, Release);
    }

    #[cfg(loom)]
    fn touch(&mut self) {
        self.with_mut(|_| ());
    }
}

#[cfg(target_has_atomic = "64")]
impl Pointer for AtomicPtr<()> {
    fn new(pointer: *mut ()) -> Self {
        AtomicPtr::new(pointer)
    }

    #[inline(always)]
    fn load(&self) -> *mut () {
        // ORDERING: Relaxed. A half of a waker is used only after an exchange has shown that it was not replaced. A pointer in a list is
        // read by the owner of the list.
        self.load(Relaxed)
    }

    #[inline(always)]
    fn store(&self, pointer: *mut ()) {
        // ORDERING: Relaxed, as above: the exchange that follows publishes it.
        self.store(pointer, Relaxed);
    }

    fn publish(&self, pointer: *mut ()) {
        // ORDERING: Release, with `observe`: the target of the pointer was initialized before.
        self.store(pointer, Release);
    }

    #[inline(always)]
    fn observe(&self) -> *mut () {
        // ORDERING: Acquire, with `publish`.
        self.load(Acquire)
    }

    fn publish_first(&self, pointer: *mut ()) -> Result<(), *mut ()> {
        // ORDERING: Release and Acquire, as in `publish` and `observe`.
        let exchanged = self.compare_exchange(ptr::null_mut(), pointer, Release, Acquire);
        exchanged.map(drop)
    }

    #[cfg(loom)]
    fn touch(&mut self) {
        self.with_mut(|_| ());
    }
}
