//! A future is stored in the pieces in which it will be loaded.
//!
//! A method returns its future through memory, and `.await` begins with copying it: 16 bytes at a time, or 32 where
//! the target has such registers. A core gives a load the bytes of a store that is still on its way only if one
//! store has all of them. Otherwise the load waits until the stores have reached the cache: 6 ns on a Zen 4 core,
//! twice as long as all the rest of such a call. A result of two words, or a word and the head beside it, would be
//! stored word by word. So it is put into a register first, which is as wide as those of the copy:
//!
//! ```text
//!                     without                              with
//! callee              mov    %rax,(%rdi)                   movups %xmm0,(%rdi)
//!                     mov    %rcx,0x8(%rdi)
//! `.await`            movups (%rsp),%xmm0    waits         movups (%rsp),%xmm0
//! ```
//!
//! The compiler would undo a copy that is for nothing. An empty `asm!` that says that it changes the register keeps
//! it from that.

/// A type whose values a core moves at once.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(loom)))]
mod piece {
    use core::mem::MaybeUninit;

    /// Any bytes, which need not be initialised.
    pub(super) type Half = MaybeUninit<core::arch::x86_64::__m128i>;
    #[cfg(target_feature = "avx")]
    pub(super) type Whole = MaybeUninit<core::arch::x86_64::__m256i>;
    #[cfg(not(target_feature = "avx"))]
    pub(super) type Whole = Half;

    /// The same piece, of which the compiler does not know that.
    pub(super) trait Opaque {
        fn opaque(self) -> Self;
    }

    macro_rules! opaque {
        ($Piece:ty, $register:ident) => {
            impl Opaque for $Piece {
                #[inline(always)]
                fn opaque(self) -> Self {
                    #[cfg(miri)]
                    return self;
                    #[cfg(not(miri))]
                    {
                        let mut piece = self;
                        // SAFETY: there is no instruction. What is in the register stays there.
                        unsafe {
                            core::arch::asm!(
                                "/* {0} */",
                                inout($register) piece,
                                options(pure, nomem, nostack, preserves_flags),
                            );
                        }
                        piece
                    }
                }
            }
        };
    }
    opaque!(Half, xmm_reg);
    #[cfg(target_feature = "avx")]
    opaque!(Whole, ymm_reg);
}

/// The same value, stored in pieces, if its size is that of some pieces and at most one word more: a copy of more
/// than eight pieces is a call, and what is no larger than 16 bytes is returned in registers.
#[inline(always)]
pub(super) fn in_pieces<P>(value: P) -> P {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(loom)))]
    {
        use core::mem::MaybeUninit;

        use self::piece::{Half, Whole};

        const WHOLE: usize = size_of::<Whole>();
        const HALF: usize = size_of::<Half>();
        const WORD: usize = size_of::<u64>();

        let size = size_of::<P>();
        if size <= HALF || size > 8 * WHOLE || size % WORD != 0 {
            return value;
        }
        let from = MaybeUninit::new(value);
        let mut to = MaybeUninit::<P>::uninit();
        macro_rules! wholes {
            ($($n:literal)*) => {
                $(if size >= WHOLE * ($n + 1) {
                    // SAFETY: the piece is within both.
                    unsafe { copy::<Whole, P>(&from, &mut to, WHOLE * $n) };
                })*
            };
        }
        wholes!(0 1 2 3 4 5 6 7);
        if size % WHOLE >= HALF {
            // SAFETY: as above.
            unsafe { copy::<Half, P>(&from, &mut to, size / WHOLE * WHOLE) };
        }
        if size % HALF != 0 {
            let from = from.as_ptr().cast::<MaybeUninit<u64>>();
            // SAFETY: the last word is within.
            let from = unsafe { from.byte_add(size - WORD) };
            // SAFETY: as above.
            let word = unsafe { from.read_unaligned() };
            let to = to.as_mut_ptr().cast::<MaybeUninit<u64>>();
            // SAFETY: as above.
            let to = unsafe { to.byte_add(size - WORD) };
            // SAFETY: as above.
            unsafe { to.write_unaligned(word) };
        }
        // SAFETY: these are all bytes of a value, which is not used again.
        unsafe { to.assume_init() }
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(loom))))]
    value
}

/// The same value, of which only a word counts, stored with all of the piece that the word is in.
///
/// # Safety
///
/// What is not in the 8 bytes at the offset `word`, a multiple of 8, need not be initialised.
#[inline(always)]
pub(super) unsafe fn with_piece_of_word<P>(value: P, word: usize) -> P {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(loom)))]
    {
        use core::mem::MaybeUninit;

        use self::piece::{Half, Whole};

        let from = MaybeUninit::new(value);
        let mut to = MaybeUninit::<P>::uninit();
        let whole = word - word % size_of::<Whole>();
        let half = word - word % size_of::<Half>();
        if whole + size_of::<Whole>() <= size_of::<P>() {
            // SAFETY: the piece is within both.
            unsafe { copy::<Whole, P>(&from, &mut to, whole) };
        } else if half + size_of::<Half>() <= size_of::<P>() {
            // SAFETY: as above.
            unsafe { copy::<Half, P>(&from, &mut to, half) };
        } else {
            // A copy moves the word by itself.
            to = from;
        }
        // SAFETY: the word is within the piece, and the rest need not be initialised. The value is not used again.
        unsafe { to.assume_init() }
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2", not(loom))))]
    {
        let _ = word;
        value
    }
}

