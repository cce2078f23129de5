//! A result is stored in the pieces in which it will be loaded, and loaded in pieces no larger than those in which it
//! was stored.
//!
//! A core gives a load the bytes of a store that is still on its way only if one store has all of them. Otherwise the
//! load waits until the stores have reached the cache: 6 ns, twice as long as all the rest of a call that answers at
//! once. This happens to a result at three places.
//!
//! 1. **A method returns its future through memory, and `.await` begins with copying it**: 16 bytes at a time, or 32
//!    where the target has such registers. A result of two words, or a word and the head beside it, would be stored
//!    word by word. So [`ready`] and [`pending`] put what they store into a register first, which is as wide as those
//!    of the copy:
//!
//!    ```text
//!                      without                              with
//!    callee            mov    %rax,(%rdi)                   movups %xmm0,(%rdi)
//!                      mov    %rcx,0x8(%rdi)
//!    `.await`          movups (%rsp),%xmm0    waits         movups (%rsp),%xmm0
//!    ```
//!
//! 2. **A future stores its result field by field, and it is moved on when its slot has been released.**
//!    [`read_fields`] loads it word by word (the first one in halves, because a tag may be that small).
//! 3. **The pieces of what is behind a tag begin behind the tag.** A `Result` of an array is copied by `.await` in
//!    pieces that begin with the tag. Its user loads the array in pieces that begin a word later, and each of them
//!    would meet two stores: the call takes 12 ns then, and 5 otherwise. (It is so with an array of five words, too.)
//!    [`read`] and [`read_polled`] load it word by word, and store it as the user loads it.
//!
//! The compiler would undo a copy that is for nothing. So the words are volatile, and an `asm!` puts them together.
//! (Miri runs the same copies without the `asm!`. The memory sanitizer takes an `asm!` on bytes that need not be
//! initialised for a mistake.) Other targets and loom do without all this: there the functions below do what
//! their plain counterparts do. What they look at in a type, its size, its alignment and whether it has a niche, decides
//! how long it takes and nothing else.

#[allow(unused_macros, reason = "there are targets without pieces")]
macro_rules! put_together {
    ($name:ident, $Part:ty, $Piece:ty, $register:ident, $of_part:ident, $instruction:literal) => {
        /// Two parts in one register.
        #[cfg_attr(not(debug_assertions), inline(always))]
        pub(super) fn $name(first: $Part, second: $Part) -> $Piece {
            let mut piece = <$Piece>::uninit();
            // SAFETY: a piece has room for two parts, which need not be initialised.
            let parts = unsafe { &mut *piece.as_mut_ptr().cast::<[$Part; 2]>() };
            parts[0] = first;
            #[cfg(miri)]
            {
                parts[1] = second;
            }
            #[cfg(not(miri))]
            // SAFETY: the instruction puts the second part behind the first, and changes nothing else.
            unsafe {
                core::arch::asm!(
                    $instruction,
                    piece = inout($register) piece,
                    second = in($of_part) second,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
            piece
        }
    };
}

#[cfg_attr(all(target_arch = "x86_64", target_feature = "sse2", not(loom)), path = "x86_64.rs")]
#[cfg_attr(
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little", not(loom)),
    path = "aarch64.rs"
)]
mod arch;

#[cfg(all(test, not(loom)))]
mod tests;

use core::{
    any,
    mem::{self, MaybeUninit},
    task::Poll,
};

const WORD: usize = size_of::<u64>();

/// Whether a `P` is too large to be copied in pieces. The compiler calls a function for that.
pub(crate) const fn is_copied_by_a_call<P>() -> bool {
    size_of::<P>() > arch::LARGEST
}

/// Whether a function returns a `P` in registers, if that consists of scalars.
pub(crate) const fn fits_registers<P>() -> bool {
    size_of::<P>() <= 2 * WORD
}

/// Whether a `T` is a scalar: its future is returned in registers.
///
/// The compiler does not tell. So this is a guess.
#[cfg_attr(not(debug_assertions), inline(always))]
fn is_scalar<T>() -> bool {
    let size = size_of::<T>();
    size == 0 || size <= WORD && size == align_of::<T>() && !any::type_name::<T>().starts_with('[')
}

/// Whether a `T` has a niche: it is an enum, or has a pointer.
const fn has_niche<T>() -> bool {
    size_of::<Poll<T>>() == size_of::<T>()
}

