//! A `LocalFuturePool` as a `static`.

use value_future::LocalFuturePool;

static POOL: LocalFuturePool = LocalFuturePool::new();

fn main() {
    drop(POOL.pooled(async { 5 }));
}
