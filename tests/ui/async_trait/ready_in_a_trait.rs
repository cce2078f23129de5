use value_future::async_trait;

#[async_trait]
trait Service {
    #[ready(Some(1))]
    async fn call(&self) -> u32;
}

fn main() {}
