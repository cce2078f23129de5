//! The roles of a slot. Each role is a type. The owner of a value of such a type may use the slot as the table says. The value is created
//! where the role begins. The transition that ends the role consumes the value.
//!
//! | role | begins when | may | ends when |
//! |---|---|---|---|
//! | [`Vacant`] | a vacant slot is taken out of its slab or source, or the last role of an operation ends | begin an operation | the operation begins, or the slot is returned to its slab or source |
//! | [`ConsumerRole`] | the operation begins | register a waker | the consumer takes the result, or leaves |
//! | [`CompleterRole`] | an operation with a completer begins | wait until the consumer leaves, issue the key | the completer completes or abandons the operation, leaves it to its key, or finds that it is too late to complete the operation |
//! | [`Claim`] | a producer with the key, a completer or the pool claims the operation | write the result | the claimant completes or abandons the operation, or finds that the consumer has left |
//!
//! All unsafe accesses to slots are in this file. Its private functions rely on rules 1 to 3 of `slot/states.md`. Only the files of this
//! folder call these functions, and each call follows the rules. So the safe functions that other modules call cannot be misused.

mod claim;
mod completer;
mod consumer;
mod erased;
mod slot;

#[cfg(feature = "alloc")]
use core::panic::Location;
#[cfg(feature = "trace")]
use core::sync::atomic::Ordering::Relaxed;
use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    ops::Deref,
    ptr::{self, NonNull},
    task::{Poll, RawWaker, RawWakerVTable, Waker},
};

use super::{End, ForThreads, IndexLayout, Number, Recycler, WakeOnDrop, state::State};
use crate::{
    erased::{Header, Reference, ThinReference},
    pieces,
    slot::cells::Word,
    sync::UnsafeCell,
};

#[cfg(feature = "alloc")]
pub(crate) use self::claim::{abandon_keyed, orphan};
use self::slot::{OriginCell, WakerParts};
pub(crate) use self::{
    claim::{Presented, abandon_key, complete_key},
    completer::CompleterRole,
    consumer::{ConsumerRole, Finished},
    erased::{SlotTable, table},
    slot::{Slot, WakerCell},
};

/// The header of a slot outside of a slab.
pub(crate) struct SlotHeader<T, H>(Header, PhantomData<fn() -> (T, H)>);

impl<T, H> SlotHeader<T, H> {
    /// # Safety
    ///
    /// The table lives as long as the slot. `H` does not return slots to slabs. The caller passes the header to
    /// [`standalone`](Slot::standalone). In this call, the two waker fields contain no waker, `number` is the number of the first
    /// operation, and `state` is the one that [`State::before`] returns for this number.
    pub(crate) const unsafe fn new(table: *const SlotTable<T, H>) -> Self {
        SlotHeader(Header::new(table), PhantomData)
    }
}

impl<T, H: Recycler> Slot<T, H> {
    /// Initializes a vacant slot at the address `place`. The first operation of the slot will have the number `first`.
    ///
    /// The fields are written one by one, because a slot for a large value must not be on the stack.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes, and no other thread uses this memory. The table lives as long as the slot. If `H` returns slots to a
    /// slab, the table is at the beginning of this slab, and the pointer has the provenance of the slab's allocation.
    pub(crate) unsafe fn make(
        place: NonNull<Self>,
        table: NonNull<SlotTable<T, H>>,
        first: Number,
    ) {
        let slot = place.as_ptr();
        macro_rules! write {
            ($field:ident, $value:expr) => {{
                let value = $value;
                // SAFETY: `place` is valid for writes of a slot, by the contract of `make`.
                let field = unsafe { &raw mut (*slot).$field };
                // SAFETY: the field is in `place`, which is valid for writes.
                unsafe { field.write(value) };
            }};
        }
        write!(header, Header::at(table.cast()));
        write!(state, H::Word::new(State::before(first).bits()));
        write!(number, H::Word::new(first.bits()));
        write!(waker, WakerCell::new());
        write!(watcher, WakerCell::new());
        write!(origin, OriginCell::new());
        // The value field needs no initialization, because it contains no value yet. Only the `UnsafeCell` of loom must be initialized,
        // because it records accesses.
        #[cfg(loom)]
        write!(value, UnsafeCell::new(MaybeUninit::uninit()));
    }

