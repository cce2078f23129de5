//! What the compiler has to refuse, and what it has to accept: tables of programs, one subject each.
//!
//! A program that is refused stands beside a twin that differs in one thing and compiles, so that it is
//! refused for the reason that its row names. All programs of a table are compiled at once, by `cargo check`
//! of a package that the test writes.

#![cfg(feature = "std")]

mod types {
    pub(crate) mod auto_traits;
    pub(crate) mod drop_order;
    pub(crate) mod escapes;
    pub(crate) mod forging;
    pub(crate) mod harness;
    pub(crate) mod variance;
}

use types::{
    auto_traits, drop_order, escapes, forging,
    harness::{Program, complaints},
    variance,
};

#[test]
#[cfg_attr(miri, ignore = "runs the compiler")]
fn programs_are_refused_and_their_twins_compile() {
    let tables = [
        drop_order::programs,
        variance::programs,
        auto_traits::programs,
        forging::programs,
        escapes::programs,
    ];
    let programs: Vec<_> = tables.iter().flat_map(|table| table()).collect();
    let complaints = complaints("tables", &programs);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    println!("{} programs", programs.len());
}

/// A test of the test: it tells of a program that compiles and should not, of one that is refused with
/// another code or for a second reason, and of a twin that is refused.
#[test]
#[cfg_attr(miri, ignore = "runs the compiler")]
fn what_deviates_is_reported() {
    let unused = "fn case() {}";
    let moved = "fn case(text: String) { drop(text); drop(text); }";
    let type_error = "fn case() -> u8 { \"\" }";
    let programs = [
        Program::refused("right", "E0382", moved),
        Program::refused("compiles", "E0382", unused),
        Program::refused("other code", "E0382", type_error),
        Program::refused("other text", "lifetime may not live long enough", type_error),
        Program::refused("two reasons", "E0308", "fn case() -> u8 { ().missing(); \"\" }"),
        Program::compiles("right too", unused),
        Program::compiles("does not compile", type_error),
    ];
    let complaints = complaints("self_test", &programs);
    let of = |name: &str| complaints.iter().filter(|c| c.starts_with(&format!("{name}:"))).count();
    let deviating = ["compiles", "other code", "other text", "two reasons", "does not compile"];
    assert_eq!(deviating.map(of), [1; 5], "{complaints:?}");
    assert_eq!(complaints.len(), deviating.len(), "{complaints:?}");
    assert!(complaints.iter().any(|c| c.contains(type_error)), "the program is shown");
}
