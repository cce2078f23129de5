//! Other targets, and loom: the compiler copies values, and a piece is never used.

use super::words::Word;

/// Values are not copied in pieces.
pub(super) const HAS_PIECES: bool = false;

/// Two words.
pub(super) type Pair = [Word; 2];
/// As many words as the widest of the registers has room for.
pub(super) type Widest = Pair;

/// Returns two words as a pair.
pub(super) fn pair_of(first: Word, second: Word) -> Pair {
    [first, second]
}

/// Returns the first words as one piece.
pub(super) fn widest_of(words: &[Word]) -> Widest {
    [words[0], words[1]]
}
