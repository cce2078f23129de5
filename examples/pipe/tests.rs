use std::{fs, io::ErrorKind, pin::Pin, task::Context, task::Poll, task::Waker};

use tokio::{fs::File, io::AsyncReadExt};

use super::*;
use crate::{
    common::{allocated, exit_code_of_arguments},
    pipe::End,
};

/// Counts lines and words with the standard library.
fn expected_counts(text: &str) -> [u64; 2] {
    [text.matches('\n').count() as u64, text.split_ascii_whitespace().count() as u64]
}

/// Returns the output of a ready future. Panics if the future is pending.
fn ready_output<F: Future + Unpin>(mut future: F) -> F::Output {
    let Poll::Ready(output) = poll(Pin::new(&mut future)) else { panic!("the future is pending") };
    output
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Reads to the end of the text, and returns all bytes.
async fn read_to_end(reader: &mut dyn Read) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(read) = reader.read().await? {
        text.extend_from_slice(read);
    }
    Ok(text)
}

/// Returns texts with different endings. Some words and some runs of blanks are longer than a block of `find_ends`, or longer than the
/// limit of the pipe.
fn texts() -> Vec<String> {
    let mut texts = ["", "\n", "a", "a\n", "a b", " a ", "ab", "\n\na", "a \n b\r\n\tc ", "   "]
        .map(String::from)
        .to_vec();
    texts.extend([62, 63, 64, 65, 127, 128, LIMIT + 1, 3 * LIMIT].map(|n| "x".repeat(n) + " y\nz"));
    texts.extend([62, 63, 64, 65, 127, 128, LIMIT + 1, 3 * LIMIT].map(|n| " ".repeat(n) + "y\n z"));
    let mut random = fastrand::Rng::with_seed(7);
    texts.extend((0..200).map(|_| {
        let length = random.usize(..40_000) >> random.u32(..12);
        (0..length).map(|_| *random.choice(b"abcdef  \t\n").unwrap() as char).collect()
    }));
    texts
}

#[test]
fn every_contender_counts_the_same_as_the_standard_library() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for text in texts() {
        let path = std::env::temp_dir().join(format!("pipe-{}.txt", std::process::id()));
        fs::write(&path, &text).unwrap();
        let is_correct = run(Options { path: path.clone(), rounds: 1 });
        assert_eq!(is_correct.ok(), (!text.is_empty()).then_some(true), "{text:?}");
        fs::remove_file(path).unwrap();
        assert_eq!(count_words(text.as_bytes()), expected_counts(&text)[1], "{text:?}");
        assert_eq!(
            runtime.block_on(count_by_tokio(text.as_bytes())).unwrap().0,
            expected_counts(&text)
        );
    }
}

#[test]
fn the_reader_receives_all_bytes_unchanged() {
    for (text, by_line) in texts().iter().flat_map(|text| [(text, false), (text, true)]) {
        let (writer, mut reader) = pipe(by_line);
        let both =
            async { tokio::try_join!(read_to_end(&mut reader), send(text.as_bytes(), writer)) };
        let received = futures::executor::block_on(both).unwrap().0;
        // The dropped writer appends a blank to the text.
        assert_eq!(String::from_utf8(received).unwrap(), text.clone() + " ");
    }
}

#[test]
fn a_flush_waits_while_the_pipe_is_full() {
    let (mut writer, mut reader) = pipe(false);
    let writer: &mut dyn Write = &mut writer;
    assert!(writer.flush(&mut vec![b'x'; LIMIT - 1]).is_ready());
    let mut buffer = b" y ".to_vec();
    let mut flush = writer.flush(&mut buffer);
    assert!(poll(Pin::new(&mut flush)).is_pending());
    let read: &mut dyn Read = &mut reader;
    assert_eq!(ready_output(read.read()).unwrap().unwrap().len(), LIMIT);
    assert!(matches!(poll(Pin::new(&mut flush)), Poll::Ready(Ok(()))));
    drop(flush);
    assert!(writer.flush(&mut b"z ".to_vec()).is_ready());
    assert_eq!(reader.stats, Stats { reads: 2, fetches: 1, times_full: 1 });
}

