use std::{
    io::{PipeWriter, Write, pipe},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use futures::FutureExt;

use super::*;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pool/pool.rs");

/// Runs a test on its own thread. If the test hangs, it fails after a minute.
fn with_time_limit(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel::<()>();
    let thread = thread::spawn(move || {
        let _dropped_at_the_end = done;
        test();
    });
    let ended = ended.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "a read hangs");
    thread.join().unwrap();
}

/// Returns a kernel with `io_uring`, if `io_uring` is permitted, and a kernel with `epoll`.
fn kernels(file: &fs::File) -> Vec<RefCell<Kernel>> {
    let ring = Kernel::new(file, false).inspect_err(|e| println!("io_uring is not tested: {e}"));
    ring.into_iter().chain(Kernel::new(file, true)).collect()
}

/// Returns a reader of a pipe, and the writer of the pipe. Returns `None` if `io_uring` is not permitted.
fn pipe_reader() -> Option<(KeyReader, PipeWriter)> {
    let (reader, writer) = pipe().unwrap();
    let kernel = Kernel::new(&fs::File::from(std::os::fd::OwnedFd::from(reader)), false);
    Some((KeyReader(kernel.ok()?, LocalPool::new()), writer))
}

#[test]
fn both_readers_read_the_file_by_both_kernel_interfaces() {
    let (file, content) = &*open(SOURCE).unwrap();
    let reads = 10 * content.chunks(4096).len() as u64;
    for kernel in kernels(file) {
        let keys = KeyReader(kernel, LocalPool::new());
        assert_eq!(read_file(&keys, content, 0.0, 10).unwrap(), reads);
        assert_eq!(keys.1.stats().live, 0);
    }
    for kernel in kernels(file) {
        let channels = ChannelReader(kernel, RefCell::default());
        assert_eq!(read_file(&channels, content, 0.0, 10).unwrap(), reads);
        assert!(channels.1.borrow().is_empty());
    }
}

#[test]
fn wrong_bytes_are_an_error() {
    let (file, content) = &*open(SOURCE).unwrap();
    let mut content = content.clone();
    *content.last_mut().unwrap() ^= 1;
    for kernel in kernels(file) {
        assert!(read_file(&KeyReader(kernel, LocalPool::new()), &content, 0.0, 1).is_err());
    }
}

#[test]
fn the_pool_refuses_every_completion_of_a_cancelled_read() {
    with_time_limit(|| {
        let (file, content) = &*open(SOURCE).unwrap();
        for kernel in kernels(file) {
            let keys = KeyReader(kernel, LocalPool::new());
            read_file(&keys, content, 80.0, 200).unwrap();
            while keys.0.borrow().refused < keys.0.borrow().cancelled {
                keys.wait().unwrap();
            }
            let (cancelled, stats) = (keys.0.borrow().cancelled, keys.1.stats());
            assert!(cancelled > 1000);
            assert_eq!(
                (stats.live, stats.cancelled, stats.refused_keys),
                (0, cancelled, cancelled)
            );
        }
        for kernel in kernels(file) {
            let channels = ChannelReader(kernel, RefCell::default());
            read_file(&channels, content, 80.0, 200).unwrap();
        }
    });
}

