//! Views of values as words, and copies of these words: word by word, or in pieces that are as wide as a register.
//!
//! All unsafe code of this folder is here. A [`MaybeUninit`] of any type may be accessed as words that need not be initialized, because
//! every content of such words is valid. A copy of all words of a value is a copy of the value.

#[cfg_attr(all(target_arch = "x86_64", target_feature = "sse2", not(loom)), path = "x86_64.rs")]
#[cfg_attr(
    all(target_arch = "aarch64", target_feature = "neon", target_endian = "little", not(loom)),
    path = "aarch64.rs"
)]
#[cfg_attr(
    not(any(
        all(target_arch = "x86_64", target_feature = "sse2", not(loom)),
        all(target_arch = "aarch64", target_feature = "neon", target_endian = "little", not(loom))
    )),
    path = "fallback.rs"
)]
mod arch;

use core::{cell::Cell, mem::MaybeUninit, slice, task::Poll};

use self::arch::{Pair, Widest};
use super::{fits_registers, is_scalar, is_tagged, is_word_and_pieces};

/// Eight bytes that need not be initialized. (The type is based on `f64`, because the compiler loads an `f64` into the kind of register
/// that also contains pieces.)
pub(super) type Word = MaybeUninit<f64>;

pub(super) const WORD: usize = size_of::<Word>();
const WORDS_OF_PAIR: usize = size_of::<Pair>() / WORD;
const WORDS_OF_WIDEST: usize = size_of::<Widest>() / WORD;

/// The size in bytes of the largest value that is copied in pieces. The compiler generates copies of eight pieces at most. It copies a
/// larger value by a call of a function.
pub(super) const LARGEST: usize = 8 * size_of::<Widest>();

/// Returns `true` if a `P` consists of whole words, and is copied in pieces.
pub(super) const fn is_in_pieces<P>() -> bool {
    let words = size_of::<P>() / WORD;
    arch::HAS_PIECES && align_of::<P>() >= WORD && words >= WORDS_OF_PAIR && words * WORD <= LARGEST
}

