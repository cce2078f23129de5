//! Tests of the documented sizes of the types.

use value_future::{
    Completer, Completion, FuturePool, Key, LocalFuturePool, LocalPool, LocalReusableSource,
    LocalShared, LocalValueFuture, Pool, ReusableSource, Shared, Source, ValueFuture,
    error::StaleToken,
    future::{AnyThread, Arm, Checked, OneThread},
    shared::WeakShared,
    source::Token,
    stream::ValueNext,
};

use crate::words::{documented, grouped};

/// Returns the size of a type minus the size of its `T`. Checks that the difference is the same for four `T` whose sizes are multiples of a
/// word.
macro_rules! overhead {
    ($name:ident) => {{
        let sizes = [
            size_of::<$name<()>>(),
            size_of::<$name<u64>>() - 8,
            size_of::<$name<Option<u64>>>() - 16,
            size_of::<$name<[u64; 100]>>() - 800,
        ];
        assert_eq!(sizes, [sizes[0]; 4]);
        sizes[0]
    }};
    (<'_> $name:ident) => {{
        type Named<'a, T> = $name<'a, T>;
        let sizes = [
            size_of::<Named<'_, ()>>(),
            size_of::<Named<'_, u64>>() - 8,
            size_of::<Named<'_, Option<u64>>>() - 16,
            size_of::<Named<'_, [u64; 100]>>() - 800,
        ];
        assert_eq!(sizes, [sizes[0]; 4]);
        sizes[0]
    }};
}

