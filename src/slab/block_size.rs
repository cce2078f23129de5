//! The sizes of blocks and of their pages.

use super::item::Shape;

/// A block begins on a cache line, so that it shares none with a block of another thread.
pub(super) const LINE: usize = 64;

/// What an allocation contains besides the blocks: the header of the page, and room to align it.
const BESIDE: usize = 2 * Shape::HEADER;

/// Pages that are not in use are retained up to this many bytes, or this many blocks if that is more.
const RETAINED_BYTES: usize = 64 << 10;
const RETAINED_BLOCKS: usize = 256;

/// Returns the number of blocks in a page. The allocation is at most a power of two, because those are size classes of all
/// allocators: from 4 KiB for the smallest blocks to 64 KiB for the largest.
pub(super) const fn blocks_in_page(size: usize) -> usize {
    let page = (15 * size).next_power_of_two();
    if cfg!(loom) { 1 } else { (if page < 4096 { 4096 } else { page } - BESIDE) / size }
}

/// Returns the number of blocks of this size that a slab retains.
pub(super) fn retained_blocks(size: usize) -> usize {
    (RETAINED_BYTES / size).max(RETAINED_BLOCKS)
}

/// Returns the memory of a page with one block of this size, in bytes.
pub(crate) const fn page_of_one(size: usize) -> usize {
    BESIDE + size
}

/// Returns the number of blocks of this size in `bytes`, including the headers of whole pages.
pub(crate) fn blocks_within(bytes: usize, size: usize) -> u32 {
    let of_page = blocks_in_page(size);
    let page = BESIDE + size * of_page;
    let blocks = if bytes < page { bytes / size } else { (bytes / page) * of_page };
    u32::try_from(blocks).unwrap_or(u32::MAX)
}