    crate::sync::const_unless_loom! {
        /// Creates a vacant slot outside of a slab. `number` is the number of its first operation, and `state` is the one that
        /// [`State::before`] returns for this number.
        pub(crate) fn standalone(
            header: SlotHeader<T, H>,
            state: H::Word,
            number: H::Word,
            waker: WakerCell<H::Pointer>,
            watcher: WakerCell<H::Pointer>,
        ) -> Self {
            Slot {
                header: header.0,
                state,
                number,
                waker,
                watcher,
                origin: OriginCell::new(),
                value: UnsafeCell::new(MaybeUninit::uninit()),
            }
        }
    }

    /// Returns the function that creates the result of an operation that ended without a value.
    fn abandoned(&self) -> fn() -> T {
        // SAFETY: the table was passed to `make` or to `SlotHeader::new`. It is a `SlotTable<T, H>`, and lives as long as the slot.
        unsafe { self.table().cast::<SlotTable<T, H>>().as_ref() }.abandoned
    }

    #[cfg_attr(not(feature = "trace"), expect(clippy::unused_self, reason = "`trace` uses it"))]
    /// Returns the line of code that rented the slot, if the slot is rented and the feature `trace` is on.
    #[cfg(feature = "alloc")]
    pub(crate) fn origin(&self) -> Option<&'static Location<'static>> {
        #[cfg(feature = "trace")]
        // SAFETY: the pointer is null, or comes from a `&'static Location`.
        return unsafe { self.origin.location.load(Relaxed).as_ref() };
        #[cfg(not(feature = "trace"))]
        None
    }
}

/// A slot that is vacant, and that no list of its slab contains. Only the owner of this value uses the slot. (A producer with a late key
/// may read the state and the number of the slot at any time. In a slot for any thread, these two fields are atomics.)
///
/// A slab or source creates a `Vacant` when a vacant slot is taken out of it. The last role of an operation creates a `Vacant` when this
/// role ends. The slab or source consumes the `Vacant` when the slot is returned.
#[must_use = "a slot that is not returned is lost"]
pub(crate) struct Vacant<S>(NonNull<S>);

impl<S> Vacant<S> {
    /// # Safety
    ///
    /// The slot is vacant and initialized. No other `Vacant` refers to the slot, and no list of the slab contains it. The slot stays
    /// allocated until it is returned. When the slot is returned, the slab or source gets this pointer back. The pointer is also valid for
    /// all fields that the slab or source then accesses through this pointer.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<S>) -> Self {
        Vacant(slot)
    }

    /// Converts this value into the address of the slot.
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

/// A reference to a slot, which may be vacant. The slab or the source that contains the slot is borrowed for `'a`. So the slot stays
/// allocated for `'a`.
pub(crate) struct SlotRef<'a, S>(NonNull<S>, PhantomData<&'a S>);

impl<S> SlotRef<'_, S> {
    /// # Safety
    ///
    /// The slot is initialized, and stays allocated for the lifetime of the `SlotRef`. The pointer is also valid for all fields of the slab
    /// or source that are accessed through it.
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

/// The address of a slot, in a role that refers to this slot.
///
/// Invariant: the slot stays allocated as long as the role that contains this value exists.
struct Rented<T, H: Recycler>(NonNull<Slot<T, H>>);

impl<T, H: Recycler> Clone for Rented<T, H> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, H: Recycler> Copy for Rented<T, H> {}

// SAFETY: the producer moves a value into the slot, and the consumer moves it out, on any thread. `T` is `Send`, and rule 1 gives the value
// to one role at a time. By `ForThreads`, the state, the number and the halves of the wakers are atomics.
unsafe impl<T: Send, H: ForThreads> Send for Rented<T, H> {}
// SAFETY: a shared reference only gives access to fields that are atomic (the state, the number and the origin) or never change (the
// header).
unsafe impl<T: Send, H: ForThreads> Sync for Rented<T, H> {}

/// The result of a transition: the new state, and the wakers whose flags the transition has cleared.
struct Change {
    state: State,
    waker: Option<Waker>,
    watcher: Option<Waker>,
}

