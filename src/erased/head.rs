//! The head: one word that says in which [arm](crate::future::Arm) a value future is. The head contains everything that this arm needs,
//! except an inline result.
//!
//! The page about [internals](crate::internals) shows the bits of a head. The low three bits are a tag. With tag 0, the word is the address
//! of a [cell](super::cell). With tags 1 to 3, the upper 16 bits are a token, and the other bits are the address of a source. If bit 2 is
//! set, the word is not a pointer: it says that the future is *ready*, or *terminated* for a reason that the other bits encode.
//!
//! On targets whose words do not have 64 bits, the tokens are separate fields. The word is never null, so that an `Option` of a future is
//! not larger than the future.
//!
//! A word that contains an address also has the provenance of a pointer: packing and unpacking only change the address. Only a word without
//! an address is created from an integer.
//!
//! The *pointee* of a head is the cell or the source to which the head points. (In this file, the slot of an operation is a source, too.) A
//! head is plain data, and proves nothing about its pointee. An [`OwnedHead`](super::OwnedHead) owns its pointee, or borrows a cell.

use core::ptr::{self, NonNull};

use crate::{
    error::{ArmOrigin, StaleToken, Terminated},
    token::Token,
};

/// The field of a pointee to which a head points. It is the first field, except in a [`Large`](super::cell) cell, where it follows the
/// future. A header alone proves nothing about its pointee.
///
/// On all targets, a header is aligned to 8 bytes. So the low three bits of its address are zero, and a head can store its tag there.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Header {
    /// Points to a `CellTable<T>` if the pointee is a cell, and to a `VTable<T>` otherwise. `T` is the output type of the pointee. The
    /// table lives as long as the pointee. The pointer may point to a larger table that begins with a `VTable`, and then has the
    /// provenance of the larger table.
    table: NonNull<()>,
}

impl Header {
    pub(crate) const fn new<T>(table: *const T) -> Self {
        let table = NonNull::new(table.cast_mut()).expect("a table has an address");
        Header::at(table.cast())
    }

    pub(crate) const fn at(table: NonNull<()>) -> Self {
        Header { table }
    }

    /// Returns the pointer with which the header was created. It points to the table.
    #[inline(always)]
    pub(crate) const fn table(self) -> NonNull<()> {
        self.table
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Head {
    word: NonNull<()>,
    #[cfg(not(target_pointer_width = "64"))]
    tokens: Tokens,
}

/// The tokens of a head, on targets where they do not fit into the word. In the source arm, `presented` is the token of the operation, and
/// `expected` is not used. If a source has refused a stale token, `presented` is this stale token, and `expected` is the token that the
/// source expected.
#[cfg(not(target_pointer_width = "64"))]
#[derive(Clone, Copy)]
struct Tokens {
    presented: Token,
    expected: Token,
}

/// The type of the reference to a source. The discriminants are the tags in a head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Reference {
    Borrowed = 0b001,
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    Arc = 0b010,
    #[cfg(feature = "alloc")]
    Rc = 0b011,
}

/// The content of a head, as an enum.
#[derive(Clone, Copy)]
pub(crate) enum View {
    Ready,
    Cell,
    Source(Token),
    Terminated(Terminated),
}

const TAG: usize = 0b111;
const _: () =
    assert!(align_of::<Header>() > TAG, "the low bits of the address of a header are zero");
const CELL: usize = 0b000;
/// This bit is set if and only if the word is not a pointer.
const NO_POINTER: usize = 0b100;

const WHY_SHIFT: u32 = 3;
const WHY: usize = 0b11;
const ORIGIN_SHIFT: u32 = 5;
const ORIGIN: usize = 0b111;
const COMPLETED: usize = 1;
const PANICKED: usize = 2;
const STALE: usize = 3;

impl Head {
    pub(crate) const READY: Head = Head::without_pointer(NO_POINTER, NO_TOKENS);

    /// Returns the head of a future that was terminated for this reason.
    #[inline]
    pub(crate) const fn terminated(why: Terminated) -> Head {
        let (why, origin, stale) = match why {
            Terminated::Completed(Some(origin)) => (COMPLETED, origin as usize, NO_TOKENS),
            Terminated::Completed(None) => (COMPLETED, ORIGIN, NO_TOKENS),
            Terminated::Panicked(origin) => (PANICKED, origin as usize, NO_TOKENS),
            Terminated::Stale(stale) => (STALE, ArmOrigin::Source as usize, stale),
        };
        Head::without_pointer(NO_POINTER | why << WHY_SHIFT | origin << ORIGIN_SHIFT, stale)
    }

    /// Returns the head that points to the cell with this header.
    #[inline]
    pub(crate) fn cell(header: NonNull<Header>) -> Head {
        Head::with_pointer(header.cast(), NO_TOKENS)
    }

    /// Returns `true` if a token fits into a word with the address of this source.
    #[inline]
    pub(crate) fn has_room<P>(source: *const P) -> bool {
        #[cfg(test)]
        if tests::REFUSE_ADDRESSES.get() {
            return false;
        }
        #[cfg(target_pointer_width = "64")]
        return word64::fits(source.addr());
        #[cfg(not(target_pointer_width = "64"))]
        {
            let _ = source;
            true
        }
    }

