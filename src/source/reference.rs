//! References to sources: how they become a [`Head`], and how they are given back.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
use alloc::sync::Arc;
use core::{ops::Deref, ptr::NonNull};

use super::{Source, ValueSource};
use crate::{
    erased::{Head, Reference},
    token::Token,
};

/// A reference to a [`Source`] for `'a`: `&'a Source<S>`, `Arc<Source<S>>` or `Rc<Source<S>>`.
///
/// The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reference to a source that a value future can hold",
    label = "expected `&Source<S>`, `Arc<Source<S>>` or `Rc<Source<S>>`, where `S: ValueSource`",
    note = "a source gets what it needs to be referred to from `value_future::Source::new`",
    note = "a `Source` is referred to by `&source`, or by a clone of the `Arc` or `Rc` it is in"
)]
pub trait SourceReference<'a>: sealed::Raw<'a> {
    /// The type of the result of an operation of the source.
    type Output;
}

#[diagnostic::do_not_recommend]
impl<'a, R: sealed::Raw<'a>> SourceReference<'a> for R {
    type Output = <R::Source as ValueSource>::Output;
}

mod sealed {
    use super::{Deref, NonNull, Reference, Source, ValueSource};

    /// # Safety
    ///
    /// The pointer of `into_raw` is valid for shared access to the `Source` until
    /// [`release`](super::release) is called with it, or `from_raw`; if that never happens, for
    /// `'a`. `REFERENCE` names the type.
    pub unsafe trait Raw<'a>:
        Deref<Target = Source<Self::Source>> + Unpin + Sized + 'a
    {
        type Source: ValueSource + 'a;
        #[doc(hidden)]
        #[allow(private_interfaces, reason = "the trait can be named by nobody else")]
        const REFERENCE: Reference;
        fn into_raw(self, _: Ours) -> NonNull<Source<Self::Source>>;
        /// # Safety
        ///
        /// `raw` is from `into_raw`, and this is done once.
        unsafe fn from_raw(raw: NonNull<Source<Self::Source>>, _: Ours) -> Self;
    }

    /// What a method takes that nobody else is to call.
    #[derive(Debug)]
    pub struct Ours;
}

// SAFETY: a shared reference is valid for its lifetime, and `release` does nothing with it.
unsafe impl<'a, S: ValueSource + 'a> sealed::Raw<'a> for &'a Source<S> {
    type Source = S;
    #[allow(private_interfaces, reason = "the trait can be named by nobody else")]
    const REFERENCE: Reference = Reference::Borrowed;
    fn into_raw(self, _: sealed::Ours) -> NonNull<Source<S>> {
        NonNull::from(self)
    }
    unsafe fn from_raw(raw: NonNull<Source<S>>, _: sealed::Ours) -> Self {
        // SAFETY: `raw` was made from a reference for `'a`.
        unsafe { raw.as_ref() }
    }
}

#[cfg(feature = "alloc")]
macro_rules! counted {
    ($Counted:ident) => {
        // SAFETY: the pointee of a counted reference lives until the count that `into_raw` leaves
        // behind is taken back by `from_raw`.
        unsafe impl<'a, S: ValueSource + 'a> sealed::Raw<'a> for $Counted<Source<S>> {
            type Source = S;
            #[allow(private_interfaces, reason = "the trait can be named by nobody else")]
            const REFERENCE: Reference = Reference::$Counted;
            fn into_raw(self, _: sealed::Ours) -> NonNull<Source<S>> {
                NonNull::new($Counted::into_raw(self).cast_mut()).expect("a pointee has an address")
            }
            unsafe fn from_raw(raw: NonNull<Source<S>>, _: sealed::Ours) -> Self {
                // SAFETY: `raw` is from `into_raw`, and its count is taken back once.
                unsafe { $Counted::from_raw(raw.as_ptr()) }
            }
        }
    };
}
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
counted!(Arc);
#[cfg(feature = "alloc")]
counted!(Rc);

/// The head of the operation `token` of a source. It stands for the reference until
/// [`release`] gives that back.
#[inline]
pub(crate) fn into_head<'a, R: SourceReference<'a>>(reference: R, token: Token) -> Head {
    let raw = reference.into_raw(sealed::Ours);
    if let Some(head) = Head::source(raw.cast(), R::REFERENCE, token) {
        return head;
    }
    // SAFETY: `raw` is from `into_raw`, just now, and no head was made of it.
    let reference = unsafe { R::from_raw(raw, sealed::Ours) };
    address_does_not_fit(reference, token)
}

/// The safe road: the full pointer goes into a box, and the head points to that.
#[cfg(feature = "alloc")]
#[cold]
fn address_does_not_fit<'a, R: SourceReference<'a>>(reference: R, token: Token) -> Head {
    super::unpacked::unpacked(reference, token)
}

#[cfg(not(feature = "alloc"))]
#[expect(clippy::needless_pass_by_value, reason = "its twin keeps the reference")]
fn address_does_not_fit<'a, R: SourceReference<'a>>(reference: R, _: Token) -> Head {
    let source: &Source<R::Source> = &reference;
    no_room_for_the_token(source)
}

#[cfg(not(feature = "alloc"))]
#[cold]
pub(crate) fn no_room_for_the_token<S>(source: *const S) -> ! {
    panic!(
        "the source stands at {source:p}, and a value future keeps 48 bits of an address beside \
         the token; without the feature `alloc` there is no box to keep the rest in"
    )
}

/// Gives back the reference that `head` stands for.
///
/// # Safety
///
/// `head` is from [`into_head`] and holds `pointee`, a `Source<S>`; this is done once, and the
/// source is not used through `head` again.
#[inline]
pub(super) unsafe fn release<S>(pointee: *mut (), head: Head) {
    let source: *mut Source<S> = pointee.cast();
    match head.reference() {
        #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
        // SAFETY: the tag says that it is from `Arc::into_raw`; its count is taken back once.
        Some(Reference::Arc) => drop(unsafe { Arc::from_raw(source) }),
        #[cfg(feature = "alloc")]
        // SAFETY: the tag says that it is from `Rc::into_raw`; its count is taken back once.
        Some(Reference::Rc) => drop(unsafe { Rc::from_raw(source) }),
        // A borrow is not counted.
        Some(Reference::Borrowed) | None => _ = source,
    }
}
