//! The contenders of this crate: pools of completions.

use std::{
    future::Future,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll},
};

use value_future::{
    Completer, Completion, Dropped, LocalCompleter, LocalCompletion, LocalPool, LocalValueFuture,
    Pool, ValueFuture,
};

use super::Channels;

pub(crate) const OURS: &str = "ours";
pub(crate) const OURS_ERASED: &str = "ours erased";
pub(crate) const OURS_DYN: &str = "ours through &mut dyn";
pub(crate) const LOCAL: &str = "ours local";
pub(crate) const LOCAL_ERASED: &str = "ours local erased";
pub(crate) const LOCAL_DYN: &str = "ours local through &mut dyn";

/// The output of the consumers. If the producer was dropped, the output is the error `Dropped`.
pub(crate) type Value = Result<u64, Dropped>;

macro_rules! pool {
    ($Channels:ident, $name:expr, $erased:expr, $Pool:ident, $Completer:ident, $Consumer:ty) => {
        pub(crate) struct $Channels($Pool<Value>);

        impl $Channels {
            pub(crate) fn new() -> Self {
                $Channels($Pool::new())
            }
        }

        impl Channels for $Channels {
            type Producer = $Completer<Value>;
            type Error = Dropped;
            type Consumer<'a> = $Consumer;

            const ERASED: bool = $erased;

            fn name() -> String {
                $name.into()
            }

            #[inline(always)]
            fn pair(&mut self) -> (Self::Producer, $Consumer) {
                let (completer, completion) = self.0.rent();
                (completer, completion.into())
            }

            #[inline(always)]
            fn complete(completer: Self::Producer, value: u64) -> Option<u64> {
                match completer.complete(Ok(value)) {
                    Ok(()) => None,
                    Err(returned) => returned.into_value().ok(),
                }
            }
        }
    };
}

pool!(Ours, OURS, false, Pool, Completer, Completion<Value>);
pool!(OursErased, OURS_ERASED, true, Pool, Completer, ValueFuture<'static, Value>);

/// A clone is a handle of the same pool. In the cases with two threads, each thread has a handle.
impl Clone for Ours {
    fn clone(&self) -> Self {
        Ours(self.0.clone())
    }
}

impl Clone for OursErased {
    fn clone(&self) -> Self {
        OursErased(self.0.clone())
    }
}

pool!(Local, LOCAL, false, LocalPool, LocalCompleter, LocalCompletion<Value>);
pool!(LocalErased, LOCAL_ERASED, true, LocalPool, LocalCompleter, LocalValueFuture<'static, Value>);

/// A consumer that is polled through a `&mut dyn Future`. It shows the least cost of erasing a type.
pub(crate) struct ThroughDyn<F>(F);

impl<F: Future + Unpin> Future for ThroughDyn<F> {
    type Output = F::Output;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let erased: &mut (dyn Future<Output = F::Output> + Unpin) = &mut self.0;
        Pin::new(black_box(erased)).poll(cx)
    }
}

impl<F> From<F> for ThroughDyn<F> {
    fn from(future: F) -> Self {
        ThroughDyn(future)
    }
}

pool!(OursDyn, OURS_DYN, false, Pool, Completer, ThroughDyn<Completion<Value>>);
pool!(LocalDyn, LOCAL_DYN, false, LocalPool, LocalCompleter, ThroughDyn<LocalCompletion<Value>>);
