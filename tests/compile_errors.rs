//! Compares the messages of the compiler for common mistakes with recorded messages. Users have to understand these messages.
//! `src/compile_fail.rs` has more programs that must not compile.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Compiles the programs in `tests/ui/async_trait_corrected` as modules of this test. Each of them is a corrected version of a program in
/// `tests/ui/async_trait`. Trybuild would build each program with its dependencies. This took 190 s instead of 15 s.
macro_rules! corrected {
    ($($name:ident),* $(,)?) => {
        #[allow(dead_code, clippy::all, clippy::pedantic, reason = "they only have to compile")]
        mod ui {
            mod async_trait_corrected {
                $(mod $name;)*
            }
        }
        const CORRECTED: &[&str] = &[$(stringify!($name)),*];
    };
}

corrected! {
    body_not_send,
    use_of_an_expanded_name,
    not_a_trait,
    not_awaited,
    output_not_send,
    ready_in_cfg_attr,
    ready_in_a_trait,
    ready_with_a_wrong_type,
    ready_without_expression,
    ready_without_async,
    unknown_option,
    without_async,
    wrong_output,
}

/// The version of the compiler that printed the recorded messages. Other versions have other messages.
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
    } else {
        println!("not compared: recorded with {RECORDED_WITH}x, this is {version}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads a directory")]
fn each_corrected_program_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/async_trait_corrected");
    let files = fs::read_dir(folder).expect("there are programs").map(|file| {
        let path = file.expect("the entry can be read").path();
        path.file_stem().expect("a file has a name").to_string_lossy().into_owned()
    });
    let listed = CORRECTED.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(files.collect::<BTreeSet<_>>(), listed);
}
