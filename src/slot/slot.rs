//! A slot: what its cells hold is for [`State`] to say, and nobody touches them but through here.

use core::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    task::{Poll, RawWaker, RawWakerVTable, Waker},
};

use super::{
    End, Home, IndexLayout, Number, State, Vacant, WakeOnDrop,
    cells::{Pointer, Word},
};
use crate::{
    erased::{Header, VTable},
    origin::OriginCell,
    pieces,
    sync::UnsafeCell,
};

/// What the header of a slot refers to. A slab begins with the table of its slots.
#[repr(C)]
pub(crate) struct SlotTable<T> {
    pub(crate) vtable: VTable<T>,
    /// Makes the result of an operation that was ended without a value.
    pub(crate) abandoned: fn() -> T,
}

/// Starts with the header, as every pointee does: the table that it points to is what the slab
/// begins with. 64 bytes for a `T` of one word.
#[repr(C)]
pub(crate) struct Slot<T, H: Home> {
    header: Header,
    state: H::Word,
    /// The [`Number`] of the operation; in a vacant slot, of the next one. It repeats a part of the state, so that
    /// an end can compute the state that it expects without waiting for the other end's last store to it.
    number: H::Word,
    /// The consumer's.
    pub(crate) waker: WakerCell<H::Pointer>,
    /// The completer's.
    pub(crate) watcher: WakerCell<H::Pointer>,
    /// Where the operation was rented. A vacant slot has none.
    origin: OriginCell,
    value: UnsafeCell<MaybeUninit<T>>,
}

/// A waker in two halves, so that the other side may read it before it knows whether it belongs to
/// it.
#[repr(C)]
pub(crate) struct WakerCell<P> {
    data: P,
    vtable: P,
}

impl<P: Pointer> WakerCell<P> {
    fn new() -> Self {
        WakerCell::of(P::new(ptr::null_mut()), P::new(ptr::null_mut()))
    }

    /// With these two for its halves.
    pub(crate) const fn of(data: P, vtable: P) -> Self {
        WakerCell { data, vtable }
    }

    /// Puts a copy of a waker in. It belongs to the slot if the transition follows that sets the
    /// flag, and otherwise to the caller as before. For the end whose waker it is, while the flag is
    /// not set.
    #[inline(always)]
    pub(crate) fn put(&self, waker: &Waker) {
        let WakerParts { data, vtable } = WakerParts::of(waker);
        self.data.store(data);
        self.vtable.store(vtable);
    }

    /// What is there. It belongs to whoever clears the flag, from the state that was seen before the
    /// copy was made.
    #[inline(always)]
    fn copy(&self) -> WakerParts {
        WakerParts { data: self.data.load(), vtable: self.vtable.load() }
    }

    /// Whether that is the waker in there. For the end whose waker it is, while the flag is set.
    #[inline(always)]
    pub(crate) fn holds(&self, waker: &Waker) -> bool {
        self.copy() == WakerParts::of(waker)
    }
}

/// A copy of the halves of a waker.
#[derive(Clone, Copy, PartialEq, Eq)]
struct WakerParts {
    data: *mut (),
    vtable: *mut (),
}

impl WakerParts {
    #[inline(always)]
    fn of(waker: &Waker) -> Self {
        let vtable: *const RawWakerVTable = waker.vtable();
        WakerParts { data: waker.data().cast_mut(), vtable: vtable.cast_mut().cast() }
    }

    /// # Safety
    ///
    /// The parts are those of one waker, which nobody else has or will make of them.
    #[inline(always)]
    unsafe fn into_waker(self) -> Waker {
        // SAFETY: the vtable of a waker is a reference for ever.
        let vtable: &'static RawWakerVTable = unsafe { &*self.vtable.cast() };
        // SAFETY: the two are those of a waker, so they keep its contract.
        unsafe { Waker::from_raw(RawWaker::new(self.data, vtable)) }
    }
}

