//! One thread creates pairs, and awaits the consumers. Another thread gets the producers in batches, and sends a value through each
//! producer.

use std::{
    array,
    cell::{LazyCell, RefCell},
    pin::pin,
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Relaxed, Release},
        },
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::{
    super::{
        Case,
        helper_thread::{Helper, spin_until},
    },
    Channels, hide_consumer,
    ours::{Ours, OursErased},
    rivals::{AsyncOneshot, Events, Futures, Multishot, Oneshot, Pooled, RawPooled, Tokio},
};

const BATCH: usize = 64;

/// A waker that stores whether the awaited future was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Release);
    }
}

/// Polls a consumer until it is ready. Like an executor, polls again only after a wake. The thread does not sleep meanwhile.
fn block_on<C: Channels>(consumer: C::Consumer<'_>, woken: &Woken, waker: &Waker) -> u64 {
    let mut consumer = pin!(consumer);
    hide_consumer::<C>(consumer.as_mut());
    loop {
        match consumer.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(Ok(value)) => return std::hint::black_box(value),
            Poll::Ready(Err(_)) => super::panic_wrong_result(),
            Poll::Pending => {}
        }
        spin_until(|| woken.0.load(Acquire).then_some(()));
        woken.0.store(false, Relaxed);
    }
}

/// The channels between the threads. `full` sends a vector of producers, and `empty` receives the vector when it is empty.
struct Batches<P> {
    full: SyncSender<Vec<P>>,
    empty: Receiver<Vec<P>>,
}

/// The state of the thread that awaits the consumers.
struct Consumers<C: Channels> {
    /// A clone of the contender for each pending operation, because some contenders serve one operation at a time. If the contender is a
    /// pool, all clones are handles of one pool.
    channels: [C; BATCH],
    batches: Batches<C::Producer>,
    woken: Arc<Woken>,
    waker: Waker,
}

impl<C: Channels> Consumers<C> {
    fn operations(&mut self, mut operations: u64) -> u64 {
        let mut sum = 0_u64;
        while operations > 0 {
            let batch = operations.min(BATCH as u64);
            operations -= batch;
            let mut producers = spin_until(|| self.batches.empty.try_recv().ok());
            let mut channels = self.channels.iter_mut().take(batch as usize);
            let consumers: [_; BATCH] = array::from_fn(|_| {
                let (producer, consumer) = channels.next()?.pair();
                producers.push(producer);
                Some(consumer)
            });
            self.batches.full.send(producers).expect("the helper thread receives");
            for consumer in consumers.into_iter().flatten() {
                let value = block_on::<C>(consumer, &self.woken, &self.waker);
                sum = sum.wrapping_add(value);
            }
        }
        sum
    }
}

fn case<C: Channels + Clone>(channels: &C) -> Case
where
    C::Producer: Send,
{
    // One vector goes back and forth between the two threads. So no `send` waits, and no channel allocates.
    let (full, incoming) = sync_channel::<Vec<C::Producer>>(1);
    let (outgoing, empty) = sync_channel(1);
    outgoing.send(Vec::with_capacity(BATCH)).expect("the receiver exists");
    let work = move |operations: u64| {
        for _ in 0..operations.div_ceil(BATCH as u64) {
            let mut producers = spin_until(|| incoming.try_recv().ok());
            for (value, producer) in (0..).zip(producers.drain(..)) {
                C::complete(producer, value);
            }
            outgoing.send(producers).expect("the first thread waits for the vector");
        }
        0
    };
    let helper = LazyCell::new(|| Helper::new(work));
    let woken = Arc::<Woken>::default();
    let consumers = RefCell::new(Consumers {
        channels: array::from_fn(|_| channels.clone()),
        batches: Batches { full, empty },
        waker: std::hint::black_box(Arc::clone(&woken).into()),
        woken,
    });
    Case::new(C::name().leak(), move |operations| {
        helper.alongside(operations, || consumers.borrow_mut().operations(operations))
    })
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case(&Futures),
        case(&Tokio),
        case(&Oneshot),
        case(&AsyncOneshot),
        case(&Multishot::new()),
        case(&Events),
        case(&Pooled::new()),
        case(&RawPooled::new()),
        case(&Ours::new()),
        case(&OursErased::new()),
    ]
}
