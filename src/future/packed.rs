//! The packed future is a compressed [`Arm`](crate::future::Arm). It consists of a *head* and a *payload*. The head is one word that says
//! where the result comes from. The payload is the space for an inline result. The page about [internals](crate::internals) explains why
//! the future is packed.

#[cfg(feature = "alloc")]
use core::{any::TypeId, future::Future, marker::PhantomData};
use core::{
    mem::{self, ManuallyDrop, MaybeUninit},
    ptr,
    task::{Context, Poll, Waker},
};

#[cfg(feature = "alloc")]
use super::{LocalValueFuture, ValueFuture};
#[cfg(feature = "alloc")]
use crate::erased::ErasedFuture;
use crate::{
    affinity::{Admits, OneThread},
    erased::{Head, OwnedHead, View},
    error::{ArmOrigin, PollError, Terminated},
    operation::Consumer,
    origin::Origin,
    pieces,
    slot::{ConsumerRole, Recycler},
    source::{self, BoxedSource, SourceReference},
    token::Token,
};

/// The content of a `ValueFuture` or a `LocalValueFuture`.
///
/// Invariant: the payload contains a `T` if and only if the head is ready.
///
/// The payload is the first field. So a copy of the whole future and a copy of its result begin at the same address, and each load of the
/// second copy reads bytes that one store of the first copy wrote (see [`pieces`]).
#[repr(C)]
pub(crate) struct Packed<'a, T, A> {
    payload: MaybeUninit<T>,
    head: ManuallyDrop<OwnedHead<'a, T, A>>,
    origin: Origin,
}

