//! Tokens: the names of the operations of a source.

use core::{error::Error, fmt};

/// The name of one operation of a [source](crate::ValueSource): 16 bits that distinguish it from the operations before and after it.
///
/// A source gives each operation a new token, and refuses every token of another operation. Tokens wrap after 65,536 operations, so a token
/// alone does not distinguish a very old future from a new future. Therefore the source must not give a token to a new operation while an
/// older future with this token is alive. The check of the token detects a source that breaks this rule. It also detects a token that a
/// program has stored and used too late.
///
/// Tokens have no order, because they wrap.
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
///     "stale token: the source expected token 2 and was polled with token 1",
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Token(u16);

impl Token {
    /// Creates the token with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Token(number)
    }

    /// Returns the number of the token.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Returns the token of the next operation. The number wraps from 65,535 to 0.
    #[must_use]
    pub const fn next(self) -> Self {
        Token(self.0.wrapping_add(1))
    }

    /// Compares `self` with `expected`, the token of the live operation.
    ///
    /// An implementation of [`ValueSource::poll`](crate::ValueSource::poll) calls `token.check(live)?`, where `live` is the token of the
    /// live operation.
    ///
    /// # Errors
    ///
    /// Returns a [`StaleToken`] with both tokens if they differ.
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

/// The error of a [source](crate::ValueSource) that refused a stale token. A token is stale if it is not the token of the live operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StaleToken {
    expected: Token,
    presented: Token,
}

impl StaleToken {
    /// Creates the error of a source that expected the token `expected`, and was polled with `presented`.
    #[must_use]
    pub const fn new(expected: Token, presented: Token) -> Self {
        StaleToken { expected, presented }
    }

    /// Returns the token of the live operation. The refused poll has not changed this operation.
    #[must_use]
    pub const fn expected(&self) -> Token {
        self.expected
    }

    /// Returns the token that the source refused.
    #[must_use]
    pub const fn presented(&self) -> Token {
        self.presented
    }
}

impl fmt::Display for StaleToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StaleToken { expected, presented } = self;
        write!(
            f,
            "stale token: the source expected token {expected} and was polled with token {presented}"
        )
    }
}

impl Error for StaleToken {}

/// The kind of the `std::io::Error` is `Other`, because a stale token is a mistake in the program.
#[cfg(feature = "std")]
impl From<StaleToken> for std::io::Error {
    fn from(error: StaleToken) -> Self {
        std::io::Error::other(error)
    }
}
