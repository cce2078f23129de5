//! `Send`, `Sync` and `Unpin` of each public type, and the bounds of the functions that accept values.

use super::harness::{Program, refused_and_fixed};

/// The types for `{T}`: neither `Send` nor `Sync`, only `Send`, only `Sync`, and both.
const OUTPUTS: [&str; 4] = ["Rc<u8>", "Cell<u8>", "MutexGuard<'static, u8>", "u8"];

/// A type, and whether the type is `Send` (S) and `Sync` (Y) with each of the [`OUTPUTS`] as its `{T}`.
type Row = (&'static str, [&'static str; 4]);

#[rustfmt::skip]
const SEND_AND_SYNC: &[Row] = &[
    // A shared reference to one of these types gives access to a `&T` at most.
    ("ValueFuture<'static, {T}>",               ["--", "S-", "-Y", "SY"]),
    ("Arm<'static, {T}>",                       ["--", "S-", "-Y", "SY"]),
    ("BoxedFuture<'static, {T}>",               ["--", "S-", "-Y", "SY"]),
    ("SourceRef<'static, {T}>",                 ["--", "S-", "-Y", "SY"]),
    ("Checked<'static, {T}>",                   ["--", "S-", "-Y", "SY"]),
    // These types contain a `T`, and no other value that depends on `T`.
    ("Source<{T}>",                             ["--", "S-", "-Y", "SY"]),
    ("ValueNext<{T}>",                        ["--", "S-", "-Y", "SY"]),
    ("ValueStream<{T}, u8>",                    ["--", "S-", "-Y", "SY"]),
    ("ValueStream<u8, {T}>",                    ["--", "S-", "-Y", "SY"]),
    ("ReaderStream<{T}, u8, u8>",               ["--", "S-", "-Y", "SY"]),
    ("ReaderStream<u8, {T}, u8>",               ["--", "S-", "-Y", "SY"]),
    ("ReaderStream<u8, u8, {T}>",               ["--", "S-", "-Y", "SY"]),
    ("PooledError<{T}>",                          ["--", "S-", "-Y", "SY"]),
    ("CompleteError<{T}>",                      ["--", "S-", "-Y", "SY"]),
    // A handle gives a `&T` on any thread, and the last handle drops the `T` on any thread.
    ("Shared<'static, {T}>",                    ["--", "--", "--", "SY"]),
    ("WeakShared<'static, {T}>",                ["--", "--", "--", "SY"]),
    // A value may move into an operation on one thread, and out of it on another thread. No method gives a `&T`.
    ("Pool<{T}>",                               ["--", "SY", "--", "SY"]),
    ("RentWhenVacant<{T}>",                     ["--", "SY", "--", "SY"]),
    ("Completer<{T}>",                          ["--", "SY", "--", "SY"]),
    ("Completion<{T}>",                         ["--", "SY", "--", "SY"]),
    ("ReusableSource<{T}>",                     ["--", "SY", "--", "SY"]),
    ("ReusableCompleter<'static, {T}>",         ["--", "SY", "--", "SY"]),
    // These types are for one thread: they use no atomics, or contain type-erased values that need not be `Send`.
    ("LocalValueFuture<'static, {T}>",          ["--", "--", "--", "--"]),
    ("LocalArm<'static, {T}>",                  ["--", "--", "--", "--"]),
    ("BoxedFuture<'static, {T}, OneThread>",    ["--", "--", "--", "--"]),
    ("SourceRef<'static, {T}, OneThread>",      ["--", "--", "--", "--"]),
    ("LocalChecked<'static, {T}>",              ["--", "--", "--", "--"]),
    ("LocalShared<'static, {T}>",               ["--", "--", "--", "--"]),
    ("LocalWeakShared<'static, {T}>",           ["--", "--", "--", "--"]),
    ("LocalPool<{T}>",                          ["--", "--", "--", "--"]),
    ("LocalRentWhenVacant<{T}>",                ["--", "--", "--", "--"]),
    ("LocalCompleter<{T}>",                     ["--", "--", "--", "--"]),
    ("LocalCompletion<{T}>",                    ["--", "--", "--", "--"]),
    ("LocalReusableSource<{T}>",                ["--", "--", "--", "--"]),
    ("LocalReusableCompleter<'static, {T}>",    ["--", "--", "--", "--"]),
    // These types contain numbers, and no `T`.
    ("TypedKey<{T}>",                           ["SY", "SY", "SY", "SY"]),
    ("PoolBuilder<{T}>",                        ["SY", "SY", "SY", "SY"]),
    ("LocalPoolBuilder<{T}>",                   ["SY", "SY", "SY", "SY"]),
];

