//! Who may go to another thread, be pinned, be unwound through and be narrowed. What must *not* be
//! is asserted as well. These hold at compile time; the test runs to say so.

use std::{
    cell::Cell,
    marker::PhantomPinned,
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
};

use static_assertions::{assert_impl_all, assert_not_impl_any};
use value_future::{
    Arm, BoxedFuture, Busy, Checked, CompleteError, Completer, Completion, Dropped, FuturePool,
    FuturePoolBuilder, FuturePoolStats, Key, KeyError, LocalArm, LocalChecked, LocalCompleter,
    LocalCompletion, LocalFuturePool, LocalFuturePoolBuilder, LocalPool, LocalPoolBuilder,
    LocalReusableCompleter, LocalReusableSource, LocalShared, LocalValueFuture, LocalWeakShared,
    NoSlot, NotPooled, PollError, Pool, PoolBuilder, PoolFull, ReusableCompleter, ReusableSource,
    Shared, Source, SourceRef, StaleToken, Stats, Token, ValueFuture, ValueReader, ValueStream,
    WeakShared,
};

// `Send` when `T` is, `Sync` when `T` is: nothing but a `T` can be reached through `&`.
assert_impl_all!(ValueFuture<'static, String>: Send, Sync, Unpin);
assert_impl_all!(ValueFuture<'static, Cell<u8>>: Send, Unpin);
assert_not_impl_any!(ValueFuture<'static, Cell<u8>>: Sync);
assert_not_impl_any!(ValueFuture<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(ValueFuture<'static, std::sync::MutexGuard<'static, u8>>: Send);
assert_impl_all!(ValueFuture<'static, std::sync::MutexGuard<'static, u8>>: Sync);
assert_impl_all!(ValueFuture<'static, PhantomPinned>: Unpin);

// Never, whatever `T` is.
assert_not_impl_any!(LocalValueFuture<'static, u8>: Send, Sync);
assert_impl_all!(LocalValueFuture<'static, PhantomPinned>: Unpin);

// As for any erased future: nobody knows what is behind it.
assert_not_impl_any!(ValueFuture<'static, u8>: UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(LocalValueFuture<'static, u8>: UnwindSafe, RefUnwindSafe);

// What is made from a future is as the future is.
assert_impl_all!(Arm<'static, u8>: Send, Sync, Unpin);
assert_impl_all!(BoxedFuture<'static, u8>: Send, Sync, Unpin);
assert_impl_all!(SourceRef<'static, u8>: Send, Sync, Unpin);
assert_impl_all!(Checked<'static, u8>: Send, Sync, Unpin);
assert_not_impl_any!(Arm<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(Checked<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(LocalArm<'static, u8>: Send, Sync);
assert_not_impl_any!(LocalChecked<'static, u8>: Send, Sync);

// Any handle may give a `&T`, and any handle may drop the future; the place in the list is pinned.
assert_impl_all!(Shared<'static, u8>: Clone, Send, Sync);
assert_not_impl_any!(Shared<'static, u8>: Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(Shared<'static, Cell<u8>>: Send, Sync);
assert_not_impl_any!(Shared<'static, std::sync::MutexGuard<'static, u8>>: Clone, Send, Sync);
assert_not_impl_any!(LocalShared<'static, u8>: Send, Sync, Unpin);
assert_impl_all!(WeakShared<'static, u8>: Clone, Send, Sync, Unpin);
assert_not_impl_any!(WeakShared<'static, Cell<u8>>: Send, Sync);
assert_not_impl_any!(LocalWeakShared<'static, u8>: Send, Sync);

// A source that is used again passes values on, as a pool does.
assert_impl_all!(ReusableSource<Cell<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(ReusableSource<Rc<u8>>: Send, Sync);
assert_impl_all!(ReusableCompleter<'static, Cell<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(ReusableCompleter<'static, Rc<u8>>: Send, Sync);
assert_not_impl_any!(LocalReusableSource<u8>: Send, Sync);
assert_not_impl_any!(LocalReusableCompleter<'static, u8>: Send, Sync);
assert_impl_all!(Busy: std::error::Error, Copy, Eq, Send, Sync);

// A reader is as its stream.
assert_impl_all!(ValueReader<Cell<u8>>: Send, Unpin);
assert_not_impl_any!(ValueReader<Cell<u8>>: Sync);
assert_not_impl_any!(ValueReader<Rc<u8>>: Send, Sync);
assert_not_impl_any!(ValueReader<PhantomPinned>: Unpin);
assert_impl_all!(ValueStream<PhantomPinned, ValueFuture<'static, u8>>: Unpin);

// A source is as what it wraps.
assert_impl_all!(Source<u8>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Source<Cell<u8>>: Send);
assert_not_impl_any!(Source<Cell<u8>>: Sync);
assert_not_impl_any!(Source<Rc<u8>>: Send, Sync);

assert_impl_all!(Token: Copy, Eq, std::hash::Hash, Send, Sync);
assert_impl_all!(StaleToken: std::error::Error, Copy, Send, Sync);
assert_impl_all!(PollError: std::error::Error, Copy, Send, Sync, Unpin);

// Nobody gets at a future through its pool, so a pool of them is for any thread; it cannot be cloned.
assert_impl_all!(FuturePool: Default, Send, Sync, Unpin);
assert_not_impl_any!(FuturePool: Clone);
assert_not_impl_any!(LocalFuturePool: Clone, Send, Sync);
assert_impl_all!(FuturePoolBuilder: Copy, Default, Send, Sync);
assert_impl_all!(LocalFuturePoolBuilder: Copy, Default);
assert_impl_all!(NotPooled<u8>: std::error::Error, Send, Sync);
assert_not_impl_any!(NotPooled<Rc<u8>>: Send, Sync);
assert_impl_all!(NoSlot: std::error::Error, Copy, Send, Sync, From<NotPooled<Rc<u8>>>);
assert_impl_all!(std::io::Error: From<NoSlot>, From<NotPooled<Rc<u8>>>);
assert_impl_all!(FuturePoolStats: Copy, Eq, Send, Sync);

// A pool and its ends pass values on, so they are `Send` and `Sync` when `T` is `Send`; nobody gets
// a `&T`. A pool is a handle, which is cloned whatever `T` is.
assert_impl_all!(Pool<Option<u8>>: Clone, Default, Send, Sync, Unpin);
assert_impl_all!(Pool<Cell<u8>>: Clone, Send, Sync, Unpin);
assert_impl_all!(Completer<Cell<u8>>: Send, Sync, Unpin);
assert_impl_all!(Completion<Cell<u8>>: Send, Sync, Unpin);
assert_not_impl_any!(Pool<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Completer<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Completion<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Pool<std::sync::MutexGuard<'static, u8>>: Send, Sync);
assert_impl_all!(Pool<Rc<u8>>: Clone);
assert_impl_all!(Completion<Option<PhantomPinned>>: Future<Output = Option<PhantomPinned>>, Unpin);

// Never, whatever `T` is.
assert_impl_all!(LocalPool<Option<u8>>: Clone, Default, Unpin);
assert_not_impl_any!(LocalPool<Option<u8>>: Send, Sync);
assert_not_impl_any!(LocalCompleter<Option<u8>>: Send, Sync);
assert_not_impl_any!(LocalCompletion<Option<u8>>: Send, Sync);
assert_impl_all!(LocalCompletion<Option<PhantomPinned>>: Future, Unpin);

// Each end is one of a kind, and only an output type that says what a dropped completer results in
// can be awaited.
assert_not_impl_any!(Completer<Option<u8>>: Clone);
assert_not_impl_any!(Completion<Option<u8>>: Clone);
assert_not_impl_any!(Completion<u8>: Future);

// What is `Send` becomes a future that is, and nothing else does.
assert_impl_all!(ValueFuture<'static, Option<u8>>: From<Completion<Option<u8>>>);
assert_impl_all!(LocalValueFuture<'static, Option<Rc<u8>>>: From<LocalCompletion<Option<Rc<u8>>>>);
assert_not_impl_any!(ValueFuture<'static, Option<u8>>: From<LocalCompletion<Option<u8>>>);
assert_not_impl_any!(ValueFuture<'static, Option<Rc<u8>>>: From<Completion<Option<Rc<u8>>>>);

assert_impl_all!(PoolBuilder<Rc<u8>>: Copy, Default, Send, Sync);
assert_impl_all!(LocalPoolBuilder<Rc<u8>>: Copy, Default);
assert_impl_all!(Key: Copy, Eq, std::hash::Hash, Send, Sync);
assert_impl_all!(Stats: Copy, Eq, Default, Send, Sync);
assert_impl_all!(Dropped: std::error::Error, Copy, Send, Sync);
assert_impl_all!(PoolFull: std::error::Error, Copy, Send, Sync);
assert_impl_all!(KeyError: std::error::Error, Copy, Send, Sync);
// The value need not be `Debug` for that.
assert_impl_all!(CompleteError<Source<u8>>: std::error::Error, Send, Sync);

// Covariant in the lifetime and in the result.
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
fn a_future_narrows_to_a_shorter_life() {
    let text = String::from("text");
    let long = ValueFuture::ready("static");
    let long_local = LocalValueFuture::ready("static");
    let narrowed = [narrow(long), ValueFuture::ready(text.as_str())];
    let narrowed_local = [narrow_local(long_local), LocalValueFuture::ready(text.as_str())];
    assert_eq!(narrowed.map(|future| future.try_take().unwrap()), ["static", "text"]);
    assert_eq!(narrowed_local.map(|future| future.try_take().unwrap()), ["static", "text"]);
    assert!(matches!(narrow_arm(Arm::Ready("static")), Arm::Ready("static")));
}
