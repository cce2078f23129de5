//! A slot: where an operation takes place, whatever it lies in. It is one atomic word that says in which
//! [state] it is, and cells that belong to whom that word says. It needs `core` only.

pub(crate) mod cells;
mod key;
mod number;
#[expect(clippy::module_inception, reason = "it is the slot itself")]
mod slot;
mod state;
mod vacant;

use core::task::Waker;

pub(crate) use cells::{Pointer, Word};
pub use key::{Key, TypedKey};
pub(crate) use number::{IndexLayout, Number};
pub(crate) use slot::{Change, Slot, SlotTable, WakerCell};
pub(crate) use state::State;
pub(crate) use vacant::Vacant;

/// The name of the public type whose operations have slots of a [`Home`].
pub(crate) trait SourceName {
    /// Returns the name, for `Debug`. `T` is the type of the values.
    fn source_name<T>() -> &'static str;
}

/// Where slots live: what their words are made of, and where they go when nobody refers to them.
pub(crate) trait Home: SourceName + Sized + 'static {
    type Word: Word;
    type Pointer: Pointer;

    /// Returns the key of an operation with this number.
    fn key_of(number: Number) -> Key {
        number.key()
    }

    /// The fast path of [`put`](Home::put). Returns the slot if it is not possible. The memory of the slot may be freed in this
    /// call.
    fn try_put<T>(slot: Vacant<Slot<T, Self>>, end: End) -> Result<(), Vacant<Slot<T, Self>>>;

    /// Takes a slot back. The memory of the slot may be freed in this call. Returns the waker of the future that was given the
    /// slot, if one waited for it.
    fn put<T>(slot: Vacant<Slot<T, Self>>, end: End) -> WakeOnDrop;

    /// Announces that a claimant will return the slot, because the consumer is about to leave. Called before it
    /// leaves. If there is no completer, the slot [is returning](State::is_returning) afterwards.
    fn begin_return<T>(slot: &Slot<T, Self>);

    /// Ends what [`begin_return`](Home::begin_return) announced: the slot was returned, or the consumer did not
    /// leave after all.
    fn end_return<T>(slot: &Slot<T, Self>);

    /// Returns `true` if the pool of the slot was closed. It is ordered after the exchange that the calling thread has made before,
    /// with the fence in `Handle::close`.
    fn is_closed<T>(slot: &Slot<T, Self>) -> bool;
}

/// A home whose slots are made for several threads.
///
/// # Safety
///
/// Their words and pointers are atomics.
#[diagnostic::on_unimplemented(
    message = "a `LocalPool`, a `LocalReusableSource` and the ends of their operations belong to one thread",
    note = "use a `Pool` or a `ReusableSource`, which other threads may use as well"
)]
#[allow(dead_code, reason = "Rust 1.85 does not see that it is a bound")]
pub(crate) unsafe trait ForThreads: Home {}

/// How a slot comes back.
#[derive(Clone, Copy)]
pub(crate) struct End {
    /// All generations of the epoch are used. The slot must not be rented before [`Slot::begin_epoch`].
    pub(crate) exhausted: bool,
    /// Its consumer went before there was a result.
    pub(crate) cancelled: bool,
}

/// A waker that is woken when this is dropped: at the end of a function, with nothing held.
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