/// Defines a function that puts two parts into one register.
///
/// # Safety
///
/// The instruction puts `second` behind `first`, which is in `piece`, and does nothing else. Each part fits into its register.
#[allow(unused_macros, reason = "some targets have no pieces")]
macro_rules! put_together {
    (unsafe $name:ident, $Part:ty, $Piece:ty, $register:ident, $of_part:ident, $instruction:literal) => {
        /// Puts two parts into one register.
        #[cfg_attr(not(debug_assertions), inline(always))]
        pub(super) fn $name(first: $Part, second: $Part) -> $Piece {
            let mut piece = <$Piece>::uninit();
            let parts = crate::pieces::words::parts_mut(&mut piece);
            parts[0] = first;
            #[cfg(miri)]
            {
                parts[1] = second;
            }
            #[cfg(not(miri))]
            // SAFETY: the caller of the macro guarantees what the instruction does.
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
#[allow(unused_imports, reason = "some targets have no pieces")]
pub(super) use put_together;

/// Returns a value as a slice of parts: as many parts as fit into the value.
#[cfg_attr(not(debug_assertions), inline(always))]
fn parts<P, W>(value: &MaybeUninit<P>) -> &[MaybeUninit<W>] {
    assert!(align_of::<P>() >= align_of::<W>());
    // SAFETY: the parts are within the value, they are aligned, and they need not be initialized.
    unsafe { slice::from_raw_parts(value.as_ptr().cast(), size_of::<P>() / size_of::<W>()) }
}

/// Returns the memory of a value as a slice of parts, as [`parts`] does.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn parts_mut<P, W>(place: &mut MaybeUninit<P>) -> &mut [MaybeUninit<W>] {
    assert!(align_of::<P>() >= align_of::<W>());
    // SAFETY: the parts are within `place`, they are aligned, and they need not be initialized.
    unsafe { slice::from_raw_parts_mut(place.as_mut_ptr().cast(), size_of::<P>() / size_of::<W>()) }
}

/// Returns the words of a value that [is in pieces](is_in_pieces).
#[cfg_attr(not(debug_assertions), inline(always))]
fn words<P>(value: &MaybeUninit<P>) -> &[Word] {
    parts(value)
}

/// Returns the words of the memory for a value, as [`words`] does.
#[cfg_attr(not(debug_assertions), inline(always))]
fn words_mut<P>(place: &mut MaybeUninit<P>) -> &mut [Word] {
    parts_mut(place)
}

/// Loads a part by one load of exactly its size. The load is volatile, because otherwise the compiler would load two parts at once.
#[cfg_attr(not(debug_assertions), inline(always))]
fn load_part<W: Copy>(part: &MaybeUninit<W>) -> MaybeUninit<W> {
    // SAFETY: the pointer comes from a reference.
    unsafe { (&raw const *part).read_volatile() }
}

/// Loads a word that may have been stored as a tag of 4 bytes and other fields.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the load must be from memory")]
#[cfg_attr(not(debug_assertions), inline(always))]
fn load_in_halves(word: &Word) -> Word {
    let mut loaded = Word::uninit();
    for (from, to) in parts::<_, u32>(word).iter().zip(parts_mut(&mut loaded)) {
        *to = load_part(from);
    }
    loaded
}

/// Loads all bytes of a word. The load is volatile, because otherwise the compiler might load only the half that the caller needs. Such a
/// load would be narrower than the store before it. Some CPUs then wait until the store has reached the CPU cache.
#[inline(always)]
pub(crate) fn load_whole(word: &Cell<u64>) -> u64 {
    // SAFETY: the pointer of a `Cell` is valid for reads.
    unsafe { word.as_ptr().read_volatile() }
}

/// Copies words in the widest pieces that fit.
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy(from: &[Word], to: &mut [Word]) {
    let in_widest = from.len() - from.len() % WORDS_OF_WIDEST;
    for n in (0..in_widest).step_by(WORDS_OF_WIDEST) {
        store_piece(&mut to[n..], arch::widest_of(&from[n..]));
    }
    let in_pairs = from.len() - from.len() % WORDS_OF_PAIR;
    if in_pairs > in_widest {
        copy_pair(&from[in_widest..], &mut to[in_widest..]);
    }
    if from.len() > in_pairs {
        to[in_pairs] = from[in_pairs];
    }
}

/// Copies the first two words.
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy_pair(from: &[Word], to: &mut [Word]) {
    store_piece(to, arch::pair_of(from[0], from[1]));
}

/// Stores a piece in the first words of `to`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn store_piece<Piece>(to: &mut [Word], piece: Piece) {
    let place = to[..size_of::<Piece>() / WORD].as_mut_ptr().cast::<Piece>();
    // SAFETY: `place` points to a slice that has the size of the piece.
    unsafe { place.write_unaligned(piece) };
}

/// Stores a value in pieces.
#[cfg_attr(not(debug_assertions), inline(always))]
fn store<P>(place: &mut MaybeUninit<P>, value: P) {
    copy(words(&MaybeUninit::new(value)), words_mut(place));
}

/// Loads a value word by word, and the first word in halves. Stores the first `tags` words separately, because they are probably tags. Then
/// stores the other words in pieces. So the first of these pieces begins behind the tags. (If the compiler has put a tag elsewhere, these
/// pieces do not match the later loads, and the loads take longer.)
#[cfg_attr(not(debug_assertions), inline(always))]
fn load<P>(value: &MaybeUninit<P>, tags: usize) -> MaybeUninit<P> {
    let mut loaded = MaybeUninit::<P>::uninit();
    let to = words_mut(&mut loaded);
    for (n, (from, to)) in words(value).iter().zip(&mut *to).enumerate() {
        *to = if n == 0 { load_in_halves(from) } else { load_part(from) };
    }
    let mut place = MaybeUninit::<P>::uninit();
    let (from, to) = (words(&loaded), words_mut(&mut place));
    copy(&from[..tags], &mut to[..tags]);
    copy(&from[tags..], &mut to[tags..]);
    place
}

/// Stores a future in pieces, and returns the future unchanged. The future contains its result, a `T`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn ready<T, P>(future: P) -> P {
    if is_scalar::<T>() || !is_in_pieces::<P>() {
        return future;
    }
    let mut place = MaybeUninit::uninit();
    store(&mut place, future);
    // SAFETY: `store` has initialized `place`.
    unsafe { place.assume_init() }
}

