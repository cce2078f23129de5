//! A `static` contains a `LocalFuturePool`.

use value_future::LocalFuturePool;

static POOL: LocalFuturePool = LocalFuturePool::new();

fn main() {
    drop(POOL.pooled(async { 5 }));
}