/// Creates a waker from its halves.
///
/// # Safety
///
/// The halves are those of a waker that belongs to the caller. The caller creates this waker only once.
#[inline(always)]
unsafe fn waker_of(parts: WakerParts) -> Waker {
    // SAFETY: the vtable of a waker is a static reference.
    let vtable: &'static RawWakerVTable = unsafe { &*parts.vtable.cast() };
    // SAFETY: the halves are those of a waker. So they fulfil the contract of a `RawWaker`.
    unsafe { Waker::from_raw(RawWaker::new(parts.data, vtable)) }
}

impl<T, H: Recycler> Rented<T, H> {
    #[inline(always)]
    fn slot(&self) -> &Slot<T, H> {
        // SAFETY: the slot is allocated, by the invariant.
        unsafe { self.0.as_ref() }
    }

    /// Returns a reference to the slot. The calling role keeps the slot allocated for the lifetime of the borrow.
    fn borrowed(&self) -> SlotRef<'_, Slot<T, H>> {
        // SAFETY: the slot stays allocated, by the invariant. The pointer is the one that the slab or the source created.
        unsafe { SlotRef::new(self.0) }
    }

    /// Makes the transition from `from` to `to` if the state is still `from`. Otherwise, returns the current state as an error.
    ///
    /// If the transition ends the role, another role may free the slot before this function returns. So this function takes `self` by
    /// value: a `&Slot` argument would have to stay valid until the return. After the exchange, `word` may dangle. Rust allows this for a
    /// reference to an atomic.
    #[inline(always)]
    fn exchange(self, from: State, to: State) -> Result<(), State> {
        let word = &self.slot().state;
        word.exchange(from.bits(), to.bits()).map_err(State::from_bits)
    }

    /// Makes a transition from `state`, or from the current state if other roles have changed it. Takes out the wakers whose flags the
    /// transition clears. If the transition is not allowed, returns the current state as an error.
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
                // SAFETY: this exchange has cleared the flag. It expected a state that was loaded before the copy was made. So the copy is
                // the waker that was stored last. By rule 2, the waker belongs to this role.
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

    /// Makes the transition from exactly `state` to `next`, which clears the flag of the consumer's waker. Returns this waker, or `None` if
    /// the current state is not `state`. The caller may compute `state` instead of loading it, so that the exchange need not wait for the
    /// load. The caller has already seen the waker's flag set in this operation.
    #[inline(always)]
    fn exchange_for_waker(self, state: State, next: State) -> Option<Waker> {
        let waker = self.slot().waker.copy();
        self.exchange(state, next).ok()?;
        // SAFETY: this exchange has cleared the flag. The caller saw the flag set before the copy was made, and the number of registrations
        // in `state` has not changed since. So the copy is the waker that was stored last. By rule 2, the waker belongs to this role.
        Some(unsafe { waker_of(waker) })
    }

    /// Stores a value. By rule 1, the value field belongs to the calling role. The field is empty.
    #[inline(always)]
    fn store_value(self, value: T) {
        self.slot().value.with_mut(|cell| {
            // SAFETY: by rule 1, no other role accesses the value field.
            pieces::write(unsafe { &mut *cell }, value);
        });
    }

    /// Takes the value out. By rule 1, the value field belongs to the calling role. The field contains a value.
    #[inline(always)]
    fn take_value(self) -> T {
        self.slot().value.with_mut(|cell| {
            // SAFETY: by rule 1, no other role accesses the value field.
            let value = unsafe { &*cell };
            // SAFETY: the field contains a value, which is read once.
            unsafe { value.assume_init_read() }
        })
    }

    /// Drops the value in its field. By rule 1, the value field belongs to the calling role. The field contains a value.
    fn drop_value(self) {
        self.slot().value.with_mut(|cell| {
            // SAFETY: by rule 1, no other role accesses the value field.
            let value = unsafe { &mut *cell };
            // SAFETY: the field contains a value, which is dropped once.
            unsafe { value.assume_init_drop() };
        });
    }

    /// Ends the operation. By rule 3, the caller is the last role of the operation.
    #[inline(always)]
    fn end(self, cancelled: bool) -> (Vacant<Slot<T, H>>, End) {
        let end = self.slot().end(cancelled);
        // SAFETY: by rule 3, no other role refers to the slot. So no other role ends the operation, and no list of the slab contains the
        // slot yet.
        (unsafe { Vacant::new(self.0) }, end)
    }

    /// Ends the operation, and returns the slot to its slab or source, which may then be freed. By rule 3, the caller is the last role of
    /// the operation. `last` is the final state of the operation. If the slab gives the slot to a future that waits, returns the waker of
    /// this future.
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
    /// Converts the address of a slot into the role of its completer.
    ///
    /// # Safety
    ///
    /// The operation of the slot has a completer. The `CompleterRole` of this completer was leaked or converted into a pointer. Only this
    /// call creates the role again. The slot stays allocated for the lifetime of the role.
    pub(crate) unsafe fn from_raw(slot: *mut ()) -> Self {
        CompleterRole::new(Rented(NonNull::new(slot).expect("a slot has an address").cast()))
    }
}