/// Whether a `T` consists of an odd number of words: one, and then pieces. So it is loaded, whether the first is a tag
/// or not.
pub(crate) const fn is_word_and_pieces<T>() -> bool {
    let size = size_of::<T>();
    arch::is_in_pieces::<T>() && size % (2 * WORD) == WORD && size >= 5 * WORD
}

/// Whether a `T` is probably a tag of one word, and something behind it.
const fn is_tagged<T>() -> bool {
    arch::is_in_pieces::<T>() && has_niche::<T>() && size_of::<T>() >= 5 * WORD
}

/// Whether a `T` is probably stored field by field, and is so large that a load that waits for that takes longer than
/// [`read_fields`].
#[cfg_attr(all(debug_assertions, not(miri)), allow(dead_code, reason = "it is for optimised code"))]
pub(crate) const fn is_stored_by_fields<T>() -> bool {
    let is_large = size_of::<T>() > 4 * WORD;
    is_large && arch::is_in_pieces::<T>() && has_niche::<T>() && !is_word_and_pieces::<T>()
}

/// A future that has its result, a `T`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn ready<T, P>(future: P) -> P {
    if is_scalar::<T>() || !arch::is_in_pieces::<P>() {
        return future;
    }
    let mut place = MaybeUninit::uninit();
    arch::store(&mut place, future);
    // SAFETY: it was written.
    unsafe { place.assume_init() }
}

/// A future that has no result so far.
///
/// # Safety
///
/// The head is the 8 bytes at the offset `head`, a multiple of 8. The rest need not be initialised.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn pending<T, P>(future: P, head: usize) -> P {
    if is_scalar::<T>() || !arch::is_in_pieces::<P>() {
        return future;
    }
    // SAFETY: the caller's.
    unsafe { arch::with_piece_of_word(future, head) }
}

/// Stores a result for those who load it, if they do not do so word by word, in registers.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn write<T>(to: &mut MaybeUninit<T>, result: T) {
    if fits_registers::<Poll<T>>() || !arch::is_in_pieces::<T>() {
        to.write(result);
    } else {
        arch::store(to, result);
    }
}

/// [`MaybeUninit::assume_init_read`] of the result that is in a future.
///
/// Two words are loaded word by word: so their callee stored them (an `io::Result<Arc<[u8]>>` takes 17 ns otherwise,
/// and 5 so).
///
/// # Safety
///
/// As there.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn read<T>(result: &MaybeUninit<T>) -> T {
    type Word = MaybeUninit<*mut ()>;
    if is_word_and_pieces::<T>() || is_tagged::<T>() {
        // SAFETY: the caller's.
        return unsafe { arch::load(result, 1) };
    }
    if size_of::<T>() != size_of::<[Word; 2]>() || align_of::<T>() != align_of::<Word>() {
        // SAFETY: the caller's.
        return unsafe { result.assume_init_read() };
    }
    // SAFETY: the result has the size and the alignment of two words, which need not be initialised.
    let [first, second] = unsafe { &*result.as_ptr().cast::<[Word; 2]>() };
    // SAFETY: these two words are the bytes of the caller's `T`, with provenance and padding.
    unsafe { mem::transmute_copy(&[*first, *second]) }
}

/// [`MaybeUninit::assume_init_read`] of what a poll has returned, if the result
/// [is a word and pieces](is_word_and_pieces).
///
/// # Safety
///
/// As there.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn read_polled<T>(polled: &MaybeUninit<Poll<T>>) -> Poll<T> {
    // SAFETY: the caller's.
    if unsafe { polled.assume_init_ref() }.is_pending() {
        return Poll::Pending;
    }
    let tag_of_poll = (size_of::<Poll<T>>() - size_of::<T>()) / WORD;
    // SAFETY: the caller's.
    unsafe { arch::load(polled, tag_of_poll + 1) }
}

/// [`MaybeUninit::assume_init_read`] of what a poll has returned, if the result
/// [is stored by fields](is_stored_by_fields).
///
/// # Safety
///
/// As there.
#[cfg_attr(all(debug_assertions, not(miri)), allow(dead_code, reason = "it is for optimised code"))]
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn read_fields<T>(polled: &MaybeUninit<Poll<T>>) -> Poll<T> {
    // SAFETY: the caller's.
    unsafe { arch::load(polled, 0) }
}
