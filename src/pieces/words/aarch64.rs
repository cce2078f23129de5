//! Pieces of 16 bytes, for aarch64. On this architecture, `.await` copies a future by `ldp` and `stp` of `q` registers. (The assembly shows
//! this. No times were measured.)

use core::{arch::aarch64::uint64x2_t, mem::MaybeUninit};

use super::{Word, put_together};

/// `true`: values are copied in pieces.
pub(super) const HAS_PIECES: bool = true;

/// Two words.
pub(super) type Pair = MaybeUninit<uint64x2_t>;
/// As many words as fit into the widest register.
pub(super) type Widest = Pair;

/// Returns the first words, as many as fit into the widest register, in one such register.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn widest_of(words: &[Word]) -> Widest {
    pair_of(words[0], words[1])
}

// SAFETY: the instruction puts the second part behind the first part, and does nothing else. Both parts fit into their registers.
put_together!(unsafe pair_of, Word, Pair, vreg, vreg, "mov {piece:v}.d[1], {second:v}.d[0]");
