//! [`Attempts`]: the pending attempts of a client, identified by the indices of slots or by the keys of a pool.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use slab::Slab;
use value_future::{Completion, Key, Pool, operation::CompleteErrorKind};

use crate::bank::Answer;

pub(crate) trait Attempts: Sync {
    /// The future of an answer. Its output is `None` if the operation is abandoned. Dropping the future cancels the attempt.
    type Reply<'a>: Future<Output = Option<Answer>> + Unpin
    where
        Self: 'a;
    /// Begins an attempt. Returns its id and the future of its answer.
    fn begin(&self) -> (u64, Self::Reply<'_>);
    /// Completes an attempt. Returns an error if the answer is refused.
    fn answer(&self, id: u64, answer: Answer) -> Result<(), CompleteErrorKind>;
}

/// Slots that are reused. The id of an attempt is the index of its slot, so the next attempt in the slot has the same id.
#[derive(Default)]
pub(crate) struct SlotIndices(Mutex<Slab<Slot>>);

#[derive(Default)]
struct Slot {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Attempts for SlotIndices {
    type Reply<'a> = IndexReply<'a>;

    fn begin(&self) -> (u64, IndexReply<'_>) {
        let index = self.0.lock().unwrap().insert(Slot::default());
        (index as u64, IndexReply { slots: &self.0, index, is_taken: false })
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

pub(crate) struct IndexReply<'a> {
    slots: &'a Mutex<Slab<Slot>>,
    index: usize,
    is_taken: bool,
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
        self.is_taken = true;
        Poll::Ready(Some(answer))
    }
}

impl Drop for IndexReply<'_> {
    fn drop(&mut self) {
        if !self.is_taken {
            self.slots.lock().unwrap().try_remove(self.index);
        }
    }
}

/// A pool of this crate. The id of an attempt is the key of its operation. If the slot is reused, the next operation has another key.
pub(crate) struct PoolKeys(pub(crate) Pool<Option<Answer>>);

impl Attempts for PoolKeys {
    type Reply<'a> = Completion<Option<Answer>>;

    fn begin(&self) -> (u64, Completion<Option<Answer>>) {
        let (completer, completion) = self.0.rent();
        (completer.into_key().to_u64(), completion)
    }

    fn answer(&self, id: u64, answer: Answer) -> Result<(), CompleteErrorKind> {
        self.0.complete_key(Key::from_u64(id), Some(answer)).map_err(|error| error.kind())
    }
}
