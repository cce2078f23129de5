//! A lookup in a cache, behind `dyn`. Each lookup hits, so the result is ready.

use std::{
    future::{Future, pending, ready},
    hint::black_box,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use async_trait::async_trait;
use aws_smithy_async::future::now_or_later::NowOrLater;
use futures::future::Either;
use stackfuture::StackFuture;
use value_future::{ValueFuture, ready_or_await};

use super::{BoxFuture, Case, drive};

/// A type of results. Copying a result does not allocate, so all counted allocations are those of the contenders.
pub(crate) trait Value: Send + Sync + Sized + 'static {
    const NAME: &'static str;
    fn make(n: u64) -> Self;
    fn copy(&self) -> Self;
    fn consume(self) -> u64;
}

/// Returns words that the compiler has to copy from memory, as from a buffer.
#[inline(always)]
fn read<const N: usize>() -> [u64; N] {
    *black_box(&const { [5; N] })
}

macro_rules! value {
    ($T:ty, $make:expr, $copy:expr, $consume:expr) => {
        impl Value for $T {
            const NAME: &'static str = stringify!($T);
            #[inline(always)]
            fn make(n: u64) -> Self {
                let make: fn(u64) -> $T = $make;
                make(n)
            }
            #[inline(always)]
            fn copy(&self) -> Self {
                let copy: fn(&$T) -> $T = $copy;
                copy(self)
            }
            #[inline(always)]
            fn consume(self) -> u64 {
                let consume: fn($T) -> u64 = $consume;
                consume(self)
            }
        }
    };
}

value!((), |_| (), |()| (), |()| 1);
value!(bool, |n| n & 1 == 0, |v| *v, u64::from);
value!(u32, |n| n as u32, |v| *v, u64::from);
value!(u64, |n| n, |v| *v, |v| v);
value!(f64, |n| n as f64, |v| *v, f64::to_bits);
value!(Arc<u64>, |n| Arc::new(n), Arc::clone, |v| *v);
value!(
    io::Result<usize>,
    |n| Ok(n as usize),
    // The cached results are `Ok`.
    |v| Ok(*v.as_ref().unwrap_or(&0)),
    |v| v.unwrap_or(0) as u64
);
// The result of a file cache. It has 16 bytes, as `io::Result<usize>` does, but it is no pair of scalars. So it is copied through memory.
value!(
    io::Result<Arc<[u8]>>,
    |n| Ok([n as u8].into()),
    |v| v.as_ref().map(Arc::clone).map_err(|error| error.kind().into()),
    |v| v.map_or(0, |bytes| bytes.len() as u64)
);
value!(Option<u64>, |n| Some(n), |v| *v, |v| v.unwrap_or(0));
value!(Result<u64, u64>, |n| Ok(n), |v| *v, |v| v.unwrap_or(0));
// This type has 8 bytes, as `u64` does, but it is no scalar.
value!([u64; 1], |n| [n], |v| *v, |v| v[0]);
// These vectors and strings have no capacity, so cloning them does not allocate.
value!(Vec<u8>, |_| Vec::new(), |_| Vec::new(), |v| v.len() as u64 + 1);
value!(String, |_| String::new(), |_| String::new(), |v| v.len() as u64 + 1);
value!(Option<String>, |_| Some(String::new()), |v| v.as_ref().map(|_| String::new()), |v| v
    .map_or(0, |text| text.len() as u64 + 1));
value!(
    io::Result<Vec<u8>>,
    |_| Ok(Vec::new()),
    |v| v.as_ref().map(|_| Vec::new()).map_err(|error| error.kind().into()),
    |v| v.map_or(0, |bytes| bytes.len() as u64 + 1)
);
value!([u64; 8], |_| read(), |v| *v, |v| v.iter().fold(0, |all, n| all ^ n));
value!(
    Result<[u64; 8], ()>,
    |_| Ok(read()),
    |v| *v,
    |v| v.map_or(0, |words| words.iter().fold(0, |all, n| all ^ n))
);
// This array is shorter than the previous array, so the result is copied in pieces of other sizes (see `src/pieces`).
value!(
    Result<[u64; 5], ()>,
    |_| Ok(read()),
    |v| *v,
    |v| v.map_or(0, |words| words.iter().fold(0, |all, n| all ^ n))
);
value!([u64; 32], |_| read(), |v| *v, |v| v.iter().fold(0, |all, n| all ^ n));
value!([u64; 128], |_| read(), |v| *v, |v| v.iter().fold(0, |all, n| all ^ n));

