//! Users cannot build or copy a handle by hand: fields are private, traits are sealed, and a handle is used once.

use super::harness::{Program, refused_and_fixed};

/// Public types, each with the name of a private field.
#[rustfmt::skip]
const FIELDS: &[(&str, &str)] = &[
    ("ValueFuture<'static, u8>", "0"),
    ("LocalValueFuture<'static, u8>", "0"),
    ("BoxedFuture<'static, u8>", "0"),
    ("SourceRef<'static, u8>", "0"),
    ("Checked<'static, u8>", "packed"),
    ("Shared<'static, u8>", "handle"),
    ("LocalShared<'static, u8>", "handle"),
    ("WeakShared<'static, u8>", "0"),
    ("LocalWeakShared<'static, u8>", "0"),
    ("Pool<u8>", "0"),
    ("LocalPool<u8>", "0"),
    ("PoolBuilder<u8>", "initial"),
    ("LocalPoolBuilder<u8>", "initial"),
    ("Completer<u8>", "0"),
    ("LocalCompleter<u8>", "0"),
    ("Completion<u8>", "0"),
    ("LocalCompletion<u8>", "0"),
    ("ReusableSource<u8>", "0"),
    ("LocalReusableSource<u8>", "0"),
    ("ReusableCompleter<'static, u8>", "0"),
    ("LocalReusableCompleter<'static, u8>", "0"),
    ("Source<u8>", "header"),
    ("Source<u8>", "inner"),
    ("ValueNext<u8>", "cell"),
    ("ValueStream<u8, u8>", "current"),
    ("ReaderStream<u8, u8, u8>", "reader"),
    ("FuturePool", "0"),
    ("LocalFuturePool", "0"),
    ("FuturePoolBuilder", "bounds"),
    ("LocalFuturePoolBuilder", "bounds"),
    ("PooledError<u8>", "future"),
    ("CompleteError<u8>", "key"),
    ("Key", "generation"),
    ("Token", "0"),
    ("StaleToken", "expected"),
    ("PollError", "termination"),
    ("BeginError", "0"),
    ("AnyThread", "0"),
    ("OneThread", "0"),
];

/// Each entry has the name of a handle, the expression that creates it, and two calls of methods that consume it.
#[rustfmt::skip]
const CONSUMED: &[(&str, &str, &str, &str)] = &[
    ("Completer", "Pool::<Option<u8>>::new().rent().0", "complete(Some(5))", "into_key()"),
    ("LocalCompleter", "LocalPool::<Option<u8>>::new().rent().0", "complete(Some(5))", "into_key()"),
    ("ReusableCompleter", "completer_of_a_static()", "complete(Some(5))", "complete(Some(6))"),
    ("Completion", "Pool::<Option<u8>>::new().rent().1", "try_take()", "try_take()"),
    ("LocalCompletion", "LocalPool::<Option<u8>>::new().rent().1", "try_take()", "try_take()"),
    ("ValueFuture", "ValueFuture::ready(5)", "try_take()", "checked()"),
    ("LocalValueFuture", "LocalValueFuture::ready(5)", "into_arm()", "share()"),
    ("Source", "Source::new(Of(5))", "into_inner()", "into_inner()"),
    ("ValueNext", "ValueNext::new(Of(5))", "into_inner()", "into_inner()"),
    ("PooledError", "refused_by_a_pool(async {})", "into_future()", "into_future()"),
    ("CompleteError", "refused_by_a_source(String::new())", "into_value()", "into_value()"),
];

/// Types that are not `Clone`.
const NOT_CLONE: &[&str] = &[
    "ValueFuture<'static, u8>",
    "LocalValueFuture<'static, u8>",
    "Arm<'static, u8>",
    "LocalArm<'static, u8>",
    "BoxedFuture<'static, u8>",
    "SourceRef<'static, u8>",
    "Checked<'static, u8>",
    "LocalChecked<'static, u8>",
    "Completer<u8>",
    "LocalCompleter<u8>",
    "Completion<u8>",
    "LocalCompletion<u8>",
    "ReusableSource<u8>",
    "LocalReusableSource<u8>",
    "ReusableCompleter<'static, u8>",
    "LocalReusableCompleter<'static, u8>",
    "Source<u8>",
    "ValueNext<u8>",
    "FuturePool",
    "LocalFuturePool",
    // `Shared` is `Clone` only if its result is `Clone`, because each handle returns a clone of the result. `Of<u8>` is not `Clone`.
    "Shared<'static, Of<u8>>",
    "LocalShared<'static, Of<u8>>",
];

