//! A source is used without the wrapper `Source`.

use std::task::{Context, Poll};

use value_future::{ValueFuture, ValueSource, error::StaleToken, source::Token};

struct Five;

impl ValueSource for Five {
    type Output = u32;

    fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
        Poll::Ready(Ok(5))
    }

    fn cancel(&self, _: Token) {}
}

fn main() {
    drop(ValueFuture::from_source(&Five, Token::new(1)));
}
