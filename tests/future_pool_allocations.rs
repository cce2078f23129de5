//! A warm pool, which has vacant slots, allocates nothing for a future. A future that gets no slot takes one box.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::{future::pending, sync::mpsc, thread};

use common::{Yield, poll};
use counting::Balance;
use futures::executor::block_on;
use value_future::{FuturePool, LocalFuturePool, ValueFuture, async_trait};

static BALANCE: Balance = Balance::new();

const ROUNDS: u32 = if cfg!(miri) { 4 } else { 100 };

/// A trait whose method calls itself `depth` times through `dyn`. The future of the innermost call yields once.
trait Layer: Sync {
    fn call(&self, depth: u32) -> ValueFuture<'_, u32>;
}

struct Nested;

impl Layer for Nested {
    fn call(&self, depth: u32) -> ValueFuture<'_, u32> {
        ValueFuture::pooled(async move {
            if depth == 0 {
                Yield::default().await;
                return 0;
            }
            let next: &dyn Layer = self;
            next.call(depth - 1).await + 1
        })
    }
}

/// A trait like `Layer`, with the attribute `async_trait`. A call with a `depth` of 7 is ready.
#[async_trait]
trait Attributed: Sync {
    async fn call(&self, depth: u32, text: String) -> u32;
}

#[async_trait]
impl Attributed for Nested {
    #[ready((*depth == 7).then_some(7))]
    async fn call(&self, depth: u32, text: String) -> u32 {
        if depth == 0 {
            Yield::default().await;
            return text.len().try_into().expect("the text is short");
        }
        let next: &dyn Attributed = self;
        next.call(depth - 1, text).await + 1
    }
}

/// Runs futures of each kind.
fn run_all(pool: &FuturePool, local: &LocalFuturePool) {
    let bytes = [1_u8; 200];
    assert_eq!(block_on(pool.pooled(async { 1 })), 1);
    assert_eq!(
        block_on(pool.pooled(async move {
            Yield::default().await;
            bytes.len()
        })),
        200
    );
    assert_eq!(
        block_on(local.pooled(async move {
            Yield::default().await;
            bytes.len()
        })),
        200
    );
    assert_eq!(pool.eager(async { 2 }).try_take().unwrap(), 2);
    drop(pool.pooled(pending::<()>()));
    let mut eager = local.eager(Yield::default());
    assert!(poll(&mut eager).is_ready());
    let layer: &dyn Layer = &Nested;
    assert_eq!(block_on(layer.call(4)), 4);
    let attributed: &dyn Attributed = &Nested;
    assert_eq!(block_on(attributed.call(4, String::new())), 4);
    assert_eq!(block_on(attributed.call(7, String::new())), 7);
    assert_eq!(block_on(ValueFuture::pooled(async move { bytes.len() })), 200);
}

// These checks are one test, because they all count in the same `BALANCE`.
#[test]
fn a_warm_pool_allocates_nothing() {
    let (pool, local) = (FuturePool::new(), LocalFuturePool::new());
    run_all(&pool, &local);
    assert_eq!(BALANCE.made_by(|| (0..ROUNDS).for_each(|_| run_all(&pool, &local))), 0);

    // A future that is too large takes one box. A future that finds the pool full also takes one box.
    let large = [1_u8; 5000];
    assert_eq!(
        BALANCE.made_by(|| drop(pool.pooled(async move {
            Yield::default().await;
            large.len()
        }))),
        1
    );
    let bounded = FuturePool::builder().max_slots_per_size(1).build();
    let first = bounded.pooled(pending::<()>());
    assert_eq!(BALANCE.made_by(|| drop(bounded.pooled(pending::<()>()))), 1);
    assert_eq!(bounded.stats().full, 1);
    drop(first);

    // These futures are created here and dropped on another thread. That thread returns the slots through a stripe.
    let (sender, receiver) = mpsc::sync_channel::<Vec<ValueFuture<'static, ()>>>(0);
    let (back, empty) = mpsc::sync_channel(0);
    let other = thread::spawn(move || {
        // The crate allocates thread-local memory here, before the count begins.
        drop(FuturePool::new().pooled(pending::<()>()));
        for mut futures in receiver {
            assert_eq!(BALANCE.made_by(|| futures.clear()), 0, "a release allocates nothing");
            back.send(futures).unwrap();
        }
    });
    let mut futures = Vec::with_capacity(64);
    for round in 0..if cfg!(miri) { 14 } else { 40 } {
        let allocations =
            BALANCE.made_by(|| futures.extend((0..64).map(|_| pool.pooled(pending()))));
        assert!(allocations == 0 || round < 10, "{allocations} in round {round}");
        sender.send(futures).unwrap();
        futures = empty.recv().unwrap();
    }
    drop(sender);
    other.join().unwrap();

    // The memory of a dropped pool is freed with its last future. (For this pool, the map of the caches of this thread may grow, and the
    // map keeps this memory when the pool is freed. So one such pool is created and dropped before the count.)
    drop(futures);
    drop(outlives_its_pool());
    let before = BALANCE.live();
    let kept = BALANCE.count(outlives_its_pool);
    assert_ne!(BALANCE.live(), before);
    BALANCE.count(|| drop(kept));
    assert_eq!(BALANCE.live(), before);
}

/// The slots for all concurrent futures are reserved.
#[test]
fn futures_in_reserved_slots_allocate_nothing() {
    static BALANCE: Balance = Balance::new();
    const MANY: u32 = if cfg!(miri) { 40 } else { 100 };

    fn serve() -> impl Future<Output = u32> + Send {
        let request = [1_u8; 300];
        async move {
            Yield::default().await;
            request[0].into()
        }
    }

    let (pool, local) = (FuturePool::new(), LocalFuturePool::new());
    let bounded = FuturePool::builder().max_slots_per_size(MANY).build();
    let size = size_of_val(&serve());
    pool.reserve(size, MANY).unwrap();
    bounded.reserve(size, MANY).unwrap();
    local.reserve(size, MANY).unwrap();
    let (mut futures, mut local_futures) = (vec![], vec![]);
    futures.reserve(2 * MANY as usize);
    local_futures.reserve(MANY as usize);
    // The first `block_on` of a thread allocates, so it runs before the count.
    block_on(serve());
    let allocations = BALANCE.made_by(|| {
        for _ in 0..3 {
            futures.extend((0..MANY).map(|_| pool.pooled(serve())));
            futures.extend((0..MANY).map(|_| bounded.pooled(serve())));
            local_futures.extend((0..MANY).map(|_| local.pooled(serve())));
            assert_eq!(futures.drain(..).map(block_on).sum::<u32>(), 2 * MANY);
            assert_eq!(local_futures.drain(..).map(block_on).sum::<u32>(), MANY);
        }
    });
    assert_eq!((allocations, bounded.stats().boxed), (0, 0));
}

fn outlives_its_pool() -> ValueFuture<'static, ()> {
    let pool = FuturePool::new();
    drop((0..40).map(|_| pool.pooled(pending::<()>())).collect::<Vec<_>>());
    pool.pooled(pending())
}