#[test]
fn a_cancelled_read_keeps_its_buffer_and_its_result_does_not_reach_the_next_read() {
    with_time_limit(|| {
        let Some((keys, mut writer)) = pipe_reader() else { return };
        for round in 0..100 {
            let refused = keys.0.borrow().refused;
            let mut first = keys.read(0, vec![0; 8]);
            let mut second = keys.read(0, vec![0; 8]);
            assert!((&mut first).now_or_never().is_none());
            assert!((&mut second).now_or_never().is_none());
            // These bytes complete the first read. The second read then waits in the kernel for more bytes.
            writer.write_all(&[1; 8]).unwrap();
            keys.wait().unwrap();
            assert_eq!(first.now_or_never().unwrap().unwrap(), [1; 8]);
            drop(second);
            assert_eq!(keys.0.borrow().refused, refused, "the kernel still owns the buffer");

            // The next read reuses the slot. The kernel cancels the second read, or completes it with bytes.
            let mut third = keys.read(0, vec![0; 8]);
            assert!((&mut third).now_or_never().is_none());
            writer.write_all(&[2; 8]).unwrap();
            writer.write_all(&[3; 8]).unwrap();
            let third = loop {
                keys.wait().unwrap();
                if let Some(bytes) = (&mut third).now_or_never() {
                    break bytes.unwrap();
                }
            };
            while keys.0.borrow().refused == refused {
                keys.wait().unwrap();
            }
            assert!(third == [2; 8] || third == [3; 8], "round {round}: {third:?}");
            if third == [2; 8] {
                let mut rest = keys.read(0, vec![0; 8]);
                assert!((&mut rest).now_or_never().is_none());
                keys.wait().unwrap();
                assert_eq!(rest.now_or_never().unwrap().unwrap(), [3; 8]);
            }
        }
        assert_eq!(keys.1.stats().refused_keys, 100);
    });
}

/// Waits until the kernel has completed a read. Returns its key and its outcome.
fn wait_for_completion(kernel: &mut Kernel) -> (u64, Outcome) {
    let completion = RefCell::new(None);
    while completion.borrow().is_none() {
        let deliver = |key, outcome| completion.replace(Some((key, outcome))).is_none();
        kernel.wait(deliver).unwrap();
    }
    completion.into_inner().unwrap()
}

#[test]
fn a_read_that_races_with_its_cancellation_gets_the_bytes_or_leaves_them_to_the_next_read() {
    with_time_limit(|| {
        let Some((keys, mut writer)) = pipe_reader() else { return };
        let kernel = &mut keys.0.borrow_mut();
        for byte in 1..=100 {
            kernel.start(1, 0, vec![0; 8]).unwrap();
            kernel.start(2, 0, vec![0; 8]).unwrap();
            writer.write_all(&[0; 8]).unwrap();
            assert_eq!(wait_for_completion(kernel).0, 1);
            // Now the second read waits in the kernel. The next bytes race with the cancellation of this read.
            writer.write_all(&[byte; 8]).unwrap();
            kernel.cancel(2);
            let mut outcome = wait_for_completion(kernel);
            if outcome.1.is_err() {
                kernel.start(3, 0, vec![0; 8]).unwrap();
                outcome = wait_for_completion(kernel);
            }
            assert_eq!(outcome.1.unwrap(), [byte; 8]);
        }
    });
}

#[test]
fn dropping_a_kernel_waits_for_the_cancelled_reads() {
    with_time_limit(|| {
        let Some((keys, _writer)) = pipe_reader() else { return };
        for _ in 0..10 {
            let mut reading = keys.read(0, vec![0; 8]);
            assert!((&mut reading).now_or_never().is_none());
        }
        assert_eq!(keys.0.borrow().cancelled, 10);
        drop(keys); // If the reads were not cancelled, this drop would hang.
    });
}

#[test]
#[should_panic(expected = "the key is in use")]
fn starting_a_read_with_a_key_in_flight_panics() {
    let (file, _) = &*open(SOURCE).unwrap();
    let kernel = &mut kernels(file)[0];
    kernel.get_mut().start(1, 0, vec![0; 8]).unwrap();
    let _ = kernel.get_mut().start(1, 8, vec![0; 8]);
}

#[test]
fn invalid_arguments_exit_with_code_2() {
    let exit_code = common::exit_code_of_arguments::<Options>;
    assert_eq!(exit_code(&["/no/such/file"]), Some(2));
    assert_eq!(exit_code(&["--cancel", "101"]), Some(2));
    assert_eq!(exit_code(&["--rounds", "0"]), Some(2));
    assert_eq!(exit_code(&[SOURCE, "--epoll"]), None);
}
