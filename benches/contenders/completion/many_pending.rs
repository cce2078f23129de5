//! Operations while many other operations are pending. Round trips show whether a large pool is slower than a small pool. Replacing a random
//! pending operation shows the cost of misses in the CPU caches.

use std::{
    cell::{LazyCell, RefCell},
    future::Future,
    pin::Pin,
    task::Context,
};

use super::{
    super::{Case, opaque_waker, start_clock},
    Channels, expect_pending, expect_value,
    ours::Ours,
    pair,
    rivals::Pooled,
    round_trip::trip,
    with_context,
};

/// The numbers of pending operations that are measured.
pub(crate) const PENDING: [usize; 4] = [1, 1_000, 100_000, 1_000_000];

/// Returns the name of a contender with this many pending operations.
pub(crate) fn with(name: &str, pending: usize) -> String {
    format!("{name}, {pending} pending")
}

struct Pending<C: Channels, F> {
    channels: C,
    waiting: Vec<(C::Producer, F)>,
    random: u64,
}

impl<C, F> Pending<C, F>
where
    C: for<'a> Channels<Consumer<'a> = F>,
    F: Future<Output = Result<u64, C::Error>> + Unpin,
{
    fn new(channels: C, count: usize) -> Self {
        let waiting = Vec::with_capacity(count);
        let mut this = Pending { channels, waiting, random: 1 };
        for _ in 0..count {
            let waiting = this.wait(&mut Context::from_waker(&opaque_waker()));
            this.waiting.push(waiting);
        }
        this
    }

    #[inline(always)]
    fn wait(&mut self, cx: &mut Context<'_>) -> (C::Producer, F) {
        let (producer, mut consumer) = pair(&mut self.channels);
        expect_pending(Pin::new(&mut consumer), cx);
        (producer, consumer)
    }

    fn round_trips(&mut self, operations: u64) -> u64 {
        with_context(|cx| {
            (0..operations).fold(0, |consumed: u64, value| {
                consumed.wrapping_add(trip(&mut self.channels, cx, value))
            })
        })
    }

    /// Completes random pending operations. Begins a new operation for each completed operation.
    fn replace(&mut self, operations: u64) -> u64 {
        with_context(|cx| {
            (0..operations).fold(0, |consumed: u64, value| {
                let index = self.random_index();
                let next = self.wait(cx);
                let (producer, mut consumer) = std::mem::replace(&mut self.waiting[index], next);
                C::complete(producer, value);
                consumed.wrapping_add(expect_value(Pin::new(&mut consumer), cx))
            })
        })
    }

    fn random_index(&mut self) -> usize {
        // The random numbers are made by xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (((self.random >> 32) * self.waiting.len() as u64) >> 32) as usize
    }
}

fn cases_of<C, F>(
    new: fn() -> C,
    work: fn(&mut Pending<C, F>, u64) -> u64,
) -> impl Iterator<Item = Case>
where
    C: for<'a> Channels<Consumer<'a> = F>,
    F: Future<Output = Result<u64, C::Error>> + Unpin + 'static,
{
    PENDING.into_iter().map(move |pending| {
        // The pending operations are begun at the first run and not when the case is created, because beginning a million operations takes
        // long.
        let set = LazyCell::new(move || RefCell::new(Pending::new(new(), pending)));
        Case::new(with(&C::name(), pending).leak(), move |operations| {
            let mut set = set.borrow_mut();
            start_clock();
            work(&mut set, operations)
        })
    })
}

pub(crate) fn round_trips() -> Vec<Case> {
    let rival = cases_of(Pooled::new, Pending::round_trips);
    rival.chain(cases_of(Ours::new, Pending::round_trips)).collect()
}

pub(crate) fn replacing() -> Vec<Case> {
    let rival = cases_of(Pooled::new, Pending::replace);
    rival.chain(cases_of(Ours::new, Pending::replace)).collect()
}
