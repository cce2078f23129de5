//! `BoxedSource`: an operation for which the head has no room, because the address of the source has more than 48 bits. The reference to
//! the source and the token are in a box, and the head has the address of the box.

use core::{
    any,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::{ValueSource, sealed::Raw};
use crate::{
    erased::{ErasedFuture, ready_or_broken},
    error::{ArmOrigin, Terminated},
    token::Token,
};

/// An operation of a source: the reference to the source, and the token. If the operation is live, the drop of the `BoxedSource` cancels
/// the operation.
pub(crate) struct BoxedSource<'a, R: Raw<'a>> {
    reference: R,
    token: Token,
    live: bool,
    lifetime: PhantomData<&'a ()>,
}

impl<'a, R: Raw<'a>> BoxedSource<'a, R> {
    /// Creates the future of the operation that has this token. The source may be at any address.
    pub(super) fn new(reference: R, token: Token) -> Self {
        BoxedSource { reference, token, live: true, lifetime: PhantomData }
    }
}

impl<'a, R: Raw<'a>> ErasedFuture for BoxedSource<'a, R> {
    type Output = <R::Source as ValueSource>::Output;

    const ORIGIN: ArmOrigin = ArmOrigin::Source;

    fn type_name() -> &'static str {
        any::type_name::<R::Source>()
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Terminated>,
    ) -> Poll<Self::Output> {
        let polled = self.reference.poll(self.token, cx);
        self.live = polled.is_pending();
        ready_or_broken(polled.map_err(Terminated::Stale), broken)
    }
}

impl<'a, R: Raw<'a>> Drop for BoxedSource<'a, R> {
    fn drop(&mut self) {
        if self.live {
            self.reference.cancel(self.token);
        }
    }
}

/// Tests that force operations into boxes. A boxed operation must behave like an operation whose token fits into the head.
#[cfg(test)]
mod tests {
    use alloc::{format, rc::Rc, string::ToString, sync::Arc};
    use core::{cell::Cell, pin::pin, task::Waker};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{
        erased::REFUSE_ADDRESSES,
        error::{ArmKind, StaleToken},
        future::{Arm, LocalValueFuture, ValueFuture},
        source::Source,
    };

    /// A source that is pending once, and then returns the number of the token. A poll with token 13 panics.
    #[derive(Default)]
    struct Numbers {
        polls: Cell<u16>,
        /// The number of calls of `cancel`, and the token of the last call.
        cancelled: Cell<(u16, Token)>,
    }

    const LIVE: Token = Token::new(7);
    const PANICS: Token = Token::new(13);

    impl ValueSource for Numbers {
        type Output = u16;

        fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<u16, StaleToken>> {
            assert_ne!(token, PANICS, "the source panics");
            token.check(LIVE)?;
            cx.waker().wake_by_ref();
            self.polls.set(self.polls.get() + 1);
            if self.polls.get() == 1 { Poll::Pending } else { Poll::Ready(Ok(token.get())) }
        }

        fn cancel(&self, token: Token) {
            self.cancelled.set((self.cancelled.get().0 + 1, token));
        }
    }

    /// A source that returns its number. Its destructor panics if the number is odd.
    struct OddPanics(u32);

    impl Drop for OddPanics {
        fn drop(&mut self) {
            assert_eq!(self.0 % 2, 0, "the destructor panics");
        }
    }

