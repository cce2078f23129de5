//! References to sources, and their conversion into the head of a future.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
use alloc::sync::Arc;
#[cfg(not(feature = "alloc"))]
use core::marker::PhantomData;

#[cfg(feature = "alloc")]
use super::boxed::BoxedSource;
use super::{Source, ValueSource, sealed};
use crate::{
    affinity::Admits,
    erased::{Head, OwnedHead},
    token::Token,
};

/// A reference to a [`Source`] for `'a`: `&'a Source<S>`, `Arc<Source<S>>` or `Rc<Source<S>>`.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reference to a `Source`",
    label = "expected `&Source<S>`, `Arc<Source<S>>` or `Rc<Source<S>>`, where `S: ValueSource`",
    note = "wrap your source with `value_future::Source::new`",
    note = "then pass `&source`, or a clone of the `Arc` or `Rc` that holds it. A `ValueFuture` does not accept an `Rc`"
)]
pub trait SourceReference<'a>: sealed::Raw<'a> {
    /// The type of the result of an operation of the source.
    type Output;

    #[doc(hidden)]
    #[allow(private_interfaces, private_bounds, reason = "only this crate can call it")]
    fn into_head<A>(self, token: Token, _: sealed::Ours) -> OwnedHead<'a, Self::Output, A>
    where
        A: Admits<Self> + Admits<BoxedSource<'a, Self>>;
}

#[diagnostic::do_not_recommend]
impl<'a, R: sealed::Raw<'a>> SourceReference<'a> for R {
    type Output = <R::Source as ValueSource>::Output;

    #[inline]
    #[allow(private_interfaces, private_bounds, reason = "only this crate can call it")]
    fn into_head<A>(self, token: Token, ours: sealed::Ours) -> OwnedHead<'a, Self::Output, A>
    where
        A: Admits<Self> + Admits<BoxedSource<'a, Self>>,
    {
        if Head::has_room(&raw const *self) {
            sealed::Raw::into_head(self, token, ours)
        } else {
            address_does_not_fit(self, token)
        }
    }
}

macro_rules! reference {
    ($Reference:ty, $constructor:ident) => {
        impl<'a, S: ValueSource + 'a> sealed::Raw<'a> for $Reference {
            type Source = S;

            #[inline]
            #[allow(private_interfaces, private_bounds, reason = "only this crate can call it")]
            fn into_head<A: Admits<Self>>(
                self,
                token: Token,
                _: sealed::Ours,
            ) -> OwnedHead<'a, S::Output, A> {
                OwnedHead::$constructor(self, token)
            }
        }
    };
}

reference!(&'a Source<S>, borrowed);
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
reference!(Arc<Source<S>>, arc);
#[cfg(feature = "alloc")]
reference!(Rc<Source<S>>, rc);

/// Returns the head of the operation with this token. The head owns the reference to the source.
#[inline]
pub(crate) fn into_head<'a, R, A>(reference: R, token: Token) -> OwnedHead<'a, R::Output, A>
where
    R: SourceReference<'a>,
    A: Admits<R> + Admits<BoxedSource<'a, R>>,
{
    SourceReference::into_head(reference, token, sealed::Ours)
}

/// Returns the head of an operation whose token does not fit into one word with the address of the source. The reference and the token are
/// in a box.
#[cfg(feature = "alloc")]
#[cold]
fn address_does_not_fit<'a, R, A>(
    reference: R,
    token: Token,
) -> OwnedHead<'a, <R::Source as ValueSource>::Output, A>
where
    R: sealed::Raw<'a>,
    A: Admits<BoxedSource<'a, R>>,
{
    OwnedHead::boxed(BoxedSource::new(reference, token))
}

#[cfg(not(feature = "alloc"))]
#[expect(clippy::needless_pass_by_value, reason = "with `alloc`, the function keeps the reference")]
fn address_does_not_fit<'a, R: sealed::Raw<'a>, A>(
    reference: R,
    _: Token,
) -> OwnedHead<'a, <R::Source as ValueSource>::Output, A> {
    no_room_for_the_token(&raw const *reference)
}

/// A placeholder for the type `boxed::BoxedSource`, which needs `alloc`. No value of this type is created.
#[cfg(not(feature = "alloc"))]
pub(crate) struct BoxedSource<'a, R>(PhantomData<(&'a (), R)>);

#[cfg(not(feature = "alloc"))]
#[cold]
pub(crate) fn no_room_for_the_token<S>(source: *const S) -> ! {
    panic!(
        "the address {source:p} of the source has more than 48 bits, and a value future stores 48 bits of an address \
         with the token; with the feature `alloc`, it would store the whole address in a box"
    )
}
