use core::fmt;

use super::packed::Packed;
use crate::{
    affinity::{AnyThread, OneThread},
    erased::View,
    error::{ArmOrigin, Terminated},
    token::Token,
};

/// A [`ValueFuture`](crate::ValueFuture) as an enum of its arms.
///
/// The future itself is this enum, compressed into one word and the space for a result. `into_arm` converts a future into its arm, and
/// `From<Arm>` converts an arm into a future. A terminated future becomes `Arm::Taken`, which does not contain the reason. If `Arm::Taken`
/// is converted into a future, a poll of this future breaks the rule `Rule::PolledAfterCompletion`, and the error of the poll names no arm.
/// The rule is the same even if the arm comes from a future that had panicked or had a stale token.
///
/// `A` determines whether the future may move to another thread. See [`LocalArm`].
///
/// # Cancel safety
///
/// Dropping an arm has the effect of dropping the future: a result or a boxed future is dropped, and an operation of a source is cancelled.
///
/// # Examples
///
/// ```
/// use value_future::{ValueFuture, future::Arm};
///
/// let future = ValueFuture::ready(5);
/// match future.into_arm() {
///     Arm::Ready(value) => assert_eq!(value, 5),
///     Arm::Boxed(boxed) => println!("not yet: {boxed:?}"),
///     Arm::Source { token, .. } => println!("operation {token} is pending"),
///     Arm::Taken => println!("its result was returned"),
/// }
/// ```
#[must_use = "dropping an arm cancels its future, and a result in it is lost"]
pub enum Arm<'a, T, A = AnyThread> {
    /// An inline result. Nothing is allocated.
    Ready(T),
    /// A future in a box, in a slot of a pool or in a [`ValueNext`](crate::stream::ValueNext). A box is one allocation, which contains a
    /// header and the future.
    Boxed(BoxedFuture<'a, T, A>),
    /// An operation of a source. (If the address of the source and the token do not fit into one word, the operation is in the arm `Boxed`:
    /// see [`from_source`](crate::ValueFuture::from_source).)
    #[non_exhaustive]
    Source {
        /// The reference to the source. Dropping it cancels the operation.
        source: SourceRef<'a, T, A>,
        /// A copy of the token of the operation. `source` also contains this token.
        token: Token,
    },
    /// A terminated future: its result was taken, a poll of it panicked, or its token was stale.
    Taken,
}

/// The [`Arm`] of a [`LocalValueFuture`](crate::LocalValueFuture).
pub type LocalArm<'a, T> = Arm<'a, T, OneThread>;

/// The boxed arm of a future. To await it, convert it into a future: `ValueFuture::from(boxed)`.
#[must_use = "dropping it cancels the future"]
pub struct BoxedFuture<'a, T, A = AnyThread>(Packed<'a, T, A>);

/// The source arm of a future: a reference to a source, with the token of one operation. To await it, convert
/// it into a future: `ValueFuture::from(source)`.
#[must_use = "dropping it cancels the operation"]
pub struct SourceRef<'a, T, A = AnyThread>(Packed<'a, T, A>);

impl<'a, T, A> BoxedFuture<'a, T, A> {
    pub(super) fn into_packed(self) -> Packed<'a, T, A> {
        self.0
    }
}

impl<'a, T, A> SourceRef<'a, T, A> {
    pub(super) fn into_packed(self) -> Packed<'a, T, A> {
        self.0
    }

    /// Returns the token of the operation.
    #[must_use]
    pub fn token(&self) -> Token {
        match self.0.view() {
            View::Source(token) => token,
            _ => unreachable!("a source reference is in the source arm"),
        }
    }
}

impl<'a, T, A> Packed<'a, T, A> {
    pub(crate) fn into_arm(self) -> Arm<'a, T, A> {
        let packed = match self.try_take() {
            Ok(value) => return Arm::Ready(value),
            Err(packed) => packed,
        };
        match packed.view() {
            View::Ready => unreachable!("the inline result was not taken"),
            View::Cell => Arm::Boxed(BoxedFuture(packed)),
            View::Source(token) => Arm::Source { source: SourceRef(packed), token },
            View::Terminated(_) => Arm::Taken,
        }
    }

    pub(crate) fn from_arm(arm: Arm<'a, T, A>) -> Self {
        match arm {
            Arm::Ready(value) => Packed::ready(value),
            Arm::Boxed(BoxedFuture(packed)) | Arm::Source { source: SourceRef(packed), .. } => {
                packed
            }
            Arm::Taken => Packed::terminated(Terminated::Completed(None)),
        }
    }
}

/// Writes the same text as `Debug` of the [`Arm`]. For a terminated future, also writes the reason.
impl<T: fmt::Debug, A> fmt::Debug for Packed<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peek() {
            Some(value) => f.debug_tuple("Ready").field(value).finish(),
            None => self.fmt_erased(f),
        }
    }
}

impl<T, A> Packed<'_, T, A> {
    /// Writes the arm, but not an inline result. So `T` need not be `Debug`.
    fn fmt_erased(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (arm, pointee) = self.about_pointee().unwrap_or((ArmOrigin::Ready, ""));
        match self.view() {
            View::Ready => f.write_str("Ready"),
            View::Cell if arm == ArmOrigin::Pooled => write!(f, "Boxed({pointee}, pooled)"),
            View::Cell => write!(f, "Boxed({pointee})"),
            View::Source(token) => write!(f, "Source {{ source: {pointee}, token: {token} }}"),
            View::Terminated(Terminated::Completed(Some(arm))) => {
                write!(f, "Taken(completed, {arm})")
            }
            View::Terminated(Terminated::Completed(None)) => f.write_str("Taken"),
            View::Terminated(Terminated::Panicked(arm)) => write!(f, "Taken(panicked, {arm})"),
            View::Terminated(Terminated::Stale(stale)) => write!(f, "Taken({stale})"),
        }
    }
}

impl<T: fmt::Debug, A> fmt::Debug for Arm<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arm::Ready(value) => f.debug_tuple("Ready").field(value).finish(),
            Arm::Boxed(BoxedFuture(packed)) | Arm::Source { source: SourceRef(packed), .. } => {
                packed.fmt_erased(f)
            }
            Arm::Taken => f.write_str("Taken"),
        }
    }
}

impl<T, A> fmt::Debug for BoxedFuture<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_erased(f)
    }
}

impl<T, A> fmt::Debug for SourceRef<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_erased(f)
    }
}