    impl ValueSource for OddPanics {
        type Output = u32;
        fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
            Poll::Ready(Ok(self.0))
        }
        fn cancel(&self, _: Token) {}
    }

    /// Calls `make`. During this call, every address is treated as an address that leaves no room for a token.
    fn without_room<F>(make: impl FnOnce() -> F) -> F {
        let was = REFUSE_ADDRESSES.replace(true);
        let future = make();
        REFUSE_ADDRESSES.set(was);
        future
    }

    fn poll<F: Future>(future: F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn numbers() -> Rc<Source<Numbers>> {
        Rc::new(Source::new(Numbers::default()))
    }

    fn operation(source: &Rc<Source<Numbers>>, token: Token) -> LocalValueFuture<'static, u16> {
        let future = without_room(|| LocalValueFuture::from_source(Rc::clone(source), token));
        assert_eq!(Rc::strong_count(source), 2);
        future
    }

    #[test]
    fn a_boxed_source_returns_its_result_and_releases_the_reference() {
        let source = numbers();
        let mut future = operation(&source, LIVE);
        assert_eq!(poll(&mut future), Poll::Pending);
        assert_eq!(poll(&mut future), Poll::Ready(7));
        assert_eq!((Rc::strong_count(&source), source.cancelled.get().0), (1, 0));
        assert!(matches!(future.into_arm(), Arm::Taken));
    }

    #[test]
    fn a_boxed_source_converts_into_a_boxed_arm_and_back() {
        let source = numbers();
        let arm = operation(&source, LIVE).into_arm();
        assert!(matches!(arm, Arm::Boxed(_)), "the head has no room for the token");
        let mut future = LocalValueFuture::from(arm);
        assert_eq!(poll(&mut future), Poll::Pending);
        drop(future);
        assert_eq!((Rc::strong_count(&source), source.cancelled.get()), (1, (1, LIVE)));
    }

    #[test]
    fn a_boxed_source_refuses_a_stale_token_and_reports_both_tokens() {
        let source = numbers();
        let mut checked = operation(&source, Token::new(8)).checked();
        for _ in 0..2 {
            let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("not refused") };
            assert_eq!(error.stale_token(), Some(StaleToken::new(LIVE, Token::new(8))));
            assert_eq!(error.arm(), Some(ArmKind::Source));
        }
        assert_eq!((Rc::strong_count(&source), source.cancelled.get().0), (1, 0));
    }

    #[test]
    fn a_panic_in_a_poll_cancels_the_operation_once() {
        let source = numbers();
        let mut future = operation(&source, PANICS);
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut future))).is_err());
        assert_eq!((Rc::strong_count(&source), source.cancelled.get()), (1, (1, PANICS)));
        let Poll::Ready(Err(error)) = poll(future.checked()) else { panic!("not refused") };
        assert!(error.to_string().contains("polled after a panic"), "{error}");
    }

    #[test]
    fn a_borrowed_source_and_a_source_in_an_arc_can_be_boxed() {
        let (borrowed, shared) = (Source::new(OddPanics(2)), Arc::new(Source::new(OddPanics(4))));
        let in_place = ValueFuture::from_source(&borrowed, LIVE);
        assert!(matches!(in_place.into_arm(), Arm::Source { token: LIVE, .. }));
        let future = without_room(|| ValueFuture::from_source(&borrowed, LIVE));
        assert_eq!(poll(future), Poll::Ready(2));
        let future = without_room(|| ValueFuture::from_source(Arc::clone(&shared), LIVE));
        assert_eq!((poll(future), Arc::strong_count(&shared)), (Poll::Ready(4), 1));
    }

    #[test]
    fn the_source_gets_the_waker_and_debug_shows_the_name_of_the_source() {
        let source = numbers();
        let mut future = operation(&source, LIVE);
        let text = format!("{future:?}");
        assert!(text.ends_with("boxed::tests::Numbers))"), "{text}");
        let (waker, woken) = futures_test::task::new_count_waker();
        let polled = Future::poll(pin!(&mut future), &mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        assert_eq!(woken.get(), 1);
    }

    #[test]
    fn a_destructor_that_panics_at_completion_leaves_the_future_completed() {
        let shared = Arc::new(Source::new(OddPanics(5)));
        let mut future = without_room(|| ValueFuture::from_source(shared, LIVE));
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut future))).is_err());
        let Poll::Ready(Err(error)) = poll(future.checked()) else { panic!("not refused") };
        assert!(error.to_string().contains("its result (source arm)"), "{error}");
    }
}