/// Copies a piece at an offset.
///
/// # Safety
///
/// The piece is within a `P`.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2", not(loom)))]
#[inline(always)]
unsafe fn copy<Piece: piece::Opaque, P>(
    from: &core::mem::MaybeUninit<P>,
    to: &mut core::mem::MaybeUninit<P>,
    offset: usize,
) {
    // SAFETY: the caller's.
    let from = unsafe { from.as_ptr().cast::<Piece>().byte_add(offset) };
    // SAFETY: as above.
    let piece = unsafe { from.read_unaligned() };
    // SAFETY: as above.
    let to = unsafe { to.as_mut_ptr().cast::<Piece>().byte_add(offset) };
    // SAFETY: as above.
    unsafe { to.write_unaligned(piece.opaque()) };
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::{
        future::Future,
        pin::Pin,
        task::{Context, Poll, Waker},
    };
    use std::{
        boxed::Box,
        io,
        string::{String, ToString},
        vec::Vec,
    };

    use super::*;
    use crate::{LocalValueFuture, ValueFuture};

    /// What was stored in pieces is what was stored otherwise.
    fn compare<P: Clone + PartialEq + core::fmt::Debug>(value: &P) {
        assert_eq!(in_pieces(value.clone()), *value);
        let future = ValueFuture::<P>::const_ready(value.clone());
        assert_eq!(future.try_take().unwrap(), *value);
        assert_eq!(ValueFuture::ready(value.clone()).try_take().unwrap(), *value);
        let moved = Box::new(LocalValueFuture::ready(value.clone()));
        assert_eq!(moved.try_take().unwrap(), *value);
    }

    /// As many bytes, all different.
    fn bytes<const N: usize>() -> [u8; N] {
        core::array::from_fn(|n| n.to_le_bytes()[0] ^ 0xa5)
    }

    macro_rules! sizes {
        ($($size:literal)*) => {
            $(compare(&bytes::<$size>());
            compare(&bytes::<$size>().map(u64::from));
            compare(&(bytes::<$size>(), 7_u64));)*
        };
    }

    #[test]
    fn any_bytes_of_any_size() {
        sizes!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 23 24 25 31 32 33);
        sizes!(40 47 48 56 63 64 65 72 80 96 112 120 127 128 129 136 200 248 255 256 257 264 300);
    }

    #[test]
    fn padding_niches_and_pointers() {
        compare(&(1_u8, 2_u64, 3_u16, 4_u32, true));
        compare(&Some((1_u8, Box::new([7_u64; 3]), 'x')));
        compare(&(None::<Box<u64>>, Some(Box::new(5_u8)), Vec::from([1_u16, 2])));
        compare(&Ok::<_, u8>((String::from("owned"), ())));
        compare(&[Some(String::from("one")), None, Some(String::new())]);
        compare(&Err::<Vec<u8>, _>(core::num::NonZeroU8::MIN));
        let error = ValueFuture::ready(io::Result::<usize>::Err(io::Error::other("kept")));
        assert_eq!(error.try_take().unwrap().unwrap_err().to_string(), "kept");
        let function: fn(u8) -> u64 = u64::from;
        assert_eq!((ValueFuture::ready((function, 1_u8, "text")).try_take().unwrap().0)(9), 9);
    }

    #[test]
    fn any_alignment() {
        macro_rules! aligned {
            ($($align:literal)*) => {
                $({
                    #[derive(Clone, PartialEq, Debug)]
                    #[repr(align($align))]
                    struct Aligned(u8, [u64; 3]);
                    compare(&Aligned(5, [1, 2, 3]));
                    compare(&[Aligned(6, [4; 3]), Aligned(7, [5; 3])]);
                    let futures = [ValueFuture::ready(Aligned(8, [9; 3])), ValueFuture::ready(Aligned(1, [2; 3]))];
                    assert!((&raw const futures).cast::<Aligned>().is_aligned());
                })*
            };
        }
        aligned!(1 8 16 32 64 128);
    }

    /// Polls a future that is not ready when it is made, and so has its head and no result.
    fn pending<P: Clone + PartialEq + Send + Sync + core::fmt::Debug>(value: &P) {
        let mut future = ValueFuture::boxed(async { value.clone() });
        assert!(!future.is_ready());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut future).poll(&mut cx), Poll::Ready(value.clone()));
    }

    #[test]
    fn a_head_without_a_result() {
        macro_rules! sizes {
            ($($size:literal)*) => {
                $(pending(&bytes::<$size>());)*
            };
        }
        sizes!(0 1 7 8 9 16 24 32 40 48 56 64 72 80 88 96 104 120 128 136 248 256 264);
        macro_rules! aligned {
            ($($align:literal)*) => {
                $({
                    #[derive(Clone, PartialEq, Debug)]
                    #[repr(align($align))]
                    struct Aligned(u8);
                    pending(&Aligned(5));
                    pending(&[Aligned(6), Aligned(7)]);
                    pending(&[Aligned(6), Aligned(7), Aligned(8)]);
                })*
            };
        }
        aligned!(1 2 4 8 16 32 64 128 4096);
    }
}
