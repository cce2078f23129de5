//! Roles: who may use a slot, and for what. Each role is a type. It is created where the role begins, it dereferences to the slot, and
//! the transition that ends the role consumes it.
//!
//! | role | begins when | may | ends when |
//! |---|---|---|---|
//! | [`Vacant`] | a slab takes a vacant slot out, or the last role of an operation ends | begin an operation | the operation begins, or the slab takes the slot back |
//! | [`ConsumerRole`] | the operation begins | register a waker | the consumer takes the result, or leaves |
//! | [`CompleterRole`] | the operation begins | watch the consumer, issue the key | the completer completes or abandons the operation, or leaves it to its key |
//! | [`Claim`] | a key, a completer or a closed pool claims the operation | complete the operation | it completes or abandons the operation, or the consumer has left |
//!
//! All unsafe accesses to slots are in this file. Its private functions rely on the rules in `states.md`. Only the files of this folder
//! call them, as the rules allow. The public functions of the roles cannot be misused.

mod claim;
mod completer;
mod consumer;
mod erased;

#[cfg(feature = "alloc")]
use core::panic::Location;
#[cfg(feature = "trace")]
use core::sync::atomic::Ordering::Relaxed;
use core::{
    marker::PhantomData,
    ops::Deref,
    ptr::{self, NonNull},
    task::{Poll, RawWaker, RawWakerVTable, Waker},
};

use super::{
    End, ForThreads, IndexLayout, Number, Recycler, WakeOnDrop,
    slot::{OriginCell, Slot, WakerCell, WakerParts},
    state::State,
};
use crate::{
    erased::{Header, Reference, ThinReference, VTable},
    pieces,
    slot::cells::Word,
};

#[cfg(feature = "alloc")]
pub(crate) use self::claim::{abandon_keyed, orphan};
pub(crate) use self::{
    claim::{Presented, abandon_key, complete_key},
    completer::CompleterRole,
    consumer::{ConsumerRole, Finished},
    erased::{SlotTable, table},
};

/// The header of a slot outside of a slab.
pub(crate) struct SlotHeader<T, H>(Header, PhantomData<fn() -> (T, H)>);

impl<T, H> SlotHeader<T, H> {
    /// # Safety
    ///
    /// The table lives as long as the slot. [`standalone`](Slot::standalone) is called with cells without a waker, with the number of the
    /// first operation, and with the state before it.
    pub(crate) const unsafe fn new(table: *const SlotTable<T, H>) -> Self {
        SlotHeader(Header::new(table.cast::<VTable<T>>()), PhantomData)
    }

    pub(super) const fn get(self) -> Header {
        self.0
    }
}

impl<T, H: Recycler> Slot<T, H> {
    /// Initializes a vacant slot in `place`. Its first operation will have the number `first`.
    ///
    /// The fields are written one by one, because a large cell for a value must not be on the stack.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes, and no other thread uses it. The table lives as long as the slot.
    pub(crate) unsafe fn make(
        place: NonNull<Self>,
        table: NonNull<SlotTable<T, H>>,
        first: Number,
    ) {
        let slot = place.as_ptr();
        macro_rules! write {
            ($field:ident, $value:expr) => {{
                let value = $value;
                // SAFETY: the caller's.
                let field = unsafe { &raw mut (*slot).$field };
                // SAFETY: as above.
                unsafe { field.write(value) };
            }};
        }
        write!(header, Header::at(table.cast::<VTable<T>>()));
        write!(state, H::Word::new(State::before(first).bits()));
        write!(number, H::Word::new(first.bits()));
        write!(waker, WakerCell::new());
        write!(watcher, WakerCell::new());
        write!(origin, OriginCell::new());
        // A cell without a value needs no initialization, unless loom records its accesses.
        #[cfg(loom)]
        write!(value, crate::sync::UnsafeCell::new(core::mem::MaybeUninit::uninit()));
    }

    /// Returns the function that creates the result of an operation that ended without a value.
    fn abandoned(&self) -> fn() -> T {
        // SAFETY: `make` and `standalone` were given a table of this type, which lives as long as the slot.
        unsafe { self.table().cast::<SlotTable<T, H>>().as_ref() }.abandoned
    }

