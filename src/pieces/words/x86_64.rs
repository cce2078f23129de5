//! Pieces of 16 bytes, for x86-64. If this crate is compiled for a CPU with AVX, there are also pieces of 32 bytes. (The option `-C
//! target-cpu=…` in `RUSTFLAGS` chooses the CPU for all crates of a program.)

use core::arch::x86_64::__m128i;
#[cfg(target_feature = "avx")]
use core::arch::x86_64::__m256i;
use core::mem::MaybeUninit;

use super::{Word, put_together};

/// `true`: values are copied in pieces.
pub(super) const HAS_PIECES: bool = true;

/// Two words.
pub(super) type Pair = MaybeUninit<__m128i>;
/// As many words as fit into the widest register.
#[cfg(target_feature = "avx")]
pub(super) type Widest = MaybeUninit<__m256i>;
/// As many words as fit into the widest register.
#[cfg(not(target_feature = "avx"))]
pub(super) type Widest = Pair;

/// Returns the first words, as many as fit into the widest register, in one such register.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn widest_of(words: &[Word]) -> Widest {
    let widest = pair_of(words[0], words[1]);
    #[cfg(target_feature = "avx")]
    let widest = joined(widest, pair_of(words[2], words[3]));
    widest
}

// SAFETY: the instruction puts the second part behind the first part, and does nothing else. Both parts fit into their registers.
#[cfg(not(target_feature = "avx"))]
put_together!(unsafe pair_of, Word, Pair, xmm_reg, xmm_reg, "punpcklqdq {piece}, {second}");
// SAFETY: the instruction puts the second part behind the first part, and does nothing else. Both parts fit into their registers.
#[cfg(target_feature = "avx")]
put_together!(unsafe pair_of, Word, Pair, xmm_reg, xmm_reg, "vpunpcklqdq {piece}, {piece}, {second}");
// SAFETY: the instruction puts the second part behind the first part, and does nothing else. Both parts fit into their registers.
#[cfg(target_feature = "avx")]
put_together!(unsafe joined, Pair, Widest, ymm_reg, xmm_reg, "vinsertf128 {piece}, {piece}, {second}, 1");
