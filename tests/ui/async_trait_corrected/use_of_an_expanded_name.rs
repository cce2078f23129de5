//! The corrected version of `tests/ui/async_trait/use_of_an_expanded_name.rs`.

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self, (_a, _b): (u32, u32)) -> u32 {
        _a
    }
}

fn main() {}
