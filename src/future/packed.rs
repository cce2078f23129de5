//! The packed future: the three arms in one word and room for the result. It is
//! [`Arm`](crate::future::Arm), compressed; the page about [internals](crate::internals) says why.
//!
//! What its fields promise each other:
//!
//! 1. The payload holds a `T` if and only if the head is ready.
//! 2. A head that is a pointer stands for one reference to a live pointee whose output is `T` (or a
//!    subtype of it): it owns a thin box or a block of a pool, has a house to itself that is lent, or holds a
//!    source that lives for `'a` at least. That a
//!    source's output is that of its table rests on `Source<S>` being invariant in `S`.
//! 3. What the head refers to is `Send` if `A` is, because `A: Admits<_>` it.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop, MaybeUninit},
    pin::Pin,
    ptr::{self, NonNull},
    task::{Context, Poll, Waker},
};

#[cfg(feature = "alloc")]
use crate::erased::allocate;
#[cfg(feature = "alloc")]
use crate::future_pool::{Compiled, Place};
use crate::{
    affinity::{Admits, OneThread},
    erased::{Boxable, Head, Header, House, Reference, View, house},
    error::{PollError, Site, Spent},
    operation::Consumer,
    origin::Origin,
    pieces,
    slot::{ConsumerRole, Home},
    source::{self, SourceReference},
    token::Token,
};

/// The payload comes first: a result of two words or more is then copied in the same pieces
/// wherever it goes, and each load finds its store.
#[repr(C)]
pub(crate) struct Packed<'a, T, A> {
    payload: MaybeUninit<T>,
    head: Head,
    /// Erased: not unwind safe, not `Send`, not `Sync` by itself, and covariant in `'a`.
    pointee: PhantomData<dyn Erased + 'a>,
    affinity: PhantomData<A>,
    origin: Origin,
}

trait Erased {}

// SAFETY: a `T` may be sent by its own word; what the head refers to by promise 3 above.
unsafe impl<T: Send, A: Send> Send for Packed<'_, T, A> {}
// SAFETY: through a shared reference only a `T` can be reached, to be shown by `Debug`; the
// pointee is reached through a mutable one only, but for its header and the page of its block, which do not
// change until the block is returned.
unsafe impl<T: Sync, A: Sync> Sync for Packed<'_, T, A> {}

// A result is moved in and out, and never pinned; a pointee stays where it is.
impl<T, A> Unpin for Packed<'_, T, A> {}