const SLOTS: usize = 256;

/// A direct-mapped cache of 256 entries.
pub(crate) struct Cache<V> {
    slots: Vec<(u64, V)>,
}

impl<V: Value> Cache<V> {
    fn new() -> Self {
        Cache { slots: (0..SLOTS as u64).map(|key| (key, V::make(key))).collect() }
    }

    #[inline(always)]
    fn hit(&self, key: u64) -> Option<V> {
        let (held, value) = &self.slots[key as usize % SLOTS];
        (*held == key).then(|| value.copy())
    }

    async fn load(&self, key: u64) -> V {
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::Ready(())
        })
        .await;
        V::make(key)
    }

    /// The slow path of `BoxFuture`, `Either`, `stackfuture`, `NowOrLater` and the enum by hand.
    #[cold]
    #[inline(never)]
    fn miss(&self, key: u64) -> BoxFuture<'_, V> {
        Box::pin(self.load(key))
    }

    #[cold]
    #[inline(never)]
    fn miss_value_future(&self, key: u64) -> ValueFuture<'_, V> {
        ValueFuture::boxed(self.load(key))
    }
}

/// An enum by hand, with the same four variants as `Arm`. It contains fat pointers, so it has 24 bytes for a result of one word.
#[allow(dead_code, reason = "the third variant determines the size")]
enum Obvious<'a, T> {
    Ready(T),
    Boxed(BoxFuture<'a, T>),
    Source(&'a (dyn Fn(u16) -> T + Send + Sync), u16),
    Taken,
}

impl<T> Unpin for Obvious<'_, T> {}

impl<T> Future for Obvious<'_, T> {
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut *self {
            Obvious::Boxed(future) => {
                let polled = future.as_mut().poll(cx);
                if polled.is_ready() {
                    *self = Obvious::Taken;
                }
                polled
            }
            Obvious::Source(source, token) => {
                let value = source(*token);
                *self = Obvious::Taken;
                Poll::Ready(value)
            }
            Obvious::Ready(_) => match std::mem::replace(&mut *self, Obvious::Taken) {
                Obvious::Ready(value) => Poll::Ready(value),
                _ => unreachable!(),
            },
            Obvious::Taken => panic!("polled after completion"),
        }
    }
}

/// Defines an object-safe trait with one method, and its implementation. The traits of the contenders differ in the returned type.
macro_rules! method {
    ($Trait:ident, $V:ident, $Returned:ty, $hit:expr, $miss:expr $(, const $N:ident)?) => {
        trait $Trait<$V $(, const $N: usize)?>: Send + Sync {
            fn get(&self, key: u64) -> $Returned;
        }
        impl<$V: Value $(, const $N: usize)?> $Trait<$V $(, $N)?> for Cache<$V> {
            fn get(&self, key: u64) -> $Returned {
                match self.hit(key) {
                    Some(value) => $hit(value),
                    None => $miss(self, key),
                }
            }
        }
    };
}

type Smithy<'a, V> = NowOrLater<V, BoxFuture<'a, V>>;
type EitherFuture<'a, V> = Either<std::future::Ready<V>, BoxFuture<'a, V>>;

