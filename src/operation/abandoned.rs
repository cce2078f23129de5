use core::{error::Error, fmt};

use crate::error::debug_as_text;

/// What an operation results in if its completer is dropped without a value.
///
/// A wait must not hang for ever because a worker died, and it must not panic in somebody else's
/// task either. So the output type of a pool says what the consumer is given then. It is made when
/// the consumer asks for the result.
///
/// It is implemented for `Option<T>`, and for `Result<T, E>` where `E: From<Dropped>`. For an `E` that is
/// not yours there is `Option<Result<T, E>>`.
///
/// # Examples
///
/// An error of one's own:
///
/// ```
/// use value_future::{Dropped, Pool};
///
/// #[derive(Debug, PartialEq)]
/// enum Error {
///     WorkerGone,
/// }
///
/// impl From<Dropped> for Error {
///     fn from(_: Dropped) -> Self {
///         Error::WorkerGone
///     }
/// }
///
/// let pool = Pool::<Result<u64, Error>>::new();
/// let (completer, completion) = pool.rent();
/// drop(completer);
/// assert_eq!(futures::executor::block_on(completion), Err(Error::WorkerGone));
/// ```
///
/// An output that is neither `Option` nor `Result`:
///
/// ```
/// use value_future::{Pool, operation::Abandoned};
///
/// #[derive(Debug, PartialEq)]
/// enum Reply {
///     Rows(u64),
///     ConnectionLost,
/// }
///
/// impl Abandoned for Reply {
///     fn abandoned() -> Self {
///         Reply::ConnectionLost
///     }
/// }
///
/// let pool = Pool::<Reply>::new();
/// let (completer, completion) = pool.rent();
/// drop(completer);
/// assert_eq!(futures::executor::block_on(completion), Reply::ConnectionLost);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the output of a pool or a reusable source: it does not say what a \
               dropped completer results in",
    label = "`Abandoned` is not implemented for `{Self}`",
    note = "use `Option<{Self}>` or `Result<{Self}, value_future::Dropped>`, or implement `value_future::operation::Abandoned` \
            for a type of your own. If it is a `Result`, its error may implement `From<value_future::Dropped>`",
    note = "or say it here: `Pool::builder().build_with_abandoned(..)`, `ReusableSource::with_abandoned(..)`"
)]
pub trait Abandoned {
    /// The result of an operation that nobody has completed, and nobody will.
    fn abandoned() -> Self;
}

/// `None`
impl<T> Abandoned for Option<T> {
    fn abandoned() -> Self {
        None
    }
}

/// `Err`, with what [`Dropped`] converts into. `std::io::Error` is among them, with the kind
/// `BrokenPipe`.
#[diagnostic::do_not_recommend]
impl<T, E: From<Dropped>> Abandoned for Result<T, E> {
    fn abandoned() -> Self {
        Err(Dropped(()).into())
    }
}

/// The operation was ended without a value: its completer was dropped, its key was abandoned, or its pool was closed. Dropping the
/// last handle of a pool closes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dropped(());

debug_as_text!(Dropped);

impl Dropped {
    /// The error, for an implementation of [`Abandoned`] by hand.
    #[must_use]
    pub const fn new() -> Self {
        Dropped(())
    }
}

impl Default for Dropped {
    fn default() -> Self {
        Dropped::new()
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the operation was ended without a value: its completer was dropped, its key was abandoned, or its \
             pool was closed",
        )
    }
}

impl Error for Dropped {}

#[cfg(feature = "std")]
impl From<Dropped> for std::io::Error {
    fn from(dropped: Dropped) -> Self {
        std::io::Error::new(std::io::ErrorKind::BrokenPipe, dropped)
    }
}