    /// Returns the line that rented the slot, if there is a live operation and the feature `trace` is on.
    #[cfg(feature = "alloc")]
    #[cfg_attr(not(feature = "trace"), expect(clippy::unused_self, reason = "the feature uses it"))]
    pub(crate) fn origin(&self) -> Option<&'static Location<'static>> {
        #[cfg(feature = "trace")]
        // SAFETY: the pointer is null, or comes from a `&'static Location`.
        return unsafe { self.origin.location.load(Relaxed).as_ref() };
        #[cfg(not(feature = "trace"))]
        None
    }
}

/// A slot that is vacant, and that no list of its slab contains. Only the owner of this value uses the slot. (A producer with a late
/// key may read the state and the number of the slot at any time. They are atomics.)
///
/// The slab creates one when it takes a slot out of its lists. The last role of an operation creates one when it ends. A slab
/// consumes it to take the slot back.
#[must_use = "a slot that is not returned is lost"]
pub(crate) struct Vacant<S>(NonNull<S>);

impl<S> Vacant<S> {
    /// # Safety
    ///
    /// The slot is vacant and initialized, no other value of this type has it, and no list of the slab contains it. It stays
    /// allocated until it is returned. The pointer is valid for the whole object that contains the slot, as far as its owner uses that.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<S>) -> Self {
        Vacant(slot)
    }

    /// Converts the right into the address of the slot.
    #[inline(always)]
    pub(crate) fn into_pointer(self) -> NonNull<S> {
        self.0
    }
}

impl<S> Deref for Vacant<S> {
    type Target = S;

    #[inline(always)]
    fn deref(&self) -> &S {
        // SAFETY: the slot stays allocated as long as this value exists, by the contract of `new`.
        unsafe { self.0.as_ref() }
    }
}

/// A slot, vacant or not, of a slab or a source that is borrowed for `'a`. So the slot stays allocated for `'a`.
pub(crate) struct SlotRef<'a, S>(NonNull<S>, PhantomData<&'a S>);

impl<S> SlotRef<'_, S> {
    /// # Safety
    ///
    /// The slot is initialized, and stays allocated for the lifetime. The pointer is valid for the whole object that contains the slot,
    /// as far as its owner uses that.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<S>) -> Self {
        SlotRef(slot, PhantomData)
    }

    /// Returns the address of the slot.
    #[inline(always)]
    pub(crate) fn pointer(self) -> NonNull<S> {
        self.0
    }
}

impl<S> Clone for SlotRef<'_, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for SlotRef<'_, S> {}

impl<S> Deref for SlotRef<'_, S> {
    type Target = S;

    #[inline(always)]
    fn deref(&self) -> &S {
        // SAFETY: the slot is allocated, by the contract of `new`.
        unsafe { self.0.as_ref() }
    }
}

/// The address of a slot.
///
/// Invariant: the slot stays allocated as long as the role that contains this value.
struct Rented<T, H: Recycler>(NonNull<Slot<T, H>>);

impl<T, H: Recycler> Clone for Rented<T, H> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, H: Recycler> Copy for Rented<T, H> {}

// SAFETY: the producer moves a value into the slot, and the consumer moves it out, on any thread. The cells of the slot are atomic.
unsafe impl<T: Send, H: ForThreads> Send for Rented<T, H> {}
// SAFETY: a shared reference only gives access to the state and to the numbers, which are atomic.
unsafe impl<T: Send, H: ForThreads> Sync for Rented<T, H> {}

/// A transition that was made: the state after it, and the wakers whose flags it cleared.
struct Change {
    state: State,
    waker: Option<Waker>,
    watcher: Option<Waker>,
}

/// # Safety
///
/// The parts are those of a waker that belongs to the caller. It is created once.
#[inline(always)]
unsafe fn waker_of(parts: WakerParts) -> Waker {
    // SAFETY: the vtable of a waker is a static reference.
    let vtable: &'static RawWakerVTable = unsafe { &*parts.vtable.cast() };
    // SAFETY: these are the halves of a waker, so they keep its contract.
    unsafe { Waker::from_raw(RawWaker::new(parts.data, vtable)) }
}

