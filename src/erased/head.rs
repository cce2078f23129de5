//! The head: one word that says which arm a future is in, and holds what that arm needs except an
//! inline result.
//!
//! Its bits are drawn on the page about [internals](crate::internals). In short: the low three are
//! a tag. With tag 0 the word is the address of a boxed future, with 1 to 3 that of a source, and
//! then the token stands in the upper 16. With bit 2 set it points to nothing: it is *ready*, or
//! *spent* for a reason that the other bits give.
//!
//! On targets whose words are not 64 bits wide, the two tokens are fields of their own. The word is
//! never null, so that an `Option` around a future costs nothing.
//!
//! Addresses travel as pointers (strict provenance): packing and unpacking change the address of
//! a pointer, and nothing is ever made from a bare integer but words that point to nothing.

use core::ptr::{self, NonNull};

use super::Header;
use crate::{
    error::{Site, Spent, StaleToken},
    token::Token,
};

#[derive(Clone, Copy)]
pub(crate) struct Head {
    word: NonNull<()>,
    #[cfg(not(target_pointer_width = "64"))]
    tokens: Tokens,
}

/// The two tokens where they do not fit into the word.
#[cfg(not(target_pointer_width = "64"))]
#[derive(Clone, Copy)]
struct Tokens {
    presented: Token,
    expected: Token,
}

/// How a source is referred to. The discriminants are tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Reference {
    Borrowed = 0b001,
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    Arc = 0b010,
    #[cfg(feature = "alloc")]
    Rc = 0b011,
}

/// What a head says, taken apart.
#[derive(Clone, Copy)]
pub(crate) enum View {
    Ready,
    Boxed,
    Source(Token),
    Spent(Spent),
}

const TAG: usize = 0b111;
const _: () = assert!(align_of::<Header>() > TAG, "a header leaves room for the tag");
const BOXED: usize = 0b000;
/// Set exactly in words that point to nothing.
const NO_POINTER: usize = 0b100;

const WHY_SHIFT: u32 = 3;
const WHY: usize = 0b11;
const SITE_SHIFT: u32 = 5;
const SITE: usize = 0b111;
const COMPLETED: usize = 1;
const PANICKED: usize = 2;
const STALE: usize = 3;

impl Head {
    pub(crate) const READY: Head = Head::without_pointer(NO_POINTER, NO_TOKENS);

    /// The head of a future that has nothing to poll left, and why.
    #[inline]
    pub(crate) const fn spent(spent: Spent) -> Head {
        let (why, site, stale) = match spent {
            Spent::Completed(Some(site)) => (COMPLETED, site as usize, NO_TOKENS),
            Spent::Completed(None) => (COMPLETED, SITE, NO_TOKENS),
            Spent::Panicked(site) => (PANICKED, site as usize, NO_TOKENS),
            Spent::Stale(stale) => (STALE, Site::Source as usize, stale),
        };
        Head::without_pointer(NO_POINTER | why << WHY_SHIFT | site << SITE_SHIFT, stale)
    }

    /// The head of a future whose box, or what it lives in otherwise, stands at this address.
    #[inline]
    pub(crate) fn boxed(header: NonNull<Header>) -> Head {
        Head::with_pointer(header.cast(), NO_TOKENS)
    }

    /// The head of a future that gets its result from the source at this address, or `None` if
    /// the address leaves no room for the token.
    #[inline]
    pub(crate) fn source(
        header: NonNull<Header>,
        reference: Reference,
        token: Token,
    ) -> Option<Head> {
        #[cfg(test)]
        if tests::REFUSE_ADDRESSES.get() {
            return None;
        }
        let tokens = StaleToken::new(Token::new(0), token);
        let word: *mut () = header.as_ptr().cast();
        #[cfg(target_pointer_width = "64")]
        let word = {
            if !word64::fits(word.addr()) {
                return None;
            }
            word.map_addr(|address| word64::pack(address, token))
        };
        // The low bits of an address are free.
        let word = word.map_addr(|address| address + reference as usize);
        let word = NonNull::new(word).expect("a tag is never zero");
        Some(Head::with_pointer(word, tokens))
    }

    #[inline]
    pub(crate) fn is_ready(self) -> bool {
        self.word == Head::READY.word
    }

    /// Whether there is something behind the pointer of this word: true in the boxed and the
    /// source arm.
    #[inline]
    pub(crate) fn is_pointer(self) -> bool {
        self.bits() & NO_POINTER == 0
    }

    #[inline]
    pub(crate) fn is_spent(self) -> bool {
        !self.is_pointer() && !self.is_ready()
    }

    #[inline]
    pub(crate) fn is_boxed(self) -> bool {
        self.bits() & TAG == BOXED
    }

    /// The address in the word, as the pointer it was made from. Dangling unless
    /// [`is_pointer`](Head::is_pointer).
    #[inline]
    pub(crate) fn pointer(self) -> *mut () {
        if self.is_boxed() { self.boxed_pointer() } else { self.source_pointer() }
    }

    /// [`pointer`](Head::pointer), of a head that is boxed.
    #[inline]
    pub(crate) fn boxed_pointer(self) -> *mut () {
        self.word.as_ptr()
    }

    /// [`pointer`](Head::pointer), of a head that is not boxed.
    #[inline]
    pub(crate) fn source_pointer(self) -> *mut () {
        let word = self.word.as_ptr();
        #[cfg(target_pointer_width = "64")]
        let word = word.map_addr(word64::unpack);
        word.map_addr(|address| address & !TAG)
    }

    /// The token of the source arm; in another arm it means nothing.
    #[inline]
    pub(crate) fn token(self) -> Token {
        self.tokens().presented()
    }

