//! The contenders: an async method behind `dyn`, written in six ways. Its result is ready, or the method waits once.
//!
//! Each contender has a separate trait, as if the program had no other contender. The methods that are written by hand do not assume how
//! often the result is ready, so they do not mark the pending path as cold. (If a method has `#[ready]`, the attribute of this crate marks
//! this path as cold.)

use std::{
    cell::Cell,
    future::{Future, Ready, ready},
    hint::black_box,
    ops::Range,
    pin::Pin,
    sync::Arc,
    time::Instant,
};

use futures::{executor::block_on, future::Either};
use hdrhistogram::Histogram;
use value_future::ValueFuture;

use super::{
    data::{CONTENDERS, LENGTH, Resident, ready_keys},
    pending_calls::hold,
};
use crate::contenders::{BoxFuture, Case, PendingOnce, helper_thread::Helper, ready::Value};

/// The number from which each ready result is made.
const READY: u64 = 5;

/// The object whose method is called. It has a ready result for some keys.
pub(crate) struct Lookups<V> {
    ready: Arc<[bool]>,
    value: V,
}

impl<V: Value> Lookups<V> {
    pub(crate) fn new(ready: Arc<[bool]>) -> Self {
        Lookups { ready, value: V::make(READY) }
    }

    #[inline(always)]
    fn known(&self, key: usize) -> Option<V> {
        self.ready[key].then(|| self.value.copy())
    }
}

#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the parameter distinguishes the instances"
)]
/// Waits once, and returns the result. The parameter `Contender` makes a separate instance of this function for each contender.
async fn fetch<V: Value, Contender: ?Sized>(key: usize) -> V {
    PendingOnce::default().await;
    V::make(key as u64)
}

#[async_trait::async_trait]
trait AsyncTraitGet<V: Value>: Send + Sync {
    async fn get(&self, key: usize) -> V;
}

#[async_trait::async_trait]
impl<V: Value> AsyncTraitGet<V> for Lookups<V> {
    async fn get(&self, key: usize) -> V {
        match self.known(key) {
            Some(value) => value,
            None => fetch::<V, dyn AsyncTraitGet<V>>(key).await,
        }
    }
}

trait BoxGet<V: Value>: Send + Sync {
    fn get(&self, key: usize) -> BoxFuture<'_, V>;
}

impl<V: Value> BoxGet<V> for Lookups<V> {
    fn get(&self, key: usize) -> BoxFuture<'_, V> {
        match self.known(key) {
            Some(value) => Box::pin(ready(value)),
            None => Box::pin(fetch::<V, dyn BoxGet<V>>(key)),
        }
    }
}

trait EitherGet<V: Value>: Send + Sync {
    fn get(&self, key: usize) -> Either<Ready<V>, BoxFuture<'_, V>>;
}

impl<V: Value> EitherGet<V> for Lookups<V> {
    fn get(&self, key: usize) -> Either<Ready<V>, BoxFuture<'_, V>> {
        match self.known(key) {
            Some(value) => Either::Left(ready(value)),
            None => Either::Right(Box::pin(fetch::<V, dyn EitherGet<V>>(key))),
        }
    }
}

trait BoxedGet<V: Value>: Send + Sync {
    fn get(&self, key: usize) -> ValueFuture<'_, V>;
}

impl<V: Value> BoxedGet<V> for Lookups<V> {
    fn get(&self, key: usize) -> ValueFuture<'_, V> {
        match self.known(key) {
            Some(value) => ValueFuture::ready(value),
            None => ValueFuture::boxed(fetch::<V, dyn BoxedGet<V>>(key)),
        }
    }
}

trait PooledGet<V: Value>: Send + Sync {
    fn get(&self, key: usize) -> ValueFuture<'_, V>;
}

impl<V: Value> PooledGet<V> for Lookups<V> {
    fn get(&self, key: usize) -> ValueFuture<'_, V> {
        match self.known(key) {
            Some(value) => ValueFuture::ready(value),
            None => ValueFuture::pooled(fetch::<V, dyn PooledGet<V>>(key)),
        }
    }
}

#[value_future::async_trait]
trait AttributeGet<V: Value>: Send + Sync {
    async fn get(&self, key: usize) -> V;
}

#[value_future::async_trait]
impl<V: Value> AttributeGet<V> for Lookups<V> {
    #[ready(self.known(*key))]
    async fn get(&self, key: usize) -> V {
        fetch::<V, dyn AttributeGet<V>>(key).await
    }
}

