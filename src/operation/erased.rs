//! The consumer's end as a pointee: what a value future calls whose head stands for one.

use core::{
    ptr::NonNull,
    task::{Context, Poll},
};

use super::consumer::{Wait, leave, result, wait, wait_first};
use crate::{
    erased::{Head, Pointee, Polling, VTable},
    error::{Site, Spent, StaleToken},
    slot::{Home, Slot, SlotTable},
};

/// The table of a slot.
pub(crate) const fn table<T, H: Home>(abandoned: fn() -> T) -> SlotTable<T> {
    let vtable = VTable {
        poll: poll::<T, H>,
        drop: Slot::<T, H>::give_up,
        is_completed: is_completed::<T, H>,
        about: || (Site::Source, H::source_name::<T>()),
    };
    SlotTable { vtable, abandoned }
}

/// [`VTable::poll`] of a slot. What it usually does is here, and needs no register to be saved: a
/// store takes longer than anything else that a poll is made of.
///
/// # Safety
///
/// As there, where the pointee is a `Slot<T, H>`, and the head stands for its consumer.
unsafe fn poll<T, H: Home>(
    live: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    pointee: *mut (),
) -> Poll<T> {
    // SAFETY: a pointee has an address.
    let this = unsafe { NonNull::new_unchecked(pointee) }.cast::<Slot<T, H>>();
    // SAFETY: the slot is out as long as it has a consumer.
    let slot = unsafe { this.as_ref() };
    if live.token() == slot.number().token() {
        let state = slot.state();
        if state.is_completed() {
            *head = SPENT;
            // SAFETY: the head stood for the consumer, and the operation is completed.
            return unsafe { Slot::finish_poll(this) };
        }
        if state.is_rented() {
            // SAFETY: the caller's.
            return unsafe { poll_first(live, head, cx, this) };
        }
    }
    // SAFETY: the caller's.
    unsafe { poll_slowly(live, head, cx, this) }
}

/// [`VTable::is_completed`] of a slot.
///
/// # Safety
///
/// As [`poll`].
unsafe fn is_completed<T, H: Home>(pointee: *mut (), live: Head) -> bool {
    // SAFETY: the slot is out as long as it has a consumer.
    let slot = unsafe { &*pointee.cast::<Slot<T, H>>() };
    live.token() == slot.number().token() && !slot.state().is_pending()
}

/// [`poll`], where nothing has happened yet.
///
/// # Safety
///
/// As there, and the token is that of the operation.
#[inline(never)]
unsafe fn poll_first<T, H: Home>(
    _: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    this: NonNull<Slot<T, H>>,
) -> Poll<T> {
    // SAFETY: the caller's.
    unsafe { poll_by(wait_first, head, cx, this) }
}

/// [`poll`], in any state, or with a token that is not that of the operation, which is not touched
/// then.
///
/// # Safety
///
/// As there.
#[cold]
#[inline(never)]
unsafe fn poll_slowly<T, H: Home>(
    live: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    this: NonNull<Slot<T, H>>,
) -> Poll<T> {
    // SAFETY: a slot with a head that points to it lives.
    let slot = unsafe { this.as_ref() };
    let expected = slot.number().token();
    if live.token() != expected {
        *head = Head::spent(Spent::Stale(StaleToken::new(expected, live.token())));
        return Poll::Pending;
    }
    // SAFETY: the caller's.
    unsafe { poll_by(wait, head, cx, this) }
}

/// [`poll`], by a function that waits from the state that the operation is in.
///
/// # Safety
///
/// As there, and the token is that of the operation.
#[inline(always)]
unsafe fn poll_by<T, H: Home>(
    wait: Wait<T, H>,
    head: &mut Head,
    cx: &mut Context<'_>,
    this: NonNull<Slot<T, H>>,
) -> Poll<T> {
    // SAFETY: the head is that of the slot.
    let polling = unsafe { Polling::<Slot<T, H>>::start(head) };
    // SAFETY: the head stands for the consumer.
    let Err(state) = (unsafe { wait(this, cx.waker()) }) else {
        polling.still_pending();
        return Poll::Pending;
    };
    // That is what it is if the result that stands for no value panics.
    polling.end(const { Head::spent(Spent::Panicked(Site::Source)) });
    // SAFETY: the head stood for the consumer, and does so no longer; there is a result.
    let value = unsafe { result(this, state) };
    *head = SPENT;
    Poll::Ready(value)
}

const SPENT: Head = Head::spent(Spent::Completed(Some(Site::Source)));

impl<T, H: Home> Pointee for Slot<T, H> {
    const SITE: Site = Site::Source;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: a pointee has an address.
        let this = unsafe { NonNull::new_unchecked(pointee) }.cast::<Slot<T, H>>();
        // SAFETY: the head stood for the consumer, and the caller gave it up.
        unsafe { leave(this) };
    }
}
