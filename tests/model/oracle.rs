//! What ought to happen: a pool as lists of plain facts. It knows nothing of states, lists of vacant
//! slots or threads, and does not foretell which slot an operation gets: it is told.

use std::task::Poll;

use value_future::{Key, operation::CompleteErrorKind};

use super::{
    observer::Side,
    script::{Letter, Setup},
};

#[derive(Default)]
pub(crate) struct Waiting {
    /// The waker that is to be woken.
    pub(crate) with: Option<Letter>,
    /// How often each was.
    pub(crate) woken: [usize; 2],
}

impl Waiting {
    fn wake(&mut self) {
        if let Some(letter) = self.with.take() {
            self.woken[letter] += 1;
        }
    }
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "facts, each of which holds or not")]
pub(crate) struct Operation {
    /// Each end is there until it has done its part, or is dropped.
    pub(crate) consumer: bool,
    pub(crate) completer: bool,
    keyed: bool,
    /// There was a result, of which this is the value until it is taken.
    ended: bool,
    value: Option<usize>,
    /// The consumer's waker, and the completer's.
    waiting: [Waiting; 2],
}

impl Operation {
    fn is_over(&self) -> bool {
        !self.consumer && !self.completer
    }

    fn is_waited_for(&self) -> bool {
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

    fn completer_goes(&mut self) {
        self.completer = false;
        self.waiting_mut(Side::Completer).with = None;
    }
}

struct Slot {
    /// Past the last generation of 32 bits, a slot of a bounded pool has other indices.
    generation: u64,
    operation: usize,
}

/// The last generation of a key.
const LAST: u64 = u32::MAX as u64;

/// Where in the index of a key the number of times begins that generations were used up.
const EPOCH_SHIFT: u32 = 18;

pub(crate) struct Oracle {
    first_generation: u64,
    max: Option<u32>,
    /// The pool has no handle any more.
    orphaned: bool,
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
            orphaned: false,
            slots: Vec::new(),
            operations: Vec::new(),
            dropped: Vec::new(),
            refused: 0,
        }
    }

    /// An operation begins, in this slot.
    pub(crate) fn rent(&mut self, slot: usize) -> usize {
        let operation = self.operations.len();
        if slot == self.slots.len() {
            self.slots.push(Slot { generation: self.first_generation, operation });
        } else {
            let slot = &mut self.slots[slot];
            assert!(self.operations[slot.operation].is_over(), "the slot is in use");
            assert!(self.max.is_some() || slot.generation < LAST, "the slot is used up");
            slot.generation += 1;
            slot.operation = operation;
        }
        let both = Operation { consumer: true, completer: true, ..Operation::default() };
        self.operations.push(both);
        operation
    }

    fn is_vacant(&self, slot: &Slot) -> bool {
        self.operations[slot.operation].is_over() && !self.is_used_up(slot)
    }

    /// A slot of a bounded pool goes on under another index.
    fn is_used_up(&self, slot: &Slot) -> bool {
        self.max.is_none() && slot.generation == LAST
    }

    /// The slots that may be rented again.
    pub(crate) fn vacant(&self) -> Vec<usize> {
        let indices = 0..self.slots.len();
        indices.filter(|index| self.is_vacant(&self.slots[*index])).collect()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.max.is_some_and(|max| self.slots.len() >= max as usize) && self.vacant().is_empty()
    }

    /// The result that a poll gives, `None` in it if it is no value.
    pub(crate) fn poll(&mut self, operation: usize, letter: Letter) -> Poll<Option<usize>> {
        let taken = self.take(operation);
        if taken.is_pending() {
            self.operations[operation].waiting_mut(Side::Consumer).with = Some(letter);
        }
        taken
    }

    /// The result; pending if it is not there, or not any more.
    pub(crate) fn take(&mut self, operation: usize) -> Poll<Option<usize>> {
        let there = &mut self.operations[operation];
        if !there.consumer || !there.ended {
            return Poll::Pending;
        }
        there.consumer = false;
        Poll::Ready(there.value.take())
    }

    pub(crate) fn drop_consumer(&mut self, operation: usize) {
        if let Poll::Ready(value) = self.take(operation) {
            self.drop_value(value);
            return;
        }
        let there = &mut self.operations[operation];
        there.consumer = false;
        there.waiting_mut(Side::Consumer).with = None;
        there.waiting_mut(Side::Completer).wake();
    }

    /// Whoever got the value has dropped it.
    pub(crate) fn drop_value(&mut self, value: Option<usize>) {
        if let Some(value) = value {
            self.dropped[value] += 1;
        }
    }

    /// The completer ends the operation and goes. Whether it was not too late.
    pub(crate) fn complete(&mut self, operation: usize, value: Option<usize>) -> bool {
        let there = &mut self.operations[operation];
        let in_time = there.is_waited_for();
        if in_time {
            there.end(value);
        }
        there.completer_goes();
        in_time
    }

    pub(crate) fn is_closed(&self, operation: usize) -> bool {
        !self.operations[operation].is_waited_for()
    }

    /// Whether the answer is there.
    pub(crate) fn poll_closed(&mut self, operation: usize, letter: Letter) -> bool {
        let there = &mut self.operations[operation];
        let waits = there.is_waited_for();
        there.waiting_mut(Side::Completer).with = waits.then_some(letter);
        !waits
    }

    pub(crate) fn issue_key(&mut self, operation: usize) -> Key {
        self.operations[operation].keyed = true;
        let index = self.slots.iter().rposition(|slot| slot.operation == operation);
        self.current_key(index.expect("a completer holds its slot"))
    }

    pub(crate) fn leave_to_key(&mut self, operation: usize) -> Key {
        self.operations[operation].completer_goes();
        let key = self.issue_key(operation);
        if self.orphaned {
            self.abandon_keys();
        }
        key
    }

    /// Ends what was left to keys; tells how many there were.
    pub(crate) fn abandon_keys(&mut self) -> u32 {
        let left =
            self.operations.iter_mut().filter(|there| there.is_waited_for() && !there.completer);
        left.map(|there| there.end(None)).count().try_into().expect("few")
    }

    pub(crate) fn drop_last_handle(&mut self) {
        self.orphaned = true;
        self.abandon_keys();
    }

    /// That of the last operation in a slot.
    pub(crate) fn current_key(&self, index: usize) -> Key {
        let generation = self.slots[index].generation;
        Key::from_u64((generation & LAST) << 32 | (generation >> 32) << EPOCH_SHIFT | index as u64)
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The operation with this key, unless the key is refused.
    fn find(&self, key: Key) -> Result<usize, CompleteErrorKind> {
        // No script comes to so many slots or epochs that one gets in the way of the other.
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

    /// Somebody with this key ends its operation.
    pub(crate) fn end_by_key(
        &mut self,
        key: Key,
        value: Option<usize>,
    ) -> Result<(), CompleteErrorKind> {
        let operation = self.find(key).inspect_err(|_| self.refused += 1)?;
        let there = &mut self.operations[operation];
        there.end(value);
        there.waiting_mut(Side::Completer).wake();
        Ok(())
    }

    pub(crate) fn waiting(&self, operation: usize, side: Side) -> &Waiting {
        &self.operations[operation].waiting[side as usize]
    }

    pub(crate) fn live(&self) -> u64 {
        self.operations.iter().filter(|operation| !operation.is_over()).count() as u64
    }

    pub(crate) fn retired(&self) -> u64 {
        let used_up = |slot: &&Slot| self.is_used_up(slot);
        let over = |slot: &&Slot| self.operations[slot.operation].is_over();
        self.slots.iter().filter(used_up).filter(over).count() as u64
    }

    /// A cancelled operation is counted when its completer has gone as well.
    pub(crate) fn cancelled(&self) -> u64 {
        let over = self.operations.iter().filter(|operation| operation.is_over());
        over.filter(|operation| !operation.ended).count() as u64
    }
}
