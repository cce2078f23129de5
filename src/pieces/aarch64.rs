//! Pieces of 16 bytes: `.await` copies with `ldp` and `stp` of `q` registers. Its assembly was read; it could not be
//! timed.

use core::{arch::aarch64::uint64x2_t, mem::MaybeUninit};

use super::arch::Word;

pub(super) type Half = MaybeUninit<uint64x2_t>;
pub(super) type Whole = Half;

/// The first words, in one register.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn whole_of(words: &[Word]) -> Whole {
    half_of(words[0], words[1])
}

put_together!(half_of, Word, Half, vreg, vreg, "mov {piece:v}.d[1], {second:v}.d[0]");
