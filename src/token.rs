use core::fmt;

use crate::error::StaleToken;

/// The name of one operation of a [source](crate::ValueSource): 16 bits that tell it from the
/// operations before and after it.
///
/// A source gives each operation a token of its own, and refuses every other one. Tokens wrap
/// after 65,536 operations, so a token by itself does not make an old reference safe; what does
/// is that a source is not used again while a future that holds one of its tokens lives. The
/// check behind the token is for what is not bound by lifetimes: raw keys, and mistakes.
///
/// They have no order, because they wrap.
///
/// # Examples
///
/// ```
/// use value_future::source::Token;
///
/// let first = Token::new(1);
/// assert_eq!(first.next(), Token::new(2));
/// assert_eq!(Token::new(u16::MAX).next(), Token::new(0));
/// assert!(first.check(first).is_ok());
/// assert_eq!(
///     first.check(first.next()).unwrap_err().to_string(),
///     "stale token: the source expected token 2 and was presented token 1",
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Token(u16);

impl Token {
    /// The token with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Token(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The token of the operation after this one's. It wraps from 65,535 to 0.
    #[must_use]
    pub const fn next(self) -> Self {
        Token(self.0.wrapping_add(1))
    }

    /// Checks `self`, the token that was presented, against `expected`, the live one.
    ///
    /// In [`ValueSource::poll`](crate::ValueSource::poll) this reads `token.check(live)?`.
    ///
    /// # Errors
    ///
    /// [`StaleToken`], with both tokens in it, if they differ.
    pub const fn check(self, expected: Token) -> Result<(), StaleToken> {
        if self.0 == expected.0 { Ok(()) } else { Err(StaleToken::new(expected, self)) }
    }
}

impl From<u16> for Token {
    fn from(number: u16) -> Self {
        Token(number)
    }
}

impl From<Token> for u16 {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
