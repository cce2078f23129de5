//! The header: what stands first in everything that a [`Head`] can point to, so that one thin
//! pointer is enough to poll it and to drop it.

use core::{mem, ptr::NonNull, task::Context, task::Poll};

use super::Head;
use crate::{ArmKind, error::Spent};

/// The first field of every pointee, which is `repr(C)` for it.
///
/// Aligned so that the low three bits of its address are free for the head's tag everywhere.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Header {
    /// Points to a `VTable<T>`, where `T` is the output type of the pointee, that is never freed.
    vtable: NonNull<()>,
}

// SAFETY: a header is a reference to a constant table of function pointers.
unsafe impl Send for Header {}
// SAFETY: as above.
unsafe impl Sync for Header {}

/// The operations of a pointee whose output is `T`.
///
/// # Safety
///
/// Every function is called with a head that points to a live pointee with this table, and that
/// stands for one reference to it.
pub(crate) struct VTable<T> {
    /// Polls. With `Ready`, the reference is given back and the head is spent. With `Pending` the
    /// head is as it was, or spent because the source refused the token. If it unwinds, the head
    /// is spent and the reference is given back.
    pub(crate) poll: unsafe fn(&mut Head, &mut Context<'_>) -> Poll<T>,
    /// Gives up an operation that has not completed, and gives the reference back.
    pub(crate) drop: unsafe fn(Head),
    /// The name of the type behind the header, for `Debug`.
    pub(crate) type_name: fn() -> &'static str,
}

impl Header {
    pub(crate) const fn new<T>(vtable: *const VTable<T>) -> Self {
        let vtable = NonNull::new(vtable.cast_mut()).expect("a table has an address");
        Header { vtable: vtable.cast() }
    }

    /// The table of the pointee of `head`.
    ///
    /// # Safety
    ///
    /// `head` points to a live pointee whose output type is `T`.
    #[inline]
    pub(crate) unsafe fn vtable<'v, T: 'v>(head: Head) -> &'v VTable<T> {
        // SAFETY: the caller vouches for a live pointee, and each one starts with a header.
        let header = unsafe { *head.pointer::<Header>() };
        // SAFETY: the header of a pointee with output `T` points to a constant `VTable<T>`.
        unsafe { header.vtable.cast().as_ref() }
    }
}

/// A poll that is under way. If it unwinds, this leaves the future spent, gives up the operation
/// and gives the reference back, so that nothing is polled, dropped or leaked after a panic.
#[must_use]
pub(crate) struct Polling<'h> {
    head: &'h mut Head,
    arm: ArmKind,
    give_up: unsafe fn(Head),
}

impl<'h> Polling<'h> {
    /// # Safety
    ///
    /// `give_up` may be called with `head` until [`end`](Polling::end) or
    /// [`still_pending`](Polling::still_pending) is called.
    #[inline]
    pub(crate) unsafe fn start(head: &'h mut Head, arm: ArmKind, give_up: unsafe fn(Head)) -> Self {
        Polling { head, arm, give_up }
    }

    #[inline]
    pub(crate) fn still_pending(self) {
        mem::forget(self);
    }

    /// The operation has ended. The caller gives back the reference that the head was.
    #[inline]
    pub(crate) fn end(self, spent: Spent) {
        *self.head = Head::spent(spent);
        mem::forget(self);
    }
}

impl Drop for Polling<'_> {
    #[cold]
    fn drop(&mut self) {
        let live = mem::replace(self.head, Head::spent(Spent::Panicked(self.arm)));
        // SAFETY: the poll was neither ended nor found pending, so `start`'s caller allows it,
        // and the head is overwritten, so it happens once.
        unsafe { (self.give_up)(live) };
    }
}
