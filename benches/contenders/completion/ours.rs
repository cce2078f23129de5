//! The pools of this crate.

use value_future::{
    Completer, Completion, Dropped, LocalCompleter, LocalCompletion, LocalPool, LocalValueFuture,
    Pool, ValueFuture,
};

use super::Channels;

pub(crate) const OURS: &str = "ours";
pub(crate) const OURS_ERASED: &str = "ours erased";
pub(crate) const LOCAL: &str = "ours local";
pub(crate) const LOCAL_ERASED: &str = "ours local erased";

/// What our consumers give. A rival says with its own error that the producer was dropped.
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
                    Err(returned) => returned.ok(),
                }
            }
        }
    };
}

pool!(Ours, OURS, false, Pool, Completer, Completion<Value>);
pool!(OursErased, OURS_ERASED, true, Pool, Completer, ValueFuture<'static, Value>);
/// For another thread, the same pool.
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
