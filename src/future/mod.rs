//! The futures [`ValueFuture`] and [`LocalValueFuture`], their form as an enum ([`Arm`]), and futures that
//! return misuse as an error ([`Checked`]).
//!
//! Both types contain the same packed future. They differ in the affinity: whether the future may move to another thread. (The functions
//! that need a pool are in layers above.)

mod arm;
mod checked;
#[cfg(not(feature = "trace"))]
mod layout;
mod local_value_future;
mod packed;
mod ready_or_await;
mod value_future;

pub(crate) use self::packed::Packed;

pub use crate::affinity::{AnyThread, OneThread};

pub use self::{
    arm::{Arm, BoxedFuture, LocalArm, SourceRef},
    checked::{Checked, LocalChecked},
    local_value_future::LocalValueFuture,
    ready_or_await::TryTake,
    value_future::ValueFuture,
};

mod sealed {
    pub trait Sealed {}
}

/// Changes only the affinity: the future stays on its thread from now on. Nothing is allocated.
impl<'a, T> From<ValueFuture<'a, T>> for LocalValueFuture<'a, T> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        LocalValueFuture(future.0.local())
    }
}
