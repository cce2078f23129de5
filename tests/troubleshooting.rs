//! The chapter `src/guide/troubleshooting.md` contains each message of this crate, word for word.

#![cfg(not(loom))]

mod common;

use std::{
    fmt::Display,
    future::{Ready, pending, ready},
    sync::Arc,
};

use common::{ManualSource, panic_text, poll};
use futures::executor::block_on;
use value_future::{
    Dropped, FuturePool, Key, Pool, ReusableSource, Source, ValueFuture,
    error::{ArmKind, StaleToken},
    future::Arm,
    future_pool::{PooledError, PooledErrorKind},
    operation::{Abandoned, CompleteErrorKind},
    pool::{RentError, TakeError},
    source::Token,
};

const CHAPTER: &str = include_str!("../src/guide/troubleshooting.md");

/// Replaces each of these types with `T`, and each number with `N`.
fn pattern(text: &str, types: &[&str]) -> String {
    let text = types.iter().fold(text.to_owned(), |text, name| text.replace(name, "T"));
    let mut pattern = String::new();
    for character in text.chars() {
        match character {
            '0'..='9' if pattern.ends_with('N') => {}
            '0'..='9' => pattern.push('N'),
            other => pattern.push(other),
        }
    }
    pattern
}

#[track_caller]
fn assert_contains(text: &str) {
    assert!(CHAPTER.contains(text), "the chapter does not contain `{text}`");
}

