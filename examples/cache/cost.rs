//! Costs of lookups: time and allocations.

use std::{array, sync::LazyLock, time::Instant};

use crate::common::{Allocated, allocated};

/// Nanoseconds, allocations and allocated bytes.
pub(crate) type Cost = [f64; 3];

/// Returns the time since the first call of this function, and the allocations of the calling thread so far.
///
/// Only the thread that runs the lookups calls this function. So the costs do not include the allocations of tokio's blocking threads.
pub(crate) fn cost_so_far() -> Cost {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let nanoseconds = START.elapsed().as_nanos() as f64;
    let Allocated { count, bytes } = allocated();
    [nanoseconds, count as f64, bytes as f64]
}

pub(crate) fn plus(a: Cost, b: Cost) -> Cost {
    array::from_fn(|i| a[i] + b[i])
}

pub(crate) fn minus(a: Cost, b: Cost) -> Cost {
    array::from_fn(|i| a[i] - b[i])
}
