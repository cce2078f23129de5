//! The messages of the compiler for common mistakes. `src/compile_fail.rs` has more programs that must not compile. These tests
//! compare the messages, which must be readable.

use std::process::Command;

/// The compiler of the recorded messages. Other versions have other messages.
const RECORDED_WITH: &str = "rustc 1.95.";

#[test]
#[cfg_attr(miri, ignore = "runs the compiler")]
fn compiler_messages_are_as_recorded() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8(version.stdout).expect("the version is UTF-8");
    if version.starts_with(RECORDED_WITH) {
        let cases = trybuild::TestCases::new();
        cases.compile_fail("tests/ui/*.rs");
        cases.compile_fail("tests/ui/async_trait/*.rs");
        cases.pass("tests/ui/async_trait_pass/*.rs");
    } else {
        println!("not compared: recorded with {RECORDED_WITH}x, this is {version}");
    }
}
