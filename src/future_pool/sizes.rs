//! The sizes of blocks.

use crate::slab::Block;

/// The sizes of blocks, in bytes. Each size is a multiple of 64, the size of a CPU cache line. No size is a large power of two, because the
/// beginnings of such blocks would compete for the same few sets of the CPU cache.
pub(crate) const SIZES: [usize; 8] = [64, 128, 192, 320, 576, 1088, 2112, 4160];

/// Returns the size of the largest value that fits into a block of a class.
pub(crate) const fn capacity<H>(class: usize) -> usize {
    SIZES[class] - size_of::<Block<H>>()
}