/// A transition that was made: the state since, and the wakers whose flags it cleared.
pub(crate) struct Change {
    pub(crate) state: State,
    pub(crate) waker: Option<Waker>,
    pub(crate) watcher: Option<Waker>,
}

impl<T, H: Home> Slot<T, H> {
    /// Makes a vacant slot in `place`, whose table is that which `table` points to, and lives as long. Its
    /// first operation will have the number `first`.
    ///
    /// Field by field: the room for a value, which may be large, is never on the stack.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes, and nobody else refers to it.
    pub(crate) unsafe fn make(place: NonNull<Self>, table: NonNull<SlotTable<T>>, first: Number) {
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
        // A cell without a value needs nothing, unless loom records what happens to it.
        #[cfg(loom)]
        write!(value, UnsafeCell::new(MaybeUninit::uninit()));
    }

    /// The `table` that [`make`](Slot::make) was given.
    #[inline(always)]
    pub(crate) fn table(&self) -> NonNull<()> {
        self.header.table()
    }

    crate::sync::const_unless_loom! {
        /// A vacant slot outside of a slab, with a table that lives as long. `number` is that of its first
        /// operation, and `state` [the state before that](State::before).
        pub(crate) fn by_itself(
            table: *const SlotTable<T>,
            state: H::Word,
            number: H::Word,
            waker: WakerCell<H::Pointer>,
            watcher: WakerCell<H::Pointer>,
        ) -> Self {
            Slot {
                header: Header::new(table.cast::<VTable<T>>()),
                state,
                number,
                waker,
                watcher,
                origin: OriginCell::new(),
                value: UnsafeCell::new(MaybeUninit::uninit()),
            }
        }
    }

    /// Returns the function that makes the result of an operation that was ended without a value.
    pub(crate) fn abandoned(&self) -> fn() -> T {
        // SAFETY: `make` and `by_itself` were given a table of this type, which lives as long as the slot.
        unsafe { self.table().cast::<SlotTable<T>>().as_ref() }.abandoned
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State::from_bits(self.state.load())
    }

    /// For [`live operations`](crate::pool::LiveOperation).
    #[inline(always)]
    pub(crate) fn origin(&self) -> &OriginCell {
        &self.origin
    }

    /// Makes a transition, if the state is still `from`; otherwise tells what it is.
    ///
    /// The slot may be gone as soon as that is done, if the transition gives it away. So nobody on
    /// the way has a reference to it for an argument: that would have to be good to the end.
    ///
    /// # Safety
    ///
    /// The slot lives until the transition is made.
    #[inline(always)]
    pub(crate) unsafe fn exchange(
        this: NonNull<Self>,
        from: State,
        to: State,
    ) -> Result<(), State> {
        // SAFETY: the caller's.
        let word = unsafe { &(*this.as_ptr()).state };
        word.exchange(from.bits(), to.bits()).map_err(State::from_bits)
    }