impl<T, H: Recycler> ConsumerRole<'_, T, H> {
    /// Converts the address of a slot into the role of its consumer.
    ///
    /// # Safety
    ///
    /// The operation of the slot has a consumer. The `ConsumerRole` of this consumer was leaked. Only this call creates the role again. The
    /// slot stays allocated until the role ends.
    #[inline(always)]
    pub(crate) unsafe fn from_leaked(slot: NonNull<Slot<T, H>>) -> Self {
        ConsumerRole::new(Rented(slot))
    }
}

// SAFETY: a slot stays allocated while it has a consumer. The slot begins with a header, and the table of this header was created by
// `table`.
unsafe impl<T, H: Recycler> ThinReference for ConsumerRole<'_, T, H> {
    type Pointee = Slot<T, H>;

    #[inline(always)]
    fn into_raw(self) -> (NonNull<Slot<T, H>>, Reference) {
        (self.0.0, Reference::Borrowed)
    }

    #[inline(always)]
    unsafe fn from_raw(slot: NonNull<Slot<T, H>>, _: Reference) -> Self {
        ConsumerRole::new(Rented(slot))
    }
}

impl<T, H: Recycler> Vacant<Slot<T, H>> {
    /// Begins an operation with a completer.
    #[inline(always)]
    pub(crate) fn begin_with_completer(
        self,
    ) -> (CompleterRole<'static, T, H>, ConsumerRole<'static, T, H>) {
        self.begin_in(State::rented(self.number()));
        let slot = Rented(self.into_pointer());
        (CompleterRole::new(slot), ConsumerRole::new(slot))
    }

    /// Begins an operation that only its key can complete.
    #[inline(always)]
    pub(crate) fn begin_with_key(self) -> ConsumerRole<'static, T, H> {
        self.begin_in(State::keyed(self.number()));
        ConsumerRole::new(Rented(self.into_pointer()))
    }

    #[inline(always)]
    fn begin_in(&self, state: State) {
        #[cfg(loom)]
        self.check_reuse();
        self.state.publish(state.bits());
    }

    /// Makes a loom model fail unless every earlier access to the value and the wakers happens-before this call.
    #[cfg(loom)]
    fn check_reuse(&self) {
        let slot = NonNull::from(&**self).as_ptr();
        self.value.with_mut(|_| ());
        // SAFETY: no role refers to the slot. A producer with a late key does not read this field.
        unsafe { (*slot).waker.touch() };
        // SAFETY: no role refers to the slot. A producer with a late key does not read this field.
        unsafe { (*slot).watcher.touch() };
    }

    /// Begins the next epoch of a slot that has used all generations of its epoch. Returns `false` if there is no further epoch.
    #[cold]
    pub(crate) fn begin_epoch(&self, layout: IndexLayout) -> bool {
        let next = layout.next_epoch(self.number());
        if let Some(next) = next {
            self.number.publish(next.bits());
        }
        next.is_some()
    }
}

/// A consumer role, or a code that says how the role ended, in one word. An `Option` of a `ConsumerWord` is one word, too.
///
/// The word is an untyped pointer, so that this type is covariant in `T`. Covariance is sound, because a consumer takes a `T` out of the
/// slot, and never puts a `T` in.
pub(crate) struct ConsumerWord<'a, T, H: Recycler> {
    word: NonNull<()>,
    output: PhantomData<fn() -> (T, H)>,
    borrow: PhantomData<&'a ()>,
}

