//! Where a future of any type lives behind one word: the header, and the future in the same place.
//!
//! What depends on the type of the future is in its table: how to poll it, and how to drop it. Everything else is compiled once
//! for each type of result ([`poll`]), or once. So a method that returns its future adds little code beside the future's.

use core::{
    alloc::Layout,
    any,
    future::Future,
    mem::{self, ManuallyDrop, MaybeUninit},
    pin::Pin,
    ptr,
    task::{Context, Poll},
};

use super::{Head, Header};
use crate::{
    error::{Site, Spent},
    pieces,
};

/// What can live in a house: any future, and what we put between a value future and another,
/// which passes on the rule that was broken in there instead of a result.
pub(crate) trait Boxable {
    type Output;

    /// What messages name, where it is in a box.
    const SITE: Site = Site::Boxed;

    /// The name that `Debug` shows.
    fn type_name() -> &'static str {
        any::type_name::<Self>()
    }

    /// As [`Future::poll`]; not called after `Ready`. If it is `Pending` because a rule was broken, that is in
    /// `broken`, and it is not called again. (In a place of its own: a result is not moved from one enum to another.)
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Spent>,
    ) -> Poll<Self::Output>;
}

impl<F: Future> Boxable for F {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, _: &mut Option<Spent>) -> Poll<F::Output> {
        Future::poll(self, cx)
    }
}

/// What a poll gives of one that has either a result or a broken rule.
#[inline(always)]
pub(crate) fn ready_or_broken<T>(
    polled: Poll<Result<T, Spent>>,
    broken: &mut Option<Spent>,
) -> Poll<T> {
    match polled {
        Poll::Ready(Ok(result)) => return Poll::Ready(result),
        Poll::Ready(Err(spent)) => *broken = Some(spent),
        Poll::Pending => {}
    }
    Poll::Pending
}

/// Where a future lives that a head has to itself.
///
/// # Safety
///
/// The pointee begins with a header that [`header`] has made for it, from when there is a head until `GIVE_BACK`.
/// [`future`](House::future) is a place in the pointee, which does not move, and holds a future until that is dropped.
pub(crate) unsafe trait House {
    type Future: Boxable;

    /// Where the future is, for messages.
    const SITE: Site = <Self::Future as Boxable>::SITE;

    /// Where the future in this pointee is, for `Debug`.
    const SITE_OF: unsafe fn(*mut ()) -> Site = |_| Self::SITE;

    /// Gives the house back, whose future was dropped.
    const GIVE_BACK: GiveBack;

    /// The allocation, and where in it the pointee is, if `GIVE_BACK` frees it.
    const ALLOCATION: (Layout, usize) = (Layout::new::<()>(), 0);

    /// The future is dropped with its house, and not when it has completed: a stream that was lent.
    const IS_LENT: bool = false;

    /// Where in the pointee the future is.
    fn future(pointee: *mut ()) -> *mut Self::Future;
}

/// Gives a house back.
///
/// # Safety
///
/// The pointee is a house with this table, its future was dropped, and its head gives it up.
pub(crate) type GiveBack = unsafe fn(*mut (), &Table);

