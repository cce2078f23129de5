//! The messages underline what the user has written: the whole expression that begins with `self`, and the output of the method.

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
        self.0.get(&key)
    }

    async fn len(&self) -> usize {
        self.0.len()
    }
}

fn main() {}