// A result is moved in and out, and is never pinned. A pointee (a boxed future or a source) does not move with the `Packed`.
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
            // SAFETY: the payload is a `T`.
            head: ManuallyDrop::new(unsafe { OwnedHead::ready() }),
            origin: Origin::caller(),
        }
    }

    /// Creates a future from a head that is not ready.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn from_head(head: OwnedHead<'a, T, A>) -> Self {
        let packed = Packed {
            payload: MaybeUninit::uninit(),
            head: ManuallyDrop::new(head),
            origin: Origin::caller(),
        };
        if cfg!(feature = "trace") {
            // `pieces::pending` stores only the head, but this future also has an origin.
            return packed;
        }
        const { assert!(size_of::<Head>() <= 8, "one piece contains the whole head") };
        // SAFETY: the 8 bytes at this offset contain the head. The payload need not be initialized, because the head is not ready: only
        // `const_ready` creates a head that is ready.
        unsafe { pieces::pending::<T, _>(packed, mem::offset_of!(Self, head)) }
    }

    #[cfg(feature = "alloc")]
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn boxed<F>(future: F) -> Self
    where
        F: ErasedFuture<Output = T> + 'a,
        A: Admits<F>,
    {
        Packed::from_head(OwnedHead::boxed(future))
    }

    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn from_source<R>(reference: R, token: Token) -> Self
    where
        R: SourceReference<'a, Output = T>,
        A: Admits<R> + Admits<BoxedSource<'a, R>>,
    {
        Packed::from_head(source::into_head(reference, token))
    }

    /// Converts the consumer of an operation into a future.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn from_consumer<H>(consumer: Consumer<'a, T, H>) -> Self
    where
        T: 'a,
        H: Recycler,
        A: Admits<Consumer<'a, T, H>> + Admits<ConsumerRole<'a, T, H>>,
    {
        let role = match consumer.into_role() {
            Ok(role) => role,
            Err(why) => return Packed::terminated(why),
        };
        if Head::has_room(&raw const *role) {
            let token = role.number().token();
            return Packed::from_head(OwnedHead::of_reference(role, token));
        }
        #[cfg(feature = "alloc")]
        return Packed::boxed(Consumer::<'a, T, H>::new(role));
        #[cfg(not(feature = "alloc"))]
        source::no_room_for_the_token(&raw const *role)
    }

    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn terminated(why: Terminated) -> Self {
        Packed::from_head(OwnedHead::terminated(why))
    }

    /// Converts a value future into a packed future. Returns a future of another type as an error.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn try_from_future<F>(future: F) -> Result<Self, F>
    where
        F: Future<Output = T> + 'a,
        A: Admits<F>,
    {
        let is_packed = type_id::<F>() == type_id::<ValueFuture<'a, T>>()
            || type_id::<F>() == type_id::<LocalValueFuture<'a, T>>();
        if !is_packed {
            return Err(future);
        }
        let future = ManuallyDrop::new(future);
        // SAFETY: except for lifetimes, `F` is a `ValueFuture` or a `LocalValueFuture`, and both are a transparent `Packed`. The output of
        // that `Packed` is the output of `F`, which is `T`. The lifetime of `F` is `'a` or longer, because `F: 'a`, and `Packed` is
        // covariant in its lifetime. If `A` is `AnyThread`, it admits only an `F` that is `Send`, so `F` is not a `LocalValueFuture`. If
        // `A` is `OneThread`, `F` may be either type, because a `ValueFuture` may stay on one thread. `future` is neither dropped nor used
        // again.
        Ok(unsafe { mem::transmute_copy::<ManuallyDrop<F>, Self>(&future) })
    }

    #[cfg_attr(
        not(feature = "trace"),
        expect(unused_mut, reason = "only `trace` changes the origin")
    )]
    /// Returns the same future with another origin.
    #[cfg(feature = "alloc")]
    #[inline(always)]
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

    /// Returns the same future, which stays on its thread from now on.
    #[inline]
    pub(crate) fn local(self) -> Packed<'a, T, OneThread> {
        let packed = ManuallyDrop::new(self);
        let local: *const Packed<'a, T, OneThread> = (&raw const packed).cast();
        // SAFETY: the two types have the same fields in the same order. The affinity has no bytes. `self` is neither dropped nor used
        // again. (The read moves the future as a whole, in the pieces in which it was stored.)
        unsafe { ptr::read(local) }
    }

    #[inline(always)]
    pub(crate) fn is_ready(&self) -> bool {
        self.head.is_ready()
    }

    /// Returns `true` if there is a result: inline, or in the slot of an operation.
    #[inline]
    pub(crate) fn has_result(&self) -> bool {
        self.is_ready() || self.head.operation_is_completed()
    }

    /// Takes the result like [`try_take`](Packed::try_take), but also from the slot of a completed operation.
    #[inline(always)]
    pub(crate) fn take_now(self) -> Result<T, Self> {
        match self.try_take() {
            Ok(value) => Ok(value),
            // A boxed or pooled future has no result before a poll. So the future is returned without a call of `take_from_operation`,
            // which would move it once more.
            Err(pending) if pending.head.is_cell() => Err(pending),
            Err(pending) => pending.take_from_operation(),
        }
    }

    #[inline(never)]
    fn take_from_operation(mut self) -> Result<T, Self> {
        if self.head.operation_is_completed() {
            let polled = self.poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(result) = polled {
                return Ok(result);
            }
        }
        Err(self)
    }

    #[inline]
    pub(crate) fn is_terminated(&self) -> bool {
        self.head.is_terminated()
    }

    pub(crate) fn view(&self) -> View {
        self.head.view()
    }

    /// Returns the reason why the future was terminated, or `None` if the future is not terminated.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) fn termination(&self) -> Option<Terminated> {
        match self.view() {
            View::Terminated(why) => Some(why),
            _ => None,
        }
    }

    /// Returns a reference to the inline result, if there is one.
    pub(crate) fn peek(&self) -> Option<&T> {
        // SAFETY: the head is ready, so the payload is a `T`.
        self.is_ready().then(|| unsafe { self.payload.assume_init_ref() })
    }

    /// Returns the arm and the type name of the pointee, for messages. Returns `None` if the head has no pointee.
    pub(crate) fn about_pointee(&self) -> Option<(ArmOrigin, &'static str)> {
        self.head.about_pointee()
    }

    #[inline(always)]
    pub(crate) fn try_take(self) -> Result<T, Self> {
        if !self.is_ready() {
            return Err(self);
        }
        let taken = ManuallyDrop::new(self);
        // SAFETY: the head is ready, so the payload is a `T`. `self` is neither dropped nor used again, so the payload is read once.
        Ok(unsafe { pieces::read(&taken.payload) })
    }

    // `poll` and `try_poll` both contain the ready path. If one of them called the other, a result of three words would be copied through
    // memory once more. (A call with a `Vec` would take 9 ns instead of 3 ns.)

    #[inline(always)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if self.is_ready() {
            return Poll::Ready(self.take_result());
        }
        cold();
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

    /// Calls [`poll_pointee`](Packed::poll_pointee) in a function that is not inlined. If the polls of all types of pointees were inlined
    /// into `.await`, each of them would store its result at its own address. `.await` would then copy a large result once more, to one
    /// common address. This function does nothing after the poll. So the poll writes the result directly to the address where this function
    /// returns it.
    #[inline(never)]
    fn poll_pointee_apart(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        self.poll_pointee(cx)
    }

    /// Panics if the future will never be ready.
    #[inline(always)]
    fn check_pending(&self) {
        if !self.head.is_pointer() {
            panic_with(&PollError::new::<T>(self.why_terminated(), self.origin))
        }
    }

    /// Polls like [`poll`](Packed::poll), but returns misuse as an error instead of a panic.
    #[inline]
    pub(crate) fn try_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Terminated>> {
        if self.is_ready() {
            return Poll::Ready(Ok(self.take_result()));
        }
        match self.poll_pointee_in_pieces(cx) {
            Poll::Ready(result) => Poll::Ready(Ok(result)),
            Poll::Pending => match self.broken_rule() {
                Some(why) => Poll::Ready(Err(why)),
                None => Poll::Pending,
            },
        }
    }

    /// Polls like [`poll_pointee`](Packed::poll_pointee), and stores the result in the pieces in which other code will load the result.
    #[inline(always)]
    fn poll_pointee_in_pieces(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if !pieces::is_word_and_pieces::<T>() {
            return self.poll_pointee(cx);
        }
        pieces::take_word_and_pieces(&mut self.poll_pointee(cx))
    }

    /// Returns the reason why the future will never be ready, or `None` if a later poll can return a result. The caller has just polled the
    /// pointee, and that poll was pending.
    #[inline]
    pub(crate) fn broken_rule(&self) -> Option<Terminated> {
        (!self.head.is_pointer()).then(|| self.why_terminated())
    }

    /// Takes the inline result of a ready head. Without optimization, this function is not inlined. So its copies of the result are not
    /// on the stack while `poll` polls a pointee.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn take_result(&mut self) -> T {
        self.head.take_ready();
        // SAFETY: the head was ready, so the payload is a `T`. The head is not ready any more, so the payload is read once.
        unsafe { pieces::read(&self.payload) }
    }

    /// Polls the pointee. If this returns `Pending` and the head is not a pointer, the future will never be ready: it was terminated
    /// before, or this poll has broken a [`Rule`](crate::error::Rule).
    #[inline(always)]
    pub(crate) fn poll_pointee(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        self.head.poll(cx)
    }

    /// Returns the reason why the future was terminated. The future must be terminated.
    #[cold]
    #[inline(never)]
    fn why_terminated(&self) -> Terminated {
        match self.view() {
            View::Terminated(why) => why,
            _ => unreachable!("there is something to poll"),
        }
    }
}

