//! The corrected version of `tests/ui/async_trait/use_of_an_expanded_name.rs`. `tests/compile_errors.rs` compiles it as a module.

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self, (_a, _b): (u32, u32)) -> u32 {
        _a
    }
}

fn main() {}
