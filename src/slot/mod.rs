//! Slots: the memory and the state of operations. A [slot](Slot) contains one operation at a time. Its [state] says which role owns which
//! field of the slot. Each of the [roles] (consumer, completer, claimant) is a type.
//!
//! A slot may be in a slab or in a source. This layer needs only `core`. It uses the [heads](crate::erased::Head) of futures, but neither
//! slabs nor futures.

pub(crate) mod cells;
mod error;
mod key;
mod number;
mod roles;
mod state;

use core::task::Waker;

pub(crate) use cells::{Pointer, Word};
pub use error::{CompleteError, CompleteErrorKind};
pub use key::{Key, TypedKey};
pub(crate) use number::{IndexLayout, Number};
pub(crate) use roles::{
    CompleterRole, ConsumerRole, ConsumerWord, Ended, Finished, Presented, Slot, SlotHeader,
    SlotRef, SlotTable, Vacant, WakerCell, abandon_key, complete_key, table,
};
#[cfg(feature = "alloc")]
pub(crate) use roles::{abandon_keyed, orphan};
pub(crate) use state::State;

/// Names the public type whose operations use the slots of a [`Recycler`].
pub(crate) trait SourceName {
    /// Returns the name, for `Debug`. `T` is the output of the operations.
    fn source_name<T>() -> &'static str;
}

/// The recycler of slots. A recycler defines the types of the fields of a slot, and returns a vacant slot to its slab or source.
pub(crate) trait Recycler: SourceName + Sized + 'static {
    type Word: Word;
    type Pointer: Pointer;

    /// Returns the key of an operation with this number.
    fn key_of(number: Number) -> Key {
        number.key()
    }

    /// Returns a slot to its slab or source on the fast path. If the fast path is not possible, the error contains `slot`. As soon as the
    /// slot is back in its slab or source, this slab or source may be freed.
    fn try_release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> Result<(), Vacant<Slot<T, Self>>>;

    /// Returns a slot to its slab or source, which may then be freed. If a future was waiting for a vacant slot, this future gets the slot,
    /// and the function returns the waker of the future.
    fn release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> WakeOnDrop;

    /// Announces that a claimant will return the slot. The consumer of a claimed operation calls this function before it leaves. (A source
    /// does nothing here, because its `begin` calls [`State::is_returning`]. This predicate is `true` after the consumer has left an
    /// operation without a completer.)
    fn begin_return<T>(slot: &Slot<T, Self>);

    /// Withdraws the announcement of [`begin_return`](Recycler::begin_return). A claimant that finds that the consumer has left calls this
    /// function after it has ended its claim. If the claimant has ended the operation before the consumer could leave, the consumer calls
    /// this function instead.
    fn end_return<T>(slot: &Slot<T, Self>);

    /// Returns `true` if the pool of the slot was closed. The caller has just made an exchange of the state. By the protocol of
    /// [`Word::announce`], which `Handle::close` calls, either this function sees the close, or the closing thread sees the exchange.
    fn is_closed<T>(slot: &Slot<T, Self>) -> bool;
}

/// A recycler whose slots may be used by several threads. The words and pointers of these slots are atomics.
///
/// # Safety
///
/// If the recycler has slabs, these slabs are `Send` and `Sync`, except for the values in their slots.
#[diagnostic::on_unimplemented(
    message = "a `LocalPool`, a `LocalReusableSource` and the ends of their operations belong to one thread",
    note = "use a `Pool` or a `ReusableSource`, which other threads may use as well"
)]
#[allow(dead_code, reason = "Rust 1.85 does not notice that this trait is used as a bound")]
pub(crate) unsafe trait ForThreads:
    Recycler<Word: Send + Sync, Pointer: Send + Sync>
{
}

/// Two facts about the end of an operation, for the recycler of the slot.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// All generations of the epoch are used. The slot must not be rented before [`Vacant::begin_epoch`] is called.
    pub(crate) exhausted: bool,
    /// The consumer has left before there was a result.
    pub(crate) cancelled: bool,
}

/// A guard that wakes a waker when the guard is dropped. The owner drops the guard at the end of a function, when no lock is held.
#[must_use = "if this is not used, the waker is woken at once"]
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
