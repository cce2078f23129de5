//! The variance of the parameters of public types.
//!
//! A type that only returns a `T` is covariant in `T`. A type that also accepts a `T` is invariant. A type that stores a table of methods
//! of an implementation for `T` is invariant too, because a subtype of `T` may implement a trait differently.

use super::harness::Program;

#[derive(Clone, Copy)]
enum Variance {
    /// If the argument is replaced by a subtype, the whole type becomes a subtype.
    Covariant,
    /// If the argument is replaced by another type, even by a subtype, the whole type becomes incompatible.
    Invariant,
}
use Variance::{Covariant as Co, Invariant as In};

/// Types with the parameters `{a}` and `{T}`, and the variance of each parameter.
#[rustfmt::skip]
const TYPES: &[(&str, &[(&str, Variance)])] = &[
    ("ValueFuture<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("LocalValueFuture<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("Arm<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("LocalArm<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("BoxedFuture<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("BoxedFuture<{a}, {T}, OneThread>", &[("{a}", Co), ("{T}", Co)]),
    ("SourceRef<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("SourceRef<{a}, {T}, OneThread>", &[("{a}", Co), ("{T}", Co)]),
    ("Checked<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("LocalChecked<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("Shared<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("LocalShared<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("WeakShared<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("LocalWeakShared<{a}, {T}>", &[("{a}", Co), ("{T}", Co)]),
    ("ReusableCompleter<{a}, {T}>", &[("{a}", Co), ("{T}", In)]),
    ("LocalReusableCompleter<{a}, {T}>", &[("{a}", Co), ("{T}", In)]),
    ("ReusableSource<{T}>", &[("{T}", In)]),
    ("LocalReusableSource<{T}>", &[("{T}", In)]),
    ("Pool<{T}>", &[("{T}", In)]),
    ("LocalPool<{T}>", &[("{T}", In)]),
    ("PoolBuilder<{T}>", &[("{T}", Co)]),
    ("LocalPoolBuilder<{T}>", &[("{T}", Co)]),
    ("Completer<{T}>", &[("{T}", In)]),
    ("LocalCompleter<{T}>", &[("{T}", In)]),
    ("Completion<{T}>", &[("{T}", Co)]),
    ("LocalCompletion<{T}>", &[("{T}", Co)]),
    ("Source<{T}>", &[("{T}", In)]),
    ("ValueNext<{T}>", &[("{T}", In)]),
    ("ValueStream<{T}, u8>", &[("{T}", Co)]),
    ("ValueStream<u8, {T}>", &[("{T}", Co)]),
    ("ReaderStream<{T}, u8, u8>", &[("{T}", In)]),
    ("ReaderStream<u8, {T}, u8>", &[("{T}", Co)]),
    ("ReaderStream<u8, u8, {T}>", &[("{T}", Co)]),
    ("LocalReaderStream<{T}, u8, u8>", &[("{T}", In)]),
    ("LocalReaderStream<u8, {T}, u8>", &[("{T}", Co)]),
    ("LocalReaderStream<u8, u8, {T}>", &[("{T}", Co)]),
    ("RentWhenVacant<{T}>", &[("{T}", In)]),
    ("LocalRentWhenVacant<{T}>", &[("{T}", In)]),
    ("PooledError<{T}>", &[("{T}", Co)]),
    ("CompleteError<{T}>", &[("{T}", Co)]),
    ("TypedKey<{T}>", &[("{T}", In)]),
];

const LIFETIME: &str = "lifetime may not live long enough";
const MISMATCHED: &str = "E0308";

/// Returns the arguments that are tried for a parameter. Each entry has a name, a subtype, a supertype, and the error of the coercion from
/// the supertype to the subtype.
fn subtypes(
    parameter: &str,
) -> &'static [(&'static str, &'static str, &'static str, &'static str)] {
    match parameter {
        "{a}" => &[("lifetime", "'long", "'short", LIFETIME)],
        _ => &[
            ("reference", "&'long u8", "&'short u8", LIFETIME),
            ("higher-ranked function", "for<'x> fn(&'x u8)", "fn(&'static u8)", MISMATCHED),
        ],
    }
}

pub(crate) fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    for (generic, parameters) in TYPES {
        for &(parameter, variance) in *parameters {
            for &(kind, sub, sup, error) in subtypes(parameter) {
                let of = |argument| {
                    generic
                        .replace(parameter, argument)
                        .replace("{a}", "'least")
                        .replace("{T}", "u8")
                };
                let coercion = |from, to| {
                    let (from, to) = (of(from), of(to));
                    format!(
                        "fn case<'least, 'short: 'least, 'long: 'short>(it: {from}) -> {to} {{ it }}"
                    )
                };
                let name = |how| format!("variance, {generic}, {kind} for {parameter}, {how}");
                programs.push(Program::refused(name("to the subtype"), error, coercion(sup, sub)));
                programs.push(match variance {
                    Co => Program::compiles(name("to the supertype"), coercion(sub, sup)),
                    In => Program::refused(name("to the supertype"), error, coercion(sub, sup)),
                });
                programs.push(Program::compiles(name("to the same type"), coercion(sub, sub)));
            }
        }
    }
    programs
}
