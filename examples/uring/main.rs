//! A file reader over `io_uring`. The `user_data` of each read is the `Key` of its operation:
//! `cargo run --release --example uring [-- PATH --cancel PERCENT --epoll]`.
//! One thread runs the tasks and owns the ring. If a future is dropped, its read is cancelled, but the buffer lives until
//! the kernel has completed the read. The pool refuses that completion. If `io_uring` is not permitted, the program uses `epoll`.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod program;

fn main() {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    program::main();
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    println!("uring: this program needs Linux on x86-64 or aarch64");
}