#[cold]
#[inline(never)]
fn panic_with(rule: &PollError) -> ! {
    panic!("{rule}")
}

impl<T, A> Drop for Packed<'_, T, A> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.head.is_ready() {
            // SAFETY: the head is ready, so the payload is a `T`.
            unsafe { self.payload.assume_init_drop() };
        } else {
            // The head is in a `ManuallyDrop`. Otherwise, the compiler would test the head again after the drop of the payload.
            // (`ManuallyDrop::drop` would have its own frame on the stack while a chain of futures is dropped. So this code calls
            // `drop_in_place`.)
            // SAFETY: this is the drop of the future, so the head is not used again.
            unsafe { ptr::drop_in_place(&raw mut *self.head) };
        }
    }
}

/// Returns the identity of a type, regardless of its lifetimes.
#[cfg(feature = "alloc")]
#[inline(always)]
fn type_id<T>() -> TypeId {
    trait Identity {
        fn type_id(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T> Identity for PhantomData<T> {
        #[inline(always)]
        fn type_id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let identity: &dyn Identity = &PhantomData::<T>;
    // SAFETY: only the lifetime of the trait object changes. The called function has no reference to a `T`, and a `TypeId` does not depend
    // on lifetimes.
    let identity = unsafe { mem::transmute::<&dyn Identity, &(dyn Identity + 'static)>(identity) };
    identity.type_id()
}

/// Marks the calling path as cold.
#[cold]
const fn cold() {}