impl<'a, T, A> Packed<'a, T, A> {
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn ready(value: T) -> Self {
        pieces::ready::<T, _>(Packed::const_ready(value))
    }

    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) const fn const_ready(value: T) -> Self {
        Packed {
            payload: MaybeUninit::new(value),
            head: Head::READY,
            pointee: PhantomData,
            affinity: PhantomData,
            origin: Origin::caller(),
        }
    }

    /// # Safety
    ///
    /// The head is not ready, and promises 2 and 3 hold.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    unsafe fn without_payload(head: Head) -> Self {
        let packed = Packed {
            payload: MaybeUninit::uninit(),
            head,
            pointee: PhantomData,
            affinity: PhantomData,
            origin: Origin::caller(),
        };
        if cfg!(feature = "trace") {
            // There is more than the head.
            return packed;
        }
        const { assert!(size_of::<Head>() <= 8, "a piece has all of the head") };
        // SAFETY: the head is within these 8 bytes, and the payload need not be initialised.
        unsafe { pieces::pending::<T, _>(packed, mem::offset_of!(Self, head)) }
    }

    #[cfg(feature = "alloc")]
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn boxed<F>(future: F) -> Self
    where
        F: Boxable<Output = T> + 'a,
        A: Admits<F>,
    {
        // SAFETY: the head owns a thin box of a future with output `T`, which lives for `'a`, and
        // `A` admits it.
        unsafe { Packed::without_payload(allocate(future)) }
    }

    /// A future that lives in `house`, and is lent.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn lent<H>(house: Pin<&'a mut H>) -> Self
    where
        H: House,
        H::Future: Boxable<Output = T>,
        A: Admits<&'a mut H>,
    {
        // SAFETY: it is not moved.
        let house = NonNull::from(unsafe { house.get_unchecked_mut() });
        // SAFETY: the head has a house with a future with output `T` to itself for `'a`, and `A` admits
        // the reference to it.
        unsafe { Packed::without_payload(Head::boxed(house.cast())) }
    }

    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn from_source<R>(reference: R, token: Token) -> Self
    where
        R: SourceReference<'a, Output = T>,
        A: Admits<R>,
    {
        // SAFETY: the head holds a source with output `T`, which lives for `'a`, and `A` admits
        // the reference to it.
        unsafe { Packed::without_payload(source::into_head(reference, token)) }
    }

    /// The consumer of an operation.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn of<H>(consumer: Consumer<'a, T, H>) -> Self
    where
        T: 'a,
        H: Home,
        A: Admits<Consumer<'a, T, H>>,
    {
        let role = match consumer.into_role() {
            Ok(role) => role,
            Err(spent) => return Packed::spent(spent),
        };
        let token = role.number().token();
        let slot = role.into_pointer();
        if let Some(head) = Head::source(slot.cast(), Reference::Borrowed, token) {
            // SAFETY: the head stands for the consumer of a slot with output `T`, which is out, so
            // that it lives, and `A` admits it.
            return unsafe { Packed::without_payload(head) };
        }
        // SAFETY: no head has taken the role.
        let consumer = Consumer::new(unsafe { ConsumerRole::from_pointer(slot) });
        #[cfg(feature = "alloc")]
        return Packed::boxed(consumer);
        #[cfg(not(feature = "alloc"))]
        source::no_room_for_the_token(consumer.address())
    }

    /// A future in a block of a pool.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn placed<F, H>(place: Place<F, H>, future: ManuallyDrop<F>) -> Self
    where
        F: Boxable<Output = T> + 'a,
        H: Compiled,
        A: Admits<Place<F, H>> + Admits<F>,
    {
        // SAFETY: the head owns a block with a future with output `T`, which lives for `'a`, and `A`
        // admits both.
        unsafe { Packed::without_payload(place.fill(future)) }
    }

    /// [`placed`](Packed::placed), and polled once: ready if it was.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn placed_eagerly<F, H>(
        place: Place<F, H>,
        future: ManuallyDrop<F>,
        cx: &mut Context<'_>,
    ) -> Self
    where
        F: Boxable<Output = T> + 'a,
        H: Compiled,
        A: Admits<Place<F, H>> + Admits<F>,
    {
        let mut head = place.fill(future);
        // SAFETY: the head is from `fill`, and nobody else has it.
        match unsafe { Place::<F, H>::poll(&mut head, cx) } {
            Poll::Ready(result) => Packed::ready(result),
            // SAFETY: as in `placed`, or the head refers to nothing any more.
            Poll::Pending => unsafe { Packed::without_payload(head) },
        }
    }

    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn spent(spent: Spent) -> Self {
        // SAFETY: the head refers to nothing.
        unsafe { Packed::without_payload(Head::spent(spent)) }
    }

    /// The same future, made there.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    #[cfg_attr(not(feature = "trace"), expect(unused_mut, reason = "an origin is nothing"))]
    pub(crate) fn at(mut self, origin: Origin) -> Self {
        #[cfg(feature = "trace")]
        {
            self.origin = origin;
        }
        let _ = origin;
        self
    }

    #[inline(always)]
    pub(crate) const fn origin(&self) -> Origin {
        self.origin
    }

    /// The same future with less freedom.
    #[inline]
    pub(crate) fn local(self) -> Packed<'a, T, OneThread> {
        let packed = ManuallyDrop::new(self);
        let local: *const Packed<'a, T, OneThread> = (&raw const packed).cast();
        // SAFETY: the two have the same fields, in the same order; the affinity has no bytes. `self` is neither dropped
        // nor used again. It is moved as a whole, in the pieces in which it was stored.
        unsafe { ptr::read(local) }
    }

    #[inline(always)]
    pub(crate) fn is_ready(&self) -> bool {
        self.head.is_ready()
    }

    /// Returns `true` if there is a result: inline, or in the slot of an operation.
    #[inline]
    pub(crate) fn has_result(&self) -> bool {
        self.is_ready() || self.operation_has_result()
    }

    fn operation_has_result(&self) -> bool {
        if !self.head.is_pointer() || self.head.is_boxed() {
            return false;
        }
        let pointee = self.head.pointer();
        // SAFETY: the head is that of a source with output `T`, which lives.
        let table = unsafe { Header::vtable::<T>(pointee) };
        // SAFETY: the table is that of the pointee, for which the head stands.
        unsafe { (table.is_completed)(pointee, self.head) }
    }

    /// [`try_take`](Packed::try_take), also of the slot of an operation.
    #[inline(always)]
    pub(crate) fn take_now(self) -> Result<T, Self> {
        match self.try_take() {
            Ok(value) => Ok(value),
            // What is in a box or a slot has to be polled, and is not moved for this.
            Err(pending) if pending.head.is_boxed() => Err(pending),
            Err(pending) => pending.take_from_operation(),
        }
    }

    #[inline(never)]
    fn take_from_operation(mut self) -> Result<T, Self> {
        if self.operation_has_result() {
            let polled = self.poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(result) = polled {
                return Ok(result);
            }
        }
        Err(self)
    }

    #[inline]
    pub(crate) fn is_spent(&self) -> bool {
        self.head.is_spent()
    }

    pub(crate) fn view(&self) -> View {
        self.head.view()
    }

    /// Why there is nothing to poll, if there is nothing.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) fn spent_view(&self) -> Option<Spent> {
        match self.view() {
            View::Spent(spent) => Some(spent),
            _ => None,
        }
    }

    /// The inline result, if there is one, for `Debug`.
    pub(crate) fn peek(&self) -> Option<&T> {
        // SAFETY: the head is ready, so the payload holds a `T`.
        self.is_ready().then(|| unsafe { self.payload.assume_init_ref() })
    }

    /// What there is to say of what is behind the head, if there is something.
    pub(crate) fn about_pointee(&self) -> Option<(Site, &'static str)> {
        if self.head.is_boxed() {
            // SAFETY: the head is that of a house, which lives.
            return Some(unsafe { house::about(self.head) });
        }
        self.head.is_pointer().then(|| {
            // SAFETY: the head is that of a source, which lives and has output `T`.
            let vtable = unsafe { Header::vtable::<T>(self.head.source_pointer()) };
            (vtable.about)()
        })
    }

    #[inline(always)]
    pub(crate) fn try_take(self) -> Result<T, Self> {
        if !self.is_ready() {
            return Err(self);
        }
        let taken = ManuallyDrop::new(self);
        // SAFETY: the head is ready, so the payload holds a `T`; `self` is neither dropped nor
        // used again, so it is read once.
        Ok(unsafe { pieces::read(&taken.payload) })
    }

    // The two polls are written out: with the ready path of one inside the other, a result of
    // three words goes through memory once more (9 ns for a `Vec`, against 3).

    #[inline(always)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if self.is_ready() {
            return Poll::Ready(self.take_result());
        }
        crate::cold();
        let polled = if pieces::is_copied_by_a_call::<Self>() {
            self.poll_pointee_apart(cx)
        } else {
            self.poll_pointee_in_pieces(cx)
        };
        if polled.is_pending() {
            self.check_pending();
        }
        polled
    }

    /// [`poll_pointee`](Packed::poll_pointee), out of line: so a large result comes from one place, whatever the pointee
    /// is. Otherwise `.await` would copy it once more, to where the ways meet. There is nothing behind the polls, so that
    /// they write it where this function returns it.
    #[inline(never)]
    fn poll_pointee_apart(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        self.poll_pointee(cx)
    }

    /// Panics if nothing will be ready any more.
    #[inline(always)]
    fn check_pending(&self) {
        if !self.head.is_pointer() {
            panic_with(&PollError::new::<T>(self.why_spent(), self.origin))
        }
    }

    /// [`poll`](Packed::poll), with misuse as a value.
    #[inline]
    pub(crate) fn try_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Spent>> {
        if self.is_ready() {
            return Poll::Ready(Ok(self.take_result()));
        }
        match self.poll_pointee_in_pieces(cx) {
            Poll::Ready(result) => Poll::Ready(Ok(result)),
            Poll::Pending => match self.broken_rule() {
                Some(spent) => Poll::Ready(Err(spent)),
                None => Poll::Pending,
            },
        }
    }

    /// [`poll_pointee`](Packed::poll_pointee), with the result in the pieces in which it will be loaded.
    #[inline(always)]
    fn poll_pointee_in_pieces(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if !pieces::is_word_and_pieces::<T>() {
            return self.poll_pointee(cx);
        }
        let polled = MaybeUninit::new(self.poll_pointee(cx));
        // SAFETY: it is initialised, and not used again.
        unsafe { pieces::read_polled(&polled) }
    }

    /// The rule that was broken, if a poll of the pointee gave no result and will give none.
    #[inline]
    pub(super) fn broken_rule(&self) -> Option<Spent> {
        (!self.head.is_pointer()).then(|| self.why_spent())
    }

    /// The inline result; the head is ready. Without optimisation it is not inlined, so that its copies of the
    /// result are not on the stack of a poll that goes deeper.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn take_result(&mut self) -> T {
        assert!(self.is_ready());
        self.head = const { Head::spent(Spent::Completed(Some(Site::Ready))) };
        // SAFETY: the head was ready, so the payload holds a `T`; it is ready no longer, so it is
        // read once.
        unsafe { pieces::read(&self.payload) }
    }

    /// Polls what the head points to. `Pending` with a head that is no pointer says that there is
    /// nothing to poll, or that the source has just refused the token.
    #[inline(always)]
    pub(super) fn poll_pointee(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if self.head.is_boxed() {
            let polling = house::Polling(&mut self.head);
            // SAFETY: the head is that of a house, which lives and has output `T`.
            let polled = unsafe { house::poll(polling.0, cx) };
            mem::forget(polling);
            polled
        } else if self.head.is_pointer() {
            // SAFETY: the head is that of a source, for which it keeps promise 2, and it is both arguments.
            unsafe { poll_source(self.head, &mut self.head, cx) }
        } else {
            Poll::Pending
        }
    }

    /// Why there is nothing to poll.
    #[cold]
    #[inline(never)]
    fn why_spent(&self) -> Spent {
        match self.view() {
            View::Spent(spent) => spent,
            _ => unreachable!("there is something to poll"),
        }
    }
}

