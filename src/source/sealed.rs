//! The sealed part of [`SourceReference`](super::SourceReference): which types are references to sources.

use core::ops::Deref;

use super::{Source, ValueSource};
use crate::{affinity::Admits, erased::OwnedHead, token::Token};

/// A reference to a source that can be converted into the head of a value future.
pub trait Raw<'a>: Deref<Target = Source<Self::Source>> + Unpin + Sized + 'a {
    type Source: ValueSource + 'a;

    /// Returns the head of the operation with this token. The caller has checked that the head has room for the token.
    #[doc(hidden)]
    #[allow(private_interfaces, private_bounds, reason = "no other crate can name the trait")]
    fn into_head<A: Admits<Self>>(
        self,
        token: Token,
        _: Ours,
    ) -> OwnedHead<'a, <Self::Source as ValueSource>::Output, A>;
}

/// A type that no other crate can name. So no other crate can call a method with a parameter of this type.
#[derive(Debug)]
pub struct Ours;
