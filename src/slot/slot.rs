//! A slot: the place of an operation. The [state](State) says which role owns which cell.

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

/// The table to which the header of a slot points. A slab begins with the table of its slots.
#[repr(C)]
pub(crate) struct SlotTable<T> {
    pub(crate) vtable: VTable<T>,
    /// Creates the result of an operation that ended without a value.
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

/// A slot. It begins with a header, as every pointee does. It takes 64 bytes for a `T` of one word.
#[repr(C)]
pub(crate) struct Slot<T, H: Home> {
    header: Header,
    pub(super) state: H::Word,
    /// The [`Number`] of the operation, or in a vacant slot, of the next one. It repeats a part of the state. So a role can compute the state
    /// that it expects, and need not wait for the last store of the other role.
    pub(super) number: H::Word,
    /// The waker of the consumer.
    pub(super) waker: WakerCell<H::Pointer>,
    /// The waker of the completer.
    pub(super) watcher: WakerCell<H::Pointer>,
    /// The line that rented the slot. A vacant slot has none.
    origin: OriginCell,
    pub(super) value: UnsafeCell<MaybeUninit<T>>,
}

/// A waker in two halves. So another role can copy it before it knows whether the waker belongs to it.
#[repr(C)]
pub(crate) struct WakerCell<P> {
    data: P,
    vtable: P,
}

impl<P: Pointer> WakerCell<P> {
    fn new() -> Self {
        WakerCell::of(P::new(ptr::null_mut()), P::new(ptr::null_mut()))
    }

    /// Creates a cell with these halves.
    pub(crate) const fn of(data: P, vtable: P) -> Self {
        WakerCell { data, vtable }
    }

    /// Stores a copy of a waker. Only the role of the waker calls this, while the flag is not set. The waker belongs to the slot as soon
    /// as the transition is made that sets the flag. Until then it belongs to the caller.
    #[inline(always)]
    pub(super) fn put(&self, waker: &Waker) {
        let WakerParts { data, vtable } = WakerParts::of(waker);
        self.data.store(data);
        self.vtable.store(vtable);
    }

    /// Returns a copy. It belongs to the role that then clears the flag, from a state that it had loaded before the copy.
    #[inline(always)]
    pub(super) fn copy(&self) -> WakerParts {
        WakerParts { data: self.data.load(), vtable: self.vtable.load() }
    }

    /// Returns `true` if the cell contains this waker. Only the role of the waker calls this, while the flag is set.
    #[inline(always)]
    pub(super) fn holds(&self, waker: &Waker) -> bool {
        self.copy() == WakerParts::of(waker)
    }
}

/// The halves of a waker.
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
    /// The parts are those of a waker that belongs to the caller. It is created once.
    #[inline(always)]
    pub(super) unsafe fn into_waker(self) -> Waker {
        // SAFETY: the vtable of a waker is a static reference.
        let vtable: &'static RawWakerVTable = unsafe { &*self.vtable.cast() };
        // SAFETY: these are the halves of a waker, so they keep its contract.
        unsafe { Waker::from_raw(RawWaker::new(self.data, vtable)) }
    }
}

impl<T, H: Home> Slot<T, H> {
    /// Initializes a vacant slot in `place`. Its first operation will have the number `first`.
    ///
    /// The fields are written one by one, because a large cell for a value must not be on the stack.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes, and no other thread uses it. The table lives as long as the slot.
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
        // A cell without a value needs no initialization, unless loom records its accesses.
        #[cfg(loom)]
        write!(value, UnsafeCell::new(MaybeUninit::uninit()));
    }

    /// Returns the address of the table.
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

    /// Returns the function that creates the result of an operation that ended without a value.
    pub(crate) fn abandoned(&self) -> fn() -> T {
        // SAFETY: `make` and `standalone` were given a table of this type, which lives as long as the slot.
        unsafe { self.table().cast::<SlotTable<T>>().as_ref() }.abandoned
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State::from_bits(self.state.load())
    }

    /// Returns the line that rented the slot.
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

    /// Returns the number of the operation, for one of its roles. So it does not change.
    #[inline(always)]
    pub(crate) fn number(&self) -> Number {
        Number::from_bits(self.number.load_own())
    }

    /// Returns the number of the operation, for a producer with a key. The operation may end at any time.
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
