//! The errors of polls. Such an error names the rule that the poll broke, and the [arm](ArmKind) of the future.
//!
//! The errors of pools, reusable sources and keys are in other modules: [`operation`](crate::operation), [`pool`](crate::pool),
//! [`future_pool`](crate::future_pool) and [`reusable`](crate::reusable).

use core::{error::Error, fmt, panic::Location};

use crate::origin::Origin;

pub use crate::token::StaleToken;

/// The name of the arm of a future. The arm says where the result comes from. An [`Arm`](crate::future::Arm) also has the content of the
/// arm.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ArmKind {
    /// The result was inline.
    Ready,
    /// The result came from a future in a box, in a slot of a pool or in a [`ValueNext`](crate::stream::ValueNext).
    Boxed,
    /// The result came from a source.
    Source,
}

impl fmt::Display for ArmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArmKind::Ready => "ready arm",
            ArmKind::Boxed => "boxed arm",
            ArmKind::Source => "source arm",
        })
    }
}

/// The rule that a poll broke.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Rule {
    /// The future was polled after it had returned its result. (A result is returned once.) Or the future was created from
    /// [`Arm::Taken`](crate::future::Arm), and has no result.
    PolledAfterCompletion,
    /// The future was polled after the future or source in it had panicked. A panic ends the operation.
    PolledAfterPanic,
    /// The token of the future is not the token of the live operation of the source. A token is valid for one operation.
    StaleToken,
}

/// The error of a poll that broke a rule. The error names the rule, the arm of the future and the type of its output.
///
/// If a combinator such as `map` contains the future that broke the rule, the error names the rule and the arm of this inner future. The
/// type is the output of the combinator.
///
/// [`ValueFuture`](crate::ValueFuture) and [`LocalValueFuture`](crate::LocalValueFuture) panic with the text of this error. The future of
/// [`checked`](crate::ValueFuture::checked) returns the error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PollError {
    termination: Terminated,
    output: &'static str,
    origin: Origin,
}

impl PollError {
    pub(crate) fn new<T>(termination: Terminated, origin: Origin) -> Self {
        PollError { termination, output: core::any::type_name::<T>(), origin }
    }

    /// Returns the rule that was broken.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self.termination {
            Terminated::Completed(_) => Rule::PolledAfterCompletion,
            Terminated::Panicked(_) => Rule::PolledAfterPanic,
            Terminated::Stale(_) => Rule::StaleToken,
        }
    }

    /// Returns the arm of the future that broke the rule, or `None` if this future was created from
    /// [`Arm::Taken`](crate::future::Arm).
    #[must_use]
    pub const fn arm(&self) -> Option<ArmKind> {
        match self.termination {
            Terminated::Completed(Some(origin)) | Terminated::Panicked(origin) => {
                Some(origin.arm())
            }
            Terminated::Completed(None) => None,
            Terminated::Stale(_) => Some(ArmKind::Source),
        }
    }

    /// Returns the name of the output type, for messages.
    #[must_use]
    pub const fn output(&self) -> &'static str {
        self.output
    }

    /// Returns the line of code that created the future, if the feature `trace` is on.
    #[must_use]
    pub const fn origin(&self) -> Option<&'static Location<'static>> {
        self.origin.location()
    }

    /// Returns the token of the future and the token that the source expected, if the rule is [`Rule::StaleToken`].
    #[must_use]
    pub const fn stale_token(&self) -> Option<StaleToken> {
        match self.termination {
            Terminated::Stale(stale) => Some(stale),
            _ => None,
        }
    }
}

/// Implements `Debug` for an error. The output is the name of the type and the text of the error, because `unwrap` prints the `Debug`
/// output.
macro_rules! debug_as_text {
    ($Error:ident $(<$T:ident>)?) => {
        /// Shows the text of the error, because `unwrap` prints the `Debug` output.
        impl$(<$T>)? fmt::Debug for $Error$(<$T>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($Error)).field(&format_args!("{self}")).finish()
            }
        }
    };
}
pub(crate) use debug_as_text;

debug_as_text!(PollError);
debug_as_text!(StaleToken);

impl fmt::Display for PollError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PollError { termination, output, origin } = self;
        match termination {
            Terminated::Completed(Some(arm)) => write!(
                f,
                "value future of `{output}` polled after completion: \
                 its result ({arm}) was already returned, and a result is returned once{origin}"
            ),
            Terminated::Completed(None) => write!(
                f,
                "value future of `{output}` polled after completion: \
                 it was created from `Arm::Taken`, and has no result to return{origin}"
            ),
            Terminated::Panicked(arm) => write!(
                f,
                "value future of `{output}` polled after a panic: \
                 its future or source ({arm}) panicked in an earlier poll, and there will be no result{origin}"
            ),
            Terminated::Stale(stale) => {
                let (expected, presented) = (stale.expected(), stale.presented());
                write!(
                    f,
                    "value future of `{output}` holds a stale token: \
                     its source (source arm) expected token {expected} and was polled with token \
                     {presented}; a token is valid for one operation, and the live operation was not touched{origin}"
                )
            }
        }
    }
}

/// The kind of the `std::io::Error` is `Other`, because a broken rule is a mistake in the program.
#[cfg(feature = "std")]
impl From<PollError> for std::io::Error {
    fn from(error: PollError) -> Self {
        std::io::Error::other(error)
    }
}

impl Error for PollError {}

/// The reason why a future must not be polled again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Terminated {
    /// The result was returned. The field is the arm from which the result came. It is `None` if the future was created from
    /// [`Arm::Taken`](crate::future::Arm).
    Completed(Option<ArmOrigin>),
    /// The future or the source panicked.
    Panicked(ArmOrigin),
    /// The source refused the token.
    Stale(StaleToken),
}

/// The arm from which a result comes, for messages. The boxed arm has two variants, so that messages can distinguish a future of a pool
/// from a boxed future. (An [`Origin`] is something else: a line of code.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ArmOrigin {
    Ready,
    Boxed,
    Source,
    Pooled,
}

impl ArmOrigin {
    pub(crate) const fn arm(self) -> ArmKind {
        match self {
            ArmOrigin::Ready => ArmKind::Ready,
            ArmOrigin::Boxed | ArmOrigin::Pooled => ArmKind::Boxed,
            ArmOrigin::Source => ArmKind::Source,
        }
    }
}

impl fmt::Display for ArmOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.arm().fmt(f)?;
        f.write_str(if *self == ArmOrigin::Pooled { ", pooled" } else { "" })
    }
}
