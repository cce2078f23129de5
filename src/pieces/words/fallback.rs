//! The fallback for loom, and for targets that neither `x86_64.rs` nor `aarch64.rs` supports. Values are not copied in pieces. The compiler
//! generates ordinary copies.

use super::Word;

/// `false`: values are not copied in pieces.
pub(super) const HAS_PIECES: bool = false;

/// Two words.
pub(super) type Pair = [Word; 2];
/// Two words. (In `x86_64.rs` and `aarch64.rs`, this type is as wide as the widest register.)
pub(super) type Widest = Pair;

/// Returns two words as a pair.
pub(super) fn pair_of(first: Word, second: Word) -> Pair {
    [first, second]
}

/// Returns the first two words.
pub(super) fn widest_of(words: &[Word]) -> Widest {
    [words[0], words[1]]
}
