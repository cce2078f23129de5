//! One thread creates futures, and polls each future once. Another thread drops the futures, in batches.

use std::{
    cell::{LazyCell, RefCell},
    future::Future,
    pin::Pin,
    sync::mpsc::sync_channel,
    task::Context,
};

use value_future::ValueFuture;

use super::{
    super::{
        BoxFuture, Case,
        helper_thread::{Helper, spin_until},
        opaque_waker,
    },
    BOX_PIN, POOLED, operation,
};

const BATCH: usize = 64;

fn case<F>(name: &'static str, make: fn(u64) -> F) -> Case
where
    F: Future<Output = u64> + Unpin + Send + 'static,
{
    // One vector goes back and forth between the two threads. So no call of `send` waits, and no channel allocates.
    let (full, incoming) = sync_channel::<Vec<F>>(1);
    let (outgoing, empty) = sync_channel(1);
    outgoing.send(Vec::with_capacity(BATCH)).expect("the receiver exists");
    let work = move |operations: u64| {
        for _ in 0..operations.div_ceil(BATCH as u64) {
            let mut futures = spin_until(|| incoming.try_recv().ok());
            futures.clear();
            outgoing.send(futures).expect("the first thread waits for the vector");
        }
        0
    };
    let helper = LazyCell::new(|| Helper::new(work));
    let ends = RefCell::new((full, empty));
    let waker = opaque_waker();
    Case::new(name, move |operations| {
        let (full, empty) = &*ends.borrow_mut();
        helper.alongside(operations, || {
            let mut left = operations;
            while left > 0 {
                let batch = left.min(BATCH as u64);
                left -= batch;
                let mut futures = spin_until(|| empty.try_recv().ok());
                for key in 0..batch {
                    let mut future = make(key);
                    let polled = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
                    assert!(polled.is_pending());
                    futures.push(future);
                }
                full.send(futures).expect("the helper thread receives");
            }
            operations
        })
    })
}

pub(crate) fn cases<const BYTES: usize>() -> Vec<Case> {
    fn boxed<const BYTES: usize>(key: u64) -> BoxFuture<'static, u64> {
        Box::pin(operation::<BYTES, true, BoxFuture<'static, u64>>(key))
    }
    fn pooled<const BYTES: usize>(key: u64) -> ValueFuture<'static, u64> {
        ValueFuture::pooled(operation::<BYTES, true, ValueFuture<'static, u64>>(key))
    }
    vec![case(BOX_PIN, boxed::<BYTES>), case(POOLED, pooled::<BYTES>)]
}
