//! The corrected version of `tests/ui/async_trait/ready_in_cfg_attr.rs`. `tests/compile_errors.rs` compiles it as a module.

use value_future::{FuturePool, async_trait};

static POOL: FuturePool = FuturePool::new();

#[async_trait]
trait Service {
    async fn call(&self) -> u32;
}

struct Fixed(u32);

#[async_trait(pool = POOL)]
impl Service for Fixed {
    #[cfg(all(unix, not(unix)))]
    async fn call(&self) -> u32 {
        self.0
    }

    #[cfg(any(unix, not(unix)))]
    #[ready(Some(self.0))]
    async fn call(&self) -> u32 {
        self.0
    }
}

#[async_trait(?Send)]
trait Spelt {}

fn main() {}
