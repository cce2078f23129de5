//! The consumer role as a reference that a [head](crate::erased::Head) owns. The head points to a slot. This file has the functions that a
//! value future with such a head calls.

use core::{
    marker::PhantomData,
    task::{Context, Poll},
};

use super::{
    ConsumerRole, Finished, Recycler, Rented,
    consumer::{JustBegun, Progress},
    slot::Slot,
};
use crate::{
    erased::{ErasedReference, Live, VTable},
    token::{StaleToken, Token},
};

/// The table to which the header of a slot points. All slots of a slab share one table, which is at the beginning of the slab. The table of
/// the slot in a source is a constant.
///
/// Invariant: `vtable` is the table of a `ConsumerRole<T, H>`.
#[repr(C)]
pub(crate) struct SlotTable<T, H> {
    vtable: VTable<T>,
    /// Creates the result of an operation that ended without a value.
    pub(super) abandoned: fn() -> T,
    recycler: PhantomData<fn() -> H>,
}

/// Returns the table of the slots of a slab or source.
pub(crate) const fn table<T, H: Recycler>(abandoned: fn() -> T) -> SlotTable<T, H> {
    SlotTable {
        vtable: VTable::of::<ConsumerRole<'static, T, H>>(),
        abandoned,
        recycler: PhantomData,
    }
}

/// Returns a copy of the role that `live` owns. The caller uses the copy for the operation, and `live` only to report the outcome.
#[inline(always)]
fn role_of<'a, T, H: Recycler>(live: &Live<'_, ConsumerRole<'a, T, H>>) -> ConsumerRole<'a, T, H> {
    ConsumerRole::new(Rented(live.pointer()))
}

impl<T, H: Recycler> ErasedReference for ConsumerRole<'_, T, H> {
    type Output = T;

    fn type_name() -> &'static str {
        H::source_name::<T>()
    }

    /// Only the fast path is inlined. The other paths are separate functions, so that the fast path need not save registers on the stack.
    #[inline(always)]
    fn poll(live: Live<'_, Self>, token: Token, cx: &mut Context<'_>) -> Poll<T> {
        if token != live.number().token() {
            return poll_slowly(live, cx, token);
        }
        match role_of(&live).progress() {
            Progress::Completed(completed) => {
                live.complete();
                completed.take_polled()
            }
            Progress::JustBegun(role) => poll_first(live, cx, role),
            Progress::Other => poll_slowly(live, cx, token),
        }
    }

    fn is_completed(slot: &Slot<T, H>, token: Token) -> bool {
        token == slot.number().token() && !slot.state().is_pending()
    }

    fn cancel(self, _: Token) {
        self.leave();
    }
}

/// Does what [`poll`](ErasedReference::poll) does, for an operation that has just begun.
#[inline(never)]
fn poll_first<T, H: Recycler>(
    live: Live<'_, ConsumerRole<'_, T, H>>,
    cx: &mut Context<'_>,
    role: JustBegun<'_, T, H>,
) -> Poll<T> {
    poll_by(|| role.wait(cx.waker()), live)
}

/// Does what [`poll`](ErasedReference::poll) does, in any state. If the token is not that of the operation, refuses the token and does not
/// touch the operation.
#[cold]
#[inline(never)]
fn poll_slowly<T, H: Recycler>(
    live: Live<'_, ConsumerRole<'_, T, H>>,
    cx: &mut Context<'_>,
    token: Token,
) -> Poll<T> {
    let expected = live.number().token();
    if token != expected {
        live.refuse(StaleToken::new(expected, token));
        return Poll::Pending;
    }
    let role = role_of(&live);
    poll_by(|| role.wait(cx.waker()), live)
}

/// Polls by the function `wait`, which registers the waker or finds the result.
#[inline(always)]
fn poll_by<'a, T, H: Recycler>(
    wait: impl FnOnce() -> Result<ConsumerRole<'a, T, H>, Finished<'a, T, H>>,
    live: Live<'_, ConsumerRole<'_, T, H>>,
) -> Poll<T> {
    match wait() {
        Ok(_) => live.pending(),
        Err(finished) => Poll::Ready(live.complete_with(|_| finished.take())),
    }
}
