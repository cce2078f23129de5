//! The chapter `src/guide/troubleshooting.md` has each text that this crate shows, as it shows it today.

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

/// The text with a `T` for each of these types, and an `N` for each number.
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
fn has(text: &str) {
    assert!(CHAPTER.contains(text), "the chapter has no `{text}`");
}

#[track_caller]
fn has_text(text: impl Display, types: &[&str]) {
    has(&pattern(&text.to_string(), types));
}

#[test]
fn it_has_the_texts_of_polls() {
    let types = &["u32"];
    let mut taken = ValueFuture::ready(7_u32);
    block_on(&mut taken);
    has_text(panic_text(|| poll(&mut taken)), types);

    let mut from_arm = ValueFuture::<u32>::from(Arm::Taken);
    has_text(panic_text(|| poll(&mut from_arm)), types);

    let mut panics = ValueFuture::<u32>::boxed(async { panic!("once") });
    panic_text(|| poll(&mut panics));
    has_text(panic_text(|| poll(&mut panics)), types);

    let source = Arc::new(Source::new(ManualSource::<u32>::new()));
    let mut stale = ValueFuture::from_source(source, Token::new(9));
    has_text(panic_text(|| poll(&mut stale)), types);
    has_text(StaleToken::new(Token::new(1), Token::new(2)), types);

    for arm in [ArmKind::Ready, ArmKind::Boxed, ArmKind::Source] {
        has(&format!("`{arm}`"));
    }
    let mut pooled = ValueFuture::pooled(ready(7_u32));
    block_on(&mut pooled);
    assert!(panic_text(|| poll(&mut pooled)).contains("(boxed arm, pooled)"));
    has("`boxed arm, pooled`");
}

#[test]
fn it_has_the_texts_of_pools_and_sources() {
    let pool = Pool::<Option<u32>>::builder().max_slots(1).build();
    let (completer, mut completion) = pool.rent();
    let full = pool.try_rent().unwrap_err();
    has_text(full, &[]);
    assert_eq!(
        panic_text(|| pool.rent()),
        format!("{full}; `try_rent` returns that as an error, and `rent_when_vacant` waits")
    );
    has("\n; `try_rent` returns that as an error, and `rent_when_vacant` waits\n");
    assert_eq!(completion.take(), Err(TakeError::Pending));
    completer.complete(Some(7)).unwrap();
    assert_eq!(completion.take(), Ok(Some(7)));
    assert_eq!(completion.take(), Err(TakeError::Taken));
    has_text(TakeError::Pending, &[]);
    has_text(TakeError::Taken, &[]);
    has_text(panic_text(|| poll(&mut completion)), &["core::option::Option<u32>"]);
    pool.close();
    assert_eq!(pool.try_rent().unwrap_err(), RentError::Closed);
    has_text(RentError::Closed, &[]);

    let pool = Pool::<u32>::builder().build_with_abandoned(|| panic!("no result"));
    let (completer, mut completion) = pool.rent();
    drop(completer);
    panic_text(|| poll(&mut completion));
    has_text(panic_text(|| poll(&mut completion)), &["u32"]);

    has_text(Result::<u32, Dropped>::abandoned().unwrap_err(), &[]);

    let source = ReusableSource::<Option<u32>>::new();
    let _operation = source.begin().unwrap();
    has_text(source.begin().unwrap_err(), &[]);

    has(&panic_text(|| Pool::<Option<u32>>::builder().max_slots(0)));
    has(&panic_text(|| Pool::<Option<u32>>::builder().first_generation(0)));
    has(&panic_text(|| FuturePool::builder().max_slots_per_size(0)));
    has(&panic_text(|| ReusableSource::<Option<u32>>::with_first_generation(0)));
}

#[derive(Debug)]
#[repr(align(64))]
struct Aligned;

#[test]
fn it_has_the_texts_of_futures_without_a_slot() {
    /// The text of a kind is a beginning and a reason, and that of the error with the future is a beginning, the
    /// reason and an ending.
    #[track_caller]
    fn of<F>(refused: &PooledError<F>, kind: PooledErrorKind) {
        assert_eq!(refused.kind(), kind);
        let kind = kind.to_string();
        let reason = kind.strip_prefix("no slot for the future: ").unwrap();
        let text = refused.to_string();
        let text = text.strip_suffix("; `pooled` boxes what has no slot").unwrap();
        let beginning = text.strip_suffix(reason).unwrap();
        has(&format!("\n{}\n", pattern(beginning, &[std::any::type_name::<F>()])));
        has(&format!("| `{}` |", pattern(reason, &[])));
    }

    has("\nno slot for the future: \n");
    has("\n; `pooled` boxes what has no slot\n");
    let pool = FuturePool::builder().max_slots_per_size(1).build();
    of::<Ready<_>>(&pool.try_pooled(ready([0_u8; 5000])).unwrap_err(), PooledErrorKind::TooLarge);
    of::<Ready<_>>(&pool.try_pooled(ready(Aligned)).unwrap_err(), PooledErrorKind::TooAligned);
    let _first = pool.try_pooled(pending::<u32>()).unwrap();
    of(&pool.try_pooled(pending::<u32>()).unwrap_err(), PooledErrorKind::Full);
    let none = FuturePool::builder().max_bytes_per_size(1).build();
    of(&none.try_pooled(pending::<u32>()).unwrap_err(), PooledErrorKind::NoneOfSize);
}

#[test]
fn it_has_the_texts_of_refused_keys() {
    let pool = Pool::<Option<u32>>::new();
    let error = pool.complete_key(Key::from_u64(5), Some(7)).unwrap_err();
    let text = error.to_string();
    let beginning = text.strip_suffix(&CompleteErrorKind::Unknown.to_string()).unwrap();
    has(&format!("\n{}\n", pattern(beginning, &[])));
    let kinds = [
        CompleteErrorKind::Stale,
        CompleteErrorKind::AlreadyCompleted,
        CompleteErrorKind::BeingCompleted,
        CompleteErrorKind::Closed,
        CompleteErrorKind::Unknown,
    ];
    for kind in kinds {
        has(&format!("| `{kind}` |"));
    }
}

/// The texts that the compiler takes from this crate are in the recorded ones of `tests/ui`, and in the chapter.
#[test]
fn it_has_the_texts_that_the_compiler_shows() {
    let recorded = [
        include_str!("ui/local_completer_sent.stderr"),
        include_str!("ui/local_pool_as_a_static.stderr"),
        include_str!("ui/output_without_abandoned.stderr"),
        include_str!("ui/ready_or_await_of_another_future.stderr"),
        include_str!("ui/source_without_wrapper.stderr"),
        include_str!("ui/async_trait/not_a_trait.stderr"),
        include_str!("ui/async_trait/not_awaited.stderr"),
        include_str!("ui/async_trait/ready_if_configured.stderr"),
        include_str!("ui/async_trait/ready_in_a_trait.stderr"),
        include_str!("ui/async_trait/ready_of_nothing.stderr"),
        include_str!("ui/async_trait/ready_without_async.stderr"),
        include_str!("ui/async_trait/unknown_option.stderr"),
    ];
    for error in recorded.iter().flat_map(|text| text.lines()) {
        let Some(text) = error.strip_prefix("error: ").or(error.strip_prefix("error[E0277]: "))
        else {
            continue;
        };
        // What follows is about the type in the program.
        let text = text.split(", not `std::").next().unwrap_or(text);
        has(text.strip_prefix("`&Five` ").unwrap_or(text));
    }
    has("a future that is not awaited does not run, and a result that it already has is lost");
}
