//! A body holds an `Rc` across an await. (With `#[async_trait(?Send)]`, the program would compile.)

use std::rc::Rc;

use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> usize;
}

struct Counts;

#[async_trait]
impl Service for Counts {
    async fn call(&self) -> usize {
        let shared = Rc::new(5);
        std::future::ready(()).await;
        *shared
    }
}

fn main() {}
