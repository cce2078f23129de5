//! What the compiler makes of the crate, where code generation decides how long something takes: a future that is
//! large, and mostly not initialised, is not moved as a whole, and a result is stored in pieces.

#![cfg(not(miri))]

use std::{path::Path, process::Command};

/// The assembly of the functions in `tests/assembly`, optimised.
fn assembly() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target/assembly");
    let build = Command::new(env!("CARGO"))
        .args(["rustc", "--release", "--lib", "--manifest-path"])
        .arg(root.join("tests/assembly/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .args(["--", "--emit=asm"])
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo runs");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let files = std::fs::read_dir(target.join("release/deps")).expect("there is a build");
    let newest = files
        .map(|file| file.expect("it can be read"))
        .filter(|file| file.file_name().to_string_lossy().starts_with("assembly-"))
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "s"))
        .max_by_key(|file| file.metadata().and_then(|metadata| metadata.modified()).expect("times"))
        .expect("there is assembly");
    std::fs::read_to_string(newest.path()).expect("it can be read")
}

/// The instructions of a function.
fn function<'a>(assembly: &'a str, name: &str) -> Vec<&'a str> {
    let label = format!("{name}:");
    let lines = assembly.lines().skip_while(|line| **line != *label).skip(1);
    let lines = lines.take_while(|line| !line.contains(".cfi_endproc")).map(str::trim);
    let instructions: Vec<_> =
        lines.filter(|line| !line.is_empty() && !line.starts_with(['.', '#'])).collect();
    assert!(!instructions.is_empty(), "there is no function {name}");
    instructions
}

/// One build for all.
#[test]
fn nothing_is_moved_that_need_not_be_and_results_are_stored_in_pieces() {
    let assembly = assembly();
    for name in ["moves_pooled", "moves_eager", "moves_boxed", "moves_own_pool"] {
        let instructions = function(&assembly, name);
        let moves = |line: &&&str| line.contains("memcpy") || line.contains("memmove");
        assert_eq!(instructions.iter().find(moves), None, "{name} moves the future");
        let count = instructions.len();
        assert!(count < 300, "{name} has {count} instructions:\n{}", instructions.join("\n"));
    }
    if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        // A head behind two words is alone.
        for (name, narrow) in [("stores_result", 1), ("stores_vec", 0)] {
            let instructions = function(&assembly, name);
            let stores = |line: &&&str| line.starts_with("mov") && line.ends_with("(%rdi)");
            let narrow_stores =
                instructions.iter().filter(stores).filter(|line| !line.contains("%xmm")).count();
            assert_eq!(narrow_stores, narrow, "{name}:\n{}", instructions.join("\n"));
        }
    }
}
