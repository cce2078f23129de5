//! Whether a future of any type is a value future already.

use core::{
    any::TypeId,
    future::Future,
    marker::PhantomData,
    mem::{self, ManuallyDrop},
};

use super::{
    LocalValueFuture, ValueFuture,
    kept::{Keeps, kept},
    packed::Packed,
};

/// Returns a value future as it is, and puts a future of another type into a slot.
#[inline]
#[cfg_attr(feature = "trace", track_caller)]
pub(super) fn packed<'a, F, A>(future: F) -> Packed<'a, F::Output, A>
where
    F: Future + 'a,
    A: Keeps<F>,
{
    let is_packed = type_id::<F>() == type_id::<ValueFuture<'a, F::Output>>()
        || type_id::<F>() == type_id::<LocalValueFuture<'a, F::Output>>();
    if !is_packed {
        return kept(future);
    }
    let future = ManuallyDrop::new(future);
    // SAFETY: but for lifetimes, `F` is one of the two types, and both are a transparent `Packed`. Its output is the same, as
    // a type has one. Its lifetime is `'a` or longer, as `F: 'a`, and `Packed` is covariant in it. `A` admits `F`: so if `A` is
    // `AnyThread`, `F` is `Send`, and is not the local one. A packed future of any thread may stay on one. `future` is
    // neither dropped nor used again.
    unsafe { mem::transmute_copy::<ManuallyDrop<F>, Packed<'a, F::Output, A>>(&future) }
}

/// The identity of a type, whatever its lifetimes are.
#[inline(always)]
fn type_id<T>() -> TypeId {
    trait Identity {
        fn type_id(&self) -> TypeId
        where
            Self: 'static;
    }

    impl<T> Identity for PhantomData<T> {
        #[inline(always)]
        fn type_id(&self) -> TypeId
        where
            Self: 'static,
        {
            TypeId::of::<T>()
        }
    }

    let identity: &dyn Identity = &PhantomData::<T>;
    // SAFETY: only the lifetime of the trait object changes. What is called has no reference to a `T`, and an identity does not
    // depend on lifetimes.
    let identity = unsafe { mem::transmute::<&dyn Identity, &(dyn Identity + 'static)>(identity) };
    identity.type_id()
}
