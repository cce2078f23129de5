//! Tests of two properties of the generated code that decide the cost of a call: a large future is not copied as a whole into its slot, and
//! a result is stored in wide pieces (see `src/pieces`).

#![cfg(not(miri))]

use std::{path::Path, process::Command};

/// Returns the optimised assembly of the functions in `tests/assembly`.
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
    let files = std::fs::read_dir(target.join("release/deps")).expect("the folder exists");
    let newest = files
        .map(|file| file.expect("the folder can be read"))
        .filter(|file| file.file_name().to_string_lossy().starts_with("assembly-"))
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "s"))
        .max_by_key(|file| {
            file.metadata()
                .and_then(|metadata| metadata.modified())
                .expect("the modification time can be read")
        })
        .expect("rustc has written the assembly");
    std::fs::read_to_string(newest.path()).expect("the assembly can be read")
}

/// Returns the instructions of a function.
fn function<'a>(assembly: &'a str, name: &str) -> Vec<&'a str> {
    let mut functions = functions(assembly, |label| label == name);
    assert_eq!(functions.len(), 1, "one function is named {name}");
    functions.remove(0)
}

/// Returns the instructions of each function with a matching label.
fn functions(assembly: &str, matches: impl Fn(&str) -> bool) -> Vec<Vec<&str>> {
    let labels =
        assembly.lines().enumerate().filter(|(_, line)| !line.starts_with(['.', '\t', ' ']));
    let labels = labels.filter_map(|(number, line)| Some((number, line.strip_suffix(':')?)));
    let matching = labels.filter(|(_, label)| matches(label));
    matching
        .map(|(number, _)| {
            let lines = assembly.lines().skip(number + 1);
            let lines = lines.take_while(|line| !line.contains(".cfi_endproc")).map(str::trim);
            lines.filter(|line| !line.is_empty() && !line.starts_with(['.', '#'])).collect()
        })
        .collect()
}

/// Returns the number of calls of `memcpy` and `memmove`.
fn moves(instructions: &[&str]) -> usize {
    instructions.iter().filter(|line| line.contains("memcpy") || line.contains("memmove")).count()
}

/// There is only one test, so that the functions are compiled once.
#[test]
fn futures_are_not_copied_and_results_are_stored_in_pieces() {
    let assembly = assembly();
    for name in ["returns_pooled", "returns_eager", "returns_boxed", "returns_own_pool"] {
        let instructions = function(&assembly, name);
        assert_eq!(moves(&instructions), 0, "{name} moves the future");
        let count = instructions.len();
        assert!(count < 300, "{name} has {count} instructions:\n{}", instructions.join("\n"));
    }
    // `poll_future` polls a future in a block, and copies the result at most once. (The future of `page` copies an array to the destination
    // of the result.) `poll_pointee_apart` calls `poll_future`, and does not copy the result.
    for (part, most) in [("poll_future", 1), ("poll_pointee_apart", 0)] {
        let polls = functions(&assembly, |label| label.contains(part));
        assert!(!polls.is_empty(), "no function is named {part}");
        for poll in polls {
            assert!(moves(&poll) <= most, "{part} copies the result:\n{}", poll.join("\n"));
        }
    }
    if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        // A result of two words is stored by one wide store, and the head by a store of one word. The three words of a `Vec` and the head
        // are stored by wide stores only.
        for (name, narrow) in [("stores_result", 1), ("stores_vec", 0)] {
            let instructions = function(&assembly, name);
            let stores = |line: &&&str| line.starts_with("mov") && line.ends_with("(%rdi)");
            let narrow_stores =
                instructions.iter().filter(stores).filter(|line| !line.contains("%xmm")).count();
            assert_eq!(narrow_stores, narrow, "{name}:\n{}", instructions.join("\n"));
        }
    }
}
