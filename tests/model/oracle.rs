//! The oracle: the expected state of a pool, as lists of slots and operations. The oracle has no free lists and no threads. The driver
//! tells the oracle which slot an operation uses.

use std::task::Poll;

use value_future::{Key, operation::CompleteErrorKind};

use super::{
    observer::Side,
    script::{Setup, WakerId},
};

#[derive(Default)]
pub(crate) struct Waiting {
    /// The registered waker.
    pub(crate) with: Option<WakerId>,
    /// The number of wakes of each waker.
    pub(crate) woken: [usize; 2],
}

impl Waiting {
    fn wake(&mut self) {
        if let Some(waker_id) = self.with.take() {
            self.woken[waker_id] += 1;
        }
    }
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct Operation {
    /// `true` until the consumer has taken the result, or is dropped.
    pub(crate) consumer: bool,
    /// `true` until the completer has completed the operation, has become a key, or is dropped.
    pub(crate) completer: bool,
    /// `true` if a key was issued.
    keyed: bool,
    /// `true` if the operation has a result, even if the result was already taken.
    ended: bool,
    /// The id of the value that the operation was completed with, until the result is taken.
    value: Option<usize>,
    /// The wakers of the consumer and of the completer.
    waiting: [Waiting; 2],
}

impl Operation {
    fn is_over(&self) -> bool {
        !self.consumer && !self.completer
    }

    fn is_pending(&self) -> bool {
        self.consumer && !self.ended
    }

    fn waiting_mut(&mut self, side: Side) -> &mut Waiting {
        &mut self.waiting[side as usize]
    }

    fn end(&mut self, value: Option<usize>) {
        self.ended = true;
        self.value = value;
        self.waiting_mut(Side::Consumer).wake();
    }

    fn remove_completer(&mut self) {
        self.completer = false;
        self.waiting_mut(Side::Completer).with = None;
    }
}

struct Slot {
    /// The low 32 bits are the generation. In a bounded pool, the other bits are the epoch, which is a part of the index of a key.
    generation: u64,
    operation: usize,
}

/// The last generation of an epoch.
const LAST: u64 = u32::MAX as u64;

/// The position of the lowest bit of the epoch in the index of a key. The epoch counts the wraparounds of the generation.
const EPOCH_SHIFT: u32 = 18;

pub(crate) struct Oracle {
    first_generation: u64,
    max: Option<u32>,
    /// `true` if the last handle of the pool was dropped.
    closed: bool,
    slots: Vec<Slot>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) dropped: Vec<usize>,
    pub(crate) refused: u64,
}

impl Oracle {
    pub(crate) fn new(setup: &Setup) -> Self {
        Oracle {
            first_generation: setup.first_generation.into(),
            max: setup.max,
            closed: false,
            slots: Vec::new(),
            operations: Vec::new(),
            dropped: Vec::new(),
            refused: 0,
        }
    }

    /// Begins an operation in this slot, and returns the number of the operation. If no slot has the number `slot` yet, creates the slot.
    pub(crate) fn rent(&mut self, slot: usize) -> usize {
        let operation = self.operations.len();
        if slot == self.slots.len() {
            self.slots.push(Slot { generation: self.first_generation, operation });
        } else {
            let slot = &mut self.slots[slot];
            assert!(self.operations[slot.operation].is_over(), "the slot is in use");
            assert!(self.max.is_some() || slot.generation < LAST, "the slot is retired");
            slot.generation += 1;
            slot.operation = operation;
        }
        let both = Operation { consumer: true, completer: true, ..Operation::default() };
        self.operations.push(both);
        operation
    }

    fn is_vacant(&self, slot: &Slot) -> bool {
        self.operations[slot.operation].is_over() && !self.is_retired(slot)
    }

    /// Returns `true` if the slot is retired. No script is long enough to use all epochs, so no slot of a bounded pool is retired. After
    /// its last generation, such a slot continues with another index.
    fn is_retired(&self, slot: &Slot) -> bool {
        self.max.is_none() && slot.generation == LAST
    }

    /// Returns the vacant slots.
    pub(crate) fn vacant(&self) -> Vec<usize> {
        let indices = 0..self.slots.len();
        indices.filter(|index| self.is_vacant(&self.slots[*index])).collect()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.max.is_some_and(|max| self.slots.len() >= max as usize) && self.vacant().is_empty()
    }

    /// Returns the result of a poll. `Ready(None)` is the result of an abandoned operation.
    pub(crate) fn poll(&mut self, operation: usize, waker_id: WakerId) -> Poll<Option<usize>> {
        let taken = self.take(operation);
        if taken.is_pending() {
            self.operations[operation].waiting_mut(Side::Consumer).with = Some(waker_id);
        }
        taken
    }

    /// Takes the result. Returns `Pending` if the operation has no result, or if the result was already taken.
    pub(crate) fn take(&mut self, operation: usize) -> Poll<Option<usize>> {
        let state = &mut self.operations[operation];
        if !state.consumer || !state.ended {
            return Poll::Pending;
        }
        state.consumer = false;
        Poll::Ready(state.value.take())
    }

