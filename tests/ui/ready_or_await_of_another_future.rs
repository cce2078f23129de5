//! `ready_or_await!` is called with a future that is not a value future.

async fn five() -> u32 {
    value_future::ready_or_await!(std::future::ready(5))
}

fn main() {
    drop(five());
}