    /// How the source is referred to; `None` in another arm.
    #[inline]
    pub(crate) fn reference(self) -> Option<Reference> {
        const BORROWED: usize = Reference::Borrowed as usize;
        #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
        const ARC: usize = Reference::Arc as usize;
        #[cfg(feature = "alloc")]
        const RC: usize = Reference::Rc as usize;
        match self.bits() & TAG {
            BORROWED => Some(Reference::Borrowed),
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            ARC => Some(Reference::Arc),
            #[cfg(feature = "alloc")]
            RC => Some(Reference::Rc),
            _ => None,
        }
    }

    pub(crate) fn view(self) -> View {
        if self.is_ready() {
            return View::Ready;
        }
        if self.is_pointer() {
            return match self.reference() {
                Some(_) => View::Source(self.token()),
                None => View::Boxed,
            };
        }
        let site = match self.bits() >> SITE_SHIFT & SITE {
            0 => Some(Site::Ready),
            1 => Some(Site::Boxed),
            2 => Some(Site::Source),
            3 => Some(Site::Pooled),
            _ => None,
        };
        View::Spent(match (self.bits() >> WHY_SHIFT & WHY, site) {
            (PANICKED, Some(site)) => Spent::Panicked(site),
            (STALE, _) => Spent::Stale(self.tokens()),
            (_, site) => Spent::Completed(site),
        })
    }

    #[inline]
    fn bits(self) -> usize {
        self.word.as_ptr().addr()
    }
}

/// The tokens of a word that has none.
const NO_TOKENS: StaleToken = StaleToken::new(Token::new(0), Token::new(0));

/// Everything that differs where a token fits beside an address.
#[cfg(target_pointer_width = "64")]
impl Head {
    const fn without_pointer(bits: usize, tokens: StaleToken) -> Head {
        let expected = (tokens.expected().get() as usize) << 32;
        let presented = (tokens.presented().get() as usize) << word64::TOKEN_SHIFT;
        let word = ptr::without_provenance_mut(bits | expected | presented);
        Head { word: NonNull::new(word).expect("a tag is never zero") }
    }

    #[inline]
    fn with_pointer(word: NonNull<()>, _: StaleToken) -> Head {
        Head { word }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "cut to 16 bits each, on purpose")]
    fn tokens(self) -> StaleToken {
        let expected = Token::new((self.bits() >> 32) as u16);
        let presented = Token::new((self.bits() >> word64::TOKEN_SHIFT) as u16);
        StaleToken::new(expected, presented)
    }
}

#[cfg(not(target_pointer_width = "64"))]
impl Head {
    const fn without_pointer(bits: usize, tokens: StaleToken) -> Head {
        let word = NonNull::new(ptr::without_provenance_mut(bits)).expect("a tag is never zero");
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

/// A token beside an address in one 64-bit word.
#[cfg(target_pointer_width = "64")]
mod word64 {
    use crate::token::Token;

    const ADDRESS_BITS: u32 = 48;
    pub(super) const TOKEN_SHIFT: u32 = ADDRESS_BITS;
    const ADDRESS: usize = (1 << ADDRESS_BITS) - 1;

    /// Whether bit 47 of an address fills the upper 16, as it does for the two halves of what a
    /// kernel sees. In user space they are zero. Where the guess is wrong, an address does not fit.
    const SIGN_EXTENDED: bool = cfg!(target_os = "none");

    /// Whether unpacking would give the address back.
    pub(super) const fn fits(address: usize) -> bool {
        unpack(address) == address
    }

    /// Of an address that fits.
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
        /// Set by tests that want every source to stand where its address does not fit.
        pub(crate) static REFUSE_ADDRESSES: Cell<bool> = const { Cell::new(false) };
    }

    fn at(address: usize) -> NonNull<Header> {
        NonNull::new(ptr::without_provenance_mut(address)).expect("test addresses are not null")
    }

    fn spent(head: Head) -> Spent {
        match head.view() {
            View::Spent(spent) => spent,
            _ => panic!("not a spent head"),
        }
    }

    #[test]
    fn every_reason_to_be_spent_survives_the_word() {
        let sites = [Site::Ready, Site::Boxed, Site::Source, Site::Pooled];
        let completed = sites.map(|site| Spent::Completed(Some(site)));
        let panicked = sites.map(Spent::Panicked);
        let stale = StaleToken::new(Token::new(0xfedc), Token::new(0xba98));
        let rest = [Spent::Completed(None), Spent::Stale(stale)];
        for reason in [&completed[..], &panicked, &rest].concat() {
            let head = Head::spent(reason);
            assert_eq!(spent(head), reason);
            assert!(head.is_spent() && !head.is_pointer() && !head.is_ready());
        }
    }

    #[test]
    fn every_token_travels_beside_the_address() {
        for address in [8, 0x1000, 0x7ff8] {
            for token in 0..=u16::MAX {
                let token = Token::new(token);
                let head = Head::source(at(address), Reference::Borrowed, token).unwrap();
                assert_eq!(head.pointer().addr(), address);
                assert_eq!(head.token(), token);
                assert_eq!(head.reference(), Some(Reference::Borrowed));
                assert!(head.is_pointer() && !head.is_ready() && !head.is_spent());
                if cfg!(miri) && token.get() == 64 {
                    break;
                }
            }
        }
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn an_address_that_leaves_no_room_for_the_token_is_refused() {
        let fits =
            |address| Head::source(at(address), Reference::Borrowed, Token::new(1)).is_some();
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
        let head = Head::source(at(fitting), Reference::Borrowed, Token::new(9)).unwrap();
        assert_eq!((head.pointer().addr(), head.token()), (fitting, Token::new(9)));
    }
}
