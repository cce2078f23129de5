use value_future::async_trait;

struct Fixed(u32);

#[async_trait]
impl Fixed {
    async fn call(&self) -> u32 {
        self.0
    }
}

#[async_trait]
async fn free() {}

fn main() {}
