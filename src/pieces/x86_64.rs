//! Pieces of 16 bytes, and of 32 if this crate is compiled for such registers (`RUSTFLAGS="-C target-cpu=…"`, which
//! holds for all crates of a program).

use core::arch::x86_64::__m128i;
#[cfg(target_feature = "avx")]
use core::arch::x86_64::__m256i;
use core::mem::MaybeUninit;

use super::arch::Word;

pub(super) type Half = MaybeUninit<__m128i>;
#[cfg(target_feature = "avx")]
pub(super) type Whole = MaybeUninit<__m256i>;
#[cfg(not(target_feature = "avx"))]
pub(super) type Whole = Half;

/// The first words, in one register.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn whole_of(words: &[Word]) -> Whole {
    let whole = half_of(words[0], words[1]);
    #[cfg(target_feature = "avx")]
    let whole = two_halves(whole, half_of(words[2], words[3]));
    whole
}

#[cfg(not(target_feature = "avx"))]
put_together!(half_of, Word, Half, xmm_reg, xmm_reg, "punpcklqdq {piece}, {second}");
#[cfg(target_feature = "avx")]
put_together!(half_of, Word, Half, xmm_reg, xmm_reg, "vpunpcklqdq {piece}, {piece}, {second}");
#[cfg(target_feature = "avx")]
put_together!(
    two_halves,
    Half,
    Whole,
    ymm_reg,
    xmm_reg,
    "vinsertf128 {piece}, {piece}, {second}, 1"
);
