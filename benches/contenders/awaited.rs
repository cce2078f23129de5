//! Futures that are pending once. A boxed async block calls a method behind `dyn`, or a `dyn Fn`, and awaits the future. There are cases for
//! each type of results.

use std::{
    cell::RefCell,
    future::Future,
    hint::black_box,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    FutureExt, Stream, StreamExt, channel::oneshot as futures_oneshot, stream::LocalBoxStream,
};
use tokio::sync::oneshot as tokio_oneshot;
use value_future::{
    Completion, Dropped, LocalPool, LocalValueFuture, Pool, ReusableSource, ValueFuture,
    stream::ValueNext,
};

use super::{BoxFuture, Case, PendingOnce, drive, drive_and, ready::Value};

pub(crate) const BOX_PIN: &str = "Box::pin";
pub(crate) const POOLED: &str = "ours pooled";
pub(crate) const EAGER: &str = "ours eager";
pub(crate) const BOXED: &str = "ours boxed";

#[expect(
    clippy::extra_unused_type_parameters,
    reason = "the parameter distinguishes the instances"
)]
/// The work of the method. The parameter `Contender` makes a separate instance of this function for each contender, as if the program had
/// no other contender.
async fn operation<V: Value, Contender: ?Sized>(key: u64) -> V {
    PendingOnce::default().await;
    V::make(key)
}

struct Device;

/// Defines a trait with one method, and its implementation.
macro_rules! method {
    ($Read:ident, $Future:ident, $make:expr) => {
        trait $Read<V>: Send + Sync {
            fn read(&self, key: u64) -> $Future<'_, V>;
        }

        impl<V: Value> $Read<V> for Device {
            fn read(&self, key: u64) -> $Future<'_, V> {
                $make(operation::<V, dyn $Read<V>>(key))
            }
        }
    };
}

method!(BoxRead, BoxFuture, Box::pin);
method!(PooledRead, ValueFuture, ValueFuture::pooled);
method!(EagerRead, ValueFuture, ValueFuture::eager);
method!(BoxedRead, ValueFuture, ValueFuture::boxed);
method!(SharedRead, ValueFuture, ValueFuture::pooled);
method!(SharedBoxRead, BoxFuture, Box::pin);

/// Creates a case. A boxed async block awaits the operations.
macro_rules! awaited {
    ($name:expr, $Read:ident, |$future:ident| $value:expr) => {
        Case::new($name, |operations| {
            let device: &dyn $Read<V> = black_box(&Device);
            drive(async move {
                let mut consumed = 0_u64;
                for key in 0..operations {
                    let $future = device.read(key);
                    consumed = consumed.wrapping_add($value.consume());
                }
                consumed
            })
        })
    };
}

/// A future that contains space for its result, as a value future does, but has no slot. It shows the cost of moving this space. Like a
/// value future, it has a destructor, and its poll is not inlined.
struct Bare<V> {
    _room: MaybeUninit<V>,
    once: PendingOnce,
    key: u64,
}

impl<V> Drop for Bare<V> {
    fn drop(&mut self) {
        black_box(self.key);
    }
}

impl<V> Unpin for Bare<V> {}

impl<V: Value> Future for Bare<V> {
    type Output = V;

    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V> {
        Pin::new(&mut self.once).poll(cx).map(|()| V::make(self.key))
    }
}

trait BareRead<V>: Send + Sync {
    fn read(&self, key: u64) -> Bare<V>;
}

impl<V: Value> BareRead<V> for Device {
    fn read(&self, key: u64) -> Bare<V> {
        Bare { once: PendingOnce::default(), key, _room: MaybeUninit::uninit() }
    }
}

pub(crate) const BARE: &str = "bare future";

/// Returns the cases of a method that is pending once.
pub(crate) fn methods<V: Value>() -> Vec<Case> {
    vec![
        awaited!(BOX_PIN, BoxRead, |future| future.await),
        awaited!(POOLED, PooledRead, |future| future.await),
        awaited!(EAGER, EagerRead, |future| future.await),
        awaited!(BOXED, BoxedRead, |future| future.await),
        awaited!(BARE, BareRead, |future| future.await),
    ]
}

pub(crate) const ONESHOT_BOXED: &str = "oneshot boxed";
pub(crate) const TOKIO_BOXED: &str = "tokio boxed";
const FUTURES_BOXED: &str = "futures boxed";
pub(crate) const ONESHOT: &str = "oneshot";
pub(crate) const OURS: &str = "ours";
pub(crate) const OURS_ERASED: &str = "ours erased";
const LOCAL_ERASED: &str = "ours local erased";
const SOURCE: &str = "ours, reusable source";

/// Returns a case. `begin` begins an operation, whose future is awaited. While the future is pending, `complete` completes the operation.
fn completed<V: Value, P: 'static, F: Future<Output = Result<V, E>> + 'static, E: 'static>(
    name: &'static str,
    begin: impl Fn() -> (P, F) + 'static,
    complete: fn(P, V),
) -> Case {
    Case::new(name, move |operations| {
        let producer = RefCell::new(None);
        let begin = || {
            let (end, future) = begin();
            *producer.borrow_mut() = Some(end);
            future
        };
        let begin: &dyn Fn() -> F = black_box(&begin);
        let task = async {
            let mut consumed = 0_u64;
            for _ in 0..operations {
                match begin().await {
                    Ok(value) => consumed = consumed.wrapping_add(value.consume()),
                    Err(_) => unreachable!("the operation is completed"),
                }
            }
            consumed
        };
        let mut key = 0;
        drive_and(task, || {
            key += 1;
            complete(producer.borrow_mut().take().expect("an operation was begun"), V::make(key));
        })
    })
}

