//! Values are copied word by word, or in pieces as wide as a register.

use core::{mem::MaybeUninit, slice};

use super::{Pair, Widest, pair_of, widest_of};

/// Any bytes, which need not be initialised. (It is in a register for pieces from the beginning.)
pub(super) type Word = MaybeUninit<f64>;

const WORD: usize = size_of::<Word>();
const WORDS_OF_PAIR: usize = size_of::<Pair>() / WORD;
const WORDS_OF_WIDEST: usize = size_of::<Widest>() / WORD;

/// What is larger is copied by a call: the compiler writes out eight pieces at most.
pub(crate) const LARGEST: usize = 8 * size_of::<Widest>();

/// Whether a `P` consists of whole words, and is copied in pieces.
pub(crate) const fn is_in_pieces<P>() -> bool {
    let words = size_of::<P>() / WORD;
    align_of::<P>() >= WORD && words >= WORDS_OF_PAIR && words * WORD <= LARGEST
}

/// The words of a value that [is in pieces](is_in_pieces).
#[cfg_attr(not(debug_assertions), inline(always))]
fn words<P>(value: &MaybeUninit<P>) -> &[Word] {
    assert!(align_of::<P>() >= WORD);
    // SAFETY: they are in the value, are aligned, and need not be initialised. They are all of it: its size is a multiple
    // of its alignment.
    unsafe { slice::from_raw_parts(value.as_ptr().cast(), size_of::<P>() / WORD) }
}

/// [`words`], of the place for a value.
#[cfg_attr(not(debug_assertions), inline(always))]
fn words_mut<P>(place: &mut MaybeUninit<P>) -> &mut [Word] {
    assert!(align_of::<P>() >= WORD);
    // SAFETY: as there.
    unsafe { slice::from_raw_parts_mut(place.as_mut_ptr().cast(), size_of::<P>() / WORD) }
}

/// Stores a value in pieces.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn store<P>(place: &mut MaybeUninit<P>, value: P) {
    copy(words(&MaybeUninit::new(value)), words_mut(place));
}

/// The same value, of which only a word counts, stored with all of the piece that the word is in.
///
/// # Safety
///
/// What is not in the 8 bytes at the offset `word`, a multiple of 8, need not be initialised.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn with_piece_of_word<P>(value: P, word: usize) -> P {
    let value = MaybeUninit::new(value);
    let (from, word) = (words(&value), word / WORD);
    let mut place = MaybeUninit::<P>::uninit();
    let to = words_mut(&mut place);
    let widest = word - word % WORDS_OF_WIDEST;
    let pair = word - word % WORDS_OF_PAIR;
    if widest + WORDS_OF_WIDEST <= from.len() {
        copy_widest(&from[widest..], &mut to[widest..]);
    } else if pair + WORDS_OF_PAIR <= from.len() {
        copy_pair(&from[pair..], &mut to[pair..]);
    } else {
        // A copy moves the word by itself.
        to[word] = from[word];
    }
    // SAFETY: all that counts of the value was copied.
    unsafe { place.assume_init() }
}

/// [`MaybeUninit::assume_init_read`], word by word, and the first one in halves. The pieces in which it is stored
/// begin behind so many words of tags. (Where the compiler has put a tag elsewhere, they begin in
/// the middle of something. That costs time.)
///
/// # Safety
///
/// As there.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) unsafe fn load<P>(value: &MaybeUninit<P>, tags: usize) -> P {
    let mut loaded = MaybeUninit::<P>::uninit();
    let to = words_mut(&mut loaded);
    for (n, (from, to)) in words(value).iter().zip(&mut *to).enumerate() {
        *to = if n == 0 { load_in_halves(from) } else { load_word(from) };
    }
    let mut place = MaybeUninit::<P>::uninit();
    let (from, to) = (words(&loaded), words_mut(&mut place));
    copy(&from[..tags], &mut to[..tags]);
    copy(&from[tags..], &mut to[tags..]);
    // SAFETY: these are all words of the value, which the caller gives away.
    unsafe { place.assume_init() }
}

/// Volatile: otherwise the compiler would load two words at once.
#[cfg_attr(not(debug_assertions), inline(always))]
fn load_word(word: &Word) -> Word {
    // SAFETY: it is a reference.
    unsafe { (&raw const *word).read_volatile() }
}

/// [`load_word`], of a word that may have been stored as a tag of 4 bytes, and what is beside it.
#[cfg_attr(not(debug_assertions), inline(always))]
fn load_in_halves(word: &Word) -> Word {
    type Halves = [MaybeUninit<u32>; 2];

    // SAFETY: a word has two halves, which need not be initialised.
    let halves = unsafe { &*(&raw const *word).cast::<Halves>() };
    let mut loaded = Word::uninit();
    // SAFETY: as above.
    let to = unsafe { &mut *loaded.as_mut_ptr().cast::<Halves>() };
    for (from, to) in halves.iter().zip(to) {
        // SAFETY: it is a reference.
        *to = unsafe { (&raw const *from).read_volatile() };
    }
    loaded
}

/// Copies words in pieces.
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy(from: &[Word], to: &mut [Word]) {
    let in_widest = from.len() - from.len() % WORDS_OF_WIDEST;
    for n in (0..in_widest).step_by(WORDS_OF_WIDEST) {
        copy_widest(&from[n..], &mut to[n..]);
    }
    let in_pairs = from.len() - from.len() % WORDS_OF_PAIR;
    if in_pairs > in_widest {
        copy_pair(&from[in_widest..], &mut to[in_widest..]);
    }
    if from.len() > in_pairs {
        to[in_pairs] = from[in_pairs];
    }
}

/// Copies the first words.
#[expect(clippy::cast_ptr_alignment, reason = "it is written unaligned")]
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy_widest(from: &[Word], to: &mut [Word]) {
    let place = to[..WORDS_OF_WIDEST].as_mut_ptr().cast::<Widest>();
    // SAFETY: there is room for the piece.
    unsafe { place.write_unaligned(widest_of(from)) };
}

/// Copies the first two words.
#[expect(clippy::cast_ptr_alignment, reason = "it is written unaligned")]
#[cfg_attr(not(debug_assertions), inline(always))]
fn copy_pair(from: &[Word], to: &mut [Word]) {
    let to = to[..WORDS_OF_PAIR].as_mut_ptr().cast::<Pair>();
    // SAFETY: there is room for the piece.
    unsafe { to.write_unaligned(pair_of(from[0], from[1])) };
}