/// Out of line: inlined, the address of a boxed future would be computed the long way too, and
/// the poll would wait for it. The last thing it does is a jump.
///
/// # Safety
///
/// `live` is what the head is, and stands for a reference to a live source with output `T`.
#[inline(never)]
unsafe fn poll_source<T>(live: Head, head: &mut Head, cx: &mut Context<'_>) -> Poll<T> {
    let pointee = live.source_pointer();
    // SAFETY: the head is a pointer, and its pointee lives and has output `T`.
    let vtable = unsafe { Header::vtable::<T>(pointee) };
    // SAFETY: the table is the pointee's own, and the head stands for a reference to it.
    unsafe { (vtable.poll)(live, head, cx, pointee) }
}

/// Gives up what the head refers to. Out of line, because each `.await` has two of them.
///
/// # Safety
///
/// The head stands for a reference to a live pointee with output `T`, and is not used again.
#[cold]
#[inline(never)]
unsafe fn give_up<T>(head: Head) {
    if head.is_boxed() {
        // SAFETY: the caller's.
        return unsafe { house::give_up(head) };
    }
    let pointee = head.source_pointer();
    // SAFETY: the caller's.
    let vtable = unsafe { Header::vtable::<T>(pointee) };
    // SAFETY: the table is the pointee's own; the reference is the caller's, who gives it up.
    unsafe { (vtable.drop)(pointee, head) };
}

#[cold]
#[inline(never)]
fn panic_with(rule: &PollError) -> ! {
    panic!("{rule}")
}

impl<T, A> Drop for Packed<'_, T, A> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.head.is_pointer() {
            // SAFETY: the head is a pointer, and its pointee lives and has output `T`.
            unsafe { give_up::<T>(self.head) };
        } else if self.head.is_ready() {
            // SAFETY: the head is ready, so the payload holds a `T`, which nobody has read.
            unsafe { self.payload.assume_init_drop() };
        }
    }
}
