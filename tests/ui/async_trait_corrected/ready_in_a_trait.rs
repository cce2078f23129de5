//! The corrected version of `tests/ui/async_trait/ready_in_a_trait.rs`. `tests/compile_errors.rs` compiles it as a module.

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> u32;
}

fn main() {}
