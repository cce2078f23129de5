use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> u32;
}

fn main() {}
