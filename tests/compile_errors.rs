//! What the compiler says to the obvious mistakes, word for word. The programs that must not
//! compile, with their compiling twins, are in `src/compile_fail.rs`; here it is about being
//! readable.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Compiles each twin as a module of this test. As cases of trybuild, which pass, they would make it build the dependencies
/// instead of checking them, and compile each program with a cargo of its own: that took 190 s instead of 15 s.
macro_rules! twins {
    ($($name:ident),* $(,)?) => {
        #[allow(dead_code, clippy::all, clippy::pedantic, reason = "they only have to compile")]
        mod ui {
            mod async_trait_twins {
                $(mod $name;)*
            }
        }
        const TWINS: &[&str] = &[$(stringify!($name)),*];
    };
}

twins! {
    body_not_send,
    names_of_the_expansion,
    not_a_trait,
    not_awaited,
    output_not_send,
    ready_if_configured,
    ready_in_a_trait,
    ready_of_another_type,
    ready_of_nothing,
    ready_without_async,
    unknown_option,
    without_async,
}

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
    } else {
        println!("not compared: recorded with {RECORDED_WITH}x, this is {version}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads a directory")]
fn each_twin_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/async_trait_twins");
    let files = fs::read_dir(folder).expect("there are twins").map(|file| {
        let path = file.expect("it can be read").path();
        path.file_stem().expect("a name").to_string_lossy().into_owned()
    });
    let listed = TWINS.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(files.collect::<BTreeSet<_>>(), listed);
}
