//! A slot: the place of an operation. The [state](State) says which role owns which cell.

use core::{
    mem::MaybeUninit,
    ptr::{self, NonNull},
    task::{RawWakerVTable, Waker},
};
#[cfg(feature = "trace")]
use core::{
    panic::Location,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

use super::{
    End, Number, Recycler, State,
    cells::{Pointer, Word},
    roles::SlotHeader,
};
use crate::{erased::Header, origin::Origin, sync::UnsafeCell};

/// A slot. It begins with a header, as every pointee does. It takes 64 bytes for a `T` of one word.
#[repr(C)]
pub(crate) struct Slot<T, H: Recycler> {
    pub(super) header: Header,
    pub(super) state: H::Word,
    /// The [`Number`] of the operation, or in a vacant slot, of the next one. It repeats a part of the state. So a role can compute the state
    /// that it expects, and need not wait for the last store of the other role.
    pub(super) number: H::Word,
    /// The waker of the consumer.
    pub(super) waker: WakerCell<H::Pointer>,
    /// The waker of the completer.
    pub(super) watcher: WakerCell<H::Pointer>,
    /// The line that rented the slot. A vacant slot has none.
    pub(super) origin: OriginCell,
    pub(super) value: UnsafeCell<MaybeUninit<T>>,
}

/// The origin of the operation in a slot, or null. Any thread may read it at any time.
pub(crate) struct OriginCell {
    // ORDERING: relaxed, without a partner. It is for reports only, and points to a constant.
    #[cfg(feature = "trace")]
    pub(super) location: AtomicPtr<Location<'static>>,
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
            location: AtomicPtr::new(ptr::null_mut()),
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
}

/// A waker in two halves. So another role can copy it before it knows whether the waker belongs to it.
#[repr(C)]
pub(crate) struct WakerCell<P> {
    data: P,
    vtable: P,
}

impl<P: Pointer> WakerCell<P> {
    pub(super) fn new() -> Self {
        WakerCell::of(P::new(ptr::null_mut()), P::new(ptr::null_mut()))
    }

    /// Creates a cell with these halves.
    pub(crate) const fn of(data: P, vtable: P) -> Self {
        WakerCell { data, vtable }
    }

    /// Stores a copy of a waker. Only the role of the waker calls this, while the flag is not set. The waker belongs to the slot as soon
    /// as the transition is made that sets the flag. Until then it belongs to the caller.
    #[inline(always)]
    pub(super) fn store(&self, waker: &Waker) {
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
    pub(super) data: *mut (),
    pub(super) vtable: *mut (),
}

impl WakerParts {
    #[inline(always)]
    fn of(waker: &Waker) -> Self {
        let vtable: *const RawWakerVTable = waker.vtable();
        WakerParts { data: waker.data().cast_mut(), vtable: vtable.cast_mut().cast() }
    }
}

impl<T, H: Recycler> Slot<T, H> {
    /// Returns the address of the table.
    #[inline(always)]
    pub(crate) fn table(&self) -> NonNull<()> {
        self.header.table()
    }

    crate::sync::const_unless_loom! {
        /// Creates a vacant slot outside of a slab. `number` is that of its first operation, and `state` is
        /// [the state before that](State::before).
        pub(crate) fn standalone(
            header: SlotHeader<T, H>,
            state: H::Word,
            number: H::Word,
            waker: WakerCell<H::Pointer>,
            watcher: WakerCell<H::Pointer>,
        ) -> Self {
            Slot {
                header: header.get(),
                state,
                number,
                waker,
                watcher,
                origin: OriginCell::new(),
                value: UnsafeCell::new(MaybeUninit::uninit()),
            }
        }
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State::from_bits(self.state.load())
    }

    /// Stores the line that rented the slot.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) fn set_origin(&self, origin: Origin) {
        self.origin.set(origin);
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
impl<T, H: Recycler> Drop for Slot<T, H> {
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