/// Stores the piece of a future that contains the head, and returns the future. The future contains no result, so its other bytes need not
/// be copied.
///
/// # Safety
///
/// The head of the future is in the 8 bytes at the offset `head`, which is a multiple of 8. All other bytes of this `P` need not be
/// initialized.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn pending<T, P>(future: P, head: usize) -> P {
    if is_scalar::<T>() || !is_in_pieces::<P>() {
        return future;
    }
    let value = MaybeUninit::new(future);
    let (from, word) = (words(&value), head / WORD);
    let mut place = MaybeUninit::<P>::uninit();
    let to = words_mut(&mut place);
    let widest = word - word % WORDS_OF_WIDEST;
    let pair = word - word % WORDS_OF_PAIR;
    if widest + WORDS_OF_WIDEST <= from.len() {
        store_piece(&mut to[widest..], arch::widest_of(&from[widest..]));
    } else if pair + WORDS_OF_PAIR <= from.len() {
        copy_pair(&from[pair..], &mut to[pair..]);
    } else {
        // The head is in the last word, which belongs to no piece. Later copies of the future copy this word separately, too.
        to[word] = from[word];
    }
    // SAFETY: the head was copied, and the other bytes need not be initialized.
    unsafe { place.assume_init() }
}

/// Stores a result. If the result will be loaded in pieces, it is stored in pieces.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn write<T>(to: &mut MaybeUninit<T>, result: T) {
    if fits_registers::<Poll<T>>() || !is_in_pieces::<T>() {
        to.write(result);
    } else {
        store(to, result);
    }
}

/// Reads the result in a future, as [`MaybeUninit::assume_init_read`] does.
///
/// A result of two words is loaded word by word. So the loads do not wait, whether the result was stored in one piece or word by word. (With
/// one load for both words, a call that returns an `io::Result<Arc<[u8]>>` would take 17 ns instead of 5.)
///
/// # Safety
///
/// The caller fulfils the contract of [`MaybeUninit::assume_init_read`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn read<T>(result: &MaybeUninit<T>) -> T {
    let mut loaded = MaybeUninit::<T>::uninit();
    if is_word_and_pieces::<T>() || is_tagged::<T>() {
        loaded = load(result, 1);
    } else if size_of::<T>() == size_of::<[*mut (); 2]>()
        && align_of::<T>() == align_of::<*mut ()>()
    {
        let (from, to) = (parts::<T, *mut ()>(result), parts_mut(&mut loaded));
        (to[0], to[1]) = (from[0], from[1]);
    } else {
        // SAFETY: the caller guarantees that the result is initialized and is not used again.
        return unsafe { result.assume_init_read() };
    }
    // SAFETY: `loaded` is a copy of all words of the result, with provenance and padding. The caller guarantees that the result is
    // initialized and is not used again.
    unsafe { loaded.assume_init() }
}

/// Takes the result out of `polled` if there is one, and leaves `Pending` there. The caller has checked that [`is_word_and_pieces`] is
/// `true` for `T`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn take_word_and_pieces<T>(polled: &mut Poll<T>) -> Poll<T> {
    if polled.is_pending() {
        return Poll::Pending;
    }
    let tag_of_poll = (size_of::<Poll<T>>() - size_of::<T>()) / WORD;
    take(polled, tag_of_poll + 1)
}

/// Takes the result out of `polled` if there is one, and leaves `Pending` there. The caller has checked that
/// [`is_stored_by_fields`](super::is_stored_by_fields) is `true` for `T`.
#[cfg_attr(all(debug_assertions, not(miri)), allow(dead_code, reason = "for optimized code only"))]
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn take_fields<T>(polled: &mut Poll<T>) -> Poll<T> {
    take(polled, 0)
}

/// Takes the result out of `polled` by [`load`] if there is one, and leaves `Pending` there.
#[cfg_attr(not(debug_assertions), inline(always))]
fn take<T>(polled: &mut Poll<T>, tags: usize) -> Poll<T> {
    // SAFETY: before this reference ends, `Pending` is written to `polled`. Nothing unwinds before that.
    let place = unsafe { &mut *(&raw mut *polled).cast::<MaybeUninit<Poll<T>>>() };
    let loaded = load(place, tags);
    // This `write` neither drops nor moves the result. The copy in `loaded` owns the result now, for example a `Box`.
    place.write(Poll::Pending);
    // SAFETY: `loaded` is a copy of all words of the poll. The original result is not used again.
    unsafe { loaded.assume_init() }
}

/// Stores a value by [`write`], and returns it by [`read`].
#[cfg(test)]
pub(super) fn written_and_read<T>(value: T) -> T {
    let mut place = MaybeUninit::uninit();
    write(&mut place, value);
    // SAFETY: `write` has initialized `place`, which is read once.
    unsafe { read(&place) }
}
