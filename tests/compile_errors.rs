//! What the compiler says to the obvious mistakes, word for word. The programs that must not
//! compile, with their compiling twins, are in `src/compile_fail.rs`; here it is about being
//! readable.

use std::process::Command;

/// The compiler that the texts were recorded with. Another one words its errors differently.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
#[cfg_attr(miri, ignore = "runs the compiler")]
fn mistakes_are_explained() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("a compiler to ask");
    let version = String::from_utf8(version.stdout).expect("a version in UTF-8");
    if version.starts_with(RECORDED_WITH) {
        let cases = trybuild::TestCases::new();
        cases.compile_fail("tests/ui/*.rs");
        cases.compile_fail("tests/ui/async_trait/*.rs");
        cases.pass("tests/ui/async_trait_pass/*.rs");
    } else {
        println!("not compared: recorded with {RECORDED_WITH}x, this is {version}");
    }
}
