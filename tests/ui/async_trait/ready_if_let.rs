//! The condition of `#[ready(if …)]` is an `if let` with a pattern.

use value_future::async_trait;

#[async_trait]
trait Reads {
    async fn next(&mut self) -> u8;
}

#[async_trait]
impl Reads for Vec<u8> {
    #[ready(if let Some(byte) = self.pop() => byte)]
    async fn next(&mut self) -> u8 {
        0
    }
}

fn main() {}