/// A contender, and the functions that measure it. Each function calls the method of the contender with a range of keys.
pub(crate) struct Contender<V> {
    pub(crate) name: &'static str,
    /// Awaits a call for each key. Returns a checksum of the results.
    pub(crate) calls: fn(&Lookups<V>, Range<usize>) -> u64,
    /// Does the same as `calls`, and adds the time of each call to the histogram.
    pub(crate) timed: fn(&Lookups<V>, Range<usize>, &mut Histogram<u64>) -> u64,
    /// Creates a future for each key, and polls each future once. Keeps all futures until the resident memory was measured. Returns the
    /// growth of this memory.
    pub(crate) hold: fn(&Lookups<V>, Range<usize>) -> Option<Resident>,
}

/// Runs a boxed async block to its end.
fn run<'a>(task: impl Future<Output = u64> + 'a) -> u64 {
    let task: Pin<Box<dyn Future<Output = u64> + 'a>> = black_box(Box::pin(task));
    block_on(task)
}

/// Awaits a call for each key, and adds the time of each call to the histogram.
pub(crate) async fn timed(
    keys: Range<usize>,
    histogram: &mut Histogram<u64>,
    call: impl AsyncFn(usize) -> u64,
) -> u64 {
    let mut consumed = 0_u64;
    for key in keys {
        let begun = Instant::now();
        consumed = consumed.wrapping_add(call(key).await);
        histogram.saturating_record(begun.elapsed().as_nanos() as u64);
    }
    consumed
}

/// Returns the contenders, in the order of [`CONTENDERS`].
pub(crate) fn contenders<V: Value>() -> [Contender<V>; CONTENDERS.len()] {
    macro_rules! contender {
        ($number:literal, $Get:ident) => {
            Contender {
                name: CONTENDERS[$number],
                calls: |lookups, keys| {
                    let lookups: &dyn $Get<V> = black_box(lookups);
                    run(async move {
                        let mut consumed = 0_u64;
                        for key in keys {
                            consumed = consumed.wrapping_add(lookups.get(key).await.consume());
                        }
                        consumed
                    })
                },
                timed: |lookups, keys, histogram| {
                    let lookups: &dyn $Get<V> = black_box(lookups);
                    run(timed(keys, histogram, async |key| lookups.get(key).await.consume()))
                },
                hold: |lookups, keys| {
                    let lookups: &dyn $Get<V> = black_box(lookups);
                    hold(keys, |key| lookups.get(key))
                },
            }
        };
    }
    [
        contender!(0, AsyncTraitGet),
        contender!(1, BoxGet),
        contender!(2, EitherGet),
        contender!(3, BoxedGet),
        contender!(4, PooledGet),
        contender!(5, AttributeGet),
    ]
}

/// Successive ranges of keys. If a range would go beyond the last key, it begins with the first key instead.
struct Keys(Cell<usize>);

impl Keys {
    fn next(&self, operations: u64) -> Range<usize> {
        let (from, operations) = (self.0.get(), operations as usize);
        let from = if from + operations > LENGTH { 0 } else { from };
        self.0.set(from + operations);
        from..from + operations
    }
}

/// Returns a case for each contender. A case runs on one thread, or on two threads that call the same object.
pub(crate) fn cases<V: Value>(ready: &Arc<[bool]>, threads: u64) -> Vec<Case> {
    let case = |Contender { name, calls, .. }: Contender<V>| {
        let lookups = Arc::new(Lookups::<V>::new(Arc::clone(ready)));
        let keys = Keys(Cell::new(0));
        if threads == 1 {
            return Case::new(name, move |operations| calls(&lookups, keys.next(operations)));
        }
        let (theirs, their_keys) = (Arc::clone(&lookups), Keys(Cell::new(LENGTH / 2)));
        let helper = Helper::new(move |operations| calls(&theirs, their_keys.next(operations)));
        let run = move |operations| {
            helper.alongside(operations, || calls(&lookups, keys.next(operations)))
        };
        Case { name, threads, run: Box::new(run) }
    };
    contenders().map(case).into()
}

/// Calls each contender with all keys. If the results of a contender are wrong, returns its name.
pub(crate) fn wrong<V: Value>() -> Option<&'static str> {
    let ready = ready_keys(50);
    let expected = (0..LENGTH)
        .map(|key| if ready[key] { V::make(READY) } else { V::make(key as u64) }.consume())
        .fold(0, u64::wrapping_add);
    let lookups = Lookups::<V>::new(ready);
    let mut contenders = contenders::<V>().into_iter();
    contenders.find(|it| (it.calls)(&lookups, 0..LENGTH) != expected).map(|it| it.name)
}
