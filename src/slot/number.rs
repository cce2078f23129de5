//! The number of an operation, in the layout in which a slot stores it.
//!
//! ```text
//!  63            32 31 30              18 17                 0
//! ┌────────────────┬──┬──────────────────┬────────────────────┐
//! │   generation   │ 0│ low bits of      │ slot, and the high │
//! │                │  │ the epoch        │ bits of the epoch  │
//! └────────────────┴──┴──────────────────┴────────────────────┘
//! ```
//!
//! (Bits 0 to 31 are as in the picture for a source, and for a pool with a bound of at most 2¹⁸ slots. In other pools, the epoch has fewer
//! than 13 bits, all of them at the upper end of the index.)
//!
//! Each operation of a slot has the next *generation*. The lower half of the number is the *index*. Some bits of the index name the slot,
//! and the other bits count *epochs*. After the last of 2³² generations, a slot begins the next epoch. If there is no further epoch, the
//! slot is *retired*: it is never rented again. So no number is used twice. The bound of the pool decides how many bits name the slot. In a
//! pool without a bound, 31 bits name the slot, so there is only one epoch. A source, or a pool with one slot, has 2⁶³ numbers.
//!
//! In a pool, the key of an operation has the same 64 bits as the number. In a source, the index of the key is the epoch.
//!
//! The generation and the low 13 bits of the epoch are also in the [state](super::State) of the slot. A producer compares its key with the
//! number of the slot, and then claims the operation by an exchange that expects a state. If the slot has begun another operation between
//! these two steps, the exchange fails. There are two exceptions:
//!
//! * A multiple of 2⁴⁵ operations lies between the two operations. At 100 million operations a second, 2⁴⁵ operations take four days.
//! * A multiple of 2³² operations lies between the two operations, and both operations have the same number of registered wakers. This
//!   number is greater than 255 (see `state.rs`).

use super::Key;
use crate::token::Token;

/// The number of an operation. It is unique in its pool or source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(u64);

const GENERATION: u64 = 1 << 32;
/// The number of bits in an index. Bit 31 of a number is always 0.
const INDEX_BITS: u32 = 31;
/// The number of low bits of the epoch that the state contains. (If an epoch has fewer bits, the state contains all bits of the epoch.)
const EPOCH_BITS_IN_STATE: u32 = 13;

impl Number {
    pub(crate) const fn new(index: u32, generation: u32) -> Self {
        Number(generation as u64 * GENERATION + index as u64)
    }

    #[inline(always)]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Number(bits)
    }

    #[inline(always)]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the index is the lower half")]
    const fn index(self) -> u32 {
        self.0 as u32
    }

    #[inline(always)]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are the token")]
    pub(crate) const fn token(self) -> Token {
        Token::new(self.generation() as u16)
    }

    /// Returns the number of the next operation in the same epoch, or `None` after the last generation.
    #[inline(always)]
    pub(crate) const fn next_generation(self) -> Option<Number> {
        match self.0.checked_add(GENERATION) {
            Some(next) => Some(Number(next)),
            None => None,
        }
    }

    /// Returns the key of the operation with this number, for a pool. The key has the same 64 bits.
    #[inline(always)]
    pub(crate) const fn key(self) -> Key {
        Key::from_u64(self.0)
    }

    /// Returns the number with the same 64 bits as a key of a pool.
    #[inline(always)]
    pub(crate) const fn of_key(key: Key) -> Self {
        Number(key.to_u64())
    }
}

/// The layout of an index: how many of its bits name the slot. The other bits count epochs.
#[derive(Clone, Copy)]
pub(crate) struct IndexLayout {
    slot_bits: u32,
}

impl IndexLayout {
    /// The layout for one slot.
    pub(crate) const ONE_SLOT: IndexLayout = IndexLayout { slot_bits: 0 };

    /// Returns the layout for up to `slots` slots. No layout has more than 2³¹ slots.
    pub(crate) const fn of(slots: u32) -> Self {
        let slot_bits = u32::BITS - (slots - 1).leading_zeros();
        IndexLayout { slot_bits: if slot_bits < INDEX_BITS { slot_bits } else { INDEX_BITS } }
    }

    const fn epoch_bits(self) -> u32 {
        INDEX_BITS - self.slot_bits
    }

    /// Returns how many low bits of the epoch are at the upper end of the index. (The high bits of the epoch are next to the bits of the
    /// slot.)
    const fn low_epoch_bits(self) -> u32 {
        if self.epoch_bits() < EPOCH_BITS_IN_STATE {
            self.epoch_bits()
        } else {
            EPOCH_BITS_IN_STATE
        }
    }

    /// Returns the slot that an index of any epoch names.
    #[inline(always)]
    pub(crate) const fn slot(self, index: u32) -> u32 {
        index & ((1 << self.slot_bits) - 1)
    }

    /// Returns an index that encodes `epoch`, with zeros in the bits that name the slot.
    const fn of_epoch(self, epoch: u32) -> u32 {
        let low_bits = self.low_epoch_bits();
        let low = epoch & ((1 << low_bits) - 1);
        low << (INDEX_BITS - low_bits) | (epoch >> low_bits) << self.slot_bits
    }

    const fn epoch(self, index: u32) -> u32 {
        let low_bits = self.low_epoch_bits();
        let low = index >> (INDEX_BITS - low_bits) & ((1 << low_bits) - 1);
        let high = (index & ((1 << (INDEX_BITS - low_bits)) - 1)) >> self.slot_bits;
        high << low_bits | low
    }