    /// Returns the head of an operation with this token. `header` is the header of the source.
    ///
    /// # Panics
    ///
    /// Panics if the token [does not fit](Head::has_room) beside the address.
    #[inline]
    pub(crate) fn source(header: NonNull<Header>, reference: Reference, token: Token) -> Head {
        assert!(Head::has_room(header.as_ptr()), "the token does not fit beside the address");
        let tokens = StaleToken::new(Token::new(0), token);
        let word: *mut () = header.as_ptr().cast();
        #[cfg(target_pointer_width = "64")]
        let word = word.map_addr(|address| word64::pack(address, token));
        // The low bits of the address are zero, because a header is aligned.
        let word = word.map_addr(|address| address + reference as usize);
        let word = NonNull::new(word).expect("the tag of a reference is not zero");
        Head::with_pointer(word, tokens)
    }

    #[inline]
    pub(crate) fn is_ready(self) -> bool {
        self.word == Head::READY.word
    }

    /// Returns `true` if the word is a pointer, to a cell or to a source.
    #[inline]
    pub(crate) fn is_pointer(self) -> bool {
        self.bits() & NO_POINTER == 0
    }

    #[inline]
    pub(crate) fn is_terminated(self) -> bool {
        !self.is_pointer() && !self.is_ready()
    }

    /// Returns `true` if the head points to a cell. This is the *boxed* arm of a value future: its future is in a box, in a slot of a pool,
    /// or borrowed.
    #[inline]
    pub(crate) fn is_cell(self) -> bool {
        self.bits() & TAG == CELL
    }

    /// Returns the address of the cell. If the head does not point to a cell, this address has no meaning.
    #[inline]
    pub(crate) fn cell_pointer(self) -> NonNull<()> {
        self.word
    }

    /// Returns the address of the source. In all arms except the source arm, this address has no meaning.
    #[inline]
    pub(crate) fn source_pointer(self) -> *mut () {
        let word = self.word.as_ptr();
        #[cfg(target_pointer_width = "64")]
        let word = word.map_addr(word64::unpack);
        word.map_addr(|address| address & !TAG)
    }

    /// Returns the token of the operation. In all arms except the source arm, this token has no meaning.
    #[inline]
    pub(crate) fn token(self) -> Token {
        self.tokens().presented()
    }

    /// Returns the type of the reference to the source. In all arms except the source arm, this type has no meaning.
    #[inline]
    pub(crate) fn reference(self) -> Reference {
        #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
        const ARC: usize = Reference::Arc as usize;
        #[cfg(feature = "alloc")]
        const RC: usize = Reference::Rc as usize;
        match self.bits() & TAG {
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            ARC => Reference::Arc,
            #[cfg(feature = "alloc")]
            RC => Reference::Rc,
            _ => Reference::Borrowed,
        }
    }

    pub(crate) fn view(self) -> View {
        if self.is_ready() {
            return View::Ready;
        }
        if self.is_cell() {
            return View::Cell;
        }
        if self.is_pointer() {
            return View::Source(self.token());
        }
        let origin = match self.bits() >> ORIGIN_SHIFT & ORIGIN {
            0 => Some(ArmOrigin::Ready),
            1 => Some(ArmOrigin::Boxed),
            2 => Some(ArmOrigin::Source),
            3 => Some(ArmOrigin::Pooled),
            _ => None,
        };
        View::Terminated(match (self.bits() >> WHY_SHIFT & WHY, origin) {
            (PANICKED, Some(origin)) => Terminated::Panicked(origin),
            (STALE, _) => Terminated::Stale(self.tokens()),
            (_, origin) => Terminated::Completed(origin),
        })
    }

    #[inline]
    fn bits(self) -> usize {
        self.word.as_ptr().addr()
    }
}

/// The value of the tokens in a head that needs no tokens.
const NO_TOKENS: StaleToken = StaleToken::new(Token::new(0), Token::new(0));

/// The functions for targets on which a word can contain an address and a token.
#[cfg(target_pointer_width = "64")]
impl Head {
    const fn without_pointer(bits: usize, tokens: StaleToken) -> Head {
        let expected = (tokens.expected().get() as usize) << 32;
        let presented = (tokens.presented().get() as usize) << word64::TOKEN_SHIFT;
        let word = ptr::without_provenance_mut(bits | expected | presented);
        Head { word: NonNull::new(word).expect("`NO_POINTER` is set") }
    }

    #[inline]
    fn with_pointer(word: NonNull<()>, _: StaleToken) -> Head {
        Head { word }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "each token has 16 bits")]
    fn tokens(self) -> StaleToken {
        let expected = Token::new((self.bits() >> 32) as u16);
        let presented = Token::new((self.bits() >> word64::TOKEN_SHIFT) as u16);
        StaleToken::new(expected, presented)
    }
}

#[cfg(not(target_pointer_width = "64"))]
impl Head {
    const fn without_pointer(bits: usize, tokens: StaleToken) -> Head {
        let word = NonNull::new(ptr::without_provenance_mut(bits)).expect("`NO_POINTER` is set");
        Head::with_pointer(word, tokens)
    }

