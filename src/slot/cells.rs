//! The types of the fields of slots, and of the slabs that own slots: atomics if any thread may use these fields, and `Cell`s if only one
//! thread may. The code that uses the fields is generic, and accesses them through the traits [`Word`] and [`Pointer`].

use core::cell::Cell;
#[cfg(target_has_atomic = "64")]
use core::ptr;

use crate::pieces;
#[cfg(target_has_atomic = "64")]
use crate::sync::{
    AtomicPtr, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};

mod sealed {
    /// Unsafe code relies on the methods of [`Word`](super::Word) and [`Pointer`](super::Pointer). Because of this trait, only the types of
    /// this file implement them.
    pub(crate) trait Sealed {}
}

/// A field of 64 bits: an atomic or a `Cell`. For example, it contains a [`State`](super::State).
pub(crate) trait Word: sealed::Sealed {
    fn new(bits: u64) -> Self;

    /// Loads the bits. The caller also sees all stores that the storing thread made before it stored these bits.
    fn load(&self) -> u64;

    /// Loads the bits. The caller is already ordered after the store of these bits, or needs no order.
    fn load_own(&self) -> u64;

    /// Stores the bits. The caller makes sure that no other thread stores at the same time. A thread that [loads](Word::load) the bits also
    /// sees all earlier stores of the caller.
    fn publish(&self, bits: u64);

    /// Stores `new` if the word is still `current`. Otherwise, returns the bits of the word as an error. A thread that [loads](Word::load)
    /// or exchanges the word later sees all earlier stores of the caller. If another thread stored the bits that the caller found, the
    /// caller also sees all earlier stores of that thread.
    fn exchange(&self, current: u64, new: u64) -> Result<(), u64>;

    /// Stores 1 in this word. After this call, the caller loads another word, which other threads [exchange](Word::exchange). If the caller
    /// does not see such an exchange, the thread that makes the exchange sees the 1 by [`load_after_exchange`](Word::load_after_exchange).
    fn announce(&self);

    /// Loads the bits, after an exchange of another word by the calling thread. [`announce`](Word::announce) explains the protocol.
    fn load_after_exchange(&self) -> u64;

    /// Adds to a counter for statistics. The call orders no other access.
    fn add(&self, number: u64);

    /// Adds to a sum, which may wrap around. A thread that [loads](Word::load) the sum also sees all earlier stores of the caller.
    fn add_and_publish(&self, number: u64);

    /// Makes a loom model fail unless every earlier access of another thread happens-before this call.
    #[cfg(loom)]
    fn touch(&mut self);
}

/// A field that contains a pointer, or one half of a waker: an atomic or a `Cell`.
pub(crate) trait Pointer: sealed::Sealed {
    fn new(pointer: *mut ()) -> Self;
    fn load(&self) -> *mut ();
    fn store(&self, pointer: *mut ());
    /// Stores a pointer. A thread that [observes](Pointer::observe) the pointer also sees all earlier stores of the caller.
    fn publish(&self, pointer: *mut ());
    /// Loads a pointer that another thread may have [published](Pointer::publish). The caller also sees all stores that the other thread
    /// made before it published the pointer.
    fn observe(&self) -> *mut ();
    /// [Publishes](Pointer::publish) a pointer if the field is null. Otherwise, returns the pointer in the field as an error.
    fn publish_first(&self, pointer: *mut ()) -> Result<(), *mut ()>;

    /// Makes a loom model fail unless every earlier access of another thread happens-before this call.
    #[cfg(loom)]
    fn touch(&mut self);
}

impl sealed::Sealed for Cell<u64> {}
impl sealed::Sealed for Cell<*mut ()> {}

impl Word for Cell<u64> {
    fn new(bits: u64) -> Self {
        Cell::new(bits)
    }

    #[inline(always)]
    fn load(&self) -> u64 {
        pieces::load_whole(self)
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
impl sealed::Sealed for AtomicU64 {}
#[cfg(target_has_atomic = "64")]
impl sealed::Sealed for AtomicPtr<()> {}

#[cfg(target_has_atomic = "64")]
impl Word for AtomicU64 {
    fn new(bits: u64) -> Self {
        AtomicU64::new(bits)
    }

    #[inline(always)]
    fn load(&self) -> u64 {
        // ORDERING: Acquire, with the Release of the `exchange`, `publish` or `add_and_publish` that has stored the bits. For example, if
        // the bits are a state with a value, the caller sees the value.
        self.load(Acquire)
    }

    #[inline(always)]
    fn load_own(&self) -> u64 {
        // ORDERING: Relaxed. A caller that owns a role, or a magazine of vacant slots (see `slab/magazines.rs`), is already ordered after
        // the thread that stored the bits. Any other caller needs no order.
        self.load(Relaxed)
    }

    #[inline(always)]
    fn publish(&self, bits: u64) {
        // ORDERING: Release, with the Acquire of `load` and `exchange`. A producer that sees the first state of an operation also sees the
        // number of this operation. A producer that sees the number of the next operation also sees the final state of the previous
        // operation. A thread that sees that a source is free also sees all earlier accesses to the slot of the source.
        self.store(bits, Release);
    }

    #[inline(always)]
    fn exchange(&self, current: u64, new: u64) -> Result<(), u64> {
        // ORDERING: Release, with the loads and exchanges of other roles: these roles see all accesses that this role made to the value and
        // the wakers. Acquire, with the exchanges of other roles: this role sees the accesses of these roles to the value and the wakers.
        // SeqCst, with the fence in `announce`.
        self.compare_exchange(current, new, SeqCst, Acquire).map(drop)
    }

    fn announce(&self) {
        // ORDERING: Relaxed. The fence orders this store before all later loads of the caller. So either the caller sees the exchange of
        // another thread, or `load_after_exchange` of that thread sees this store. Another thread may see this store by `load_own`, which
        // is Relaxed. That thread only finds that the pool is closed, and needs no order.
        self.store(1, Relaxed);
        fence(SeqCst);
    }

    #[inline(always)]
    fn load_after_exchange(&self) -> u64 {
        // Loom treats a SeqCst exchange as AcqRel, but it supports SeqCst fences.
        #[cfg(loom)]
        fence(SeqCst);
        // ORDERING: SeqCst, with the fence in `announce`. The exchange that the caller made before this load is SeqCst, too.
        self.load(SeqCst)
    }

    #[inline(always)]
    fn add(&self, number: u64) {
        // ORDERING: Relaxed: the number is only for statistics.
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
        // ORDERING: Relaxed. A role that copies the waker of another role uses the halves only after an exchange has shown that the waker
        // was not replaced. A pointer in a magazine is read only by the owner of the magazine.
        self.load(Relaxed)
    }

    #[inline(always)]
    fn store(&self, pointer: *mut ()) {
        // ORDERING: Relaxed. A half of a waker is published by the exchange that follows. A pointer in a magazine is used only by the owner
        // of the magazine.
        self.store(pointer, Relaxed);
    }

    fn publish(&self, pointer: *mut ()) {
        // ORDERING: Release, with the Acquire of `observe`: a thread that observes the pointer sees its initialized target.
        self.store(pointer, Release);
    }

    #[inline(always)]
    fn observe(&self) -> *mut () {
        // ORDERING: Acquire, with the Release of `publish` and `publish_first`.
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
