//! A file reader over `io_uring`. The `user_data` of a read is the `Key` of an operation. The program measures this reader against a reader
//! with a slab of one-shot channels. Run it with `cargo run --release --example uring [-- PATH --cancel PERCENT --rounds N --epoll]`.
//!
//! One thread runs all tasks and owns the ring. If a future is dropped, the program asks the kernel to cancel the read of this future. The
//! buffer of the read stays allocated until the kernel has completed the read. The pool refuses the late result. If `io_uring` is not
//! permitted, the program uses `epoll`, which cannot cancel reads.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod program;

fn main() {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    program::main();
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    println!("uring: this program needs Linux on x86-64 or aarch64");
}
