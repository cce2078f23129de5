//! The options of the attribute.

use value_future::{FuturePool, LocalFuturePool, ValueFuture, async_trait};

use crate::block_on;

static POOL: FuturePool = FuturePool::new();

#[async_trait]
trait Answers: Sync {
    async fn answer(&self) -> u32;
}

struct InPool;
struct InPoolEagerly;
struct Boxed;
struct Renamed;

#[async_trait(pool = POOL)]
impl Answers for InPool {
    async fn answer(&self) -> u32 {
        std::future::ready(1).await
    }
}

#[async_trait(pool = POOL, eager)]
impl Answers for InPoolEagerly {
    async fn answer(&self) -> u32 {
        futures::pending!();
        2
    }
}

#[async_trait(boxed)]
impl Answers for Boxed {
    async fn answer(&self) -> u32 {
        3
    }
}

/// The option `crate` is the path of this crate, for users that rename or re-export this crate.
#[async_trait(crate = ::value_future)]
impl Answers for Renamed {
    async fn answer(&self) -> u32 {
        4
    }
}

#[test]
fn each_option_works() {
    let rented = || POOL.stats().rented;
    let before = rented();
    let future = InPool.answer();
    assert_eq!(rented(), before + 1);
    assert_eq!(block_on(future), 1);
    let future = InPoolEagerly.answer();
    assert_eq!(rented(), before + 2);
    assert!(!future.is_ready());
    drop(future);
    let future: ValueFuture<'_, u32> = Boxed.answer();
    assert!(format!("{future:?}").starts_with("ValueFuture(Boxed("), "{future:?}");
    assert!(!format!("{future:?}").contains("pooled"), "{future:?}");
    assert_eq!(block_on(future), 3);
    assert_eq!(block_on(Renamed.answer()), 4);
}

#[test]
fn each_option_works_with_question_mark_send() {
    #[async_trait(?Send)]
    trait Local {
        async fn number(&self) -> u32;
    }

    struct Pooled(LocalFuturePool);
    struct Boxed;
    struct Eager;

    #[async_trait(?Send, pool = self.0)]
    impl Local for Pooled {
        async fn number(&self) -> u32 {
            1
        }
    }

    #[async_trait(?Send, boxed)]
    impl Local for Boxed {
        async fn number(&self) -> u32 {
            2
        }
    }

    #[async_trait(?Send, eager)]
    impl Local for Eager {
        async fn number(&self) -> u32 {
            3
        }
    }

    let pooled = Pooled(LocalFuturePool::new());
    assert_eq!(block_on(pooled.number()), 1);
    assert_eq!(pooled.0.stats().rented, 1);
    assert_eq!(block_on(Boxed.number()), 2);
    assert!(Eager.number().is_ready());
}
