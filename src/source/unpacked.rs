//! A source whose address leaves no room for the token in the head: the reference and the token
//! stand in a box of their own, and the head points to that with all its bits.

use core::{
    any,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use super::{SourceReference, ValueSource};
use crate::{
    erased::{Boxable, Head, allocate, ready_or_broken},
    error::{Site, Spent},
    token::Token,
};

/// An operation of a source, which it cancels when it is dropped live.
struct Unpacked<'a, R: SourceReference<'a>> {
    reference: R,
    token: Token,
    live: bool,
    lifetime: PhantomData<&'a ()>,
}

/// The head of the operation `token` of a source anywhere.
pub(super) fn unpacked<'a, R: SourceReference<'a>>(reference: R, token: Token) -> Head {
    allocate(Unpacked { reference, token, live: true, lifetime: PhantomData })
}

impl<'a, R: SourceReference<'a>> Boxable for Unpacked<'a, R> {
    type Output = <R::Source as ValueSource>::Output;

    const SITE: Site = Site::Source;

    fn type_name() -> &'static str {
        any::type_name::<R::Source>()
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Spent>,
    ) -> Poll<Self::Output> {
        let polled = self.reference.poll(self.token, cx);
        self.live = polled.is_pending();
        ready_or_broken(polled.map_err(Spent::Stale), broken)
    }
}

impl<'a, R: SourceReference<'a>> Drop for Unpacked<'a, R> {
    fn drop(&mut self) {
        if self.live {
            self.reference.cancel(self.token);
        }
    }
}

/// The safe road, taken by force: the behaviour is that of a source in place.
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

    /// Pending once, then the token's number. Token 13 panics.
    #[derive(Default)]
    struct Numbers {
        polls: Cell<u16>,
        /// How often, and the last token.
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

    /// Gives its number, and panics when it is dropped with an odd one.
    struct Shared(u32);

    impl Drop for Shared {
        fn drop(&mut self) {
            assert_eq!(self.0 % 2, 0, "the destructor panics");
        }
    }

    impl ValueSource for Shared {
        type Output = u32;
        fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
            Poll::Ready(Ok(self.0))
        }
        fn cancel(&self, _: Token) {}
    }

    fn far_away<F>(make: impl FnOnce() -> F) -> F {
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
        let future = far_away(|| LocalValueFuture::from_source(Rc::clone(source), token));
        assert_eq!(Rc::strong_count(source), 2);
        future
    }

    #[test]
    fn it_gives_its_result_and_the_reference_back() {
        let source = numbers();
        let mut future = operation(&source, LIVE);
        assert_eq!(poll(&mut future), Poll::Pending);
        assert_eq!(poll(&mut future), Poll::Ready(7));
        assert_eq!((Rc::strong_count(&source), source.cancelled.get().0), (1, 0));
        assert!(matches!(future.into_arm(), Arm::Taken));
    }

    #[test]
    fn it_is_the_boxed_arm_and_goes_through_it() {
        let source = numbers();
        let arm = operation(&source, LIVE).into_arm();
        assert!(matches!(arm, Arm::Boxed(_)), "the head has no room for the token");
        let mut future = LocalValueFuture::from(arm);
        assert_eq!(poll(&mut future), Poll::Pending);
        drop(future);
        assert_eq!((Rc::strong_count(&source), source.cancelled.get()), (1, (1, LIVE)));
    }

    #[test]
    fn a_stale_token_is_refused_with_both_tokens() {
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
    fn a_panic_cancels_once() {
        let source = numbers();
        let mut future = operation(&source, PANICS);
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut future))).is_err());
        assert_eq!((Rc::strong_count(&source), source.cancelled.get()), (1, (1, PANICS)));
        let Poll::Ready(Err(error)) = poll(future.checked()) else { panic!("not refused") };
        assert!(error.to_string().contains("polled after a panic"), "{error}");
    }

    #[test]
    fn a_borrowed_and_a_shared_source_too() {
        let (borrowed, shared) = (Source::new(Shared(2)), Arc::new(Source::new(Shared(4))));
        let in_place = ValueFuture::from_source(&borrowed, LIVE);
        assert!(matches!(in_place.into_arm(), Arm::Source { token: LIVE, .. }));
        let future = far_away(|| ValueFuture::from_source(&borrowed, LIVE));
        assert_eq!(poll(future), Poll::Ready(2));
        let future = far_away(|| ValueFuture::from_source(Arc::clone(&shared), LIVE));
        assert_eq!((poll(future), Arc::strong_count(&shared)), (Poll::Ready(4), 1));
    }

    #[test]
    fn the_waker_of_the_poll_reaches_the_source_and_its_name_reaches_debug() {
        let source = numbers();
        let mut future = operation(&source, LIVE);
        let text = format!("{future:?}");
        assert!(text.ends_with("unpacked::tests::Numbers))"), "{text}");
        let (waker, woken) = futures_test::task::new_count_waker();
        let polled = Future::poll(pin!(&mut future), &mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        assert_eq!(woken.get(), 1);
    }

    #[test]
    fn a_destructor_that_panics_at_completion_leaves_the_future_completed() {
        let shared = Arc::new(Source::new(Shared(5)));
        let mut future = far_away(|| ValueFuture::from_source(shared, LIVE));
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut future))).is_err());
        let Poll::Ready(Err(error)) = poll(future.checked()) else { panic!("not refused") };
        assert!(error.to_string().contains("its result (source arm)"), "{error}");
    }
}
