use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> u32;
}

struct Fixed(u32);

#[async_trait]
impl Service for Fixed {
    #[ready]
    async fn call(&self) -> u32 {
        self.0
    }
}

fn main() {}
