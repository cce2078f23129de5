//! A source whose address leaves no room for the token in the head: the reference and the token
//! stand in a box of their own, and the head points to that with all its bits.

use alloc::boxed::Box;
use core::{
    any::type_name,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{SourceReference, ValueSource};
use crate::{
    ArmKind, Token,
    erased::{Head, Header, Pointee, Polling, VTable},
    error::Spent,
};

/// Starts with the header, as every pointee does.
#[repr(C)]
struct Unpacked<R> {
    header: Header,
    reference: R,
    token: Token,
}

pub(super) fn allocate<'a, R: SourceReference<'a>>(reference: R, token: Token) -> Head {
    let vtable = const {
        &VTable { poll: poll::<R>, drop: Unpacked::<R>::give_up, type_name: type_name::<R::Source> }
    };
    let unpacked = Box::new(Unpacked { header: Header::new(vtable), reference, token });
    let pointer = NonNull::new(Box::into_raw(unpacked)).expect("a box has an address");
    Head::boxed(pointer.cast())
}

/// [`VTable::poll`] of an unpacked source.
///
/// # Safety
///
/// As there, where the pointee is an `Unpacked<R>`.
unsafe fn poll<'a, R: SourceReference<'a>>(
    pointee: *mut (),
    head: &mut Head,
    cx: &mut Context<'_>,
) -> Poll<<R::Source as ValueSource>::Output> {
    // SAFETY: the head owns a live `Unpacked<R>`, and nothing else refers to it.
    let unpacked = unsafe { &*pointee.cast::<Unpacked<R>>() };
    // SAFETY: the head owns the box until `complete` or `end`.
    let polling = unsafe { Polling::<Unpacked<R>>::start(head) };
    let polled = match unpacked.reference.poll(unpacked.token, cx) {
        Poll::Pending => {
            polling.still_pending();
            return Poll::Pending;
        }
        Poll::Ready(Ok(value)) => {
            polling.complete();
            Poll::Ready(value)
        }
        Poll::Ready(Err(stale)) => {
            polling.end(Head::spent(Spent::Stale(stale)));
            Poll::Pending
        }
    };
    // SAFETY: the head that owned the box is spent, and `unpacked` is not used again.
    drop(unsafe { Box::from_raw(pointee.cast::<Unpacked<R>>()) });
    polled
}

impl<'a, R: SourceReference<'a>> Pointee for Unpacked<R> {
    const ARM: ArmKind = ArmKind::Source;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: the head owned the box, and its caller gave it up.
        let unpacked = unsafe { Box::from_raw(pointee.cast::<Unpacked<R>>()) };
        unpacked.reference.abandon(unpacked.token);
    }
}

/// The safe road, taken by force: the behaviour is that of a source in place.
#[cfg(test)]
mod tests {
    use alloc::{rc::Rc, string::ToString, sync::Arc};
    use core::{cell::Cell, pin::pin, task::Waker};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{Arm, LocalValueFuture, Source, StaleToken, ValueFuture, erased::REFUSE_ADDRESSES};

    /// Pending once, then the token's number. Token 13 panics.
    #[derive(Default)]
    struct Numbers {
        polls: Cell<u16>,
        abandoned: Cell<u16>,
    }

    const LIVE: Token = Token::new(7);
    const PANICS: Token = Token::new(13);

    impl ValueSource for Numbers {
        type Output = u16;

        fn poll(&self, token: Token, _: &mut Context<'_>) -> Poll<Result<u16, StaleToken>> {
            assert_ne!(token, PANICS, "the source panics");
            token.check(LIVE)?;
            self.polls.set(self.polls.get() + 1);
            if self.polls.get() == 1 { Poll::Pending } else { Poll::Ready(Ok(token.get())) }
        }

        fn abandon(&self, _: Token) {
            self.abandoned.set(self.abandoned.get() + 1);
        }
    }

    struct Shared(u32);

    impl ValueSource for Shared {
        type Output = u32;
        fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
            Poll::Ready(Ok(self.0))
        }
        fn abandon(&self, _: Token) {}
    }

    fn far_away<F>(make: impl FnOnce() -> F) -> F {
        REFUSE_ADDRESSES.set(true);
        let future = make();
        REFUSE_ADDRESSES.set(false);
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
        assert_eq!((Rc::strong_count(&source), source.abandoned.get()), (1, 0));
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
        assert_eq!((Rc::strong_count(&source), source.abandoned.get()), (1, 1));
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
        assert_eq!((Rc::strong_count(&source), source.abandoned.get()), (1, 0));
    }

    #[test]
    fn a_panic_abandons_once() {
        let source = numbers();
        let mut future = operation(&source, PANICS);
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut future))).is_err());
        assert_eq!((Rc::strong_count(&source), source.abandoned.get()), (1, 1));
        let Poll::Ready(Err(error)) = poll(future.checked()) else { panic!("not refused") };
        assert!(error.to_string().contains("polled after a panic"), "{error}");
    }

    #[test]
    fn a_borrowed_and_a_shared_source_too() {
        let (borrowed, shared) = (Source::new(Shared(3)), Arc::new(Source::new(Shared(4))));
        let in_place = ValueFuture::from_source(&borrowed, LIVE);
        assert!(matches!(in_place.into_arm(), Arm::Source { token: LIVE, .. }));
        let future = far_away(|| ValueFuture::from_source(&borrowed, LIVE));
        assert_eq!(poll(future), Poll::Ready(3));
        let future = far_away(|| ValueFuture::from_source(Arc::clone(&shared), LIVE));
        assert_eq!((poll(future), Arc::strong_count(&shared)), (Poll::Ready(4), 1));
    }
}