impl<T, H: Recycler> Rented<T, H> {
    #[inline(always)]
    fn slot(&self) -> &Slot<T, H> {
        // SAFETY: the slot is allocated, by the invariant.
        unsafe { self.0.as_ref() }
    }

    /// The calling role keeps the slot allocated for the lifetime of the borrow.
    fn borrowed(&self) -> SlotRef<'_, Slot<T, H>> {
        // SAFETY: the invariant. The address is the one that the slab or the source gave.
        unsafe { SlotRef::new(self.0) }
    }

    /// Makes a transition if the state is still `from`. Otherwise, returns the state.
    ///
    /// If the transition ends the role, the slot may be freed at once. So no reference to the slot is an argument of a call here.
    #[inline(always)]
    fn exchange(self, from: State, to: State) -> Result<(), State> {
        let word = &self.slot().state;
        word.exchange(from.bits(), to.bits()).map_err(State::from_bits)
    }

    /// Makes a transition from `state`, or from the state that other roles have made of it. Takes out the wakers whose flags it clears.
    /// Returns the state as an error if the transition is not allowed.
    #[inline]
    fn change(
        self,
        mut state: State,
        transition: impl Fn(State) -> Option<State>,
    ) -> Result<Change, State> {
        while let Some(next) = transition(state) {
            let cleared = state.without(next);
            let waker = cleared.is_waiting().then(|| self.slot().waker.copy());
            let watcher = cleared.is_watched().then(|| self.slot().watcher.copy());
            let Err(now) = self.exchange(state, next) else {
                // SAFETY: this exchange has cleared the flag, from the state that was loaded before the copy was made. So the copy is the
                // waker that was stored last, and by rule 2 it belongs to this role.
                let own = |parts: WakerParts| unsafe { waker_of(parts) };
                return Ok(Change {
                    state: next,
                    waker: waker.map(own),
                    watcher: watcher.map(own),
                });
            };
            state = now;
        }
        Err(state)
    }

    /// Makes the transition from exactly `state` to `next`, which clears the flag of the waker of the consumer. Takes the waker out.
    /// A role that knows the state beforehand does not wait for the load.
    #[inline(always)]
    fn exchange_for_waker(self, state: State, next: State) -> Option<Waker> {
        let waker = self.slot().waker.copy();
        self.exchange(state, next).ok()?;
        // SAFETY: as in `change`.
        Some(unsafe { waker_of(waker) })
    }

    /// Stores a value. By rule 1, the value cell belongs to the calling role, and it is empty.
    #[inline(always)]
    fn store_value(self, value: T) {
        self.slot().value.with_mut(|cell| {
            // SAFETY: no other role accesses the cell, by rule 1.
            pieces::write(unsafe { &mut *cell }, value);
        });
    }

    /// Takes the value out. By rule 1, the value cell belongs to the calling role, and it contains a value.
    #[inline(always)]
    fn take_value(self) -> T {
        self.slot().value.with_mut(|cell| {
            // SAFETY: no other role accesses the cell, by rule 1.
            let value = unsafe { &*cell };
            // SAFETY: it contains a value, which is read once.
            unsafe { value.assume_init_read() }
        })
    }

    /// Drops the value in its cell, as [`take_value`](Rented::take_value) takes it.
    fn drop_value(self) {
        self.slot().value.with_mut(|cell| {
            // SAFETY: no other role accesses the cell, by rule 1.
            let value = unsafe { &mut *cell };
            // SAFETY: it contains a value, which is dropped once.
            unsafe { value.assume_init_drop() };
        });
    }

    /// Ends the operation. By rule 3, the slot is unreferenced.
    #[inline(always)]
    fn end(self, cancelled: bool) -> (Vacant<Slot<T, H>>, End) {
        let end = self.slot().end(cancelled);
        // SAFETY: no role refers to the slot, by rule 3. So no other role ends the operation, and the slot is in no list.
        (unsafe { Vacant::new(self.0) }, end)
    }

    /// Ends the operation, and returns the slot to its slab, which may be freed then. By rule 3, the slot is unreferenced. `last` is
    /// its state. Returns the waker of the future that was given the slot.
    #[inline(always)]
    fn release(self, last: State) -> WakeOnDrop {
        let (vacant, end) = self.end(last.is_pending());
        match H::try_release(vacant, end) {
            Ok(()) => WakeOnDrop::NONE,
            Err(vacant) => H::release(vacant, end),
        }
    }
}

