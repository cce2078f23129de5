//! The macro is for value futures.

async fn five() -> u32 {
    value_future::ready_or_await!(std::future::ready(5))
}

fn main() {
    drop(five());
}