    /// Makes a transition, from `state` or what others have made of it since, and takes out the
    /// wakers whose flags it clears. `Err` with the state if the transition is not allowed.
    ///
    /// # Safety
    ///
    /// As [`exchange`](Slot::exchange).
    #[inline]
    pub(crate) unsafe fn change(
        this: NonNull<Self>,
        mut state: State,
        transition: impl Fn(State) -> Option<State>,
    ) -> Result<Change, State> {
        while let Some(next) = transition(state) {
            // SAFETY: the caller's.
            let slot = unsafe { this.as_ref() };
            let cleared = state.without(next);
            let waker = cleared.is_waiting().then(|| slot.waker.copy());
            let watcher = cleared.is_watched().then(|| slot.watcher.copy());
            // SAFETY: the caller's.
            let Err(now) = (unsafe { Slot::exchange(this, state, next) }) else {
                // SAFETY: the flag was cleared here, in the state from before the copy was made, so
                // the waker is the one that was put in last, and belongs to us.
                let own = |parts: WakerParts| unsafe { parts.into_waker() };
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

    /// Makes the transition from exactly `state`, which clears the flag of the consumer's waker, and
    /// takes that out: [`change`](Slot::change) for who knows the state beforehand.
    ///
    /// # Safety
    ///
    /// As [`exchange`](Slot::exchange).
    #[inline(always)]
    pub(crate) unsafe fn exchange_for_waker(
        this: NonNull<Self>,
        state: State,
        next: State,
    ) -> Option<Waker> {
        // SAFETY: the caller's.
        let waker = unsafe { this.as_ref() }.waker.copy();
        // SAFETY: the caller's.
        unsafe { Slot::exchange(this, state, next) }.ok()?;
        // SAFETY: as in `change`.
        Some(unsafe { waker.into_waker() })
    }

    /// Begins the next use of a slot that has just been taken out of a slab.
    ///
    /// # Safety
    ///
    /// Nobody refers to the slot.
    #[inline(always)]
    pub(crate) unsafe fn begin(&self) {
        self.state.publish(State::rented(self.number()).bits());
    }

    /// [`begin`](Slot::begin), left to the key from the beginning.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn begin_by_key(&self) {
        self.state.publish(State::keyed(self.number()).bits());
    }

    /// Ends this use. The state stays as it is: that is what a late key is told.
    ///
    /// # Safety
    ///
    /// The caller is the only one who refers to the slot, and does so no longer.
    #[inline(always)]
    unsafe fn end(&self, cancelled: bool) -> End {
        self.origin.clear();
        let next = self.number().next_generation();
        if let Some(next) = next {
            self.number.publish(next.bits());
        }
        End { exhausted: next.is_none(), cancelled }
    }

    /// Gives a slot that is [exhausted](End::exhausted) the first number of its next epoch, if there is one.
    #[cold]
    pub(crate) fn begin_epoch(slot: &Vacant<Self>, layout: IndexLayout) -> bool {
        let next = layout.next_epoch(slot.number());
        if let Some(next) = next {
            slot.number.publish(next.bits());
        }
        next.is_some()
    }

    /// The number of the operation. The caller is an end of it, so it does not change.
    #[inline(always)]
    pub(crate) fn number(&self) -> Number {
        Number::from_bits(self.number.load_own())
    }

    /// The number of the operation, for a producer with a key. The operation may end at any time.
    #[inline(always)]
    pub(crate) fn number_now(&self) -> Number {
        Number::from_bits(self.number.load())
    }

    /// Gives the slot back to its slab, which may be gone afterwards. Returns the waker of the future that was given the slot.
    ///
    /// # Safety
    ///
    /// The slot is in `last`, and the caller is the only one who refers to it. What its cells hold
    /// was taken out.
    #[inline(always)]
    pub(crate) unsafe fn give_back(this: NonNull<Self>, last: State) -> WakeOnDrop {
        // SAFETY: the slot is out, so it lives.
        let slot = unsafe { this.as_ref() };
        // SAFETY: the caller's.
        let end = unsafe { slot.end(last.is_pending()) };
        // SAFETY: the slot is vacant now, and the caller gave it up.
        match H::try_put(unsafe { Vacant::new(this) }, end) {
            Ok(()) => WakeOnDrop::NONE,
            Err(slot) => H::put(slot, end),
        }
    }

    /// Takes the value, and gives the slot back.
    ///
    /// # Safety
    ///
    /// The state [is completed](State::is_completed), and the caller is the consumer, and is so no
    /// longer.
    #[inline(always)]
    pub(crate) unsafe fn finish(this: NonNull<Self>) -> T {
        // SAFETY: the slot is out, so it lives.
        let slot = unsafe { this.as_ref() };
        // SAFETY: there is a value, and it is the consumer's.
        let value = unsafe { slot.take_value() };
        // SAFETY: there is no completer any more.
        let end = unsafe { slot.end(false) };
        // SAFETY: the slot is vacant now, and the caller gave it up.
        match H::try_put(unsafe { Vacant::new(this) }, end) {
            Ok(()) => value,
            Err(slot) => Slot::finish_slowly(slot, end, value),
        }
    }

    /// The last call of [`finish`](Slot::finish), if the result is in registers: so that needs none to be saved.
    #[inline(never)]
    fn finish_slowly<R>(slot: Vacant<Self>, end: End, result: R) -> R {
        drop(H::put(slot, end));
        result
    }

    /// [`finish`](Slot::finish), with the result of a poll.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(crate) unsafe fn finish_poll(this: NonNull<Self>) -> Poll<T> {
        // SAFETY: the slot is out, so it lives.
        let slot = unsafe { this.as_ref() };
        // SAFETY: there is a value, and it is the consumer's.
        let polled = Poll::Ready(unsafe { slot.take_value() });
        // SAFETY: there is no completer any more.
        let end = unsafe { slot.end(false) };
        // SAFETY: the slot is vacant now, and the caller gave it up.
        let Err(slot) = H::try_put(unsafe { Vacant::new(this) }, end) else { return polled };
        if pieces::fits_registers::<Poll<T>>() {
            return Slot::finish_slowly(slot, end, polled);
        }
        Slot::finish_slowly(slot, end, ());
        polled
    }

    /// # Safety
    ///
    /// The caller owns the value cell, by the first rule.
    #[inline(always)]
    pub(crate) unsafe fn put_value(&self, value: T) {
        self.value.with_mut(|cell| {
            // SAFETY: nobody else touches the cell.
            pieces::write(unsafe { &mut *cell }, value);
        });
    }

    /// # Safety
    ///
    /// As [`put_value`](Slot::put_value), and there is a value in it, which is not taken again.
    #[inline(always)]
    pub(crate) unsafe fn take_value(&self) -> T {
        self.value.with_mut(|cell| {
            // SAFETY: nobody else touches the cell.
            let value = unsafe { &*cell };
            // SAFETY: it holds a value, which is read once.
            unsafe { value.assume_init_read() }
        })
    }

    /// Drops the value where it lies.
    ///
    /// # Safety
    ///
    /// As [`take_value`](Slot::take_value).
    pub(crate) unsafe fn drop_value(&self) {
        self.value.with_mut(|cell| {
            // SAFETY: nobody else touches the cell.
            let value = unsafe { &mut *cell };
            // SAFETY: it holds a value, which is dropped once.
            unsafe { value.assume_init_drop() };
        });
    }
}

/// Loom does not see a release of memory, nor that a slot goes to somebody else. So whoever frees a
/// slot, or begins its next use, writes what is in it, and loom asks whether all that others did
/// there happened before.
#[cfg(loom)]
impl<T, H: Home> Slot<T, H> {
    /// All that only those touch who refer to the slot, and its list.
    ///
    /// # Safety
    ///
    /// Nobody refers to the slot, which lives.
    pub(crate) unsafe fn touch_for_reuse(this: NonNull<Self>) {
        let slot = this.as_ptr();
        // SAFETY: the caller's; a late key that looks at the state meanwhile is not in the way.
        unsafe { (*slot).value.with_mut(|_| ()) };
        // SAFETY: as above.
        unsafe { (*slot).waker.touch() };
        // SAFETY: as above.
        unsafe { (*slot).watcher.touch() };
    }
}

#[cfg(loom)]
impl<P: Pointer> WakerCell<P> {
    fn touch(&mut self) {
        self.data.touch();
        self.vtable.touch();
    }
}

#[cfg(loom)]
impl<T, H: Home> Drop for Slot<T, H> {
    fn drop(&mut self) {
        // What fails already is not to fail twice.
        if !std::thread::panicking() {
            self.state.touch();
            self.number.touch();
            // SAFETY: this is the end of it.
            unsafe { Slot::touch_for_reuse(NonNull::from(self)) };
        }
    }
}
