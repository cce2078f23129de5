use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self) -> u32;
}

struct Fixed(u32);

#[async_trait]
impl Service for Fixed {
    #[cfg_attr(all(), ready(Some(self.0)))]
    async fn call(&self) -> u32 {
        self.0
    }
}

#[async_trait]
trait InATrait {
    #[cfg_attr(all(), ready(Some(1)))]
    async fn call(&self) -> u32;
}

#[async_trait(pool)]
trait WithoutPath {}

#[async_trait(?Sync)]
trait Misspelt {}

fn main() {}
