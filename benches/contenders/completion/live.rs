//! Operations while many others wait all the time: beside them, which tells whether a pool becomes
//! slower as it grows, and on them, which tells what the caches do.

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
    trip::trip,
    with_context,
};

/// How many operations wait.
pub(crate) const LIVE: [usize; 4] = [1, 1_000, 100_000, 1_000_000];

/// What a contender is called while so many operations wait.
pub(crate) fn with(name: &str, live: usize) -> String {
    format!("{name}, {live} live")
}

struct Live<C: Channels, F> {
    channels: C,
    waiting: Vec<(C::Producer, F)>,
    random: u64,
}

impl<C, F> Live<C, F>
where
    C: for<'a> Channels<Consumer<'a> = F>,
    F: Future<Output = Result<u64, C::Error>> + Unpin,
{
    fn new(channels: C, live: usize) -> Self {
        let waiting = Vec::with_capacity(live);
        let mut this = Live { channels, waiting, random: 1 };
        for _ in 0..live {
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

    fn beside(&mut self, operations: u64) -> u64 {
        with_context(|cx| {
            (0..operations).fold(0, |consumed: u64, value| {
                consumed.wrapping_add(trip(&mut self.channels, cx, value))
            })
        })
    }

    /// Completes one that waits, and has another one wait instead.
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
        // Xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (((self.random >> 32) * self.waiting.len() as u64) >> 32) as usize
    }
}

fn cases_of<C, F>(
    new: fn() -> C,
    work: fn(&mut Live<C, F>, u64) -> u64,
) -> impl Iterator<Item = Case>
where
    C: for<'a> Channels<Consumer<'a> = F>,
    F: Future<Output = Result<u64, C::Error>> + Unpin + 'static,
{
    LIVE.into_iter().map(move |live| {
        // Not before it is needed: a million takes its time.
        let set = LazyCell::new(move || RefCell::new(Live::new(new(), live)));
        Case::new(with(&C::name(), live).leak(), move |operations| {
            let mut set = set.borrow_mut();
            start_clock();
            work(&mut set, operations)
        })
    })
}

pub(crate) fn beside() -> Vec<Case> {
    let rival = cases_of(Pooled::new, Live::beside);
    rival.chain(cases_of(Ours::new, Live::beside)).collect()
}

pub(crate) fn replacing() -> Vec<Case> {
    let rival = cases_of(Pooled::new, Live::replace);
    rival.chain(cases_of(Ours::new, Live::replace)).collect()
}
