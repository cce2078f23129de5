//! The corrected version of `tests/ui/async_trait/ready_with_a_wrong_type.rs`. `tests/compile_errors.rs` compiles it as a module.

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> u32;
    async fn find(&self) -> Option<u32>;
}

struct Fixed(u32);

#[async_trait]
impl Service for Fixed {
    #[ready(Some(self.0))]
    async fn call(&self) -> u32 {
        self.0
    }

    #[ready(Some(Some(self.0)))]
    async fn find(&self) -> Option<u32> {
        Some(self.0)
    }
}

fn main() {}
