//! A slot: what its cells hold is for [`State`] to say, and nobody touches them but through here.

use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    ptr::{self, NonNull},
    task::{RawWaker, RawWakerVTable, Waker},
};

use super::{
    End, Home, Number, State,
    cells::{OriginCell, Pointer, Word},
};
use crate::{
    erased::{Header, VTable},
    sync::UnsafeCell,
};

/// What the header of a slot refers to. A slab begins with the table of its slots.
#[repr(C)]
pub(crate) struct SlotTable<T> {
    pub(crate) vtable: VTable<T>,
    /// Makes the result of an operation that was ended without a value.
    pub(crate) abandoned: fn() -> T,
}

/// The header of a slot outside of a slab.
pub(crate) struct SlotHeader<T>(Header, PhantomData<fn() -> T>);

impl<T> SlotHeader<T> {
    /// # Safety
    ///
    /// The table lives as long as the slot.
    pub(crate) const unsafe fn new(table: *const SlotTable<T>) -> Self {
        SlotHeader(Header::new(table.cast::<VTable<T>>()), PhantomData)
    }
}

/// Starts with the header, as every pointee does: the table that it points to is what the slab
/// begins with. 64 bytes for a `T` of one word.
#[repr(C)]
pub(crate) struct Slot<T, H: Home> {
    header: Header,
    pub(super) state: H::Word,
    /// The [`Number`] of the operation; in a vacant slot, of the next one. It repeats a part of the state, so that
    /// an end can compute the state that it expects without waiting for the other end's last store to it.
    pub(super) number: H::Word,
    /// The consumer's.
    pub(super) waker: WakerCell<H::Pointer>,
    /// The completer's.
    pub(super) watcher: WakerCell<H::Pointer>,
    /// Where the operation was rented. A vacant slot has none.
    origin: OriginCell,
    pub(super) value: UnsafeCell<MaybeUninit<T>>,
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
    pub(super) fn put(&self, waker: &Waker) {
        let WakerParts { data, vtable } = WakerParts::of(waker);
        self.data.store(data);
        self.vtable.store(vtable);
    }

    /// What is there. It belongs to whoever clears the flag, from the state that was seen before the
    /// copy was made.
    #[inline(always)]
    pub(super) fn copy(&self) -> WakerParts {
        WakerParts { data: self.data.load(), vtable: self.vtable.load() }
    }

    /// Whether that is the waker in there. For the end whose waker it is, while the flag is set.
    #[inline(always)]
    pub(super) fn holds(&self, waker: &Waker) -> bool {
        self.copy() == WakerParts::of(waker)
    }
}

/// A copy of the halves of a waker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct WakerParts {
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
    pub(super) unsafe fn into_waker(self) -> Waker {
        // SAFETY: the vtable of a waker is a reference for ever.
        let vtable: &'static RawWakerVTable = unsafe { &*self.vtable.cast() };
        // SAFETY: the two are those of a waker, so they keep its contract.
        unsafe { Waker::from_raw(RawWaker::new(self.data, vtable)) }
    }
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
        /// Creates a vacant slot outside of a slab. `number` is that of its first operation, and `state` is
        /// [the state before that](State::before).
        pub(crate) fn standalone(
            header: SlotHeader<T>,
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

    /// Returns the function that makes the result of an operation that was ended without a value.
    pub(crate) fn abandoned(&self) -> fn() -> T {
        // SAFETY: `make` and `standalone` were given a table of this type, which lives as long as the slot.
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

    /// Ends the operation. Its state stays as it is, for producers with late keys. No role refers to the slot.
    #[inline(always)]
    pub(super) fn end(&self, cancelled: bool) -> End {
        self.origin.clear();
        let next = self.number().next_generation();
        if let Some(next) = next {
            self.number.publish(next.bits());
        }
        End { exhausted: next.is_none(), cancelled }
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
}

/// Loom does not see that memory is freed, nor that a slot begins another operation. So this, and the beginning of an operation, write all
/// cells: loom then checks that all accesses of other threads happened before.
#[cfg(loom)]
impl<T, H: Home> Drop for Slot<T, H> {
    fn drop(&mut self) {
        // A model that fails already must not fail twice.
        if !std::thread::panicking() {
            self.state.touch();
            self.number.touch();
            self.value.with_mut(|_| ());
            self.waker.touch();
            self.watcher.touch();
        }
    }
}

#[cfg(loom)]
impl<P: Pointer> WakerCell<P> {
    pub(super) fn touch(&mut self) {
        self.data.touch();
        self.vtable.touch();
    }
}
