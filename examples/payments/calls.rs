//! The attempts that wait for an answer, with two kinds of ids: indices of reusable slots, and keys of a pool.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use slab::Slab;
use value_future::{Completion, Key, Pool, operation::CompleteErrorKind};

use crate::bank::Answer;

pub(crate) trait Calls: Sync {
    /// The future of an answer, or of `None` if no answer can come. Dropping the future ends the attempt.
    type Reply<'c>: Future<Output = Option<Answer>> + Unpin
    where
        Self: 'c;

    /// Begins an attempt. Returns its id on the wire, and the future of its answer.
    fn begin(&self) -> (u64, Self::Reply<'_>);

    /// Completes an attempt with its answer, or returns why the answer is refused.
    fn answer(&self, id: u64, answer: Answer) -> Result<(), CompleteErrorKind>;
}

/// Slots without generations. An index names the attempt that has the slot now.
#[derive(Default)]
pub(crate) struct Indices(Mutex<Slab<Slot>>);

#[derive(Default)]
struct Slot {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Calls for Indices {
    type Reply<'c> = IndexReply<'c>;

    fn begin(&self) -> (u64, IndexReply<'_>) {
        let index = self.0.lock().unwrap().insert(Slot::default());
        (index as u64, IndexReply { slots: &self.0, index, is_done: false })
    }

    fn answer(&self, id: u64, answer: Answer) -> Result<(), CompleteErrorKind> {
        let mut slots = self.0.lock().unwrap();
        let slot = usize::try_from(id).ok().and_then(|index| slots.get_mut(index));
        let slot = slot.ok_or(CompleteErrorKind::Closed)?;
        slot.answer = Some(answer);
        let waker = slot.waker.take();
        drop(slots);
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

pub(crate) struct IndexReply<'c> {
    slots: &'c Mutex<Slab<Slot>>,
    index: usize,
    is_done: bool,
}

impl Future for IndexReply<'_> {
    type Output = Option<Answer>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        let mut slots = self.slots.lock().unwrap();
        let slot = &mut slots[self.index];
        let Some(answer) = slot.answer else {
            slot.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        slots.remove(self.index);
        self.is_done = true;
        Poll::Ready(Some(answer))
    }
}

impl Drop for IndexReply<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.slots.lock().unwrap().try_remove(self.index);
        }
    }
}

/// A pool of this crate. A key names one attempt, even after another attempt has reused its slot.
pub(crate) struct Keys(pub(crate) Pool<Option<Answer>>);

impl Calls for Keys {
    type Reply<'c> = Completion<Option<Answer>>;

    fn begin(&self) -> (u64, Completion<Option<Answer>>) {
        let (completer, completion) = self.0.rent();
        (completer.into_key().to_u64(), completion)
    }

    fn answer(&self, id: u64, answer: Answer) -> Result<(), CompleteErrorKind> {
        self.0.complete_key(Key::from_u64(id), Some(answer)).map_err(|error| error.kind())
    }
}