/// Enums that are `#[non_exhaustive]`, with all their variants.
#[rustfmt::skip]
const NON_EXHAUSTIVE: &[(&str, &[&str])] = &[
    ("CompleteErrorKind", &["Stale", "AlreadyCompleted", "BeingCompleted", "Closed", "Unknown"]),
    ("PooledErrorKind", &["TooLarge", "TooAligned", "NoneOfSize", "Full"]),
    ("RentError", &["Full { .. }", "Closed"]),
    ("ArmKind", &["Ready", "Boxed", "Source"]),
    ("ratio::Advice", &["TooFewCalls", "KeepBoxes", "Measurable", "ReturnReady"]),
    ("Rule", &["PolledAfterCompletion", "PolledAfterPanic", "StaleToken"]),
];

/// Each entry has a name, the error code, the refused items, and the fixed items.
#[rustfmt::skip]
const ITEMS: &[(&str, &str, &str, &str)] = &[
    (
        "an arm with a source and another token",
        "E0639",
        "fn case<'a>(source: SourceRef<'a, u8>) -> Arm<'a, u8> { Arm::Source { source, token: Token::new(9) } }",
        "fn case<'a>(source: SourceRef<'a, u8>) -> Arm<'a, u8> { ValueFuture::from(source).into_arm() }",
    ),
    (
        "a match of all fields of an arm",
        "E0638",
        "fn case(arm: Arm<'_, u8>) { if let Arm::Source { source, token } = arm {} }",
        "fn case(arm: Arm<'_, u8>) { if let Arm::Source { source, token, .. } = arm {} }",
    ),
    (
        "a local boxed future in an arm for any thread",
        "E0308",
        "fn case(to: &mut BoxedFuture<'static, u8>, from: &mut BoxedFuture<'static, u8, OneThread>) { mem::swap(to, from) }",
        "fn case(to: &mut BoxedFuture<'static, u8>, from: &mut BoxedFuture<'static, u8>) { mem::swap(to, from) }",
    ),
    (
        "a local source in an arm for any thread",
        "E0308",
        "fn case<'a>(arm: &mut Arm<'a, u8>, from: SourceRef<'a, u8, OneThread>) { if let Arm::Source { source, .. } = arm { *source = from } }",
        "fn case<'a>(arm: &mut Arm<'a, u8>, from: SourceRef<'a, u8>) { if let Arm::Source { source, .. } = arm { *source = from } }",
    ),
    (
        "a future of an arm with another affinity",
        "E0277",
        "fn case(arm: Arm<'static, u8, u8>) { keep(ValueFuture::from(arm)) }",
        "fn case(arm: Arm<'static, u8, AnyThread>) { keep(ValueFuture::from(arm)) }",
    ),
    (
        "an implementation of SourceReference",
        "E0046, E0277",
        "struct Mine;\nimpl<'a> SourceReference<'a> for Mine { type Output = u8; }",
        "struct Mine;\nimpl ValueSource for Mine { type Output = u8; fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u8, StaleToken>> { Poll::Pending } fn cancel(&self, _: Token) {} }",
    ),
    (
        "a boxed source",
        "E0277",
        "fn case() { keep(ValueFuture::from_source(Box::new(Source::new(Of(5))), Token::new(1))) }",
        "fn case() { keep(ValueFuture::from_source(Arc::new(Source::new(Of(5))), Token::new(1))) }",
    ),
    (
        "a source behind a mutable reference",
        "E0277",
        "fn case() { keep(ValueFuture::from_source(&mut Source::new(Of(5)), Token::new(1))) }",
        "fn case() { keep(ValueFuture::from_source(&Source::new(Of(5)), Token::new(1))) }",
    ),
    (
        "a call of SourceReference::into_head",
        "E0034",
        "fn case<'a>(source: impl SourceReference<'a>) { source.into_head(Token::new(1), ()); }",
        "fn case<'a>(source: impl SourceReference<'a>) { let source: &Source<_> = &source; }",
    ),
    (
        "an implementation of `TryTake`, the trait of `ready_or_await!`",
        "E0277",
        "impl value_future::__private::TryTake<u8> for Of<u8> { fn try_take(self) -> Result<u8, Self> { Err(self) } }",
        "async fn case() -> u8 { ready_or_await!(ValueFuture::ready(5)) }",
    ),
    ("a call of Key::new", "E0624", "fn case() -> Key { Key::new(1, 1) }", "fn case() -> Key { Key::from_u64(1) }"),
    (
        "a call of PollError::new",
        "E0624",
        "fn case() -> PollError { PollError::new::<u8>(todo!(), todo!()) }",
        "async fn case() -> PollError { ValueFuture::<u8>::from(Arm::Taken).checked().await.unwrap_err() }",
    ),
    (
        "a call of BoxedFuture::into_packed",
        "E0624",
        "fn case(boxed: BoxedFuture<'_, u8>) { boxed.into_packed(); }",
        "fn case(boxed: BoxedFuture<'_, u8>) { ValueFuture::from(boxed); }",
    ),
    (
        "the private path of an affinity",
        "E0603",
        "use value_future::affinity::AnyThread as A;\nfn case(arm: Arm<'_, u8, A>) {}",
        "use value_future::future::AnyThread as A;\nfn case(arm: Arm<'_, u8, A>) {}",
    ),
    (
        "a source of a subtype",
        "E0308",
        "fn case(to: &mut Source<fn(&'static u8)>, from: &mut Source<for<'x> fn(&'x u8)>) { mem::swap(to, from) }",
        "fn case(to: &mut fn(&'static u8), from: &mut Source<for<'x> fn(&'x u8)>) { *to = **from }",
    ),
];