// SAFETY: the word is a code or the address in a `Rented`, which is `Send` with the same bounds.
unsafe impl<T: Send, H: ForThreads> Send for ConsumerWord<'_, T, H> {}
// SAFETY: the word is a code or the address in a `Rented`, which is `Sync` with the same bounds.
unsafe impl<T: Send, H: ForThreads> Sync for ConsumerWord<'_, T, H> {}

/// The reason why a consumer role has ended. The discriminants are the codes in a [`ConsumerWord`]. No slot has such a low address.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Ended {
    /// The consumer has taken the result, or has left.
    Taken = 1,
    /// The function that creates the result of an abandoned operation has panicked.
    Panicked = 2,
}

impl<'a, T, H: Recycler> ConsumerWord<'a, T, H> {
    #[inline(always)]
    pub(crate) fn new(role: ConsumerRole<'a, T, H>) -> Self {
        ConsumerWord { word: role.into_raw().0.cast(), output: PhantomData, borrow: PhantomData }
    }

    /// Returns a copy of the role, or `None` if the role has ended.
    #[inline(always)]
    fn copy(&self) -> Option<ConsumerRole<'a, T, H>> {
        const { assert!(align_of::<Slot<T, H>>() > Ended::Panicked as usize) };
        // Because of the covariance, `self` may have been created as a `ConsumerWord` of a subtype of `T`. The two types differ only in
        // lifetimes, and a consumer only takes a value out.
        let is_role = self.word.addr().get() > Ended::Panicked as usize;
        is_role.then(|| ConsumerRole::new(Rented(self.word.cast())))
    }

    /// Returns the state of the operation, unless the role has ended.
    pub(crate) fn state(&self) -> Option<State> {
        self.copy().map(|role| role.state())
    }

    /// Returns the result if there is one, and ends the role. Otherwise, makes sure that `waker` is woken when there is a result. Returns
    /// `Ready(None)` if the role had already ended.
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

    /// Takes the result, and ends the role in the word. `finished` is a copy of this role.
    fn take(&mut self, finished: Finished<'_, T, H>) -> T {
        // If there is no value, the function `abandoned` creates the result. If this function panics, the word must contain `Panicked`. If
        // there is a value, only the waker of a future that gets the returned slot may panic. At that time, the value was already taken.
        self.set(if finished.has_value() { Ended::Taken } else { Ended::Panicked });
        let result = finished.take();
        self.set(Ended::Taken);
        result
    }

    /// Moves the role out of the word, and stores how the role ends. Returns `None` if the role has already ended.
    #[inline(always)]
    pub(crate) fn end(&mut self, how: Ended) -> Option<ConsumerRole<'a, T, H>> {
        let role = self.copy()?;
        self.set(how);
        Some(role)
    }

    /// Stores how the role has ended. The caller has moved the role out of the word.
    #[inline(always)]
    fn set(&mut self, how: Ended) {
        let code = ptr::without_provenance_mut(how as usize);
        self.word = NonNull::new(code).expect("a code is not zero");
    }

    /// Returns how the role has ended, or `None` if it has not ended.
    pub(crate) fn ended(&self) -> Option<Ended> {
        match self.word.addr().get() {
            1 => Some(Ended::Taken),
            2 => Some(Ended::Panicked),
            _ => None,
        }
    }

    /// Returns the address of the slot, for an error message.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn address(&self) -> *const () {
        self.word.as_ptr()
    }

    /// Returns the word as a pointer, which may be passed through code in another language.
    pub(crate) fn as_raw(&self) -> *mut () {
        self.word.as_ptr()
    }

    /// Converts the pointer from [`as_raw`](ConsumerWord::as_raw) back into the word.
    ///
    /// # Safety
    ///
    /// The pointer is from `as_raw` of a word of this type. The word is not used again. The pointer is converted only once.
    pub(crate) unsafe fn from_raw(pointer: *mut ()) -> Self {
        ConsumerWord {
            word: NonNull::new(pointer).expect("a word is not null"),
            output: PhantomData,
            borrow: PhantomData,
        }
    }
}
