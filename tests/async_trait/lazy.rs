//! A body does nothing before it is polled. With the option `eager`, the call of the method polls the body once.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use value_future::async_trait;

use crate::block_on;

#[async_trait]
trait Steps {
    async fn step(&self) -> u32;
}

#[derive(Default)]
struct Lazy(AtomicU32);

#[async_trait]
impl Steps for Lazy {
    async fn step(&self) -> u32 {
        self.0.fetch_add(1, Relaxed)
    }
}

#[derive(Default)]
struct Eager(AtomicU32);

#[async_trait(eager)]
impl Steps for Eager {
    async fn step(&self) -> u32 {
        self.0.fetch_add(1, Relaxed)
    }
}

#[test]
fn a_body_does_nothing_before_it_is_polled() {
    let lazy = Lazy::default();
    let steps: &dyn Steps = &lazy;
    drop(steps.step());
    let step = steps.step();
    assert_eq!(lazy.0.load(Relaxed), 0);
    assert_eq!(block_on(step), 0);
    assert_eq!(lazy.0.load(Relaxed), 1);
}

#[test]
fn an_eager_body_runs_at_the_call_and_its_result_is_inline() {
    let eager = Eager::default();
    let steps: &dyn Steps = &eager;
    let step = steps.step();
    assert_eq!(eager.0.load(Relaxed), 1);
    assert_eq!(step.try_take().expect("the result is inline"), 0);
}