/// Returns the cases of completions and of one-shot channels.
pub(crate) fn completions<V: Value>() -> Vec<Case> {
    type Erased<V, E> = Pin<Box<dyn Future<Output = Result<V, E>>>>;
    type Ours<V> = Result<V, Dropped>;

    let (pool, erased) = (Pool::<Ours<V>>::new(), Pool::<Ours<V>>::new());
    let local = LocalPool::<Ours<V>>::new();
    let source: &'static ReusableSource<Ours<V>> = Box::leak(Box::new(ReusableSource::new()));
    vec![
        completed::<V, _, _, _>(ONESHOT, oneshot::async_channel, |sender, value| {
            let _ = sender.send(value);
        }),
        completed::<V, oneshot::Sender<V>, Erased<V, _>, _>(
            ONESHOT_BOXED,
            || {
                let (sender, receiver) = oneshot::async_channel();
                (sender, Box::pin(receiver))
            },
            |sender, value| {
                let _ = sender.send(value);
            },
        ),
        completed::<V, tokio_oneshot::Sender<V>, Erased<V, _>, _>(
            TOKIO_BOXED,
            || {
                let (sender, receiver) = tokio_oneshot::channel();
                (sender, Box::pin(receiver))
            },
            |sender, value| {
                let _ = sender.send(value);
            },
        ),
        completed::<V, futures_oneshot::Sender<V>, Erased<V, _>, _>(
            FUTURES_BOXED,
            || {
                let (sender, receiver) = futures_oneshot::channel();
                (sender, Box::pin(receiver))
            },
            |sender, value| {
                let _ = sender.send(value);
            },
        ),
        completed::<V, _, Completion<Ours<V>>, _>(
            OURS,
            move || pool.rent(),
            |completer, value| drop(completer.complete(Ok(value))),
        ),
        completed::<V, _, ValueFuture<'static, Ours<V>>, _>(
            OURS_ERASED,
            move || {
                let (completer, completion) = erased.rent();
                (completer, completion.into())
            },
            |completer, value| drop(completer.complete(Ok(value))),
        ),
        completed::<V, _, LocalValueFuture<'static, Ours<V>>, _>(
            LOCAL_ERASED,
            move || {
                let (completer, completion) = local.rent();
                (completer, completion.into())
            },
            |completer, value| drop(completer.complete(Ok(value))),
        ),
        completed::<V, _, ValueFuture<'static, Ours<V>>, _>(
            SOURCE,
            move || source.begin_with_completer().expect("the source is idle"),
            |completer, value| drop(completer.complete(Ok(value))),
        ),
    ]
}

/// A wrapper that makes a result `Clone`, because the result of a shared future must be `Clone`.
struct Copied<V>(V);

impl<V: Value> Clone for Copied<V> {
    fn clone(&self) -> Self {
        Copied(self.0.copy())
    }
}

/// A stream that is pending once before each item.
struct Items<V> {
    once: PendingOnce,
    key: u64,
    item: std::marker::PhantomData<fn() -> V>,
}

impl<V> Items<V> {
    fn new() -> Self {
        Items { once: PendingOnce::default(), key: 0, item: std::marker::PhantomData }
    }
}

impl<V: Value> Stream for Items<V> {
    type Item = V;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<V>> {
        if Pin::new(&mut self.once).poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.once = PendingOnce::default();
        self.key += 1;
        Poll::Ready(Some(V::make(self.key)))
    }
}

trait Next<V> {
    fn next(&mut self) -> ValueFuture<'_, Option<V>>;
}

impl<V: Value> Next<V> for ValueNext<Items<V>> {
    fn next(&mut self) -> ValueFuture<'_, Option<V>> {
        ValueNext::next(self)
    }
}

pub(crate) const SHARED_BOX: &str = "futures::Shared, one awaiter";
pub(crate) const SHARED: &str = "ours Shared, one awaiter";
pub(crate) const BOX_STREAM: &str = "BoxStream";
pub(crate) const VALUE_NEXT: &str = "ours, ValueNext of a stream";

/// Returns the cases of streams, and of shared futures with one awaiter.
pub(crate) fn others<V: Value>() -> Vec<Case> {
    /// Creates a case that reads the items of a stream.
    macro_rules! items {
        ($name:expr, $stream:expr, $Object:ty) => {
            Case::new($name, |operations| {
                let mut stream = $stream;
                let stream: &mut $Object = black_box(&mut stream);
                drive(async move {
                    let mut consumed = 0_u64;
                    for _ in 0..operations {
                        let item = stream.next().await.expect("the stream is infinite");
                        consumed = consumed.wrapping_add(item.consume());
                    }
                    consumed
                })
            })
        };
    }
    vec![
        awaited!(SHARED_BOX, SharedBoxRead, |future| future.map(Copied).shared().await.0),
        awaited!(SHARED, SharedRead, |future| future.map(Copied).share().await.0),
        items!(
            BOX_STREAM,
            Box::pin(Items::<V>::new()) as LocalBoxStream<'_, V>,
            LocalBoxStream<'_, V>
        ),
        items!(VALUE_NEXT, ValueNext::new(Items::<V>::new()), dyn Next<V>),
    ]
}
