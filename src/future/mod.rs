//! The futures [`ValueFuture`] and [`LocalValueFuture`], their form as an enum ([`Arm`]), and futures that
//! return misuse as an error ([`Checked`]).
//!
//! A `ValueFuture` and a `LocalValueFuture` contain the same packed future. They differ in their affinity, which says whether the future
//! may move to another thread. (The functions of these types that need a pool are in higher layers.)

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

/// Converts the future into a future that stays on its thread. Only the affinity changes, and nothing is allocated.
impl<'a, T> From<ValueFuture<'a, T>> for LocalValueFuture<'a, T> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        LocalValueFuture(future.0.local())
    }
}