method!(PollGet, V, Poll<V>, Poll::Ready, |_, _| Poll::Pending);
method!(BoxGet, V, BoxFuture<'_, V>, |v| Box::pin(ready(v)), Cache::miss);
method!(EitherGet, V, EitherFuture<'_, V>, |v| Either::Left(ready(v)), |cache, key| Either::Right(
    Self::miss(cache, key)
));
method!(StackGet, V, StackFuture<'_, V, N>, |v| StackFuture::from(ready(v)), |cache, key| {
    StackFuture::from_or_box(Self::miss(cache, key))
}, const N);
method!(SmithyGet, V, Smithy<'_, V>, NowOrLater::ready, |cache, key| NowOrLater::new(Self::miss(
    cache, key
)));
method!(ObviousGet, V, Obvious<'_, V>, Obvious::Ready, |cache, key| Obvious::Boxed(Self::miss(
    cache, key
)));
method!(ValueGet, V, ValueFuture<'_, V>, ValueFuture::ready, Cache::miss_value_future);

#[async_trait]
trait AsyncTraitGet<V>: Send + Sync {
    async fn get(&self, key: u64) -> V;
}

#[async_trait]
impl<V: Value> AsyncTraitGet<V> for Cache<V> {
    async fn get(&self, key: u64) -> V {
        match self.hit(key) {
            Some(value) => value,
            None => self.load(key).await,
        }
    }
}

impl<V: Value> Cache<V> {
    async fn native(&self, key: u64) -> V {
        match self.hit(key) {
            Some(value) => value,
            None => self.load(key).await,
        }
    }
}

pub(crate) const FLOOR: &str = "Poll<T> (floor)";
pub(crate) const NATIVE: &str = "static async fn";
pub(crate) const ASYNC_TRAIT: &str = "async-trait";
pub(crate) const BOX_FUTURE: &str = "BoxFuture";
pub(crate) const EITHER: &str = "Either";
pub(crate) const STACK_FUTURE: &str = "stackfuture";
pub(crate) const SMITHY: &str = "NowOrLater";
pub(crate) const OBVIOUS: &str = "enum by hand";
pub(crate) const AWAIT: &str = "ours .await";
pub(crate) const MACRO: &str = "ours ready_or_await!";

/// Returns the cases of all contenders for results of type `V`. `N` is the capacity in bytes that a `StackFuture` needs.
pub(crate) fn cases<V: Value, const N: usize>() -> Vec<Case> {
    /// Creates a case. A boxed async block awaits the lookups.
    macro_rules! case {
        ($name:expr, $Object:ty, |$cache:ident, $key:ident| $lookup:expr) => {{
            let cache: &'static Cache<V> = Box::leak(Box::new(Cache::new()));
            let run = move |operations| {
                let $cache: &'static $Object = black_box(cache);
                drive(async move {
                    let mut consumed = 0_u64;
                    for $key in 0..operations {
                        let $key = $key % SLOTS as u64;
                        let value: V = $lookup;
                        consumed = consumed.wrapping_add(value.consume());
                    }
                    consumed
                })
            };
            Case::new($name, run)
        }};
    }
    vec![
        case!(FLOOR, dyn PollGet<V>, |cache, key| match cache.get(key) {
            Poll::Ready(value) => value,
            Poll::Pending => pending().await,
        }),
        case!(NATIVE, Cache<V>, |cache, key| cache.native(key).await),
        case!(ASYNC_TRAIT, dyn AsyncTraitGet<V>, |cache, key| cache.get(key).await),
        case!(BOX_FUTURE, dyn BoxGet<V>, |cache, key| cache.get(key).await),
        case!(EITHER, dyn EitherGet<V>, |cache, key| cache.get(key).await),
        case!(STACK_FUTURE, dyn StackGet<V, N>, |cache, key| cache.get(key).await),
        case!(SMITHY, dyn SmithyGet<V>, |cache, key| cache.get(key).await),
        case!(OBVIOUS, dyn ObviousGet<V>, |cache, key| cache.get(key).await),
        case!(AWAIT, dyn ValueGet<V>, |cache, key| cache.get(key).await),
        case!(MACRO, dyn ValueGet<V>, |cache, key| ready_or_await!(cache.get(key))),
    ]
}

/// Calls a generic function for each type of results. The second parameter is the capacity that a `StackFuture` needs.
#[macro_export]
macro_rules! for_each_value {
    ($function:ident $(, $argument:expr)*) => {
        $function::<(), 16>($($argument),*);
        $function::<bool, 16>($($argument),*);
        $function::<u32, 16>($($argument),*);
        $function::<u64, 16>($($argument),*);
        $function::<f64, 16>($($argument),*);
        $function::<std::sync::Arc<u64>, 16>($($argument),*);
        $function::<std::io::Result<usize>, 24>($($argument),*);
        $function::<std::io::Result<std::sync::Arc<[u8]>>, 24>($($argument),*);
        $function::<Option<u64>, 24>($($argument),*);
        $function::<Result<u64, u64>, 24>($($argument),*);
        $function::<[u64; 1], 16>($($argument),*);
        $function::<Vec<u8>, 24>($($argument),*);
        $function::<String, 24>($($argument),*);
        $function::<Option<String>, 24>($($argument),*);
        $function::<std::io::Result<Vec<u8>>, 24>($($argument),*);
        $function::<[u64; 8], 72>($($argument),*);
        $function::<Result<[u64; 8], ()>, 80>($($argument),*);
        $function::<Result<[u64; 5], ()>, 56>($($argument),*);
        $function::<[u64; 32], 264>($($argument),*);
    };
}