fn fields() -> impl Iterator<Item = Program> {
    FIELDS
        .iter()
        .flat_map(|(of, field)| {
            // The struct expression in `built` does not name the field. If the type of a field is private, an expression that names the
            // field would have another error.
            let (path, _) = of.split_once('<').unwrap_or((of, ""));
            let built = format!("let it: {of} = {path} {{ ..loop {{}} }}; &it;");
            let read = format!("let it: {of} = loop {{}}; &it.{field};");
            let fixed = format!("let it: {of} = loop {{}}; &it;");
            [
                refused_and_fixed(
                    &format!("encapsulation, {of} is built from another value"),
                    "E0451",
                    &built,
                    &fixed,
                ),
                refused_and_fixed(
                    &format!("encapsulation, {of}: {field} is read"),
                    "E0616",
                    &read,
                    &fixed,
                ),
            ]
        })
        .flatten()
}

fn consumed() -> impl Iterator<Item = Program> {
    CONSUMED.iter().flat_map(|(of, create, one, other)| {
        [(one, other), (other, one), (one, one)].into_iter().flat_map(move |(first, then)| {
            let twice = format!("let it = {create}; keep(it.{first}); keep(it.{then});");
            let each_once = format!("keep({create}.{first}); keep({create}.{then});");
            let name = format!("encapsulation, {of}: {first}, and then {then}");
            refused_and_fixed(&name, "E0382", &twice, &each_once)
        })
    })
}

fn not_clone() -> impl Iterator<Item = Program> {
    NOT_CLONE.iter().map(|of| {
        let items = format!("fn cloned<T: Clone>() {{}}\nfn case() {{ cloned::<{of}>() }}");
        Program::refused(format!("encapsulation, {of} is cloned"), "E0277", items)
    })
}

fn non_exhaustive() -> impl Iterator<Item = Program> {
    NON_EXHAUSTIVE.iter().flat_map(|(of, variants)| {
        let arms = variants.iter().map(|variant| format!("{of}::{variant} => ()"));
        let arms = arms.collect::<Vec<_>>().join(", ");
        let of_all = |rest| format!("let it: {of} = todo!(); match it {{ {arms}{rest} }}");
        refused_and_fixed(
            &format!("encapsulation, a match of all variants of {of}"),
            "E0004",
            &of_all(""),
            &of_all(", _ => ()"),
        )
    })
}

pub(crate) fn programs() -> Vec<Program> {
    let items = ITEMS.iter().flat_map(|(name, error, refused, fixed)| {
        let name = format!("encapsulation, {name}");
        [
            Program::refused(name.clone(), error, *refused),
            Program::compiles(name + ", fixed", *fixed),
        ]
    });
    fields().chain(consumed()).chain(not_clone()).chain(non_exhaustive()).chain(items).collect()
}
