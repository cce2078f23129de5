//! Slots: a [slot](slot) contains an operation, its [state] says which role owns which of its cells, and the [roles] are types.
//!
//! A slot may be in a slab or in a source. This layer needs only `core`. It knows the [header](crate::erased::Header) of a pointee, and
//! neither slabs nor futures.

pub(crate) mod cells;
mod error;
mod key;
mod number;
mod roles;
#[expect(clippy::module_inception, reason = "it has the type of this name")]
mod slot;
mod state;

use core::task::Waker;

pub(crate) use cells::{Pointer, Word};
pub use error::{CompleteError, CompleteErrorKind};
pub use key::{Key, TypedKey};
pub(crate) use number::{IndexLayout, Number};
pub(crate) use roles::*;
pub(crate) use slot::{Slot, WakerCell};
pub(crate) use state::State;

/// The name of the public type whose operations have slots of a [`Recycler`].
pub(crate) trait SourceName {
    /// Returns the name, for `Debug`. `T` is the type of the values.
    fn source_name<T>() -> &'static str;
}

/// The recycler of slots: the types of their cells, and the object to which a vacant slot is returned.
pub(crate) trait Recycler: SourceName + Sized + 'static {
    type Word: Word;
    type Pointer: Pointer;

    /// Returns the key of an operation with this number.
    fn key_of(number: Number) -> Key {
        number.key()
    }

    /// Takes a slot back on the fast path. Returns the slot if that is not possible. The object that contains the slot may be freed
    /// as soon as the slot is back.
    fn try_release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> Result<(), Vacant<Slot<T, Self>>>;

    /// Takes a slot back. The object that contains the slot may be freed then. Returns the waker of the future that was given the
    /// slot, if one waited for it.
    fn release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> WakeOnDrop;

    /// Announces that a claimant will return the slot, because the consumer is about to leave. The consumer calls this before it
    /// leaves. If there is no completer, the slot [is returning](State::is_returning) afterwards.
    fn begin_return<T>(slot: &Slot<T, Self>);

    /// Ends what [`begin_return`](Recycler::begin_return) announced: the slot was returned, or the consumer has not left.
    fn end_return<T>(slot: &Slot<T, Self>);

    /// Returns `true` if the pool of the slot was closed. The load is ordered after the last exchange of the calling thread, by the fence
    /// in `Handle::close`.
    fn is_closed<T>(slot: &Slot<T, Self>) -> bool;
}

/// A recycler whose slots may be used by several threads.
///
/// # Safety
///
/// Their words and pointers are atomics.
#[diagnostic::on_unimplemented(
    message = "a `LocalPool`, a `LocalReusableSource` and the ends of their operations belong to one thread",
    note = "use a `Pool` or a `ReusableSource`, which other threads may use as well"
)]
#[allow(dead_code, reason = "Rust 1.85 does not see that it is a bound")]
pub(crate) unsafe trait ForThreads: Recycler {}

/// How an operation has ended, for the return of its slot.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// All generations of the epoch are used. The slot must not be rented before `begin_epoch`.
    pub(crate) exhausted: bool,
    /// The consumer has left before there was a result.
    pub(crate) cancelled: bool,
}

/// A waker that is woken when this is dropped: at the end of a function, when no lock is held.
#[must_use = "the waker is woken at once"]
pub(crate) struct WakeOnDrop(pub(crate) Option<Waker>);

impl WakeOnDrop {
    pub(crate) const NONE: WakeOnDrop = WakeOnDrop(None);
}

impl Drop for WakeOnDrop {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}
