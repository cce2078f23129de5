use std::{fs, io::ErrorKind, pin::Pin, task::Context, task::Poll, task::Waker};

use tokio::{fs::File, io::AsyncReadExt};

use super::*;
use crate::{
    common::{allocated, refusal},
    pipe::End,
};

/// Counts lines and words with the standard library.
fn expected(text: &str) -> [u64; 2] {
    [text.matches('\n').count() as u64, text.split_ascii_whitespace().count() as u64]
}

/// Returns the output of a ready future. If the future is pending, the test fails, and does not hang.
fn now<F: Future + Unpin>(mut future: F) -> F::Output {
    let Poll::Ready(output) = poll(Pin::new(&mut future)) else { panic!("the future is pending") };
    output
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Reads to the end. Returns all bytes.
async fn drain(reader: &mut dyn Read) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    while let Some(read) = reader.read().await? {
        text.extend_from_slice(read);
    }
    Ok(text)
}

/// Returns texts with every ending. Some words and blanks are longer than a block, and some longer than the pipe.
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
fn every_contender_counts_what_the_standard_library_counts() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for text in texts() {
        let path = std::env::temp_dir().join(format!("pipe-{}.txt", std::process::id()));
        fs::write(&path, &text).unwrap();
        let is_right = run(Options { path: path.clone(), rounds: 1 });
        assert_eq!(is_right.ok(), (!text.is_empty()).then_some(true), "{text:?}");
        fs::remove_file(path).unwrap();
        assert_eq!(count_words(text.as_bytes()), expected(&text)[1], "{text:?}");
        assert_eq!(runtime.block_on(by_tokio(text.as_bytes())).unwrap().0, expected(&text));
    }
}

#[test]
fn nothing_is_lost_or_changed_on_the_way() {
    for (text, by_line) in texts().iter().flat_map(|text| [(text, false), (text, true)]) {
        let (writer, mut reader) = pipe(by_line);
        let both = async { tokio::try_join!(drain(&mut reader), send(text.as_bytes(), writer)) };
        let received = futures::executor::block_on(both).unwrap().0;
        // The dropped writer ends the last word with a blank.
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
    assert_eq!(now(read.read()).unwrap().unwrap().len(), LIMIT);
    assert!(matches!(poll(Pin::new(&mut flush)), Poll::Ready(Ok(()))));
    drop(flush);
    assert!(writer.flush(&mut b"z ".to_vec()).is_ready());
    assert_eq!(reader.stats, [2, 1, 1]);
}

#[test]
fn a_writer_that_waits_fails_when_the_reader_is_dropped() {
    let (mut writer, reader) = pipe(false);
    let mut buffer = vec![b'x'; LIMIT];
    let mut flush = writer.flush(&mut buffer);
    assert!(poll(Pin::new(&mut flush)).is_pending());
    drop(reader);
    assert_eq!(now(flush).unwrap_err().kind(), ErrorKind::BrokenPipe);
    let again = now(writer.flush(&mut b"y".to_vec()));
    assert_eq!(again.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_reader_that_waits_ends_when_the_writer_is_dropped() {
    let (writer, mut reader) = pipe(false);
    let mut read = Read::read(&mut reader);
    assert!(poll(Pin::new(&mut read)).is_pending());
    drop(writer);
    // The dropped writer sends a blank, even if there is no word.
    assert_eq!(now(read).unwrap(), Some(&b" "[..]));
    assert_eq!(now(Read::read(&mut reader)).unwrap(), None);
    assert_eq!(now(BoxedRead::read(&mut reader)).unwrap(), None);
}

#[test]
fn a_read_that_is_cancelled_loses_nothing() {
    let (mut writer, mut reader) = pipe(false);
    now(writer.flush(&mut b"one tw".to_vec())).unwrap();
    assert_eq!(now(Read::read(&mut reader)).unwrap(), Some(&b"one "[..]));
    for piece in [&b"o"[..], b"", b" three"] {
        let mut read = Read::read(&mut reader);
        assert!(poll(Pin::new(&mut read)).is_pending());
        drop(read);
        now(writer.flush(&mut piece.to_vec())).unwrap();
    }
    assert_eq!(now(Read::read(&mut reader)).unwrap(), Some(&b"two "[..]));
}

#[test]
fn a_word_that_was_prefetched_takes_no_allocation_and_a_boxed_one_takes_one() {
    let (mut writer, mut reader) = pipe(false);
    now(writer.flush(&mut b"a b c d e ".repeat(100))).unwrap();
    now(Read::read(&mut reader)).unwrap();
    let before = allocated();
    for _ in 0..100 {
        assert!(Read::read(&mut reader).is_ready());
    }
    assert_eq!((allocated() - before).count, 0);
    for _ in 0..100 {
        now(BoxedRead::read(&mut reader)).unwrap();
    }
    assert_eq!((allocated() - before).count, 100);
}

/// Each end has its own task, on a runtime with two threads. Tokio reads the file meanwhile.
#[test]
fn a_file_goes_from_one_thread_to_another() {
    async fn feed(path: PathBuf, mut writer: End) -> Result<()> {
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
        let fed = runtime.spawn(feed(path.clone(), writer));
        let received = runtime.spawn(async move { (drain(&mut reader).await, reader.stats) });
        let (received, [words, fetches, _]) = runtime.block_on(received).unwrap();
        runtime.block_on(fed).unwrap().unwrap();
        let received = String::from_utf8(received.unwrap()).unwrap();
        assert_eq!(received, fs::read_to_string(&path).unwrap() + " ");
        assert!(10 * fetches < words, "{fetches} of {words} reads had to fetch");
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in [&["--rounds", "0"][..], &["--rounds", "x"], &["a", "b"], &["--nonsense"]] {
        assert_eq!(refusal::<Options>(arguments), Some(2), "{arguments:?}");
    }
    assert_eq!(refusal::<Options>(&[]), None);
    let missing = run(Options { path: "no such file".into(), rounds: 1 });
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
}
