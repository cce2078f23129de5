//! The header: what stands first in everything that a [`Head`] can point to, so that one thin
//! pointer is enough to poll it and to drop it.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{Head, HouseTable, Table};
use crate::error::{Site, Spent};

/// The first field of every pointee, which is `repr(C)` for it.
///
/// Aligned so that the low three bits of its address are free for the head's tag everywhere.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Header {
    /// Points to a `VTable<T>` if the pointee is a source, and to a `HouseTable<T>` if it is a house, where `T` is the output
    /// type of the pointee. The table lives as long as the pointee.
    vtable: NonNull<()>,
}

// SAFETY: a header is a shared reference to a table of function pointers.
unsafe impl Send for Header {}
// SAFETY: as above.
unsafe impl Sync for Header {}

/// The operations of a source whose output is `T`.
///
/// # Safety
///
/// `poll` and `drop` are called with a head that points to a live pointee with this table and stands
/// for one reference to it, and with the pointer that it holds. `poll` gets the head twice: what it
/// is, in a register, and where it is.
pub(crate) struct VTable<T> {
    /// Polls. With `Ready`, the reference is given back and the head is spent. With `Pending` the
    /// head is as it was, or spent because the source refused the token. If it unwinds, the head
    /// is spent and the reference is given back.
    pub(crate) poll: PollFn<T>,
    /// Gives up an operation that has not completed, and gives the reference back.
    pub(crate) drop: unsafe fn(*mut (), Head),
    /// Returns `true` if a poll with this head would be `Ready`, as far as that is known without a poll.
    pub(crate) is_completed: unsafe fn(*mut (), Head) -> bool,
    /// Where the pointee is, and the name of its type, for `Debug`.
    pub(crate) about: fn() -> (Site, &'static str),
}

/// [`VTable::poll`].
pub(crate) type PollFn<T> = unsafe fn(Head, &mut Head, &mut Context<'_>, *mut ()) -> Poll<T>;

impl Header {
    pub(crate) const fn new<T>(vtable: *const VTable<T>) -> Self {
        Header::at(NonNull::new(vtable.cast_mut()).expect("a table has an address"))
    }

    /// A header whose table is the beginning of something else that `vtable` points to.
    pub(crate) const fn at<T>(vtable: NonNull<VTable<T>>) -> Self {
        Header { vtable: vtable.cast() }
    }

    /// What [`at`](Header::at) was given.
    #[inline(always)]
    pub(crate) const fn table(self) -> NonNull<()> {
        self.vtable
    }

    pub(crate) const fn of_house<T>(table: *const HouseTable<T>) -> Self {
        let table = NonNull::new(table.cast_mut()).expect("a table has an address");
        Header { vtable: table.cast() }
    }

    /// The table of a house.
    ///
    /// # Safety
    ///
    /// `pointee` is a live house whose output type is `T`, or a subtype of `T`, as in [`vtable`](Header::vtable).
    #[inline]
    pub(crate) unsafe fn house_table<'v, T: 'v>(pointee: *mut ()) -> &'v HouseTable<T> {
        // SAFETY: the caller vouches for a live house, and each one starts with a header.
        let header = unsafe { *pointee.cast::<Header>() };
        // SAFETY: the header of a house with output `T` was made by `of_house`.
        unsafe { header.vtable.cast().as_ref() }
    }

    /// The part of the table of a house that every house has.
    ///
    /// # Safety
    ///
    /// `pointee` is a live house.
    #[inline]
    pub(crate) unsafe fn any_house_table<'v>(pointee: *mut ()) -> &'v Table {
        // SAFETY: as above.
        let header = unsafe { *pointee.cast::<Header>() };
        // SAFETY: a `HouseTable` of any output begins with a `Table`.
        unsafe { header.vtable.cast().as_ref() }
    }

    /// The table of a source.
    ///
    /// # Safety
    ///
    /// `pointee` points to a live source whose output type is `T`, or a subtype of `T`, and lives
    /// for `'v`. A result is
    /// only given out, and to call the table of the subtype is what the compiler does where a
    /// `fn() -> U` becomes a `fn() -> T`. (For a higher-ranked `T` Miri objects to both.)
    #[inline]
    pub(crate) unsafe fn vtable<'v, T: 'v>(pointee: *mut ()) -> &'v VTable<T> {
        // SAFETY: the caller vouches for a live pointee, and each one starts with a header.
        let header = unsafe { *pointee.cast::<Header>() };
        // SAFETY: the header of a pointee with output `T` points to a `VTable<T>`, which lives as
        // long as the pointee.
        unsafe { header.vtable.cast().as_ref() }
    }
}

/// What a poll that unwinds leaves behind.
pub(crate) trait Pointee {
    /// Where the future is, for messages.
    const SITE: Site;

    /// [`VTable::drop`].
    ///
    /// # Safety
    ///
    /// As there.
    unsafe fn give_up(pointee: *mut (), head: Head);
}

/// A poll that is under way. If it unwinds, this leaves the future spent, gives up the operation
/// and gives the reference back, so that nothing is polled, dropped or leaked after a panic.
///
/// It is one pointer and stays in registers: with the arm as a byte of its own, each poll waited
/// 4 ns for a narrow store under a wide load.
#[must_use]
pub(crate) struct Polling<'h, P: Pointee>(&'h mut Head, PhantomData<P>);

impl<'h, P: Pointee> Polling<'h, P> {
    /// # Safety
    ///
    /// `head` is that of a live `P`, until [`end`](Polling::end) is called.
    #[inline]
    pub(crate) unsafe fn start(head: &'h mut Head) -> Self {
        Polling(head, PhantomData)
    }

    #[inline(always)]
    pub(crate) fn still_pending(self) {
        mem::forget(self);
    }

    /// The operation has ended. What the head was is returned; the reference that it stands for is
    /// the caller's to give back.
    #[inline(always)]
    pub(crate) fn end(self, spent: Head) -> Head {
        mem::replace(ManuallyDrop::new(self).0, spent)
    }

    /// [`end`](Polling::end), with the result given out.
    #[inline(always)]
    pub(crate) fn complete(self) -> Head {
        self.end(const { Head::spent(Spent::Completed(Some(P::SITE))) })
    }
}

impl<P: Pointee> Drop for Polling<'_, P> {
    #[inline]
    fn drop(&mut self) {
        let live = mem::replace(self.0, const { Head::spent(Spent::Panicked(P::SITE)) });
        // SAFETY: the poll was neither ended nor found pending, so the head was that of a live
        // `P`, and it is overwritten, so this happens once.
        unsafe { P::give_up(live.pointer(), live) };
    }
}
