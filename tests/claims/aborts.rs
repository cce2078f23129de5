//! Tests of the documented cases in which the process aborts. Each case runs in a child process.

use std::{
    env,
    process::Command,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use value_future::{Pool, Source, ValueFuture, ValueSource, error::StaleToken, source::Token};

use crate::{common::poll_with, words::documented};

/// Runs the test with this name again in a child process, which runs `action`. Checks that the child process aborts.
fn aborts(name: &str, action: impl FnOnce()) {
    const NAME: &str = "CLAIMED_TO_ABORT";
    if env::var_os(NAME).is_some() {
        action();
        return;
    }
    let mut again = Command::new(env::current_exe().unwrap());
    let name = format!("claims::aborts::{name}");
    let output = again.args(["--exact", &name]).env(NAME, "").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("running 1 test") && !printed.contains("test result"), "{printed}");
    // If the test failed without an abort, the exit code would be 101. A process that aborts has another exit code, or no exit code.
    assert!(output.status.code().is_none_or(|code| code != 0 && code != 101), "{}", output.status);
}

struct Panics(&'static str);

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("{}", self.0);
    }
}

fn panics(text: &'static str) -> Waker {
    Waker::from(Arc::new(Panics(text)))
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn two_wakers_that_both_panic_abort_the_process() {
    aborts("two_wakers_that_both_panic_abort_the_process", || {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, mut completion) = pool.rent();
        let key = completer.key_while_held();
        assert!(poll_with(&mut completion, &panics("the consumer")).is_pending());
        let watcher = panics("the watcher");
        assert!(completer.poll_closed(&mut Context::from_waker(&watcher)).is_pending());
        let _ = pool.complete_key(key, Some(1));
    });
    documented!("src/pool/completer.rs", "if both panic, the process aborts");
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn a_panic_in_cancel_during_an_unwind_aborts_the_process() {
    struct Fails;
    impl ValueSource for Fails {
        type Output = ();

        fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<(), StaleToken>> {
            Poll::Pending
        }

        fn cancel(&self, _: Token) {
            panic!("in cancel");
        }
    }
    aborts("a_panic_in_cancel_during_an_unwind_aborts_the_process", || {
        let source = Source::new(Fails);
        let _future = ValueFuture::from_source(&source, Token::new(1));
        panic!("the panic that unwinds");
    });
    documented!("src/source/mod.rs", "A panic in this call during an unwind aborts the process.");
}
