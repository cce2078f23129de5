//! The traits of the public types: `Clone`, `UnwindSafe`, `Error`, `From` and others. The assertions run at compile time.
//! `tests/type_safety/auto_traits.rs` tests `Send`, `Sync` and `Unpin`.

use std::{
    cell::Cell,
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
};

use static_assertions::{assert_impl_all, assert_not_impl_any};
use value_future::{
    Completer, Completion, Dropped, FuturePool, Key, LocalCompletion, LocalFuturePool, LocalPool,
    LocalReusableSource, LocalValueFuture, Pool, ReusableSource, Shared, Source, ValueFuture,
    error::{PollError, StaleToken},
    future::Arm,
    future_pool::{
        FuturePoolBuilder, FuturePoolStats, LocalFuturePoolBuilder, PooledError, PooledErrorKind,
    },
    operation::{CompleteError, CompleteErrorKind, TypedKey},
    pool::{LocalPoolBuilder, PoolBuilder, RentError, Stats},
    reusable::{BeginError, ReusableCompleter},
    shared::WeakShared,
    source::Token,
};

// These types may contain a boxed future of any type. So, like `dyn Future`, they are not `UnwindSafe`.
assert_not_impl_any!(ValueFuture<'static, u8>: UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(LocalValueFuture<'static, u8>: UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Shared<'static, u8>: UnwindSafe, RefUnwindSafe);
// A `Source` has the auto traits of the value that it wraps.
assert_impl_all!(Source<u8>: UnwindSafe, RefUnwindSafe);

// An operation is consistent after a panic, for any output type.
assert_impl_all!(Pool<Rc<Cell<u8>>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(LocalPool<Rc<Cell<u8>>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(Completer<Rc<Cell<u8>>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(LocalCompletion<Rc<Cell<u8>>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(ReusableSource<Rc<Cell<u8>>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(LocalReusableSource<Rc<Cell<u8>>>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(ReusableCompleter<'static, u8>: UnwindSafe, RefUnwindSafe);
assert_impl_all!(FuturePool: UnwindSafe, RefUnwindSafe);
assert_impl_all!(LocalFuturePool: UnwindSafe, RefUnwindSafe);
assert_impl_all!(TypedKey<Rc<Cell<u8>>>: UnwindSafe, RefUnwindSafe);

// A handle of a shared future is `Clone` if its result is `Clone`. Weak handles, and handles of a `Pool` or a `LocalPool`, are always
// `Clone`.
assert_impl_all!(Shared<'static, u8>: Clone);
assert_impl_all!(WeakShared<'static, Source<u8>>: Clone);
assert_impl_all!(Pool<Rc<u8>>: Clone);
assert_impl_all!(LocalPool<Option<u8>>: Clone, Default);
assert_impl_all!(Pool<Option<u8>>: Default);

assert_impl_all!(BeginError: std::error::Error, Copy, Eq);
assert_impl_all!(Token: Copy, Eq, std::hash::Hash);
assert_impl_all!(Key: Copy, Eq, std::hash::Hash);
assert_impl_all!(StaleToken: std::error::Error, Copy);
assert_impl_all!(PollError: std::error::Error, Copy);
assert_impl_all!(Dropped: std::error::Error, Copy);
assert_impl_all!(RentError: std::error::Error, Copy);
assert_impl_all!(CompleteErrorKind: std::error::Error, Copy);
assert_impl_all!(Stats: Copy, Eq, Default);
// `CompleteError` is an error for a value of any type.
assert_impl_all!(CompleteError<Source<u8>>: std::error::Error);

assert_impl_all!(FuturePool: Default);
assert_impl_all!(FuturePoolBuilder: Copy, Default);
assert_impl_all!(LocalFuturePoolBuilder: Copy, Default);
assert_impl_all!(PoolBuilder<Rc<u8>>: Copy, Default);
assert_impl_all!(LocalPoolBuilder<Rc<u8>>: Copy, Default);
assert_impl_all!(FuturePoolStats: Copy, Eq);
assert_impl_all!(PooledError<u8>: std::error::Error);
assert_impl_all!(PooledErrorKind: std::error::Error, Copy, From<PooledError<Rc<u8>>>);
assert_impl_all!(std::io::Error: From<PooledErrorKind>, From<PooledError<Rc<u8>>>);

// A completion is a future.
assert_impl_all!(Completion<Option<u8>>: Future<Output = Option<u8>>);
assert_impl_all!(LocalCompletion<Option<u8>>: Future<Output = Option<u8>>);

// Only a completion that is `Send` can be converted to a `ValueFuture`.
assert_impl_all!(ValueFuture<'static, Option<u8>>: From<Completion<Option<u8>>>);
assert_impl_all!(LocalValueFuture<'static, Option<Rc<u8>>>: From<LocalCompletion<Option<Rc<u8>>>>);
assert_not_impl_any!(ValueFuture<'static, Option<u8>>: From<LocalCompletion<Option<u8>>>);
assert_not_impl_any!(ValueFuture<'static, Option<Rc<u8>>>: From<Completion<Option<Rc<u8>>>>);

// These three functions compile only if the types are covariant in the lifetime and in the result.
fn narrow<'short, 'long: 'short>(
    future: ValueFuture<'long, &'long str>,
) -> ValueFuture<'short, &'short str> {
    future
}

fn narrow_local<'short, 'long: 'short>(
    future: LocalValueFuture<'long, &'long str>,
) -> LocalValueFuture<'short, &'short str> {
    future
}

fn narrow_arm<'short, 'long: 'short>(arm: Arm<'long, &'long str>) -> Arm<'short, &'short str> {
    arm
}

#[test]
fn a_future_is_covariant_in_its_lifetime_and_its_result() {
    let text = String::from("text");
    let long = ValueFuture::ready("static");
    let long_local = LocalValueFuture::ready("static");
    let narrowed = [narrow(long), ValueFuture::ready(text.as_str())];
    let narrowed_local = [narrow_local(long_local), LocalValueFuture::ready(text.as_str())];
    assert_eq!(narrowed.map(|future| future.try_take().unwrap()), ["static", "text"]);
    assert_eq!(narrowed_local.map(|future| future.try_take().unwrap()), ["static", "text"]);
    assert!(matches!(narrow_arm(Arm::Ready("static")), Arm::Ready("static")));
}
