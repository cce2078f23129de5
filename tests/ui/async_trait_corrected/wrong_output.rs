//! The corrected version of `tests/ui/async_trait/wrong_output.rs`. `tests/compile_errors.rs` compiles it as a module.

use std::collections::BTreeMap;

use value_future::async_trait;

#[async_trait]
trait Store {
    async fn get(&self, key: u64) -> Option<u64>;
    async fn len(&self) -> u64;
}

struct Numbers(BTreeMap<u64, u64>);

#[async_trait]
impl Store for Numbers {
    async fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key).copied()
    }

    async fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

fn main() {}
