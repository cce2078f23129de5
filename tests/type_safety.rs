//! The compiler refuses wrong programs with the expected errors, and accepts correct programs.
//!
//! The programs come from tables. Each module has the tables of one subject. Most refused programs have a fixed version, which differs in
//! one point and compiles. So this point is the reason for the error. The test writes all programs into one package, and runs `cargo check`
//! on it once.

mod type_safety {
    pub(crate) mod auto_traits;
    pub(crate) mod encapsulation;
    pub(crate) mod handle_lifetimes;
    pub(crate) mod harness;
    pub(crate) mod reference_lifetimes;
    pub(crate) mod variance;
}

use type_safety::{
    auto_traits, encapsulation, handle_lifetimes,
    harness::{Program, deviations},
    reference_lifetimes, variance,
};

#[test]
#[cfg_attr(miri, ignore = "runs the compiler")]
fn wrong_programs_are_refused_and_fixed_programs_compile() {
    let tables = [
        handle_lifetimes::programs,
        variance::programs,
        auto_traits::programs,
        encapsulation::programs,
        reference_lifetimes::programs,
    ];
    let programs: Vec<_> = tables.iter().flat_map(|table| table()).collect();
    let deviations = deviations("tables", &programs);
    assert!(deviations.is_empty(), "{}", deviations.join("\n"));
    println!("{} programs", programs.len());
}

/// Tests that the harness reports a wrong program that compiles, a wrong program with an unexpected error, and a correct program that does
/// not compile.
#[test]
#[cfg_attr(miri, ignore = "runs the compiler")]
fn deviations_are_reported() {
    let unused = "fn case() {}";
    let moved = "fn case(text: String) { drop(text); drop(text); }";
    let type_error = "fn case() -> u8 { \"\" }";
    let programs = [
        Program::refused("right", "E0382", moved),
        Program::refused("compiles", "E0382", unused),
        Program::refused("other code", "E0382", type_error),
        Program::refused("other text", "lifetime may not live long enough", type_error),
        Program::refused("two reasons", "E0308", "fn case() -> u8 { ().missing(); \"\" }"),
        Program::compiles("also right", unused),
        Program::compiles("does not compile", type_error),
    ];
    let deviations = deviations("self_test", &programs);
    let of = |name: &str| deviations.iter().filter(|c| c.starts_with(&format!("{name}:"))).count();
    let deviating = ["compiles", "other code", "other text", "two reasons", "does not compile"];
    assert_eq!(deviating.map(of), [1; 5], "{deviations:?}");
    assert_eq!(deviations.len(), deviating.len(), "{deviations:?}");
    assert!(deviations.iter().any(|c| c.contains(type_error)), "the report contains the program");
}
