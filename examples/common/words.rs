//! Counts words, and finds the ends of words and lines. The code has no branch per byte, because the processor would often mispredict such
//! a branch.

use std::array::from_fn;

/// Returns the number of words in a text.
pub(crate) fn count_words(text: &[u8]) -> u64 {
    let begins = |pair: &[u8]| u64::from(pair[0] <= b' ') & u64::from(pair[1] > b' ');
    u64::from(text.first() > Some(&b' ')) + text.windows(2).map(begins).sum::<u64>()
}

/// Finds the line feeds from `start` on and, unless `by_line` is set, the blanks that end a word. Appends the position after each of these
/// bytes to `ends`.
pub(crate) fn find_ends(text: &[u8], start: usize, by_line: bool, ends: &mut Vec<usize>) {
    let mut was_word = u64::from(text[..start].last() > Some(&b' '));
    let blocks = text[start..].chunks_exact(64);
    let mut last = [b'.'; 64];
    last[..blocks.remainder().len()].copy_from_slice(blocks.remainder());
    for (number, block) in blocks.chain([&last[..]]).enumerate() {
        let is_word = bits(block, |byte| byte > b' ');
        let after_word = if by_line { 0 } else { !is_word & (is_word << 1 | was_word) };
        let mut found = after_word | bits(block, |byte| byte == b'\n');
        was_word = is_word >> 63;
        while found != 0 {
            ends.push(start + 64 * number + found.trailing_zeros() as usize + 1);
            found &= found - 1;
        }
    }
}

/// Returns a mask with one bit for each of the 64 bytes of a block. The bit is 1 if `is_set` returns `true` for the byte. The
/// multiplication moves the lowest bits of eight bytes into the highest byte.
fn bits(block: &[u8], is_set: impl Fn(u8) -> bool) -> u64 {
    let block: &[u8; 64] = block.try_into().expect("64 bytes");
    let set: [u8; 64] = from_fn(|at| u8::from(is_set(block[at])));
    set.chunks(8).rev().fold(0, |bits, eight| {
        let eight = u64::from_le_bytes(eight.try_into().expect("8 bytes"));
        bits << 8 | eight.wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}