impl<T, H: Recycler> CompleterRole<'_, T, H> {
    /// Converts the address of a slot into its role.
    ///
    /// # Safety
    ///
    /// The operation of the slot has a completer, which the caller is: it was leaked, or converted into a pointer. The slot stays allocated
    /// for the lifetime.
    pub(crate) unsafe fn from_raw(slot: *mut ()) -> Self {
        CompleterRole::new(Rented(NonNull::new(slot).expect("a slot has an address").cast()))
    }
}

impl<T, H: Recycler> ConsumerRole<T, H> {
    /// Converts the address of a slot into its role.
    ///
    /// # Safety
    ///
    /// The operation of the slot has a consumer, which the caller is: it was leaked. The slot stays allocated until the role ends.
    #[inline(always)]
    pub(crate) unsafe fn from_leaked(slot: NonNull<Slot<T, H>>) -> Self {
        ConsumerRole(Rented(slot))
    }
}

// SAFETY: a slot stays allocated while it has a consumer. It begins with a header, whose table is from `table`.
unsafe impl<T, H: Recycler> ThinReference for ConsumerRole<T, H> {
    type Pointee = Slot<T, H>;

    #[inline(always)]
    fn into_raw(self) -> (NonNull<Slot<T, H>>, Reference) {
        let ConsumerRole(Rented(slot)) = self;
        (slot, Reference::Borrowed)
    }

    #[inline(always)]
    unsafe fn from_raw(slot: NonNull<Slot<T, H>>, _: Reference) -> Self {
        ConsumerRole(Rented(slot))
    }
}

impl<T, H: Recycler> Vacant<Slot<T, H>> {
    /// Begins an operation with a completer.
    #[inline(always)]
    pub(crate) fn begin_with_completer(self) -> (CompleterRole<'static, T, H>, ConsumerRole<T, H>) {
        self.begin_in(State::rented(self.number()));
        let slot = Rented(self.into_pointer());
        (CompleterRole::new(slot), ConsumerRole(slot))
    }

    /// Begins an operation that only its key can complete.
    #[inline(always)]
    pub(crate) fn begin_with_key(self) -> ConsumerRole<T, H> {
        self.begin_in(State::keyed(self.number()));
        ConsumerRole(Rented(self.into_pointer()))
    }

    #[inline(always)]
    fn begin_in(&self, state: State) {
        #[cfg(loom)]
        self.check_reuse();
        self.state.publish(state.bits());
    }

    /// Makes a model fail if an access to the cells did not happen before.
    #[cfg(loom)]
    fn check_reuse(&self) {
        let slot = NonNull::from(&**self).as_ptr();
        self.value.with_mut(|_| ());
        // SAFETY: no role refers to the slot. A producer with a late key only reads its state and its number.
        unsafe { (*slot).waker.touch() };
        // SAFETY: as above.
        unsafe { (*slot).watcher.touch() };
    }

    /// Begins the next epoch of a slot whose generations are all used. Returns `false` if this was the last epoch.
    #[cold]
    pub(crate) fn begin_epoch(&self, layout: IndexLayout) -> bool {
        let next = layout.next_epoch(self.number());
        if let Some(next) = next {
            self.number.publish(next.bits());
        }
        next.is_some()
    }
}

/// A consumer role, or a code that says how it ended, in one word. An `Option` of it is one word, too.
///
/// It has no type, so that it is covariant in `T`: a consumer takes a `T` out, and puts none in.
pub(crate) struct ConsumerWord<T, H: Recycler> {
    word: NonNull<()>,
    output: PhantomData<fn() -> (T, H)>,
}

