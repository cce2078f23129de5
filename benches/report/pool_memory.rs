//! Writes the section about the memory of a pool.

use std::future::pending;

use value_future::{FuturePool, Pool};

use super::numbers::kib;
use crate::contenders::counted;

/// Measures how many bytes a pool allocates for its first operation. Returns the section.
pub(super) fn section() -> String {
    // The first pools that a thread uses also allocate memory for the thread. This memory is not counted.
    let pool = Pool::<Option<Box<u64>>>::new();
    let futures = FuturePool::new();
    drop((pool.rent(), futures.pooled(pending::<()>())));
    let (_, of_pool) = counted(|| {
        let pool = Pool::<Option<Box<u64>>>::new();
        drop(pool.rent());
        pool
    });
    let (_, of_size) = counted(|| {
        let pool = FuturePool::new();
        drop(pool.pooled(pending::<()>()));
        pool
    });
    format!(
        "## Memory of a pool\n\n\
         After one operation on one thread, a pool of completions takes {}. Each size of slots that a `FuturePool` uses takes {}.\n\n",
        kib(of_pool),
        kib(of_size),
    )
}