#[test]
fn a_pending_flush_fails_when_the_reader_is_dropped() {
    let (mut writer, reader) = pipe(false);
    let mut buffer = vec![b'x'; LIMIT];
    let mut flush = writer.flush(&mut buffer);
    assert!(poll(Pin::new(&mut flush)).is_pending());
    drop(reader);
    assert_eq!(ready_output(flush).unwrap_err().kind(), ErrorKind::BrokenPipe);
    let again = ready_output(writer.flush(&mut b"y".to_vec()));
    assert_eq!(again.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_pending_read_ends_when_the_writer_is_dropped() {
    let (writer, mut reader) = pipe(false);
    let mut read = Read::read(&mut reader);
    assert!(poll(Pin::new(&mut read)).is_pending());
    drop(writer);
    // The dropped writer sends a blank, even if it has sent no word.
    assert_eq!(ready_output(read).unwrap(), Some(&b" "[..]));
    assert_eq!(ready_output(Read::read(&mut reader)).unwrap(), None);
    assert_eq!(ready_output(BoxedRead::read(&mut reader)).unwrap(), None);
}

#[test]
fn a_cancelled_read_loses_no_bytes() {
    let (mut writer, mut reader) = pipe(false);
    ready_output(writer.flush(&mut b"one tw".to_vec())).unwrap();
    assert_eq!(ready_output(Read::read(&mut reader)).unwrap(), Some(&b"one "[..]));
    for piece in [&b"o"[..], b"", b" three"] {
        let mut read = Read::read(&mut reader);
        assert!(poll(Pin::new(&mut read)).is_pending());
        drop(read);
        ready_output(writer.flush(&mut piece.to_vec())).unwrap();
    }
    assert_eq!(ready_output(Read::read(&mut reader)).unwrap(), Some(&b"two "[..]));
}

#[test]
fn a_prefetched_word_is_read_without_an_allocation() {
    let (mut writer, mut reader) = pipe(false);
    ready_output(writer.flush(&mut b"a b c d e ".repeat(100))).unwrap();
    ready_output(Read::read(&mut reader)).unwrap();
    let before = allocated();
    for _ in 0..100 {
        assert!(Read::read(&mut reader).is_ready());
    }
    assert_eq!((allocated() - before).count, 0);
    // With `async-trait`, each read allocates once.
    for _ in 0..100 {
        ready_output(BoxedRead::read(&mut reader)).unwrap();
    }
    assert_eq!((allocated() - before).count, 100);
}

/// Each end has its own task on a runtime with two threads. The task of the writer also reads the file.
#[test]
fn a_file_passes_unchanged_between_two_tasks_on_two_threads() {
    async fn send_file(path: PathBuf, mut writer: End) -> Result<()> {
        let (mut file, mut buffer) = (File::open(path).await?, Vec::with_capacity(1 << 10));
        while file.read_buf(&mut buffer).await? > 0 {
            writer.flush(&mut buffer).await?;
        }
        Ok(())
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md");
    for _ in 0..20 {
        let (writer, mut reader) = pipe(false);
        let sent = runtime.spawn(send_file(path.clone(), writer));
        let received = runtime.spawn(async move { (read_to_end(&mut reader).await, reader.stats) });
        let (received, Stats { reads, fetches, .. }) = runtime.block_on(received).unwrap();
        runtime.block_on(sent).unwrap().unwrap();
        let received = String::from_utf8(received.unwrap()).unwrap();
        assert_eq!(received, fs::read_to_string(&path).unwrap() + " ");
        assert!(10 * fetches < reads, "there were {fetches} fetches for {reads} reads");
    }
}

#[test]
fn invalid_arguments_exit_with_code_2_and_a_missing_file_is_an_error() {
    for arguments in [&["--rounds", "0"][..], &["--rounds", "x"], &["a", "b"], &["--nonsense"]] {
        assert_eq!(exit_code_of_arguments::<Options>(arguments), Some(2), "{arguments:?}");
    }
    assert_eq!(exit_code_of_arguments::<Options>(&[]), None);
    let missing = run(Options { path: "no such file".into(), rounds: 1 });
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}
