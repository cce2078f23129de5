//! The consumer's end as a pointee: what a value future calls whose head stands for a consumer.

use core::{
    ptr::NonNull,
    task::{Context, Poll},
};

use crate::{
    erased::{Head, Pointee, Polling, VTable},
    error::{Site, Spent, StaleToken},
    slot::{ConsumerRole, Finished, Home, JustBegun, Slot, SlotTable},
};

/// Returns the table of a slot.
pub(crate) const fn table<T, H: Home>(abandoned: fn() -> T) -> SlotTable<T> {
    let vtable = VTable {
        poll: poll::<T, H>,
        drop: Slot::<T, H>::give_up,
        is_completed: is_completed::<T, H>,
        about: || (Site::Source, H::source_name::<T>()),
    };
    SlotTable { vtable, abandoned }
}

/// [`VTable::poll`] of a slot. The fast path is here, and saves no register: a store takes longer than anything else of a poll.
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
    // SAFETY: the head stands for the consumer.
    let role = unsafe { role::<T, H>(pointee) };
    if live.token() != role.number().token() {
        return poll_slowly(live, head, cx, role);
    }
    let role = match role.completed() {
        Ok(completed) => {
            *head = SPENT;
            return completed.take_polled();
        }
        Err(role) => role,
    };
    match role.just_begun() {
        Ok(role) => poll_first(live, head, cx, role),
        Err(role) => poll_slowly(live, head, cx, role),
    }
}

/// The consumer role that a head stands for.
///
/// # Safety
///
/// A head stands for the consumer of the slot.
#[inline(always)]
unsafe fn role<T, H: Home>(pointee: *mut ()) -> ConsumerRole<T, H> {
    // SAFETY: a pointee has an address.
    let slot = unsafe { NonNull::new_unchecked(pointee) };
    // SAFETY: the caller's.
    unsafe { ConsumerRole::from_pointer(slot.cast()) }
}

/// [`VTable::is_completed`] of a slot.
///
/// # Safety
///
/// As [`poll`].
unsafe fn is_completed<T, H: Home>(pointee: *mut (), live: Head) -> bool {
    // SAFETY: the caller's. The role is only looked at.
    let role = unsafe { role::<T, H>(pointee) };
    live.token() == role.number().token() && !role.state().is_pending()
}

/// [`poll`], if nothing has happened yet.
#[inline(never)]
fn poll_first<T, H: Home>(
    _: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    role: JustBegun<T, H>,
) -> Poll<T> {
    poll_by(|| role.wait(cx.waker()), head)
}

/// [`poll`], in any state, or with a token that is not that of the operation, which is not touched then.
#[cold]
#[inline(never)]
fn poll_slowly<T, H: Home>(
    live: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    role: ConsumerRole<T, H>,
) -> Poll<T> {
    let expected = role.number().token();
    if live.token() != expected {
        *head = Head::spent(Spent::Stale(StaleToken::new(expected, live.token())));
        return Poll::Pending;
    }
    poll_by(|| role.wait(cx.waker()), head)
}

/// [`poll`], by a function that waits from the state of the operation.
#[inline(always)]
fn poll_by<T, H: Home>(
    wait: impl FnOnce() -> Result<ConsumerRole<T, H>, Finished<T, H>>,
    head: &mut Head,
) -> Poll<T> {
    // SAFETY: the head is that of the slot.
    let polling = unsafe { Polling::<Slot<T, H>>::start(head) };
    let Err(finished) = wait() else {
        polling.still_pending();
        return Poll::Pending;
    };
    // The head says so if the function panics that creates the result of an abandoned operation.
    polling.end(const { Head::spent(Spent::Panicked(Site::Source)) });
    let value = finished.take();
    *head = SPENT;
    Poll::Ready(value)
}

const SPENT: Head = Head::spent(Spent::Completed(Some(Site::Source)));

impl<T, H: Home> Pointee for Slot<T, H> {
    const SITE: Site = Site::Source;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: the head stood for the consumer, and the caller gave it up.
        unsafe { role::<T, H>(pointee) }.leave();
    }
}
