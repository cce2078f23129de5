//! A lookup behind `dyn` whose result is not ready. The first poll of its future wakes the waker, and is pending. The second poll is ready.

use std::{
    future::Future,
    hint::black_box,
    marker::PhantomData,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    task::{Context, Poll},
};

use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};

use super::{BoxFuture, Case, PendingOnce, drive};

#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the parameter distinguishes the instances"
)]
/// The work of the method. Its future contains a buffer of `BYTES` bytes. The parameter `Contender` makes a separate instance of this
/// function for each contender, as if the program had no other contender. So the compiler inlines the poll of the future into the poll
/// function of its vtable.
async fn operation<const BYTES: usize, Contender: ?Sized>(key: u64) -> u64 {
    let mut buffer = [0_u8; BYTES];
    black_box(&mut buffer)[0] = 1;
    PendingOnce::default().await;
    key + u64::from(black_box(&buffer)[0])
}

/// A future written by hand, with a field of `BYTES` bytes. The field is moved when the future is boxed.
struct Carrying<const BYTES: usize, Contender: ?Sized> {
    key: u64,
    once: PendingOnce,
    carried: [u8; BYTES],
    contender: PhantomData<fn(&Contender)>,
}

impl<const BYTES: usize, Contender: ?Sized> Carrying<BYTES, Contender> {
    fn new(key: u64) -> Self {
        let carried = black_box([1; BYTES]);
        Carrying { key, once: PendingOnce::default(), carried, contender: PhantomData }
    }
}

impl<const BYTES: usize, Contender: ?Sized> Future for Carrying<BYTES, Contender> {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        let polled = Pin::new(&mut self.once).poll(cx);
        polled.map(|()| self.key + u64::from(self.carried[BYTES - 1]))
    }
}

trait BoxRead: Send + Sync {
    fn read(&self, key: u64) -> BoxFuture<'_, u64>;
}

trait ValueRead: Send + Sync {
    fn read(&self, key: u64) -> ValueFuture<'_, u64>;
}

struct Holds<const BYTES: usize>;

impl<const BYTES: usize> BoxRead for Holds<BYTES> {
    fn read(&self, key: u64) -> BoxFuture<'_, u64> {
        Box::pin(operation::<BYTES, dyn BoxRead>(key))
    }
}

impl<const BYTES: usize> ValueRead for Holds<BYTES> {
    fn read(&self, key: u64) -> ValueFuture<'_, u64> {
        ValueFuture::boxed(operation::<BYTES, dyn ValueRead>(key))
    }
}

struct Carries<const BYTES: usize>;

impl<const BYTES: usize> BoxRead for Carries<BYTES> {
    fn read(&self, key: u64) -> BoxFuture<'_, u64> {
        Box::pin(Carrying::<BYTES, dyn BoxRead>::new(key))
    }
}

impl<const BYTES: usize> ValueRead for Carries<BYTES> {
    fn read(&self, key: u64) -> ValueFuture<'_, u64> {
        ValueFuture::boxed(Carrying::<BYTES, dyn ValueRead>::new(key))
    }
}

/// A source that serves one operation at a time. Each operation is pending once.
#[derive(Default)]
struct Register {
    /// The upper half is the token. The lower half says whether the operation was polled.
    state: AtomicU32,
}

impl ValueSource for Register {
    type Output = u64;

    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<u64, StaleToken>> {
        let state = self.state.load(Relaxed);
        token.check(Token::new((state >> 16) as u16))?;
        if state & 1 == 0 {
            self.state.store(state | 1, Relaxed);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.state.store(u32::from(token.next().get()) << 16, Relaxed);
        Poll::Ready(Ok(u64::from(token.get())))
    }

    fn cancel(&self, _: Token) {}
}

impl ValueRead for Source<Register> {
    fn read(&self, _: u64) -> ValueFuture<'_, u64> {
        let live = self.state.load(Relaxed) >> 16;
        ValueFuture::from_source(self, Token::new(live as u16))
    }
}

pub(crate) const BOX_FUTURE: &str = "BoxFuture";
pub(crate) const BOXED: &str = "ours boxed";
pub(crate) const SOURCE: &str = "ours from_source";

fn cases_of(boxed: &'static dyn BoxRead, ours: &'static dyn ValueRead) -> Vec<Case> {
    macro_rules! case {
        ($name:expr, $device:expr) => {{
            let device = $device;
            let run = move |operations| {
                let device = black_box(device);
                drive(async move {
                    let mut consumed = 0_u64;
                    for key in 0..operations {
                        consumed = consumed.wrapping_add(device.read(key).await);
                    }
                    consumed
                })
            };
            Case::new($name, run)
        }};
    }
    let source: &'static dyn ValueRead = Box::leak(Box::new(Source::new(Register::default())));
    vec![case!(BOX_FUTURE, boxed), case!(BOXED, ours), case!(SOURCE, source)]
}

/// Returns the cases of an async block with a buffer of `BYTES` bytes. The case of the source has no async block and no buffer.
pub(crate) fn cases<const BYTES: usize>() -> Vec<Case> {
    cases_of(&Holds::<BYTES>, &Holds::<BYTES>)
}

/// Returns the cases of a future with a field of `BYTES` bytes. The case of the source has no such future.
pub(crate) fn carrying_cases<const BYTES: usize>() -> Vec<Case> {
    cases_of(&Carries::<BYTES>, &Carries::<BYTES>)
}