    pub(crate) fn drop_consumer(&mut self, operation: usize) {
        if let Poll::Ready(value) = self.take(operation) {
            self.drop_value(value);
            return;
        }
        let state = &mut self.operations[operation];
        state.consumer = false;
        state.waiting_mut(Side::Consumer).with = None;
        state.waiting_mut(Side::Completer).wake();
    }

    /// Records the drop of a value.
    pub(crate) fn drop_value(&mut self, value: Option<usize>) {
        if let Some(value) = value {
            self.dropped[value] += 1;
        }
    }

    /// Ends the operation by its completer. Returns `true` if the operation was pending.
    pub(crate) fn complete(&mut self, operation: usize, value: Option<usize>) -> bool {
        let state = &mut self.operations[operation];
        let pending = state.is_pending();
        if pending {
            state.end(value);
        }
        state.remove_completer();
        pending
    }

    pub(crate) fn is_closed(&self, operation: usize) -> bool {
        !self.operations[operation].is_pending()
    }

    /// Returns `true` if the operation is closed.
    pub(crate) fn poll_closed(&mut self, operation: usize, waker_id: WakerId) -> bool {
        let state = &mut self.operations[operation];
        let pending = state.is_pending();
        state.waiting_mut(Side::Completer).with = pending.then_some(waker_id);
        !pending
    }

    pub(crate) fn issue_key(&mut self, operation: usize) -> Key {
        self.operations[operation].keyed = true;
        let index = self.slots.iter().rposition(|slot| slot.operation == operation);
        self.current_key(index.expect("a completer holds its slot"))
    }

    /// Drops the completer, and returns the key. From now on, only the key can complete the operation.
    pub(crate) fn detach(&mut self, operation: usize) -> Key {
        self.operations[operation].remove_completer();
        let key = self.issue_key(operation);
        if self.closed {
            self.abandon_keys();
        }
        key
    }

    /// Abandons the pending operations without a completer, and returns their number.
    pub(crate) fn abandon_keys(&mut self) -> u32 {
        let detached =
            self.operations.iter_mut().filter(|state| state.is_pending() && !state.completer);
        detached.map(|state| state.end(None)).count().try_into().expect("a small number")
    }

    pub(crate) fn drop_last_handle(&mut self) {
        self.closed = true;
        self.abandon_keys();
    }

    /// Returns the key of the latest operation in a slot.
    pub(crate) fn current_key(&self, index: usize) -> Key {
        let generation = self.slots[index].generation;
        Key::from_u64((generation & LAST) << 32 | (generation >> 32) << EPOCH_SHIFT | index as u64)
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Finds the operation of a key. Returns the reason if the key is refused.
    fn find(&self, key: Key) -> Result<usize, CompleteErrorKind> {
        // Scripts have few slots and few epochs, so the two parts of the index do not overlap.
        let epoch = u64::from(key.index() >> EPOCH_SHIFT);
        let index = key.index() & ((1 << EPOCH_SHIFT) - 1);
        let slot = self.slots.get(index as usize).ok_or(CompleteErrorKind::Unknown)?;
        let generation = epoch << 32 | u64::from(key.generation());
        if generation != slot.generation {
            let past = (self.first_generation..slot.generation).contains(&generation);
            return Err(if past { CompleteErrorKind::Stale } else { CompleteErrorKind::Unknown });
        }
        match &self.operations[slot.operation] {
            Operation { keyed: false, .. } => Err(CompleteErrorKind::Unknown),
            Operation { ended: true, .. } => Err(CompleteErrorKind::AlreadyCompleted),
            Operation { consumer: false, .. } => Err(CompleteErrorKind::Closed),
            _ => Ok(slot.operation),
        }
    }

    /// Ends an operation with its key.
    pub(crate) fn end_by_key(
        &mut self,
        key: Key,
        value: Option<usize>,
    ) -> Result<(), CompleteErrorKind> {
        let operation = self.find(key).inspect_err(|_| self.refused += 1)?;
        let state = &mut self.operations[operation];
        state.end(value);
        state.waiting_mut(Side::Completer).wake();
        Ok(())
    }

    pub(crate) fn waiting(&self, operation: usize, side: Side) -> &Waiting {
        &self.operations[operation].waiting[side as usize]
    }

    pub(crate) fn live(&self) -> u64 {
        self.operations.iter().filter(|operation| !operation.is_over()).count() as u64
    }

    pub(crate) fn retired(&self) -> u64 {
        let retired = |slot: &&Slot| self.is_retired(slot);
        let ended = |slot: &&Slot| self.operations[slot.operation].is_over();
        self.slots.iter().filter(retired).filter(ended).count() as u64
    }

    /// Returns the number of cancelled operations. An operation is counted only after its completer is dropped too.
    pub(crate) fn cancelled(&self) -> u64 {
        let ended = self.operations.iter().filter(|operation| operation.is_over());
        ended.filter(|operation| !operation.ended).count() as u64
    }
}
