//! Slots: the memory and the state of operations. A [slot] contains one operation. Its [state] says which role owns which field of
//! the slot. Each of the [roles] (consumer, completer, claimant) is a type.
//!
//! A slot may be in a slab or in a source. This layer needs only `core`. It uses the [heads](crate::erased::Head) of futures, but neither
//! slabs nor futures.

pub(crate) mod cells;
mod error;
mod key;
mod number;
mod roles;
#[expect(clippy::module_inception, reason = "the file defines the type of this name")]
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

/// Names the public type whose operations use the slots of a [`Recycler`].
pub(crate) trait SourceName {
    /// Returns the name, for `Debug`. `T` is the output of the operations.
    fn source_name<T>() -> &'static str;
}

/// The recycler of slots. It defines the types of their fields, and returns a vacant slot to its slab or source.
pub(crate) trait Recycler: SourceName + Sized + 'static {
    type Word: Word;
    type Pointer: Pointer;

    /// Returns the key of an operation with this number.
    fn key_of(number: Number) -> Key {
        number.key()
    }

    /// Returns a slot to its slab or source on the fast path. If that is not possible, returns the slot as an error. As soon as the slot is
    /// returned, the object that contains it may be freed.
    fn try_release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> Result<(), Vacant<Slot<T, Self>>>;

    /// Returns a slot to its slab or source. The object that contains the slot may then be freed. If a future was waiting for a vacant
    /// slot, that future gets the slot, and this function returns its waker.
    fn release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> WakeOnDrop;

    /// Announces that a claimant will return the slot. The consumer of a claimed operation calls this function before it leaves. If there
    /// is no completer, the slot [is returning](State::is_returning) after the consumer has left.
    fn begin_return<T>(slot: &Slot<T, Self>);

    /// Withdraws the announcement of [`begin_return`](Recycler::begin_return). The claimant calls this function after its claim has ended.
    /// The consumer calls it if it has not left after all.
    fn end_return<T>(slot: &Slot<T, Self>);

    /// Returns `true` if the pool of the slot was closed. The caller has just made an exchange of the state. By the protocol of
    /// [`Word::announce`], which `Handle::close` also follows, either this function sees the close, or the closing thread sees the
    /// exchange.
    fn is_closed<T>(slot: &Slot<T, Self>) -> bool;
}

/// A recycler whose slots may be used by several threads.
///
/// # Safety
///
/// The types [`Word`](Recycler::Word) and [`Pointer`](Recycler::Pointer) of the recycler are atomics.
#[diagnostic::on_unimplemented(
    message = "a `LocalPool`, a `LocalReusableSource` and the ends of their operations belong to one thread",
    note = "use a `Pool` or a `ReusableSource`, which other threads may use as well"
)]
#[allow(dead_code, reason = "Rust 1.85 does not notice that this trait is used as a bound")]
pub(crate) unsafe trait ForThreads: Recycler {}

/// Describes to the recycler of a slot how the operation has ended.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// All generations of the epoch are used. The slot must not be rented before `begin_epoch`.
    pub(crate) exhausted: bool,
    /// The consumer has left before there was a result.
    pub(crate) cancelled: bool,
}

/// A guard that wakes a waker when it is dropped. Its owner drops it at the end of a function, when no lock is held.
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