#[track_caller]
fn assert_contains_message(text: impl Display, types: &[&str]) {
    assert_contains(&pattern(&text.to_string(), types));
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
fn the_chapter_has_the_messages_of_polls() {
    let types = &["u32"];
    let mut taken = ValueFuture::ready(7_u32);
    block_on(&mut taken);
    assert_contains_message(panic_text(|| poll(&mut taken)), types);

    let mut from_arm = ValueFuture::<u32>::from(Arm::Taken);
    assert_contains_message(panic_text(|| poll(&mut from_arm)), types);

    let mut panics = ValueFuture::<u32>::boxed(async { panic!("once") });
    panic_text(|| poll(&mut panics));
    assert_contains_message(panic_text(|| poll(&mut panics)), types);

    let source = Arc::new(Source::new(ManualSource::<u32>::new()));
    let mut stale = ValueFuture::from_source(source, Token::new(9));
    assert_contains_message(panic_text(|| poll(&mut stale)), types);
    assert_contains_message(StaleToken::new(Token::new(1), Token::new(2)), types);

    for arm in [ArmKind::Ready, ArmKind::Boxed, ArmKind::Source] {
        assert_contains(&format!("`{arm}`"));
    }
    let mut pooled = ValueFuture::pooled(ready(7_u32));
    block_on(&mut pooled);
    assert!(panic_text(|| poll(&mut pooled)).contains("(boxed arm, pooled)"));
    assert_contains("`boxed arm, pooled`");
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
fn the_chapter_has_the_messages_of_pools_and_sources() {
    let pool = Pool::<Option<u32>>::builder().max_slots(1).build();
    let (completer, mut completion) = pool.rent();
    let full = pool.try_rent().unwrap_err();
    assert_contains_message(full, &[]);
    assert_eq!(
        panic_text(|| pool.rent()),
        format!("{full}; `try_rent` returns that as an error, and `rent_when_vacant` waits")
    );
    assert_contains("\n; `try_rent` returns that as an error, and `rent_when_vacant` waits\n");
    let closed = Pool::<Option<u32>>::new();
    closed.close();
    assert_eq!(
        panic_text(|| closed.rent()),
        format!("{}; `try_rent` and `rent_when_vacant` return that as an error", RentError::Closed)
    );
    assert_contains("\n; `try_rent` and `rent_when_vacant` return that as an error\n");
    assert_eq!(completion.take(), Err(TakeError::Pending));
    completer.complete(Some(7)).unwrap();
    assert_eq!(completion.take(), Ok(Some(7)));
    assert_eq!(completion.take(), Err(TakeError::Taken));
    assert_contains_message(TakeError::Pending, &[]);
    assert_contains_message(TakeError::Taken, &[]);
    assert_contains_message(panic_text(|| poll(&mut completion)), &["core::option::Option<u32>"]);
    pool.close();
    assert_eq!(pool.try_rent().unwrap_err(), RentError::Closed);
    assert_contains_message(RentError::Closed, &[]);

    let pool = Pool::<u32>::builder().build_with_abandoned(|| panic!("no result"));
    let (completer, mut completion) = pool.rent();
    drop(completer);
    panic_text(|| poll(&mut completion));
    assert_contains_message(panic_text(|| poll(&mut completion)), &["u32"]);

    assert_contains_message(Result::<u32, Dropped>::abandoned().unwrap_err(), &[]);

    let source = ReusableSource::<Option<u32>>::new();
    let _operation = source.begin().unwrap();
    assert_contains_message(source.begin().unwrap_err(), &[]);

    assert_contains(&panic_text(|| Pool::<Option<u32>>::builder().max_slots(0)));
    assert_contains(&panic_text(|| Pool::<Option<u32>>::builder().first_generation(0)));
    assert_contains(&panic_text(|| FuturePool::builder().max_slots_per_size(0)));
    assert_contains(&panic_text(|| ReusableSource::<Option<u32>>::with_first_generation(0)));
}

#[derive(Debug)]
#[repr(align(64))]
struct Aligned;

#[test]
fn the_chapter_has_the_messages_of_futures_without_a_slot() {
    /// Checks that the chapter contains the parts of two messages. The message of the `PooledErrorKind` is a prefix and a reason. The
    /// message of the `PooledError` is another prefix, the same reason and a suffix.
    #[track_caller]
    fn assert_contains_error<F>(refused: &PooledError<F>, kind: PooledErrorKind) {
        assert_eq!(refused.kind(), kind);
        let kind = kind.to_string();
        let reason = kind.strip_prefix("no slot for the future: ").unwrap();
        let text = refused.to_string();
        let text = text.strip_suffix("; `pooled` puts such a future into a box").unwrap();
        let prefix = text.strip_suffix(reason).unwrap();
        assert_contains(&format!("\n{}\n", pattern(prefix, &[std::any::type_name::<F>()])));
        assert_contains(&format!("| `{}` |", pattern(reason, &[])));
    }

    assert_contains("\nno slot for the future: \n");
    assert_contains("\n; `pooled` puts such a future into a box\n");
    let pool = FuturePool::builder().max_slots_per_size(1).build();
    assert_contains_error::<Ready<_>>(
        &pool.try_pooled(ready([0_u8; 5000])).unwrap_err(),
        PooledErrorKind::TooLarge,
    );
    assert_contains_error::<Ready<_>>(
        &pool.try_pooled(ready(Aligned)).unwrap_err(),
        PooledErrorKind::TooAligned,
    );
    let _first = pool.try_pooled(pending::<u32>()).unwrap();
    assert_contains_error(&pool.try_pooled(pending::<u32>()).unwrap_err(), PooledErrorKind::Full);
    let none = FuturePool::builder().max_bytes_per_size(1).build();
    assert_contains_error(
        &none.try_pooled(pending::<u32>()).unwrap_err(),
        PooledErrorKind::NoneOfSize,
    );
}

#[test]
fn the_chapter_has_the_messages_of_refused_keys() {
    let pool = Pool::<Option<u32>>::new();
    let error = pool.complete_key(Key::from_u64(5), Some(7)).unwrap_err();
    let text = error.to_string();
    let prefix = text.strip_suffix(&CompleteErrorKind::Unknown.to_string()).unwrap();
    assert_contains(&format!("\n{}\n", pattern(prefix, &[])));
    let kinds = [
        CompleteErrorKind::Stale,
        CompleteErrorKind::AlreadyCompleted,
        CompleteErrorKind::BeingCompleted,
        CompleteErrorKind::Closed,
        CompleteErrorKind::Unknown,
    ];
    for kind in kinds {
        assert_contains(&format!("| `{kind}` |"));
    }
}

/// The messages that the compiler takes from this crate are in the recorded output in `tests/ui`, and in the chapter.
#[test]
fn the_chapter_has_the_messages_of_the_compiler() {
    let recorded = [
        include_str!("ui/local_completer_sent.stderr"),
        include_str!("ui/static_local_future_pool.stderr"),
        include_str!("ui/output_without_abandoned.stderr"),
        include_str!("ui/ready_or_await_of_another_future.stderr"),
        include_str!("ui/source_without_wrapper.stderr"),
        include_str!("ui/async_trait/not_a_trait.stderr"),
        include_str!("ui/async_trait/not_awaited.stderr"),
        include_str!("ui/async_trait/ready_in_cfg_attr.stderr"),
        include_str!("ui/async_trait/ready_in_a_trait.stderr"),
        include_str!("ui/async_trait/ready_without_expression.stderr"),
        include_str!("ui/async_trait/ready_without_async.stderr"),
        include_str!("ui/async_trait/unknown_option.stderr"),
    ];
    for error in recorded.iter().flat_map(|text| text.lines()) {
        let Some(text) = error.strip_prefix("error: ").or(error.strip_prefix("error[E0277]: "))
        else {
            continue;
        };
        // The rest of the message names a type of the program.
        let text = text.split(", not `std::").next().unwrap_or(text);
        assert_contains(text.strip_prefix("`&Five` ").unwrap_or(text));
    }
    assert_contains(
        "a future that is not awaited does not run, and a result that it already has is lost",
    );
}
