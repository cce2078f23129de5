//! Where a future of any type lives behind one word: the header, and the future in the same place.
//!
//! What depends on the type of the future is in its table: how to poll it, and how to drop it. Everything else is compiled
//! once. So a method that returns its future adds little code beside the future's.

use core::{
    any,
    future::Future,
    mem,
    pin::Pin,
    ptr,
    task::{Context, Poll},
};

use super::{Head, Header};
use crate::error::{Site, Spent};
#[cfg(any(miri, not(debug_assertions)))]
use crate::pieces;

/// What can live in a house: any future, and what we put between a value future and another,
/// which passes on the rule that was broken in there instead of a result.
pub(crate) trait Boxable {
    type Output;

    /// What messages name, where it is in a box.
    const SITE: Site = Site::Boxed;

    /// A poll may tell of a broken rule. Otherwise nothing is compiled for that.
    const MAY_BREAK: bool = true;

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

    const MAY_BREAK: bool = false;

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
/// The pointee begins with a header that [`header`] has made for it, from when there is a head until [`GIVE_BACK`](House::GIVE_BACK).
/// The place at [`OFFSET`](House::OFFSET) does not move, and holds a future until that is dropped.
pub(crate) unsafe trait House {
    type Future: Boxable;

    /// Where the future was, for messages after it has completed. Those of a pool say "pooled", also if it was in a box because the
    /// pool was full: to find that out would take 64 bytes of code for each method.
    const SITE: Site = <Self::Future as Boxable>::SITE;

    /// The future is not dropped when it has completed: a stream that was lent.
    const IS_LENT: bool = false;

    /// How many bytes behind the pointee the future is.
    const OFFSET: isize;

    /// Returns where the future in a pointee is, for `Debug`.
    const SITE_OF: SiteOf = |_| Self::SITE;

    const GIVE_BACK: GiveBack;
}

/// Gives a house back. It does not unwind, and so its callers need no code for that.
///
/// # Safety
///
/// The pointee is a house, its future was dropped, and its head gives it up.
pub(crate) type GiveBack = unsafe extern "C" fn(*mut ());

/// # Safety
///
/// The pointee is a live house.
pub(crate) type SiteOf = unsafe fn(*mut ()) -> Site;

/// What the header of a house refers to, if the output of the future is `T`.
#[repr(C)]
pub(crate) struct HouseTable<T> {
    table: Table,
    poll: PollFuture<T>,
}

/// Polls the future in a pointee. With `Ready`, the house is given back and the head is spent. With `Pending` the head is as it
/// was, or spent because a rule was broken. If it unwinds, the head is as it was, or spent if the future was dropped.
type PollFuture<T> = unsafe fn(*mut (), &mut Context<'_>, &mut Head) -> Poll<T>;

/// The part of a [`HouseTable`] that does not depend on the output.
pub(crate) struct Table {
    give_back: GiveBack,
    /// Drops the future in the pointee, if there is anything to drop.
    drop_future: Option<unsafe fn(*mut ())>,
    site_of: SiteOf,
    type_name: fn() -> &'static str,
}

/// The header of a house.
pub(crate) const fn header<H: House>() -> Header {
    Header::of_house(
        const {
            let drop_future: unsafe fn(*mut ()) = drop_future::<H>;
            let has_drop = mem::needs_drop::<H::Future>() && !H::IS_LENT;
            &HouseTable {
                table: Table {
                    give_back: H::GIVE_BACK,
                    drop_future: if has_drop { Some(drop_future) } else { None },
                    site_of: H::SITE_OF,
                    type_name: <H::Future as Boxable>::type_name,
                },
                poll: poll_future::<H>,
            }
        },
    )
}

/// The place of the future in a house.
#[cfg_attr(not(debug_assertions), inline(always))]
fn place<H: House>(pointee: *mut ()) -> *mut H::Future {
    // `wrapping`, as this is no more than the address.
    pointee.wrapping_byte_offset(H::OFFSET).cast()
}

/// Drops the future in a house.
///
/// # Safety
///
/// The pointee is a live `H`, whose future was not dropped.
unsafe fn drop_future<H: House>(pointee: *mut ()) {
    // SAFETY: the caller's.
    unsafe { ptr::drop_in_place(place::<H>(pointee)) };
}

/// [`HouseTable::poll`] of a house.
///
/// Each function of this has an instance for each future, which takes time to compile: so there are few. And combinators nest:
/// each level of a chain has a frame of this function on the stack. Without optimisation, every local makes the frame larger.
/// So the work after the poll is in [`after`], which has returned before another level is polled, and the result is the first
/// argument of the call, which needs no second copy.
///
/// # Safety
///
/// As there: the pointee is a live `H`, nothing else refers to it, and the head stands for it.
pub(crate) unsafe fn poll_future<H: House>(
    pointee: *mut (),
    cx: &mut Context<'_>,
    head: &mut Head,
) -> Poll<<H::Future as Boxable>::Output> {
    // SAFETY: the caller's.
    let future = unsafe { future::<H>(pointee) };
    let mut broken = None;
    // (Without optimisation it would take more stack. Miri checks it.)
    #[cfg(any(miri, not(debug_assertions)))]
    if const { pieces::is_stored_by_fields::<<H::Future as Boxable>::Output>() } {
        let mut polled = future.poll(cx, &mut broken);
        let is_ready = if polled.is_ready() { Poll::Ready(()) } else { Poll::Pending };
        // SAFETY: the caller's; the future was polled.
        let _ = unsafe { after::<H, ()>(is_ready, broken, pointee, head) };
        // SAFETY: what is initialised may be looked at as if it need not be.
        let result = unsafe { &*(&raw const polled).cast::<mem::MaybeUninit<_>>() };
        // SAFETY: it is initialised, and not used again: nothing unwinds before it is overwritten.
        let result = unsafe { pieces::read_fields(result) };
        // Not forgotten: that would move it, and with it a `Box` that has been given away.
        // SAFETY: it is a local.
        unsafe { (&raw mut polled).write(Poll::Pending) };
        return result;
    }
    // SAFETY: the caller's; the future was polled.
    unsafe { after::<H, _>(future.poll(cx, &mut broken), broken, pointee, head) }
}

/// The future in a house.
///
/// # Safety
///
/// The pointee is a live `H`, and nothing else refers to it.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn future<'h, H: House>(pointee: *mut ()) -> Pin<&'h mut H::Future>
where
    H::Future: 'h,
{
    // SAFETY: the caller's.
    let future = unsafe { &mut *place::<H>(pointee) };
    // SAFETY: the future stays in its house until it is dropped there.
    unsafe { Pin::new_unchecked(future) }
}

/// Gives the house back if its future has completed, or has broken a rule. (The compiler knows that an async block that has
/// completed has nothing to drop.) The result is an argument, and so it stays in registers, if it is there.
///
/// # Safety
///
/// As [`poll_future`], and the future has just been polled.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn after<H: House, T>(
    polled: Poll<T>,
    broken: Option<Spent>,
    pointee: *mut (),
    head: &mut Head,
) -> Poll<T> {
    if polled.is_ready() {
        *head = const { Head::spent(Spent::Completed(Some(H::SITE))) };
    } else if const { H::Future::MAY_BREAK } && broken.is_some() {
        *head = Head::spent(broken.expect("a rule was broken"));
    } else {
        return polled;
    }
    if const { H::IS_LENT } {
        return polled;
    }
    // Also if the drop panics.
    let _house = Leaving(pointee, H::GIVE_BACK);
    // SAFETY: the head is spent, and the future was not dropped.
    unsafe { ptr::drop_in_place(place::<H>(pointee)) };
    polled
}

/// Gives a house back when it is dropped.
struct Leaving(*mut (), GiveBack);

impl Drop for Leaving {
    // Without optimisation, its locals would be on the stack while a chain is dropped.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop(&mut self) {
        // SAFETY: the future was dropped, and the head is spent or not used again.
        unsafe { (self.1)(self.0) };
    }
}

