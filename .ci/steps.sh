# shellcheck shell=bash disable=SC2046,SC2086 # unquoted lists are split into words on purpose
# The steps of `.ci/run` (for each change) and of `.ci/full` (for each release). Each step is a function. CONTRIBUTING.md explains the
# steps. Each list at the top names tests or modules. Some steps leave out the tests of a list, and other steps run only the tests of a
# list. A few steps also name a test directly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
# Backtraces need only line numbers. Without the other debug information, builds are faster.
export CARGO_PROFILE_DEV_DEBUG=line-tables-only
MSRV=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml).0
FEATURE_SETS=("--no-default-features" "--no-default-features --features alloc" "--all-features")
HOST=x86_64-unknown-linux-gnu

# --- Lists of tests ---------------------------------------------------------------------------------------------------

# These tests run the compiler, read the sources, or need a separate `cfg` or feature.
OTHER_MACHINERY="compile_errors type_safety assembly layers words loom trace ratio"
# These tests measure sizes, allocations and the stack, or check the numbers and sentences of a bench.
MEASURING="claims claims_of_threads combinator_depth break_even benchmarks"
# These tests try many schedules of many threads. Under Miri, this would take too long.
MANY_SCHEDULES="status_consistency stale_keys_stress"
# These tests use this crate with other crates, or compare texts. `.ci/run` runs these tests without Miri, and only `.ci/full` also runs
# them under Miri. This is enough for a change, because these tests contain no unsafe code, and `.ci/run` runs other tests of the same
# functions under Miri.
WITH_OTHER_CRATES="ecosystem task_context runtimes troubleshooting"
# `.ci/run` runs these modules and tests under Miri on a 32-bit and on a big-endian target. These modules and tests depend on the size of a
# word, or on the order of its bytes.
WORD_MODULES="erased pieces slot::number"
WORD_TESTS="layout arm_round_trip trait_impls conversions no_alloc keys"
# Miri runs these tests on x86-64 only. They check interleavings and logic, which do not depend on the size of a word or on the order of
# its bytes.
SAME_ON_EACH_TARGET="model stress pool_threads shared_threads ecosystem task_context runtimes"
# In these tests, several threads use the same pool or operation at the same time. Miri runs them with several seeds.
WITH_THREADS="pool_threads stress future_pool_threads shared_threads"
# The thread sanitizer runs these tests.
WITH_RACES="stress future_pool_threads shared_threads reusable_source"
# The address sanitizer runs these tests for each change. They have many rounds under this sanitizer. Under Miri, they have only a few
# rounds, or are left out (`MANY_SCHEDULES`).
WITH_MANY_ROUNDS="stress pool_threads future_pool_threads shared_threads future_pool_max_bytes pool_caches rent_when_vacant status_consistency stale_keys_stress"
# These unit tests visit all states of a slot, which takes long under Miri. They contain no unsafe code.
ONLY_LOGIC="slot::state::tests"

