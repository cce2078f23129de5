//! A slot: the memory of one operation. Its [state](State) says which role owns which field.

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

use crate::{
    erased::Header,
    origin::Origin,
    slot::{
        End, Number, Recycler,
        cells::{Pointer, Word},
        state::State,
    },
    sync::UnsafeCell,
};

/// The slot of an operation. It begins with a header, because the head of a future can point to a slot. On 64-bit targets, and without the
/// feature `trace`, a slot for a `T` of one word has 64 bytes.
#[repr(C)]
pub(crate) struct Slot<T, H: Recycler> {
    pub(super) header: Header,
    pub(super) state: H::Word,
    /// The [`Number`] of the operation. In a vacant slot, this is the number of the next operation. A part of the number is also in the
    /// state. So a role can compute the state that its exchange expects, and need not wait until the state is loaded.
    pub(super) number: H::Word,
    /// The waker of the consumer.
    pub(super) waker: WakerCell<H::Pointer>,
    /// The waker of the completer.
    pub(super) watcher: WakerCell<H::Pointer>,
    /// The line of code that rented the slot. It is null in a vacant slot.
    pub(super) origin: OriginCell,
    pub(super) value: UnsafeCell<MaybeUninit<T>>,
}

/// The line of code that rented a slot, or null. (Without the feature `trace`, the type is empty.) Any thread may read the line at any
/// time.
pub(crate) struct OriginCell {
    // ORDERING: Relaxed, without a partner. The pointer is only for reports, and it points to a constant.
    #[cfg(feature = "trace")]
    pub(super) location: AtomicPtr<Location<'static>>,
}

#[cfg_attr(
    not(feature = "trace"),
    expect(unused_variables, clippy::unused_self, reason = "the feature `trace` uses them")
)]
#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "only pools use these functions"))]
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

/// A waker in two halves, its data and its vtable. In this form, another role can copy the waker before it knows whether it will own the
/// waker.
#[repr(C)]
pub(crate) struct WakerCell<P> {
    data: P,
    vtable: P,
}

impl<P: Pointer> WakerCell<P> {
    pub(super) fn new() -> Self {
        WakerCell::of(P::new(ptr::null_mut()), P::new(ptr::null_mut()))
    }

    /// Creates a `WakerCell` with these halves.
    pub(crate) const fn of(data: P, vtable: P) -> Self {
        WakerCell { data, vtable }
    }

    /// Stores the halves of a waker. Only the role whose waker is stored here calls this function, and only while the waker's flag
    /// (`WAITING` or `WATCHED`) is not set. The transition that sets the flag moves the waker into the slot. Until that transition, the
    /// waker belongs to the caller.
    #[inline(always)]
    pub(super) fn store(&self, waker: &Waker) {
        let WakerParts { data, vtable } = WakerParts::of(waker);
        self.data.store(data);
        self.vtable.store(vtable);
    }

    /// Returns a copy of the halves. A role owns the copied waker only if it then clears the waker's flag. The exchange that clears the
    /// flag must expect a state that was loaded before the copy was made.
    #[inline(always)]
    pub(super) fn copy(&self) -> WakerParts {
        WakerParts { data: self.data.load(), vtable: self.vtable.load() }
    }

    /// Returns `true` if this waker is stored here. Only the role whose waker is stored here calls this function, and only while the
    /// waker's flag is set.
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
    /// Returns the address of the table to which the header points.
    #[inline(always)]
    pub(crate) fn table(&self) -> NonNull<()> {
        self.header.table()
    }

    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State::from_bits(self.state.load())
    }

    /// Stores the line of code that rented the slot.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) fn set_origin(&self, origin: Origin) {
        self.origin.set(origin);
    }

    /// Ends the operation: stores the number of the next operation, unless all generations are used. No role refers to the slot any more.
    /// The state is not changed, so that a producer with a late key gets an accurate error.
    #[inline(always)]
    pub(super) fn end(&self, cancelled: bool) -> End {
        self.origin.clear();
        let next = self.number().next_generation();
        if let Some(next) = next {
            self.number.publish(next.bits());
        }
        End { exhausted: next.is_none(), cancelled }
    }

    /// Returns the number of the operation. The caller has a role of the operation, or owns the vacant slot. So the number does not change.
    #[inline(always)]
    pub(crate) fn number(&self) -> Number {
        Number::from_bits(self.number.load_own())
    }

    /// Returns the number that the slot has now, for a producer with a key. The operation may end at any time, and then the number changes.
    #[inline(always)]
    pub(crate) fn number_now(&self) -> Number {
        Number::from_bits(self.number.load())
    }
}

/// Loom does not notice that memory is freed, or that a slot begins another operation. So this destructor and `Vacant::check_reuse` write
/// to the fields. Then loom checks that all accesses of other threads happen-before these writes.
#[cfg(loom)]
impl<T, H: Recycler> Drop for Slot<T, H> {
    fn drop(&mut self) {
        // If the model has already failed, a second panic would abort the process.
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
