use value_future::async_trait;

#[async_trait]
trait Service {
    async fn call(&self, (_a, _b): (u32, u32)) -> u32 {
        _a
    }
}

fn main() {}
