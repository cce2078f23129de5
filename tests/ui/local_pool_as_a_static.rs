//! A pool for one thread cannot be a `static`.

use value_future::LocalFuturePool;

static POOL: LocalFuturePool = LocalFuturePool::new();

fn main() {
    drop(POOL.pooled(async { 5 }));
}