#[test]
#[cfg(target_pointer_width = "64")]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn a_future_is_one_word_and_its_result() {
    let word = overhead!(<'_> ValueFuture);
    assert_eq!(overhead!(<'_> LocalValueFuture), word);
    let small = [size_of::<ValueFuture<'_, u8>>(), size_of::<ValueFuture<'_, [u8; 8]>>()];
    assert_eq!(small, [16; 2]);
    documented!(
        "src/guide/guarantees.md",
        "a `ValueFuture<'_, ()>` takes {word} bytes, and a value future for a result of 1 to 8 bytes takes {}",
        small[0]
    );
    documented!(
        "src/future/value_future.rs",
        "one word and `T`: {word} bytes for `()`, {} for a `T` of 1 to 8 bytes",
        small[0]
    );
    documented!("src/family.md", "`ValueFuture<'_, ()>`, which is {word} bytes");
}

#[test]
fn one_niche_is_left_in_a_future() {
    let future = size_of::<ValueFuture<'_, u64>>();
    assert_eq!(size_of::<Option<ValueFuture<'_, u64>>>(), future);
    assert!(size_of::<Option<Option<ValueFuture<'_, u64>>>>() > future);
    documented!(
        "src/guide/guarantees.md",
        "An `Option` of a value future is no larger than the value future."
    );
    documented!(
        "src/future/value_future.rs",
        "The word has one niche, so `Option<ValueFuture<'_, T>>` is no larger."
    );
}

#[test]
fn a_wrapper_has_a_header_in_front_of_its_contents() {
    let overhead = size_of::<Source<u64>>() - 8;
    assert_eq!(
        [size_of::<ValueNext<u64>>() - 8, size_of::<Source<[u64; 9]>>() - 72],
        [overhead; 2]
    );
    assert_eq!([align_of::<Source<u8>>(), align_of::<ValueNext<u8>>()], [8; 2]);
    assert_eq!([size_of::<Source<u8>>(), size_of::<ValueNext<u8>>()], [16; 2]);
    let sentence = format!(
        "A `Source` has a header of {overhead} bytes in front of `S`, and is aligned to at least {}.",
        align_of::<Source<u8>>()
    );
    documented!("src/source/wrapper.rs", "{sentence}");
    documented!(
        "src/stream/next.rs",
        "A `ValueNext` has a header of {overhead} bytes in front of `S`, and is aligned to at least {}.",
        align_of::<ValueNext<u8>>()
    );
}

#[test]
#[cfg(target_pointer_width = "64")]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn a_handle_of_a_shared_future_has_the_documented_size() {
    let overhead = overhead!(<'_> Shared);
    assert_eq!(overhead!(<'_> LocalShared), overhead);
    assert_eq!(size_of::<WeakShared<'_, u64>>(), size_of::<usize>());
    documented!(
        "src/shared/shared.rs",
        "A handle takes {overhead} bytes and a `T`, on 64-bit targets."
    );
}

#[test]
#[cfg(target_pointer_width = "64")]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn a_reusable_source_has_the_documented_size() {
    let overhead = overhead!(ReusableSource);
    assert_eq!(overhead!(LocalReusableSource), overhead);
    assert_eq!(size_of::<ReusableSource<u8>>(), overhead + 8);
    documented!(
        "src/reusable/reusable_source.rs",
        "{overhead} bytes and a `T`, padded to a multiple of {}, on 64-bit targets.",
        align_of::<ReusableSource<u8>>()
    );
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_pool_of_futures_has_the_documented_size() {
    let (shared, local) = (size_of::<FuturePool>(), size_of::<LocalFuturePool>());
    documented!(
        "src/future_pool/future_pool.rs",
        "The pool itself takes {} bytes, on 64-bit targets",
        grouped(shared)
    );
    documented!(
        "src/future_pool/future_pool.rs",
        "The pool itself takes {local} bytes, on 64-bit targets"
    );
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn a_pool_handle_a_completer_and_a_completion_are_one_pointer_each() {
    let pointer = size_of::<usize>();
    assert_eq!([size_of::<Pool<u64>>(), size_of::<LocalPool<[u64; 9]>>()], [pointer; 2]);
    assert_eq!([size_of::<Completer<u64>>(), size_of::<Completion<[u64; 9]>>()], [pointer; 2]);
    documented!("src/pool/pool.rs", "A handle is one pointer");
    documented!("src/pool/completer.rs", "A completer is one pointer. Nothing is allocated.");
}

#[test]
fn keys_and_tokens_have_the_documented_number_of_bits() {
    assert_eq!((size_of::<Key>() * 8, size_of_val(&Key::from_u64(0).generation()) * 8), (64, 32));
    documented!(
        "src/guide/getting_started.md",
        "its [`Key`](crate::Key) of {} bits",
        size_of::<Key>() * 8
    );
    documented!("src/slot/key.rs", "a pool or of a reusable source: {} bits", size_of::<Key>() * 8);
    let tokens = 1 << u16::BITS;
    assert_eq!((size_of::<Token>() * 8, Token::new(u16::MAX).next()), (16, Token::new(0)));
    documented!("src/token.rs", "{} bits that distinguish it", size_of::<Token>() * 8);
    documented!("src/token.rs", "Tokens wrap after {} operations", grouped(tokens));
    documented!("src/token.rs", "The number wraps from {} to 0.", grouped(tokens - 1));
    documented!(
        "src/family.md",
        "also {} bits, because it is stored in the same word as an address. A slot of this crate also has {} bits of generation",
        size_of::<Token>() * 8,
        u32::BITS
    );
    assert_eq!(size_of::<StaleToken>(), 2 * size_of::<Token>());
}

/// The documentation of `Arm` and `Checked` does not promise a size.
#[test]
fn an_arm_and_a_checked_future_are_larger_than_a_future() {
    let future = size_of::<ValueFuture<'_, u64>>();
    assert!(size_of::<Arm<'_, u64, AnyThread>>() > future);
    assert_eq!(size_of::<Arm<'_, u64, AnyThread>>(), size_of::<Arm<'_, u64, OneThread>>());
    assert!(size_of::<Checked<'_, u64>>() > future);
    documented!(
        "src/future/arm.rs",
        "The future itself is this enum, compressed into one word and the space for a result."
    );
}
