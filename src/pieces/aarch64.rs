//! Pieces of 16 bytes, for aarch64. There, `.await` copies with `ldp` and `stp` of `q` registers. These instructions were found by reading
//! the assembly. No times were measured.

use core::{arch::aarch64::uint64x2_t, mem::MaybeUninit};

use super::words::{Word, put_together};

/// Values are copied in pieces.
pub(super) const HAS_PIECES: bool = true;

/// Two words.
pub(super) type Pair = MaybeUninit<uint64x2_t>;
/// As many words as fit into the widest register.
pub(super) type Widest = Pair;

/// Returns the first words in one register of the widest kind.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn widest_of(words: &[Word]) -> Widest {
    pair_of(words[0], words[1])
}

put_together!(pair_of, Word, Pair, vreg, vreg, "mov {piece:v}.d[1], {second:v}.d[0]");