// SAFETY: as for `Rented`.
unsafe impl<T: Send, H: ForThreads> Send for ConsumerWord<T, H> {}
// SAFETY: as for `Rented`.
unsafe impl<T: Send, H: ForThreads> Sync for ConsumerWord<T, H> {}

/// How a consumer role has ended. The discriminants are the codes. No slot has such an address.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Ended {
    /// The consumer has taken the result, or has left.
    Taken = 1,
    /// The function that creates the result of an abandoned operation has panicked.
    Panicked = 2,
}

impl<T, H: Recycler> ConsumerWord<T, H> {
    #[inline(always)]
    pub(crate) fn new(role: ConsumerRole<T, H>) -> Self {
        ConsumerWord { word: role.into_raw().0.cast(), output: PhantomData }
    }

    /// Returns the role if it has not ended.
    #[inline(always)]
    fn copy(&self) -> Option<ConsumerRole<T, H>> {
        const { assert!(align_of::<Slot<T, H>>() > Ended::Panicked as usize) };
        // `T` may be a supertype of the type of the slot: see the invariance of its table in `Slot`.
        let is_role = self.word.addr().get() > Ended::Panicked as usize;
        is_role.then(|| ConsumerRole(Rented(self.word.cast())))
    }

    /// Returns the state of the operation, unless the role has ended.
    pub(crate) fn state(&self) -> Option<State> {
        self.copy().map(|role| role.state())
    }

    /// Returns the result, and ends the role. If there is no result, makes sure that `waker` is woken when there is one. Returns
    /// `Ready(None)` if the role has ended.
    #[inline(always)]
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Option<T>> {
        let Some(role) = self.copy() else { return Poll::Ready(None) };
        match role.completed() {
            Ok(completed) => {
                self.set(Ended::Taken);
                Poll::Ready(Some(completed.take()))
            }
            Err(role) => match role.wait(waker) {
                Ok(_) => Poll::Pending,
                Err(finished) => Poll::Ready(Some(self.take(finished))),
            },
        }
    }

    /// Takes the result if there is one, and ends the role.
    pub(crate) fn try_take(&mut self) -> Option<T> {
        let finished = self.copy()?.finished().ok()?;
        Some(self.take(finished))
    }

    /// Takes the result of the role that is in the word, and ends it.
    fn take(&mut self, finished: Finished<T, H>) -> T {
        // `abandoned` may panic. If there is a value, only a foreign waker may panic, when the slot is returned.
        self.set(if finished.has_value() { Ended::Taken } else { Ended::Panicked });
        let result = finished.take();
        self.set(Ended::Taken);
        result
    }

    /// Moves the role out, and stores how it ends.
    #[inline(always)]
    pub(crate) fn end(&mut self, how: Ended) -> Option<ConsumerRole<T, H>> {
        let role = self.copy()?;
        self.set(how);
        Some(role)
    }

    /// Stores how the role has ended, which the caller has moved out.
    #[inline(always)]
    fn set(&mut self, how: Ended) {
        let code = ptr::without_provenance_mut(how as usize);
        self.word = NonNull::new(code).expect("a code is not zero");
    }

    /// Returns how the role has ended, if it has.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.word.addr().get() {
            1 => Some(Ended::Taken),
            2 => Some(Ended::Panicked),
            _ => None,
        }
    }

    /// Returns the address of the slot, for a message.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn address(&self) -> *const () {
        self.word.as_ptr()
    }

    /// Returns the word as a pointer, for foreign code.
    pub(crate) fn as_raw(&self) -> *mut () {
        self.word.as_ptr()
    }

    /// Converts the pointer from [`as_raw`](ConsumerWord::as_raw) back into the word.
    ///
    /// # Safety
    ///
    /// The pointer is from `as_raw` of a word of this type, which is not used again. It is converted once.
    pub(crate) unsafe fn from_raw(pointer: *mut ()) -> Self {
        ConsumerWord {
            word: NonNull::new(pointer).expect("a word is not null"),
            output: PhantomData,
        }
    }
}
