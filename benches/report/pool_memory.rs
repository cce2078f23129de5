//! The section of the memory of a pool.

use std::future::pending;

use value_future::{FuturePool, Pool};

use super::numbers::kib;
use crate::contenders::counted;

/// Says how many bytes a pool allocates for its first operation.
pub(super) fn section() -> String {
    // The first pool of a thread also allocates for the thread.
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
         With one operation of one thread, a pool of completions takes {}, and a size of a `FuturePool` {}.\n\n",
        kib(of_pool),
        kib(of_size),
    )
}
