//! The sizes of blocks and of their pages.

use super::item::HEADER;

/// The alignment of a block, in bytes: the size of a CPU cache line. So the blocks of two threads never share a line.
pub(super) const LINE: usize = 64;

/// The bytes in the allocation of a page that are not part of a block: the header of the page, and padding to align the page.
const BESIDE: usize = 2 * HEADER;

/// The capacity, in bytes, that a slab keeps when blocks are returned.
const RETAINED_BYTES: usize = 64 << 10;

/// The capacity, in blocks, that a slab keeps when blocks are returned, even if the blocks take more than [`RETAINED_BYTES`].
const RETAINED_BLOCKS: usize = 256;

/// Returns the number of blocks in a page. The allocation of a page is a power of two, or slightly smaller, because all allocators have
/// size classes for powers of two. This power of two is 4 KiB for the smallest blocks, and 64 KiB for the largest blocks.
pub(super) const fn blocks_in_page(size: usize) -> usize {
    let page = (15 * size).next_power_of_two();
    if cfg!(loom) { 1 } else { (if page < 4096 { 4096 } else { page } - BESIDE) / size }
}

/// Returns the capacity, in blocks of this size, that a slab keeps when blocks are returned.
pub(super) fn retained_blocks(size: usize) -> usize {
    (RETAINED_BYTES / size).max(RETAINED_BLOCKS)
}

/// Returns the memory of a page with one block of this size, in bytes.
pub(crate) const fn page_of_one(size: usize) -> usize {
    BESIDE + size
}

/// Returns how many blocks of this size are in the whole pages that fit into `bytes`. If not even one whole page fits, returns how many
/// blocks fit into `bytes` without a page header.
pub(crate) fn blocks_within(bytes: usize, size: usize) -> u32 {
    let of_page = blocks_in_page(size);
    let page = BESIDE + size * of_page;
    let blocks = if bytes < page { bytes / size } else { (bytes / page) * of_page };
    u32::try_from(blocks).unwrap_or(u32::MAX)
}
