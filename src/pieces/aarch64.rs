//! Pieces of 16 bytes: `.await` copies with `ldp` and `stp` of `q` registers. Its assembly was read; it could not be
//! timed.

use core::{arch::aarch64::uint64x2_t, mem::MaybeUninit};

#[path = "copy.rs"]
mod copy;

use copy::Word;
pub(super) use copy::{LARGEST, is_in_pieces, load, store, with_piece_of_word};

/// Two words.
pub(super) type Pair = MaybeUninit<uint64x2_t>;
/// As many words as the widest of the registers has room for.
pub(super) type Widest = Pair;

/// The first words, in one register.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn widest_of(words: &[Word]) -> Widest {
    pair_of(words[0], words[1])
}

put_together!(pair_of, Word, Pair, vreg, vreg, "mov {piece:v}.d[1], {second:v}.d[0]");
