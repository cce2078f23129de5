//! The contenders of other crates: one-shot channels, and pools of one-shot channels.

use std::pin::Pin;

use events_once::{
    BoxedLocalReceiver, BoxedLocalSender, BoxedReceiver, BoxedSender, Disconnected, Event,
    EventPool, LocalEvent, LocalEventPool, PooledLocalReceiver, PooledLocalSender, PooledReceiver,
    PooledSender, RawEventPool, RawLocalEventPool, RawLocalPooledReceiver, RawLocalPooledSender,
    RawPooledReceiver, RawPooledSender,
};
use futures::channel::oneshot as futures_oneshot;
use tokio::sync::oneshot as tokio_oneshot;

use super::Channels;

pub(crate) const FUTURES: &str = "futures";
pub(crate) const TOKIO: &str = "tokio";
pub(crate) const ONESHOT: &str = "oneshot";
pub(crate) const ASYNC_ONESHOT: &str = "async-oneshot";
pub(crate) const MULTISHOT: &str = "multishot";
pub(crate) const EVENT: &str = "Event";
pub(crate) const EVENT_POOL: &str = "EventPool";
pub(crate) const RAW_EVENT_POOL: &str = "RawEventPool";
pub(crate) const LOCAL_EVENT: &str = "LocalEvent";
pub(crate) const LOCAL_EVENT_POOL: &str = "LocalEventPool";
pub(crate) const RAW_LOCAL_EVENT_POOL: &str = "RawLocalEventPool";

macro_rules! rival {
    (
        $Channels:ident, $name:expr, $Producer:ty, $Consumer:ty, $Error:ty,
        |$channels:ident| $pair:expr, |$producer:ident, $value:ident| $complete:expr
    ) => {
        impl Channels for $Channels {
            type Producer = $Producer;
            type Error = $Error;
            type Consumer<'a> = $Consumer;

            fn name() -> String {
                $name.into()
            }

            #[inline(always)]
            fn pair(&mut self) -> (Self::Producer, Self::Consumer<'_>) {
                let $channels = self;
                $pair
            }

            #[inline(always)]
            fn complete($producer: Self::Producer, $value: u64) -> Option<u64> {
                $complete
            }
        }
    };
}

#[derive(Clone)]
pub(crate) struct Futures;

rival!(
    Futures,
    FUTURES,
    futures_oneshot::Sender<u64>,
    futures_oneshot::Receiver<u64>,
    futures_oneshot::Canceled,
    |_channels| futures_oneshot::channel(),
    |producer, value| producer.send(value).err()
);

#[derive(Clone)]
pub(crate) struct Tokio;

rival!(
    Tokio,
    TOKIO,
    tokio_oneshot::Sender<u64>,
    tokio_oneshot::Receiver<u64>,
    tokio_oneshot::error::RecvError,
    |_channels| tokio_oneshot::channel(),
    |producer, value| producer.send(value).err()
);

#[derive(Clone)]
pub(crate) struct Oneshot;

rival!(
    Oneshot,
    ONESHOT,
    oneshot::Sender<u64>,
    oneshot::AsyncReceiver<u64>,
    oneshot::RecvError,
    |_channels| oneshot::async_channel(),
    |producer, value| producer.send(value).err().map(oneshot::SendError::into_inner)
);

#[derive(Clone)]
pub(crate) struct AsyncOneshot;

// This sender reports that the consumer was dropped, but does not return the value. So `complete` returns 0 instead of the value.
rival!(
    AsyncOneshot,
    ASYNC_ONESHOT,
    async_oneshot::Sender<u64>,
    async_oneshot::Receiver<u64>,
    async_oneshot::Closed,
    |_channels| async_oneshot::oneshot(),
    |producer, value| {
        let mut producer = producer;
        producer.send(value).err().map(|_closed| 0)
    }
);

/// A receiver that serves one operation after the other. It creates the next sender after the previous sender was dropped. So it serves
/// only one operation at a time. It is a contender because it does not allocate. If the consumer was dropped, the value stays in the
/// receiver until the next sender is created.
pub(crate) struct Multishot(multishot::Receiver<u64>);

impl Multishot {
    pub(crate) fn new() -> Self {
        Multishot(multishot::Receiver::new())
    }
}

/// Creates another receiver. Each thread and each pending operation needs a separate receiver.
impl Clone for Multishot {
    fn clone(&self) -> Self {
        Multishot::new()
    }
}

rival!(
    Multishot,
    MULTISHOT,
    multishot::Sender<u64>,
    multishot::Recv<'a, u64>,
    multishot::RecvError,
    |channels| {
        let producer = channels.0.sender().expect("the previous sender was dropped");
        (producer, channels.0.recv())
    },
    |producer, value| {
        producer.send(value);
        None
    }
);

/// Implements `Channels` for a type of `events_once`. Its senders do not report whether the consumer was dropped.
macro_rules! events {
    ($Channels:ident, $name:expr, $Producer:ident, $Consumer:ident, |$channels:ident| $pair:expr) => {
        rival!(
            $Channels,
            $name,
            $Producer<u64>,
            $Consumer<u64>,
            Disconnected,
            |$channels| $pair,
            |producer, value| {
                producer.send(value);
                None
            }
        );
    };
}

#[derive(Clone)]
pub(crate) struct Events;

events!(Events, EVENT, BoxedSender, BoxedReceiver, |_channels| Event::boxed());

#[derive(Clone)]
pub(crate) struct LocalEvents;

events!(LocalEvents, LOCAL_EVENT, BoxedLocalSender, BoxedLocalReceiver, |_channels| {
    LocalEvent::boxed()
});

#[derive(Clone)]
pub(crate) struct Pooled(EventPool<u64>);

impl Pooled {
    pub(crate) fn new() -> Self {
        Pooled(EventPool::new())
    }
}

events!(Pooled, EVENT_POOL, PooledSender, PooledReceiver, |channels| channels.0.rent());

pub(crate) struct LocalPooled(LocalEventPool<u64>);

impl LocalPooled {
    pub(crate) fn new() -> Self {
        LocalPooled(LocalEventPool::new())
    }
}

events!(LocalPooled, LOCAL_EVENT_POOL, PooledLocalSender, PooledLocalReceiver, |channels| channels
    .0
    .rent());

/// A pool whose `rent` is unsafe: the caller promises that the pool outlives the pair. This pool is leaked, so it is never dropped.
#[derive(Clone)]
pub(crate) struct RawPooled(Pin<&'static RawEventPool<u64>>);

impl RawPooled {
    pub(crate) fn new() -> Self {
        RawPooled(Pin::static_ref(Box::leak(Box::new(RawEventPool::new()))))
    }
}

events!(RawPooled, RAW_EVENT_POOL, RawPooledSender, RawPooledReceiver, |channels| {
    // SAFETY: the pool was leaked in `new`, so it outlives the pair.
    unsafe { channels.0.rent() }
});

/// The same as `RawPooled`, for one thread.
pub(crate) struct RawLocalPooled(Pin<&'static RawLocalEventPool<u64>>);

impl RawLocalPooled {
    pub(crate) fn new() -> Self {
        RawLocalPooled(Pin::static_ref(Box::leak(Box::new(RawLocalEventPool::new()))))
    }
}

events!(
    RawLocalPooled,
    RAW_LOCAL_EVENT_POOL,
    RawLocalPooledSender,
    RawLocalPooledReceiver,
    |channels| {
        // SAFETY: the pool was leaked in `new`, so it outlives the pair.
        unsafe { channels.0.rent() }
    }
);