# Prints `--test NAME` for each test, except for the tests in the arguments.
tests_without() {
    local file name
    for file in tests/*.rs tests/*/main.rs; do
        name=${file#tests/}
        name=${name%/main.rs}
        name=${name%.rs}
        [[ " $* " == *" $name "* ]] || printf -- '--test %s ' "$name"
    done
}

# Prints `--test NAME` for each name in the arguments.
tests_named() { printf -- '--test %s ' "$@"; }

# Fails if a list above names a test that does not exist. Without this check, the lists would not notice that a test was renamed, and the
# steps that leave out these lists would then run the test. (The lists of modules are not checked.)
names_of_tests() {
    local name
    for name in $OTHER_MACHINERY $MEASURING $MANY_SCHEDULES $WITH_OTHER_CRATES $WORD_TESTS $SAME_ON_EACH_TARGET \
        $WITH_THREADS $WITH_RACES $WITH_MANY_ROUNDS; do
        [ -e "tests/$name.rs" ] || [ -e "tests/$name/main.rs" ] || { echo "no test $name: .ci/steps.sh names it"; return 1; }
    done
}
names_of_tests

# --- How steps run ----------------------------------------------------------------------------------------------------

# Prints a title, runs a command, and prints its duration and its CPU time. If the command fails, the script ends.
step() {
    local TIMEFORMAT="--- $1: %0R s, cores %0U s and %0S s"
    printf '\n=== %s\n' "$1"
    shift
    time "$@"
}

# Runs steps two at a time, because most steps use only one core most of the time. Prints the output of each step when the step ends.
two_at_a_time() {
    local logs job failed=0
    logs=$(mktemp -d)
    for job in "$@"; do
        while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || failed=1; done
        [ "$failed" -eq 0 ] || break
        (
            TIMEFORMAT="--- $job: %0R s, cores %0U s and %0S s"
            trap 'printf "\n--- %s\n" "$job"; cat "$logs/$job"' EXIT
            time $job >"$logs/$job" 2>&1
        ) &
    done
    while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n || failed=1; done
    return "$failed"
}

# Runs a test command. Fails if the command fails, or if one of its test binaries ran no test.
tests() {
    local log
    log=$(mktemp)
    "$@" 2>&1 | tee "$log" || return
    # A failed test is recognized by the exit status. The lines with results are not searched, because Miri with several seeds may mix
    # these lines.
    grep -q '^running [1-9]' "$log" || { echo "no test was run"; return 1; }
    if grep -q '^running 0 tests' "$log"; then
        echo "a test binary without a test"
        return 1
    fi
}

finished() { printf '\n=== all passed in %d s\n' "$SECONDS"; }

# --- Steps that `.ci/run` runs one after the other --------------------------------------------------------------------

toolchains() {
    rustup component add rustfmt clippy
    rustup run nightly rustc -V || rustup toolchain install nightly --profile minimal --no-self-update
    rustup +nightly component add miri rust-src
    rustup toolchain install "$MSRV" --profile minimal --no-self-update
    rustup target add thumbv7em-none-eabihf aarch64-unknown-linux-gnu
}

# The test command in the README.
readme_test() { tests cargo test; }

format() {
    cargo fmt --all --check
    cargo fmt --check --manifest-path benches/allocators/Cargo.toml
    cargo fmt --check --manifest-path tests/assembly/Cargo.toml
    local misplaced
    misplaced=$(git ls-files '*.rs' | xargs awk '
        /^ *#\[expect\(/ && above ~ /^ *\/\/\// { print FILENAME ":" FNR }
        { above = $0 }')
    if [[ -n $misplaced ]]; then
        echo "move these attributes above the documentation (CONTRIBUTING.md says why):"
        echo "$misplaced"
        return 1
    fi
}

clippy() {
    local features
    for features in "${FEATURE_SETS[@]}"; do
        cargo clippy $features -- -D warnings
    done
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy --features trace,ratio --test trace --test ratio -- -D warnings
    # `src/pieces` has separate code for the registers of aarch64.
    cargo clippy --target aarch64-unknown-linux-gnu -- -D warnings
}

tests_of_features() {
    tests cargo test --no-default-features --test no_alloc
    tests cargo test --features trace,ratio --test trace --test ratio
}

documentation() {
    local features
    for features in "${FEATURE_SETS[@]}"; do
        RUSTDOCFLAGS="-D warnings" cargo doc --no-deps $features
    done
    # Links in the comments of private items are checked too. In a generated `local_` file, a link may have a path that it does not need, so
    # `redundant_explicit_links` is allowed.
    RUSTDOCFLAGS="-D warnings -A rustdoc::redundant-explicit-links" cargo doc --no-deps --document-private-items --target-dir target/private
}

no_std() {
    local features
    for features in "--no-default-features" "--no-default-features --features alloc"; do
        cargo build $features --target thumbv7em-none-eabihf
    done
}

packages() { cargo package --workspace --allow-dirty; }

oldest_rust() {
    local features
    for features in "${FEATURE_SETS[@]}"; do
        cargo "+$MSRV" check $features --target-dir target/msrv
    done
    cargo "+$MSRV" check -p value-future-macros --target-dir target/msrv
}

# --- Builds with other flags, in separate target directories ----------------------------------------------------------

# Runs a command without the last group of dev-dependencies in Cargo.toml. Only the benches, the programs, and the tests in the lists
# `OTHER_MACHINERY` and `MEASURING` need this group.
few() { RUSTFLAGS="--cfg few_dependencies ${RUSTFLAGS-}" "$@"; }

# With `x86-64-v3`, results are stored in pieces of 32 bytes.
wide_registers() {
    local -x RUSTFLAGS="-C target-cpu=x86-64-v3 --cfg few_dependencies"
    cargo clippy --all-features --target-dir target/v3 -- -D warnings
    if grep -qw avx2 /proc/cpuinfo; then
        tests cargo test --lib --target-dir target/v3 pieces
    fi
}

# Only a nightly shows feature labels in the documentation, and checks the error codes of programs that must not compile.
nightly_documentation() {
    RUSTDOCFLAGS="--cfg docsrs -D warnings" few cargo +nightly doc --no-deps --all-features --target-dir target/nightly
    tests few cargo +nightly test --doc --target-dir target/nightly
}

loom_models() {
    local -x RUSTFLAGS="--cfg loom"
    cargo clippy --lib --test loom --target-dir target/loom -- -D warnings
    tests cargo test --release --test loom --target-dir target/loom -- --test-threads 1
}

# The address sanitizer finds use after free, and memory leaks. Miri finds both kinds of errors too, but runs only a few rounds of each
# test.
address_sanitizer() { under_address_sanitizer $(tests_named $WITH_MANY_ROUNDS); }
all_tests_under_address_sanitizer() { under_address_sanitizer $(tests_without $OTHER_MACHINERY $MEASURING); }
under_address_sanitizer() {
    RUSTFLAGS="-Zsanitizer=address" tests few cargo +nightly test --target "$HOST" --target-dir target/asan --lib "$@"
}
programs_under_address_sanitizer() {
    RUSTFLAGS="-Zsanitizer=address" tests cargo +nightly test --target "$HOST" --target-dir target/asan \
        --example uring --example gate
}

# The thread sanitizer runs far more rounds than Miri, so it also finds races that are rare. The standard library is built with the
# sanitizer too. Otherwise the synchronization in the standard library would be invisible to the sanitizer, and correct accesses would be
# reported as races.
thread_sanitizer() { under_thread_sanitizer few $(tests_named $WITH_RACES); }
programs_under_thread_sanitizer() { under_thread_sanitizer env --example gate; }
under_thread_sanitizer() {
    local dependencies=$1
    shift
    RUSTFLAGS="-Zsanitizer=thread" tests "$dependencies" cargo +nightly test -Zbuild-std --target "$HOST" \
        --target-dir target/tsan "$@"
}

# --- Miri, with strict provenance -------------------------------------------------------------------------------------

# miri TARGET ARGUMENTS: runs tests under Miri. If `MIRI_SEEDS` is a range of seeds, the tests run once with each seed. Each seed gives
# different schedules of the threads.
miri() {
    local target=$1
    shift
    MIRIFLAGS="-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check -Zmiri-env-forward=PROPTEST_CASES \
        ${MIRI_SEEDS:+-Zmiri-many-seeds=$MIRI_SEEDS}" \
        tests few cargo +nightly miri test --target "$target" --target-dir target/miri "$@"
}
I686=i686-unknown-linux-gnu
S390X=s390x-unknown-linux-gnu

# Runs the tests that reach unsafe code. The comments on the lists at the top say why the other tests are left out. `miri_seeds` runs the
# tests in `WITH_THREADS`.
miri_x86_64() {
    miri "$HOST" --lib $(tests_without $OTHER_MACHINERY $MEASURING $MANY_SCHEDULES $WITH_OTHER_CRATES $WITH_THREADS) \
        -- $(printf -- '--skip %s ' $ONLY_LOGIC)
    miri "$HOST" --features trace,ratio --test trace --test ratio
}
# `miri_i686` runs some tests on a 32-bit target, and `miri_s390x` runs them on a big-endian target. The code for the head of a future has
# branches for both targets.
miri_i686() { miri_words "$I686"; }
miri_s390x() { miri_words "$S390X"; }
miri_words() {
    miri "$1" --lib -- $WORD_MODULES
    miri "$1" $(tests_named $WORD_TESTS)
}
# Loom explores all interleavings of a model (in some models, only those with few preemptions), but does not detect accesses to freed memory
# or violations of the aliasing rules. Miri detects both, but runs only one schedule for each seed.
miri_seeds() { MIRI_SEEDS=0..2 miri "$HOST" $(tests_named $WITH_THREADS); }

all_miri_x86_64() { PROPTEST_CASES=4 miri "$HOST" --lib $(tests_without $OTHER_MACHINERY $MEASURING $MANY_SCHEDULES); }
all_miri_i686() { miri "$I686" --lib $(tests_without $OTHER_MACHINERY $MEASURING $MANY_SCHEDULES $SAME_ON_EACH_TARGET); }
all_miri_s390x() { miri "$S390X" --lib $(tests_without $OTHER_MACHINERY $MEASURING $MANY_SCHEDULES $SAME_ON_EACH_TARGET); }
all_miri_seeds() {
    MIRI_SEEDS=0..32 miri "$HOST" --test pool_threads
    MIRI_SEEDS=0..8 miri "$HOST" $(tests_named $WITH_THREADS)
}

# --- Benches and programs ---------------------------------------------------------------------------------------------

# In `.ci/run`, only this crate is optimised. `.ci/full` removes these options. All crates are then optimised, as in the build of a user.
FAST=(--config .ci/quick.toml)

bench() {
    local name=$1
    shift
    cargo bench "${FAST[@]}" --bench "$name" -- "$@"
}
program() { cargo run --release "${FAST[@]}" --example "$@"; }

benches_and_programs() {
    benches
    examples
    programs
}
# Builds all benches, and runs five of them briefly.
benches() {
    cargo bench "${FAST[@]}" --no-run
    bench ready_path --test
    bench completions --test
    bench machines --test
    bench ratios --rounds 1
    bench break_even --short
}
# `flat` fails if the cost of an operation grows with the number of threads, pools or operations. `cost` fails if a method with the
# attribute `async_trait` of this crate has more than 1.3 times the code of a method with `Box::pin`. No other step may run at the same
# time, because `flat` measures times.
benches_that_check() {
    bench flat --short
    bench cost --check
}

# The README has the command of the first program, `cache`.
examples() {
    program cache
    program custom_source
    program completion
    local seed
    for seed in 1 2 3; do program wire_keys -- --seed "$seed"; done
}
programs() {
    program rpc -- --calls 2000 --rounds 1
    program rpc -- --calls 20000 --rounds 1 --hostile
    program gate -- --calls 2000 --rounds 1
    program payments -- --payments 50000
    program single_flight -- --rounds 1
    program pipe -- --rounds 3
    program tower
    program uring -- --rounds 5
    program uring -- --rounds 5 --epoll
    program metrics --features ratio,trace -- --calls 20000
}

other_allocators() {
    cargo clippy --manifest-path benches/allocators/Cargo.toml --target-dir target/allocators -- -D warnings
}