    #[inline]
    const fn with_pointer(word: NonNull<()>, tokens: StaleToken) -> Head {
        let tokens = Tokens { presented: tokens.presented(), expected: tokens.expected() };
        Head { word, tokens }
    }

    #[inline]
    fn tokens(self) -> StaleToken {
        StaleToken::new(self.tokens.expected, self.tokens.presented)
    }
}

/// Packs a token and an address into one 64-bit word.
#[cfg(target_pointer_width = "64")]
mod word64 {
    use crate::token::Token;

    const ADDRESS_BITS: u32 = 48;
    pub(super) const TOKEN_SHIFT: u32 = ADDRESS_BITS;
    const ADDRESS: usize = (1 << ADDRESS_BITS) - 1;

    /// `true` if the upper 16 bits of an address are copies of bit 47. In a kernel they are copies, because a kernel also uses the upper
    /// half of the address space. In user space, the upper bits are zero. The constant is a guess: a program for a target without an
    /// operating system may be a kernel. If the guess is wrong for an address, [`fits`] returns `false`.
    const SIGN_EXTENDED: bool = cfg!(target_os = "none");

    /// Returns `true` if the address is the same after packing and unpacking.
    pub(super) const fn fits(address: usize) -> bool {
        unpack(address) == address
    }

    /// Packs a token and an address for which [`fits`] returns `true`.
    #[inline]
    pub(super) const fn pack(address: usize, token: Token) -> usize {
        let cut = if SIGN_EXTENDED { address & ADDRESS } else { address };
        cut + ((token.get() as usize) << TOKEN_SHIFT)
    }

    #[inline]
    #[expect(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "bits, not numbers")]
    pub(super) const fn unpack(word: usize) -> usize {
        let raised = word << (usize::BITS - ADDRESS_BITS);
        if SIGN_EXTENDED {
            (raised as isize >> (usize::BITS - ADDRESS_BITS)) as usize
        } else {
            raised >> (usize::BITS - ADDRESS_BITS)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use core::cell::Cell;

    use super::*;

    std::thread_local! {
        /// If a test sets this flag, [`Head::has_room`] returns `false` for every address.
        pub(crate) static REFUSE_ADDRESSES: Cell<bool> = const { Cell::new(false) };
    }

    fn at(address: usize) -> NonNull<Header> {
        NonNull::new(ptr::without_provenance_mut(address)).expect("test addresses are not null")
    }

    fn reason_of(head: Head) -> Terminated {
        match head.view() {
            View::Terminated(reason) => reason,
            _ => panic!("not a terminated head"),
        }
    }

    #[test]
    fn a_terminated_head_returns_its_reason() {
        let origins = [ArmOrigin::Ready, ArmOrigin::Boxed, ArmOrigin::Source, ArmOrigin::Pooled];
        let completed = origins.map(|origin| Terminated::Completed(Some(origin)));
        let panicked = origins.map(Terminated::Panicked);
        let stale = StaleToken::new(Token::new(0xfedc), Token::new(0xba98));
        let rest = [Terminated::Completed(None), Terminated::Stale(stale)];
        for reason in [&completed[..], &panicked, &rest].concat() {
            let head = Head::terminated(reason);
            assert_eq!(reason_of(head), reason);
            assert!(head.is_terminated() && !head.is_pointer() && !head.is_ready());
        }
    }

    #[test]
    fn a_head_returns_the_address_and_the_token_of_its_source() {
        for address in [8, 0x1000, 0x7ff8] {
            for token in 0..=u16::MAX {
                let token = Token::new(token);
                let head = Head::source(at(address), Reference::Borrowed, token);
                assert_eq!(head.source_pointer().addr(), address);
                assert_eq!(head.token(), token);
                assert_eq!(head.reference(), Reference::Borrowed);
                assert!(head.is_pointer() && !head.is_ready() && !head.is_terminated());
                if cfg!(miri) && token.get() == 64 {
                    break;
                }
            }
        }
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn an_address_that_needs_the_bits_of_the_token_is_refused() {
        let fits = |address| Head::has_room(at(address).as_ptr());
        assert!(fits(0x0000_7fff_ffff_fff8), "the top of user space on x86-64");
        for tagged in [1 << 49, 1 << 52, 1 << 56, 0xb400_0000_1234_5678, 0x00ff_0000_0000_1000] {
            assert!(!fits(tagged), "{tagged:#x}");
        }
        let high_half = 0xffff_8000_0000_1000;
        let user_space_of_aarch64 = 0x0000_ffff_ffff_f000;
        let (fitting, other) = if cfg!(target_os = "none") {
            (high_half, user_space_of_aarch64)
        } else {
            (user_space_of_aarch64, high_half)
        };
        assert!(fits(fitting) && !fits(other));
        let head = Head::source(at(fitting), Reference::Borrowed, Token::new(9));
        assert_eq!((head.source_pointer().addr(), head.token()), (fitting, Token::new(9)));
    }
}