/// Types without a parameter. For each type: whether it is `Send` (S) and `Sync` (Y).
const WITHOUT_PARAMETER: &[(&str, &str)] = &[
    ("FuturePool", "SY"),
    ("LocalFuturePool", "--"),
    ("FuturePoolBuilder", "SY"),
    ("LocalFuturePoolBuilder", "SY"),
    ("AnyThread", "SY"),
    ("OneThread", "--"),
    ("Key", "SY"),
    ("Token", "SY"),
    ("StaleToken", "SY"),
    ("PollError", "SY"),
    ("ArmKind", "SY"),
    ("Rule", "SY"),
    ("CompleteErrorKind", "SY"),
    ("Dropped", "SY"),
    ("BeginError", "SY"),
    ("RentError", "SY"),
    ("PooledErrorKind", "SY"),
    ("Stats", "SY"),
    ("FuturePoolStats", "SY"),
    ("ClassStats", "SY"),
];

/// Types, each with `true` if the type is `Unpin`. `{T}` stands for a type that is not `Unpin`. A `Shared` is never `Unpin`, because it
/// contains a list node.
const UNPIN: &[(&str, bool)] = &[
    ("ValueFuture<'static, {T}>", true),
    ("LocalValueFuture<'static, {T}>", true),
    ("Checked<'static, {T}>", true),
    ("BoxedFuture<'static, {T}>", true),
    ("SourceRef<'static, {T}>", true),
    ("WeakShared<'static, {T}>", true),
    ("LocalWeakShared<'static, {T}>", true),
    ("Pool<{T}>", true),
    ("LocalPool<{T}>", true),
    ("PoolBuilder<{T}>", true),
    ("LocalPoolBuilder<{T}>", true),
    ("RentWhenVacant<{T}>", true),
    ("LocalRentWhenVacant<{T}>", true),
    ("Completer<{T}>", true),
    ("LocalCompleter<{T}>", true),
    ("Completion<{T}>", true),
    ("LocalCompletion<{T}>", true),
    ("ReusableCompleter<'static, {T}>", true),
    ("LocalReusableCompleter<'static, {T}>", true),
    ("ValueStream<{T}, u8>", true),
    ("Shared<'static, {T}>", false),
    ("Shared<'static, u8>", false),
    ("LocalShared<'static, {T}>", false),
    ("LocalShared<'static, u8>", false),
    // These types contain a `{T}`, and may pin it.
    ("ValueNext<{T}>", false),
    ("ValueStream<u8, {T}>", false),
    ("PooledError<{T}>", false),
];