/// Polls the future that a boxed head points to.
///
/// # Safety
///
/// The head is boxed, the output of its future is `T`, and the caller holds a [`Polling`] guard for it.
#[inline(always)]
pub(crate) unsafe fn poll<T>(head: &mut Head, cx: &mut Context<'_>) -> Poll<T> {
    let pointee = head.boxed_pointer();
    // SAFETY: the caller's.
    let table = unsafe { Header::house_table::<T>(pointee) };
    // SAFETY: the table is that of the pointee, for which the head stands.
    unsafe { (table.poll)(pointee, cx, head) }
}

/// A poll that is under way. If it unwinds, this leaves the future spent and gives the house back, so that nothing is polled,
/// dropped or leaked after a panic.
pub(crate) struct Polling<'h>(pub(crate) &'h mut Head);

impl Drop for Polling<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        panicked(self.0);
    }
}

#[cold]
#[inline(never)]
fn panicked(head: &mut Head) {
    // Otherwise it was the drop of the future that panicked.
    if head.is_boxed() {
        let live = *head;
        // SAFETY: the head is boxed.
        let (site, _) = unsafe { about(live) };
        *head = Head::spent(Spent::Panicked(site));
        // SAFETY: the head that stood for the house is spent.
        unsafe { give_up(live) };
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

/// Gives up what a head that is boxed points to: drops the future, and gives the house back, also if the drop panics.
///
/// # Safety
///
/// The head is boxed, and is not used again.
#[inline(always)]
pub(crate) unsafe fn give_up(head: Head) {
    let pointee = head.boxed_pointer();
    // SAFETY: the caller's.
    let table = unsafe { Header::any_house_table(pointee) };
    let _house = Leaving(pointee, table.give_back);
    if let Some(drop_future) = table.drop_future {
        // SAFETY: the caller's.
        unsafe { drop_future(pointee) };
    }
}