type PollFuture<T> = unsafe fn(*mut (), &mut Context<'_>, &mut Head) -> Poll<T>;
type DropFuture = unsafe fn(*mut ());

/// What the header of a house refers to, if the output of the future is `T`.
#[repr(C)]
pub(crate) struct HouseTable<T> {
    table: Table,
    poll: PollFuture<T>,
}

/// The part of a [`HouseTable`] that does not depend on the output.
pub(crate) struct Table {
    give_back: GiveBack,
    /// Drops the future in the pointee, if there is anything to drop.
    drop_future: Option<DropFuture>,
    /// See [`House::ALLOCATION`].
    #[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "there are no allocations"))]
    pub(crate) allocation: (Layout, usize),
    site: Site,
    site_of: unsafe fn(*mut ()) -> Site,
    type_name: fn() -> &'static str,
}

/// The header of a house.
#[inline(always)]
pub(crate) const fn header<H: House>() -> Header {
    Header::of_house(const { &table::<H>() })
}

const fn table<H: House>() -> HouseTable<<H::Future as Boxable>::Output> {
    let drop_future: DropFuture = drop_future::<H>;
    let has_drop = mem::needs_drop::<H::Future>() && !H::IS_LENT;
    HouseTable {
        table: Table {
            give_back: H::GIVE_BACK,
            drop_future: if has_drop { Some(drop_future) } else { None },
            allocation: H::ALLOCATION,
            site: H::SITE,
            site_of: H::SITE_OF,
            type_name: <H::Future as Boxable>::type_name,
        },
        poll: if ONE_FRAME { poll_in_one_frame::<H> } else { poll_future::<H> },
    }
}

/// Drops the future in a house.
///
/// # Safety
///
/// The pointee is a live `H`, whose future was not dropped.
#[inline]
unsafe fn drop_future<H: House>(pointee: *mut ()) {
    // SAFETY: the caller's.
    unsafe { ptr::drop_in_place(H::future(pointee)) };
}

/// Polls the future in a house. If it has completed, or has broken a rule, the head is spent and the future is dropped. (The
/// compiler knows that an async block that has completed has nothing to drop.)
///
/// # Safety
///
/// The pointee is a live `H`, nothing else refers to it, and the head stands for it.
#[inline]
unsafe fn poll_future<H: House>(
    pointee: *mut (),
    cx: &mut Context<'_>,
    head: &mut Head,
) -> Poll<<H::Future as Boxable>::Output> {
    let mut broken = None;
    // SAFETY: the caller's.
    let future = unsafe { future::<H>(pointee) };
    // SAFETY: the caller's.
    unsafe { after_future::<H>(future.poll(cx, &mut broken), broken, pointee, head) }
}

/// # Safety
///
/// The pointee is a live `H`, and nothing else refers to it.
#[inline]
unsafe fn future<'h, H: House>(pointee: *mut ()) -> Pin<&'h mut H::Future>
where
    H::Future: 'h,
{
    // SAFETY: the caller's.
    let future = unsafe { &mut *H::future(pointee) };
    // SAFETY: the future stays in its house until it is dropped there.
    unsafe { Pin::new_unchecked(future) }
}

/// What follows the poll of a future.
///
/// # Safety
///
/// As [`poll_future`].
#[inline]
unsafe fn after_future<H: House>(
    polled: Poll<<H::Future as Boxable>::Output>,
    broken: Option<Spent>,
    pointee: *mut (),
    head: &mut Head,
) -> Poll<<H::Future as Boxable>::Output> {
    if polled.is_ready() {
        *head = const { Head::spent(Spent::Completed(Some(H::SITE))) };
    } else if let Some(spent) = broken {
        *head = Head::spent(spent);
    } else {
        return polled;
    }
    if !H::IS_LENT {
        // SAFETY: the caller's.
        unsafe { drop_future::<H>(pointee) };
    }
    polled
}

/// Without optimisation, each function has a frame and copies the result, and combinators nest: then the poll of a future does
/// what [`poll`] does otherwise. (Miri checks the functions that are used with optimisation.)
const ONE_FRAME: bool = cfg!(debug_assertions) && !cfg!(miri);

/// [`poll`] and [`poll_future`] in one frame.
///
/// # Safety
///
/// As [`poll_future`].
unsafe fn poll_in_one_frame<H: House>(
    pointee: *mut (),
    cx: &mut Context<'_>,
    head: &mut Head,
) -> Poll<<H::Future as Boxable>::Output> {
    struct Polling<'h>(&'h mut Head);

    impl Drop for Polling<'_> {
        fn drop(&mut self) {
            let pointee = self.0.boxed_pointer();
            // SAFETY: the head stands for a house: it is spent by `after_all` only, which has the guard then.
            let table = unsafe { Header::any_house_table(pointee) };
            panicked(self.0, pointee, table);
        }
    }

    /// What follows the poll. It has returned before another level of a chain is polled, and the result is the first
    /// argument of the call, which needs no second copy.
    unsafe fn after_all<H: House, T>(
        polled: Poll<T>,
        broken: Option<Spent>,
        polling: Polling<'_>,
        pointee: *mut (),
    ) -> Poll<T> {
        let mut polling = ManuallyDrop::new(polling);
        let spent = match broken {
            _ if polled.is_ready() => Spent::Completed(Some(H::SITE)),
            Some(spent) => spent,
            None => return polled,
        };
        *polling.0 = Head::spent(spent);
        // SAFETY: the head stood for the house, and is spent.
        unsafe { drop_and_give_back(pointee, &const { &table::<H>() }.table) };
        polled
    }

    // SAFETY: the caller's.
    let future = unsafe { future::<H>(pointee) };
    let polling = Polling(head);
    let mut broken = None;
    // SAFETY: the caller's; the future was polled.
    unsafe { after_all::<H, _>(future.poll(cx, &mut broken), broken, polling, pointee) }
}

