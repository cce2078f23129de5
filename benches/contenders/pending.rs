//! The answer is not there: the future is polled once in vain, wakes its opaque waker, and gives
//! the answer at the second poll.

use std::{
    future::Future,
    hint::black_box,
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    task::{Context, Poll},
};

use value_future::{Source, StaleToken, Token, ValueFuture, ValueSource};

use super::{BoxFuture, Case, drive};

/// Wakes the waker and gives way, once.
#[derive(Default)]
struct GiveWay {
    polled: bool,
}

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// What a method does that has to wait: it holds a buffer of `BYTES` bytes meanwhile. Each contender
/// has an `operation` of its own, as each method of a program has: the compiler inlines the poll of
/// a future into the one table that refers to it.
#[expect(clippy::extra_unused_type_parameters, reason = "it tells the instances apart")]
async fn operation<const BYTES: usize, Contender: ?Sized>(key: u64) -> u64 {
    let mut buffer = [0_u8; BYTES];
    black_box(&mut buffer)[0] = 1;
    GiveWay::default().await;
    key + u64::from(black_box(&buffer)[0])
}

trait BoxRead: Send + Sync {
    fn read(&self, key: u64) -> BoxFuture<'_, u64>;
}

trait ValueRead: Send + Sync {
    fn read(&self, key: u64) -> ValueFuture<'_, u64>;
}

struct Device<const BYTES: usize>;

impl<const BYTES: usize> BoxRead for Device<BYTES> {
    fn read(&self, key: u64) -> BoxFuture<'_, u64> {
        Box::pin(operation::<BYTES, dyn BoxRead>(key))
    }
}

impl<const BYTES: usize> ValueRead for Device<BYTES> {
    fn read(&self, key: u64) -> ValueFuture<'_, u64> {
        ValueFuture::boxed(operation::<BYTES, dyn ValueRead>(key))
    }
}

/// A source with one operation at a time, which pends once.
#[derive(Default)]
struct Register {
    /// Token in the upper half, whether it has been polled in the lower.
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

    fn abandon(&self, _: Token) {}
}

impl ValueRead for Source<Register> {
    fn read(&self, _: u64) -> ValueFuture<'_, u64> {
        let live = self.state.load(Relaxed) >> 16;
        ValueFuture::from_source(self, Token::new(live as u16))
    }
}

pub(crate) const BOX_FUTURE: &str = "Pin<Box<dyn Future>>";
pub(crate) const BOXED: &str = "ours boxed";
pub(crate) const SOURCE: &str = "ours from_source";

/// The contenders for a future of `BYTES` bytes and a few; the source has no future to carry.
pub(crate) fn cases<const BYTES: usize>() -> Vec<Case> {
    macro_rules! case {
        ($name:expr, $Object:ty, $device:expr) => {{
            let device: &'static $Object = Box::leak(Box::new($device));
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
            Case { name: $name, run: Box::new(run) }
        }};
    }
    vec![
        case!(BOX_FUTURE, dyn BoxRead, Device::<BYTES>),
        case!(BOXED, dyn ValueRead, Device::<BYTES>),
        case!(SOURCE, dyn ValueRead, Source::new(Register::default())),
    ]
}
