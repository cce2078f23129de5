use std::{
    io::{PipeWriter, Write, pipe},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use futures::FutureExt;

use super::*;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pool/pool.rs");

/// Runs a test on its own thread. If a read never ends, the test fails instead of blocking forever.
fn with_time_limit(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = channel::<()>();
    let thread = thread::spawn(move || {
        let _dropped_at_the_end = done;
        test();
    });
    let ended = is_done.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "a read waits for its end");
    thread.join().unwrap();
}

/// The kernel's interfaces for a file. The machine may not permit the first.
fn kernels(file: &fs::File) -> Vec<RefCell<Kernel>> {
    let ring = Kernel::new(file, false).inspect_err(|e| println!("io_uring is not tested: {e}"));
    ring.into_iter().chain(Kernel::new(file, true)).collect()
}

/// A reader of a pipe, by `io_uring` if that is permitted.
fn of_a_pipe() -> Option<(Keys, PipeWriter)> {
    let (reader, writer) = pipe().unwrap();
    let kernel = Kernel::new(&fs::File::from(std::os::fd::OwnedFd::from(reader)), false);
    Some((Keys(kernel.ok()?, LocalPool::new()), writer))
}

#[test]
fn both_interfaces_and_both_readers_read_the_file() {
    let (file, content) = &*open(SOURCE).unwrap();
    let reads = 10 * content.chunks(4096).len() as u64;
    for kernel in kernels(file) {
        let keys = Keys(kernel, LocalPool::new());
        assert_eq!(check(&keys, content, 0.0, 10).unwrap(), reads);
        assert_eq!(keys.1.stats().live, 0);
    }
    for kernel in kernels(file) {
        let channels = Channels(kernel, RefCell::default());
        assert_eq!(check(&channels, content, 0.0, 10).unwrap(), reads);
        assert!(channels.1.borrow().is_empty());
    }
}

#[test]
fn other_bytes_are_an_error() {
    let (file, content) = &*open(SOURCE).unwrap();
    let mut content = content.clone();
    *content.last_mut().unwrap() ^= 1;
    for kernel in kernels(file) {
        assert!(check(&Keys(kernel, LocalPool::new()), &content, 0.0, 1).is_err());
    }
}

#[test]
fn a_storm_of_cancellations_refuses_every_late_outcome() {
    with_time_limit(|| {
        let (file, content) = &*open(SOURCE).unwrap();
        for kernel in kernels(file) {
            let keys = Keys(kernel, LocalPool::new());
            check(&keys, content, 80.0, 200).unwrap();
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
            let channels = Channels(kernel, RefCell::default());
            check(&channels, content, 80.0, 200).unwrap();
        }
    });
}

#[test]
fn a_cancelled_read_keeps_its_buffer_and_takes_no_bytes_of_the_next() {
    with_time_limit(|| {
        let Some((keys, mut writer)) = of_a_pipe() else { return };
        for round in 0..100 {
            let refused = keys.0.borrow().refused;
            let mut first = keys.read(0, vec![0; 8]);
            let mut second = keys.read(0, vec![0; 8]);
            assert!((&mut first).now_or_never().is_none());
            assert!((&mut second).now_or_never().is_none());
            // When the first read has ended, the second read is in the kernel.
            writer.write_all(&[1; 8]).unwrap();
            keys.wait().unwrap();
            assert_eq!(first.now_or_never().unwrap().unwrap(), [1; 8]);
            drop(second);
            assert_eq!(keys.0.borrow().refused, refused, "the kernel has the buffer");

            // The next read has the same slot. The kernel may have cancelled the second read, or fill it first.
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

/// Waits for the end of a read.
fn end(kernel: &mut Kernel) -> (u64, Outcome) {
    let ended = RefCell::new(None);
    while ended.borrow().is_none() {
        let end = |key, outcome| ended.replace(Some((key, outcome))).is_none();
        kernel.wait(end).unwrap();
    }
    ended.into_inner().unwrap()
}

#[test]
fn a_late_outcome_has_the_bytes_that_the_kernel_wrote() {
    with_time_limit(|| {
        let Some((keys, mut writer)) = of_a_pipe() else { return };
        let kernel = &mut keys.0.borrow_mut();
        for byte in 1..=100 {
            kernel.start(1, 0, vec![0; 8]).unwrap();
            kernel.start(2, 0, vec![0; 8]).unwrap();
            writer.write_all(&[0; 8]).unwrap();
            assert_eq!(end(kernel).0, 1);
            // The second read is in the kernel now. The bytes race with the cancellation.
            writer.write_all(&[byte; 8]).unwrap();
            kernel.cancel(2);
            let mut outcome = end(kernel);
            if outcome.1.is_err() {
                kernel.start(3, 0, vec![0; 8]).unwrap();
                outcome = end(kernel);
            }
            assert_eq!(outcome.1.unwrap(), [byte; 8]);
        }
    });
}

#[test]
fn a_kernel_is_dropped_when_it_has_ended_the_reads() {
    with_time_limit(|| {
        let Some((keys, _writer)) = of_a_pipe() else { return };
        for _ in 0..10 {
            let mut reading = keys.read(0, vec![0; 8]);
            assert!((&mut reading).now_or_never().is_none());
        }
        assert_eq!(keys.0.borrow().cancelled, 10);
        drop(keys); // This would wait forever if the reads were not cancelled.
    });
}

#[test]
#[should_panic(expected = "a key names one read")]
fn a_key_in_flight_is_refused() {
    let (file, _) = &*open(SOURCE).unwrap();
    let kernel = &mut kernels(file)[0];
    kernel.get_mut().start(1, 0, vec![0; 8]).unwrap();
    let _ = kernel.get_mut().start(1, 8, vec![0; 8]);
}

#[test]
fn wrong_arguments_are_refused_with_code_2() {
    let refusal = common::refusal::<Options>;
    assert_eq!(refusal(&["/no/such/file"]), Some(2));
    assert_eq!(refusal(&["--cancel", "101"]), Some(2));
    assert_eq!(refusal(&["--rounds", "0"]), Some(2));
    assert_eq!(refusal(&[SOURCE, "--epoll"]), None);
}