/// Polls what a head that is boxed points to. With `Ready`, the house is given back and the head is spent. With `Pending` the
/// head is as it was, or spent because a rule was broken. If it unwinds, the head is spent and the house is given back.
///
/// It is compiled once for each type of result. Without optimisation it has no frame.
///
/// # Safety
///
/// The head is boxed, and the output of the future in the house is `T`.
#[cfg_attr(not(debug_assertions), inline(never))]
#[cfg_attr(debug_assertions, inline(always))]
pub(crate) unsafe fn poll<T>(head: &mut Head, cx: &mut Context<'_>) -> Poll<T> {
    #[cfg(all(debug_assertions, not(miri)))]
    {
        // SAFETY: the caller's.
        let poll = unsafe { poll_function(head) };
        // SAFETY: the caller's.
        unsafe { poll(head.boxed_pointer(), cx, head) }
    }
    #[cfg(not(all(debug_assertions, not(miri))))]
    {
        // SAFETY: the caller's.
        let table = unsafe { Header::house_table::<T>(head.boxed_pointer()) };
        // SAFETY: the caller's.
        unsafe { poll_by(table, head, cx) }
    }
}

/// Returns how a house is polled.
///
/// # Safety
///
/// As [`poll`].
#[cfg(all(debug_assertions, not(miri)))]
unsafe fn poll_function<T>(head: &Head) -> PollFuture<T> {
    // SAFETY: the caller's.
    unsafe { Header::house_table::<T>(head.boxed_pointer()) }.poll
}

/// [`poll`], of a head whose house is an `H`.
///
/// # Safety
///
/// The head stands for a live `H`.
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) unsafe fn poll_as<H: House>(
    head: &mut Head,
    cx: &mut Context<'_>,
) -> Poll<<H::Future as Boxable>::Output> {
    // SAFETY: the caller's.
    unsafe { poll_by(const { &table::<H>() }, head, cx) }
}

/// [`poll`], of a head whose house has this table.
///
/// # Safety
///
/// The head stands for a live house with this table.
#[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "`poll_as` is for pools"))]
#[inline(always)]
unsafe fn poll_by<T>(table: &HouseTable<T>, head: &mut Head, cx: &mut Context<'_>) -> Poll<T> {
    #[cfg(all(debug_assertions, not(miri)))]
    // SAFETY: the caller's.
    return unsafe { (table.poll)(head.boxed_pointer(), cx, head) };
    #[cfg(not(all(debug_assertions, not(miri))))]
    if pieces::is_stored_by_fields::<T>() {
        // SAFETY: the caller's.
        unsafe { poll_for_fields(table, head, cx) }
    } else {
        // SAFETY: the caller's.
        unsafe { poll_for_value(table, head, cx) }
    }
}

/// [`poll`], if the result is not [stored by fields](pieces::is_stored_by_fields).
///
/// Combinators nest: each level of a chain has a frame of this function on the stack. Without optimisation,
/// every local, every inlined call and every call in the scope of `polling` makes the frame larger. So the
/// work after the poll is in [`after`], which has returned before another level is polled, and the result is
/// the first argument of the call, which needs no second copy.
///
/// # Safety
///
/// As [`poll_by`].
#[cfg_attr(all(debug_assertions, not(miri)), expect(dead_code, reason = "`ONE_FRAME`"))]
#[inline(always)]
unsafe fn poll_for_value<T>(
    table: &HouseTable<T>,
    head: &mut Head,
    cx: &mut Context<'_>,
) -> Poll<T> {
    let polling = Polling::start(head, &table.table);
    // SAFETY: the caller's.
    after(unsafe { (table.poll)(polling.pointee, cx, polling.head) }, polling)
}

