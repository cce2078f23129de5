//! Tests of the parts of the crate that need no allocator: `cargo test --no-default-features --test no_alloc`.

use std::{
    cell::Cell,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use value_future::{
    Dropped, LocalReusableSource, LocalValueFuture, ReusableSource, Source, ValueFuture,
    ValueSource,
    error::{Rule, StaleToken},
    future::Arm,
    ready_or_await,
    source::Token,
    stream::{ValueNext, ValueStream},
};

/// A source whose operations are ready at their second poll.
#[derive(Default)]
struct Register {
    live: Cell<Token>,
    polled: Cell<bool>,
}

impl ValueSource for Register {
    type Output = u16;

    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<u16, StaleToken>> {
        token.check(self.live.get())?;
        if !self.polled.replace(true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.cancel(token);
        Poll::Ready(Ok(token.get()))
    }

    fn cancel(&self, token: Token) {
        if token == self.live.get() {
            self.live.set(token.next());
            self.polled.set(false);
        }
    }
}

static READY: Source<Fixed> = Source::new(Fixed);

struct Fixed;

impl ValueSource for Fixed {
    type Output = u16;
    fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u16, StaleToken>> {
        Poll::Ready(Ok(9))
    }
    fn cancel(&self, _: Token) {}
}

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn ready_futures_sources_and_poll_errors_need_no_allocator() {
    const THREE: ValueFuture<'static, u16> = ValueFuture::const_ready(3);
    assert_eq!(poll(async { THREE.await + ready_or_await!(THREE) }), Poll::Ready(6));
    assert_eq!(poll(ValueFuture::from_source(&READY, Token::new(0))), Poll::Ready(9));

    let register = Source::new(Register::default());
    let mut operation = LocalValueFuture::from_source(&register, Token::new(0));
    assert_eq!(poll(&mut operation), Poll::Pending);
    assert!(
        matches!(operation.into_arm(), Arm::Source { .. }),
        "the drop of the arm cancels the operation"
    );
    assert_eq!(register.live.get(), Token::new(1));

    let mut operation = LocalValueFuture::from_source(&register, Token::new(1));
    assert_eq!(poll(&mut operation), Poll::Pending);
    assert_eq!(poll(&mut operation), Poll::Ready(1));
    let stale = LocalValueFuture::from_source(&register, Token::new(1)).checked();
    assert_eq!(poll(stale).map_err(|error| error.rule()), Poll::Ready(Err(Rule::StaleToken)));
}

/// A source in a `static`. An interrupt handler could complete its operations.
static SOURCE: ReusableSource<Option<u16>> = ReusableSource::new();

#[test]
fn a_reusable_source_needs_no_allocator() {
    let mut answer = SOURCE.begin().unwrap();
    assert_eq!(poll(&mut answer), Poll::Pending);
    SOURCE.complete_key(SOURCE.key().unwrap(), Some(5)).unwrap();
    assert_eq!(poll(answer), Poll::Ready(Some(5)));
    let local = LocalReusableSource::<Result<u16, Dropped>>::new();
    let (completer, answer) = local.begin_with_completer().unwrap();
    drop(completer);
    assert_eq!(poll(answer), Poll::Ready(Err(Dropped)));
}

#[test]
fn streams_need_no_allocator() {
    let mut left = 3;
    let mut reader = ValueNext::new(ValueStream::new(|| {
        left -= 1;
        ValueFuture::ready((left > 0).then_some(left))
    }));
    for item in [Some(2), Some(1), None] {
        assert_eq!(poll(reader.next()), Poll::Ready(item));
    }
}
