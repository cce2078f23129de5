//! Pooled futures allocate nothing once the pool is warm; what has no place takes one box.

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

/// Five calls deep, each behind `dyn`, and the innermost one waits.
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

/// The same with the attribute, and with a result that is known before the body.
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
            return text.len().try_into().expect("it is short");
        }
        let next: &dyn Attributed = self;
        next.call(depth - 1, text).await + 1
    }
}

fn all(pool: &FuturePool, local: &LocalFuturePool) {
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

// In one test: the counts are those of the whole program.
#[test]
fn nothing_is_allocated_once_the_pool_is_warm() {
    let (pool, local) = (FuturePool::new(), LocalFuturePool::new());
    all(&pool, &local);
    assert_eq!(BALANCE.made_by(|| (0..ROUNDS).for_each(|_| all(&pool, &local))), 0);

    // Too large, and full.
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

    // Made here, dropped on another thread, and back by way of the stripe.
    let (sender, receiver) = mpsc::sync_channel::<Vec<ValueFuture<'static, ()>>>(0);
    let (back, empty) = mpsc::sync_channel(0);
    let other = thread::spawn(move || {
        // What the crate keeps for a thread is not counted.
        drop(FuturePool::new().pooled(pending::<()>()));
        for mut futures in receiver {
            assert_eq!(BALANCE.made_by(|| futures.clear()), 0, "by a return, warm or not");
            back.send(futures).unwrap();
        }
    });
    let mut futures = Vec::with_capacity(64);
    for round in 0..if cfg!(miri) { 14 } else { 40 } {
        let made = BALANCE.made_by(|| futures.extend((0..64).map(|_| pool.pooled(pending()))));
        assert!(made == 0 || round < 10, "{made} in round {round}");
        sender.send(futures).unwrap();
        futures = empty.recv().unwrap();
    }
    drop(sender);
    other.join().unwrap();

    // What a pool has allocated goes with it, or with the last of what is out. (The first time, there
    // comes to be a list of pools that have gone.)
    drop(futures);
    drop(outlives_its_pool());
    let before = BALANCE.live();
    let kept = BALANCE.count(outlives_its_pool);
    assert_ne!(BALANCE.live(), before);
    BALANCE.count(|| drop(kept));
    assert_eq!(BALANCE.live(), before);
}

/// As many at once as there are to be, from the first one on.
#[test]
fn nothing_is_allocated_where_slots_were_reserved() {
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
    let (mut shared, mut for_one) = (vec![], vec![]);
    shared.reserve(2 * MANY as usize);
    for_one.reserve(MANY as usize);
    // What runs them allocates when it is first used.
    block_on(serve());
    let made = BALANCE.made_by(|| {
        for _ in 0..3 {
            shared.extend((0..MANY).map(|_| pool.pooled(serve())));
            shared.extend((0..MANY).map(|_| bounded.pooled(serve())));
            for_one.extend((0..MANY).map(|_| local.pooled(serve())));
            assert_eq!(shared.drain(..).map(block_on).sum::<u32>(), 2 * MANY);
            assert_eq!(for_one.drain(..).map(block_on).sum::<u32>(), MANY);
        }
    });
    assert_eq!((made, bounded.stats().boxed), (0, 0));
}

fn outlives_its_pool() -> ValueFuture<'static, ()> {
    let pool = FuturePool::new();
    drop((0..40).map(|_| pool.pooled(pending::<()>())).collect::<Vec<_>>());
    pool.pooled(pending())
}
