//! Copies results in *pieces*: parts of a value that are as wide as a register. The functions of this module store a result in the pieces
//! in which other code will load it. They load a result in pieces that are no larger than the stores by which other code has stored it.
//!
//! A recent store is still in the store buffer of the CPU. A load can read from this buffer only if one store wrote all bytes of the load
//! (*store-to-load forwarding*). Otherwise the load waits until the stores have reached the CPU cache. This wait takes 6 ns, several
//! times as long as the rest of a ready call. Without this module, a load would wait in three places:
//!
//! 1. **A method returns its future through memory, and `.await` begins with a copy of this future.** The copy loads 16 bytes at a time, or
//!    32 bytes if the target has registers of this size. The compiler would store two adjacent words of the future one by one: two words of
//!    the result, or one word of the result and the head. So [`ready`] and [`pending`] first collect these words in one register, as wide
//!    as the registers of the copy:
//!
//!    ```text
//!                      without                              with
//!    callee            mov    %rax,(%rdi)                   movups %xmm0,(%rdi)
//!                      mov    %rcx,0x8(%rdi)
//!    `.await`          movups (%rsp),%xmm0    waits         movups (%rsp),%xmm0
//!    ```
//!
//! 2. **An async block stores its result field by field. The function that has polled the block drops the block, and then moves the
//!    result.** [`take_fields`] loads the result word by word. It loads the first word in halves, because this word may consist of a tag of
//!    4 bytes and a field of 4 bytes.
//! 3. **`.await` copies a `Result` of an array in pieces that begin with the tag. The user's code then loads the array in pieces that begin
//!    one word later.** Each load of the user's code would overlap two stores: a call would take 12 ns instead of 5. [`read`] and
//!    [`take_word_and_pieces`] load such a result word by word. They store the tag alone, and then the array in the pieces in which the
//!    user's code loads it. (An array of five words is copied in the same way, because it has the same layout as a tag and an array of four
//!    words.)
//!
//! The compiler would remove a copy that changes nothing. So the loads are volatile, and an `asm!` puts the words together. (Miri runs the
//! same copies without the `asm!`. The words that the `asm!` puts together may be uninitialized, which is allowed here. But the memory
//! sanitizer reports an error for it.) On targets that use `fallback.rs`, and in loom, the functions make ordinary copies.
//!
//! The functions choose the pieces by the size, the alignment and the name of a type, and by whether the type has a niche. The choice only
//! decides how long a copy takes.

mod words;

#[cfg(all(test, not(loom)))]
mod tests;

use core::{any, task::Poll};

use self::words::{LARGEST, WORD, is_in_pieces};

#[cfg_attr(
    all(debug_assertions, not(miri)),
    allow(unused_imports, reason = "for optimized code only")
)]
pub(crate) use self::words::take_fields;
pub(crate) use self::words::{load_whole, pending, read, ready, take_word_and_pieces, write};

/// Returns `true` if a `P` is too large to be copied in pieces. The compiler copies such a value by a call of a function.
pub(crate) const fn is_copied_by_a_call<P>() -> bool {
    size_of::<P>() > LARGEST
}

/// Returns `true` if a function returns a `P` in registers, provided that a `P` consists of scalars.
pub(crate) const fn fits_registers<P>() -> bool {
    size_of::<P>() <= 2 * WORD
}

/// Returns `true` if a `T` is a scalar, so that a future with this result is returned in registers.
///
/// Code cannot ask the compiler for this property, so this function guesses.
#[cfg_attr(not(debug_assertions), inline(always))]
fn is_scalar<T>() -> bool {
    let size = size_of::<T>();
    size == 0 || size <= WORD && size == align_of::<T>() && !any::type_name::<T>().starts_with('[')
}

/// Returns `true` if a `T` has a niche, so that a `Poll<T>` is not larger than a `T`. Most enums, references and boxes have a niche.
const fn has_niche<T>() -> bool {
    size_of::<Poll<T>>() == size_of::<T>()
}

/// Returns `true` if a `T` is copied in pieces, and consists of an odd number of words, at least five. Such a value is stored as one word,
/// and then in pieces, whether the first word is a tag or not.
pub(crate) const fn is_word_and_pieces<T>() -> bool {
    let size = size_of::<T>();
    is_in_pieces::<T>() && size % (2 * WORD) == WORD && size >= 5 * WORD
}

/// Returns `true` if a `T` probably begins with a tag of one word.
const fn is_tagged<T>() -> bool {
    is_in_pieces::<T>() && has_niche::<T>() && size_of::<T>() >= 5 * WORD
}

/// Returns `true` if a `T` is probably stored field by field, and is so large that a wait for these stores takes longer than
/// [`take_fields`].
#[cfg_attr(all(debug_assertions, not(miri)), allow(dead_code, reason = "for optimized code only"))]
pub(crate) const fn is_stored_by_fields<T>() -> bool {
    let is_large = size_of::<T>() > 4 * WORD;
    is_large && is_in_pieces::<T>() && has_niche::<T>() && !is_word_and_pieces::<T>()
}