/// Programs in which a type for any thread, or a `static`, refuses a value. Each entry has a name, the refused body and a fixed body. Most
/// fixed bodies use the type for one thread, which accepts the value.
const ADMISSION: &[(&str, &str, &str)] = &[
    (
        "boxed",
        "keep(ValueFuture::boxed(std::future::ready(Rc::new(5))));",
        "keep(LocalValueFuture::boxed(std::future::ready(Rc::new(5))));",
    ),
    (
        "pooled",
        "keep(ValueFuture::pooled(std::future::ready(Rc::new(5))));",
        "keep(LocalValueFuture::pooled(std::future::ready(Rc::new(5))));",
    ),
    (
        "eager",
        "keep(ValueFuture::eager(std::future::ready(Rc::new(5))));",
        "keep(LocalValueFuture::eager(std::future::ready(Rc::new(5))));",
    ),
    (
        "eager_with",
        "keep(ValueFuture::eager_with(std::future::ready(Rc::new(5)), &mut Context::from_waker(Waker::noop())));",
        "keep(LocalValueFuture::eager_with(std::future::ready(Rc::new(5)), &mut Context::from_waker(Waker::noop())));",
    ),
    (
        "FuturePool::pooled",
        "keep(FuturePool::new().pooled(std::future::ready(Rc::new(5))));",
        "keep(LocalFuturePool::new().pooled(std::future::ready(Rc::new(5))));",
    ),
    (
        "FuturePool::try_pooled",
        "keep(FuturePool::new().try_pooled(std::future::ready(Rc::new(5))));",
        "keep(LocalFuturePool::new().try_pooled(std::future::ready(Rc::new(5))));",
    ),
    (
        "FuturePool::eager",
        "keep(FuturePool::new().eager(std::future::ready(Rc::new(5))));",
        "keep(LocalFuturePool::new().eager(std::future::ready(Rc::new(5))));",
    ),
    (
        "from a box",
        "let boxed: Pin<Box<dyn Future<Output = u8>>> = Box::pin(async { 5 }); keep(ValueFuture::from(boxed));",
        "let boxed: Pin<Box<dyn Future<Output = u8>>> = Box::pin(async { 5 }); keep(LocalValueFuture::from(boxed));",
    ),
    (
        "from_source of an Rc",
        "keep(ValueFuture::from_source(Rc::new(Source::new(Of(5))), Token::new(1)));",
        "keep(LocalValueFuture::from_source(Rc::new(Source::new(Of(5))), Token::new(1)));",
    ),
    (
        "from_source of an Arc of a source that is not Sync",
        "keep(ValueFuture::from_source(Arc::new(Source::new(Of(Cell::new(5)))), Token::new(1)));",
        "keep(LocalValueFuture::from_source(Arc::new(Source::new(Of(Cell::new(5)))), Token::new(1)));",
    ),
    (
        "from_source of an Arc of a source that is not Send",
        "keep(ValueFuture::from_source(Arc::new(Source::new(Of(GUARD))), Token::new(1)));",
        "keep(LocalValueFuture::from_source(Arc::new(Source::new(Of(GUARD))), Token::new(1)));",
    ),
    (
        "from_source of a reference to a source that is not Sync",
        "let source = Source::new(Of(Cell::new(5))); keep(ValueFuture::from_source(&source, Token::new(1)));",
        "let source = Source::new(Of(Cell::new(5))); keep(LocalValueFuture::from_source(&source, Token::new(1)));",
    ),
    (
        "ReusableSource::begin",
        "keep(ReusableSource::<Option<Rc<u8>>>::new().begin());",
        "keep(LocalReusableSource::<Option<Rc<u8>>>::new().begin());",
    ),
    (
        "ReusableSource::begin_with_completer",
        "keep(ReusableSource::<Option<Rc<u8>>>::new().begin_with_completer());",
        "keep(LocalReusableSource::<Option<Rc<u8>>>::new().begin_with_completer());",
    ),
    (
        "ValueNext::next",
        "keep(ValueNext::new(Of(Rc::new(5))).next());",
        "keep(ValueNext::new(Of(Rc::new(5))).next_local());",
    ),
    (
        "ValueNext::next_pinned",
        "keep(pin!(ValueNext::new(Of(Rc::new(5)))).next_pinned());",
        "keep(pin!(ValueNext::new(Of(Rc::new(5)))).next_local_pinned());",
    ),
    (
        "ValueNext::next of a stream that is not Unpin",
        "keep(ValueNext::new(Of(PhantomPinned)).next());",
        "keep(pin!(ValueNext::new(Of(PhantomPinned))).next_pinned());",
    ),
    (
        "from a Completion",
        "keep(ValueFuture::from(Pool::<Option<Rc<u8>>>::new().rent().1));",
        "keep(LocalValueFuture::from(LocalPool::<Option<Rc<u8>>>::new().rent().1));",
    ),
    (
        "from a LocalCompletion",
        "keep(ValueFuture::from(LocalPool::<Option<u8>>::new().rent().1));",
        "keep(LocalValueFuture::from(LocalPool::<Option<u8>>::new().rent().1));",
    ),
    (
        "from a LocalValueFuture",
        "keep(ValueFuture::from(LocalValueFuture::ready(5)));",
        "keep(LocalValueFuture::from(ValueFuture::ready(5)));",
    ),
    (
        "from a LocalArm",
        "keep(ValueFuture::from(LocalValueFuture::ready(5).into_arm()));",
        "keep(LocalValueFuture::from(LocalValueFuture::ready(5).into_arm()));",
    ),
    (
        "into_boxed",
        "keep(ValueFuture::ready(Rc::new(5)).into_boxed());",
        "keep(LocalValueFuture::ready(Rc::new(5)).into_boxed());",
    ),
    (
        "map of a result that is not Send",
        "keep(ValueFuture::ready(Rc::new(5)).map(|five| *five));",
        "keep(LocalValueFuture::ready(Rc::new(5)).map(|five| *five));",
    ),
    (
        "a LocalFuturePool as a static",
        "static POOL: LocalFuturePool = LocalFuturePool::new();",
        "static POOL: FuturePool = FuturePool::new();",
    ),
    (
        "a LocalReusableSource as a static",
        "static SOURCE: LocalReusableSource<Option<u8>> = LocalReusableSource::new();",
        "static SOURCE: ReusableSource<Option<u8>> = ReusableSource::new();",
    ),
];

pub(crate) fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    let mut assert = |of: &str, auto: &str, holds: bool| {
        let name = format!("auto traits, {of}: {}{auto}", if holds { "" } else { "not " });
        let items = format!("fn has<T: {auto}>() {{}}\nfn case() {{ has::<{of}>() }}");
        programs.push(if holds {
            Program::compiles(name, items)
        } else {
            Program::refused(name, "E0277", items)
        });
    };
    for (generic, cells) in SEND_AND_SYNC {
        for (output, cell) in OUTPUTS.iter().zip(cells) {
            assert(&generic.replace("{T}", output), "Send", cell.contains('S'));
            assert(&generic.replace("{T}", output), "Sync", cell.contains('Y'));
        }
    }
    for (of, cell) in WITHOUT_PARAMETER {
        assert(of, "Send", cell.contains('S'));
        assert(of, "Sync", cell.contains('Y'));
    }
    for (generic, unpin) in UNPIN {
        assert(&generic.replace("{T}", "PhantomPinned"), "Unpin", *unpin);
    }
    programs.extend(ADMISSION.iter().flat_map(|(name, refused, fixed)| {
        refused_and_fixed(&format!("admission, {name}"), "E0277", refused, fixed)
    }));
    programs
}
