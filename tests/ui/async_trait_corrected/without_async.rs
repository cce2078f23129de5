//! The corrected version of `tests/ui/async_trait/without_async.rs`. `tests/compile_errors.rs` compiles it as a module.

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> u32;
    async fn other(&self) -> u32;
}

struct Fixed(u32);

#[async_trait]
impl Service for Fixed {
    async fn call(&self) -> u32 {
        self.0
    }

    async fn other(&self) -> u32 {
        self.0
    }
}

fn main() {}
