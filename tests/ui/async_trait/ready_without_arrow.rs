//! `#[ready(if …)]` without an arrow, and `#[ready]` with two expressions.

use value_future::async_trait;

#[async_trait]
trait Reads {
    async fn arrow(&mut self) -> u8;
    async fn comma(&mut self) -> u8;
}

#[async_trait]
impl Reads for u8 {
    #[ready(if *self > 1 *self)]
    async fn arrow(&mut self) -> u8 {
        0
    }

    #[ready(Some(1), Some(2))]
    async fn comma(&mut self) -> u8 {
        0
    }
}

fn main() {}