/// [`poll`], if the result is [stored by fields](pieces::is_stored_by_fields).
///
/// # Safety
///
/// As [`poll_by`].
#[cfg_attr(all(debug_assertions, not(miri)), expect(dead_code, reason = "`ONE_FRAME`"))]
#[inline(always)]
unsafe fn poll_for_fields<T>(
    table: &HouseTable<T>,
    head: &mut Head,
    cx: &mut Context<'_>,
) -> Poll<T> {
    let polling = Polling::start(head, &table.table);
    // SAFETY: the caller's.
    let mut polled = unsafe { (table.poll)(polling.pointee, cx, polling.head) };
    polling.finish();
    // SAFETY: what is initialised may be looked at as if it need not be.
    let result = unsafe { &*(&raw const polled).cast::<MaybeUninit<_>>() };
    // SAFETY: it is initialised, and not used again: nothing unwinds before it is overwritten.
    let result = unsafe { pieces::read_fields(result) };
    // Not forgotten: that would move it, and with it a `Box` that has been given away.
    // SAFETY: it is a local.
    unsafe { (&raw mut polled).write(Poll::Pending) };
    result
}

/// The result is an argument, and so it stays in registers, if it is there.
#[inline]
fn after<T>(polled: Poll<T>, polling: Polling<'_>) -> Poll<T> {
    polling.finish();
    polled
}

/// A poll that is under way. If it unwinds, this leaves the future spent and gives the house back, so that nothing is polled,
/// dropped or leaked after a panic.
struct Polling<'h> {
    /// Stands for the pointee, a house with this table, until its future was dropped.
    head: &'h mut Head,
    pointee: *mut (),
    table: &'h Table,
}

impl<'h> Polling<'h> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn start(head: &'h mut Head, table: &'h Table) -> Self {
        let pointee = head.boxed_pointer();
        Polling { head, pointee, table }
    }

    /// Gives the house back if its future was dropped.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn finish(self) {
        let polling = ManuallyDrop::new(self);
        if !polling.head.is_pointer() {
            // SAFETY: the head is spent, so the future was dropped.
            unsafe { (polling.table.give_back)(polling.pointee, polling.table) };
        }
    }
}

impl Drop for Polling<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        panicked(self.head, self.pointee, self.table);
    }
}

/// A poll has unwound.
#[cold]
#[inline(never)]
fn panicked(head: &mut Head, pointee: *mut (), table: &Table) {
    // Otherwise it was the drop of the future that panicked.
    if head.is_pointer() {
        *head = Head::spent(Spent::Panicked(table.site));
        // SAFETY: the head stood for the house, and is spent.
        unsafe { drop_and_give_back(pointee, table) };
    } else {
        // SAFETY: the head is spent, so the future was dropped.
        unsafe { (table.give_back)(pointee, table) };
    }
}

/// Drops the future in a house, and gives the house back, also if the drop panics.
///
/// # Safety
///
/// The pointee is a live house with this table, and its head gives it up.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn drop_and_give_back(pointee: *mut (), table: &Table) {
    struct Dropping<'t>(*mut (), &'t Table);

    impl Drop for Dropping<'_> {
        // Without optimisation, its locals would be on the stack while a chain is dropped.
        #[cfg_attr(not(debug_assertions), inline(always))]
        fn drop(&mut self) {
            // SAFETY: the future was dropped.
            unsafe { (self.1.give_back)(self.0, self.1) };
        }
    }

    let dropping = Dropping(pointee, table);
    if let Some(drop_future) = table.drop_future {
        // SAFETY: the caller's.
        unsafe { drop_future(dropping.0) };
    }
}

/// Returns what there is to say of what a head that is boxed points to.
///
/// # Safety
///
/// The head is boxed.
pub(crate) unsafe fn about(head: Head) -> (Site, &'static str) {
    let pointee = head.boxed_pointer();
    // SAFETY: the caller's.
    let table = unsafe { Header::any_house_table(pointee) };
    // SAFETY: the table is the pointee's.
    (unsafe { (table.site_of)(pointee) }, (table.type_name)())
}

/// Gives up what a head that is boxed points to.
///
/// # Safety
///
/// The head is boxed, and is not used again.
#[inline(always)]
pub(crate) unsafe fn give_up(head: Head) {
    let pointee = head.boxed_pointer();
    // SAFETY: the caller's.
    let table = unsafe { Header::any_house_table(pointee) };
    // SAFETY: the caller's.
    unsafe { drop_and_give_back(pointee, table) };
}
