//! A `static` contains a `LocalPool`.

use std::sync::LazyLock;
use value_future::LocalPool;

static POOL: LazyLock<LocalPool<Option<u32>>> = LazyLock::new(LocalPool::new);

fn main() {
    POOL.rent();
}