    /// Returns the first number of the next epoch of a slot, or `None` after the last epoch.
    pub(crate) fn next_epoch(self, number: Number) -> Option<Number> {
        let epoch = self.epoch(number.index()) + 1;
        let index = self.slot(number.index()) | self.of_epoch(epoch);
        (epoch >> self.epoch_bits() == 0).then(|| Number::new(index, 0))
    }

    /// Returns the position of an operation among all operations of its slot, counted from generation 0 of the first epoch. Returns `None`
    /// if no slot has such a number.
    pub(crate) fn order(self, number: Number) -> Option<u64> {
        let epoch = u64::from(self.epoch(number.index()));
        let order = epoch * GENERATION + u64::from(number.generation());
        (number.index() >> INDEX_BITS == 0).then_some(order)
    }
}

impl IndexLayout {
    /// Returns the key of the operation with this number, for a source. The index of the key is the epoch.
    #[inline(always)]
    pub(crate) const fn key_of_one(number: Number) -> Key {
        Key::new(IndexLayout::ONE_SLOT.epoch(number.index()), number.generation())
    }

    /// Returns the number of the operation with this key, for a source. Returns `None` if no source creates such a key.
    #[inline(always)]
    pub(crate) const fn number_of_one(key: Key) -> Option<Number> {
        if key.index() >> INDEX_BITS != 0 {
            return None;
        }
        Some(Number::new(IndexLayout::ONE_SLOT.of_epoch(key.index()), key.generation()))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, vec::Vec};

    use super::*;

    const SLOTS: [u32; 8] = [1, 2, 3, 32, 1000, 1 << 18, 1 << 20, 1 << 31];

    /// The tests check this many of the first epochs, and this many of the last epochs. Under Miri, they check fewer epochs, because Miri
    /// is slow, and this file has no unsafe code.
    const FEW: u64 = if cfg!(miri) { 5 } else { 300 };

    fn last_of(layout: IndexLayout, slot: u32, epoch: u32) -> Number {
        Number::new(slot | layout.of_epoch(epoch), u32::MAX)
    }

    #[test]
    fn the_index_of_each_epoch_is_different_and_names_the_slot() {
        for slots in SLOTS {
            let layout = IndexLayout::of(slots);
            let all = 1_u64 << layout.epoch_bits();
            let epochs = (0..FEW).chain(all.saturating_sub(FEW)..all).filter(|epoch| *epoch < all);
            let epochs = epochs.map(|epoch| u32::try_from(epoch).unwrap()).collect::<HashSet<_>>();
            for slot in [0, slots / 2, slots - 1] {
                let mut indices = HashSet::new();
                for &epoch in &epochs {
                    let last = last_of(layout, slot, epoch);
                    assert!(indices.insert(last.index()), "{slots} slots, epoch {epoch}");
                    assert_eq!(layout.slot(last.index()), slot);
                    assert_eq!(layout.epoch(last.index()), epoch);
                    assert_eq!(last.index() >> INDEX_BITS, 0);
                }
            }
        }
    }

    #[test]
    fn each_epoch_is_followed_by_the_next_without_a_gap() {
        for slots in SLOTS {
            let layout = IndexLayout::of(slots);
            let all = 1_u64 << layout.epoch_bits();
            for epoch in (0..FEW).chain(all.saturating_sub(FEW)..all).filter(|epoch| *epoch < all) {
                let last = last_of(layout, slots - 1, u32::try_from(epoch).unwrap());
                assert!(last.next_generation().is_none());
                let Some(next) = layout.next_epoch(last) else {
                    assert_eq!(epoch, all - 1, "{slots} slots");
                    continue;
                };
                assert_eq!(layout.order(next), layout.order(last).map(|order| order + 1));
                assert_eq!(layout.slot(next.index()), slots - 1);
                let of_first_slot =
                    layout.next_epoch(last_of(layout, 0, layout.epoch(last.index())));
                assert_ne!(of_first_slot.unwrap().bits(), 0, "no key is 0");
            }
        }
        assert_eq!(IndexLayout::ONE_SLOT.order(Number::new(1 << 31, 1)), None);
    }

    /// A state contains the upper bits of the index. So states of two epochs can be equal only if a multiple of 2¹³ epochs lies between
    /// them.
    #[test]
    #[cfg_attr(miri, ignore = "takes long under Miri, and tests no unsafe code")]
    fn the_low_bits_of_the_epoch_are_in_the_upper_bits_of_the_index() {
        for slots in SLOTS.into_iter().filter(|slots| *slots <= 1 << 18) {
            let layout = IndexLayout::of(slots);
            let upper = (0..1 << EPOCH_BITS_IN_STATE).map(|epoch| layout.of_epoch(epoch) >> 18);
            assert_eq!(
                upper.collect::<HashSet<_>>().len(),
                1 << EPOCH_BITS_IN_STATE,
                "{slots} slots"
            );
        }
    }

    #[test]
    fn the_index_in_a_key_of_a_source_is_the_epoch() {
        for epoch in [0, 1, 2, 8191, 8192, 1 << 20, (1 << 31) - 1] {
            let number = IndexLayout::number_of_one(Key::new(epoch, 7)).unwrap();
            assert_eq!(IndexLayout::key_of_one(number), Key::new(epoch, 7));
            assert_eq!(IndexLayout::ONE_SLOT.order(number), Some((u64::from(epoch) << 32) + 7));
        }
        let forged =
            [1 << 31, u32::MAX].map(|index| IndexLayout::number_of_one(Key::new(index, 7)));
        assert!(forged.iter().all(Option::is_none));
        let in_order = (0..3).map(|n| IndexLayout::number_of_one(Key::new(n, 0)).unwrap().bits());
        assert_eq!(in_order.collect::<Vec<_>>(), [0, 1 << 18, 2 << 18]);
    }
}
