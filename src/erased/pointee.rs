//! Pointees: the objects to which a [`Head`] points, and the types that prove that a pointee exists.
//!
//! | type | what it proves |
//! |---|---|
//! | [`OwnedHead`] | If the head is a pointer, it owns a cell, borrows a cell, or owns one [`ErasedReference`]. |
//! | [`Live`] | A source is being polled. The head of the polled future owns a reference to the source. |
//! | [`ErasedReference`] | A head can own a value of this type: a reference to a source, or the consumer of an operation. |
//! | [`SourceHeader`] | The header is in a source, and points to the table for the type of this source. |
//!
//! A head points to the [`Header`] of its pointee. So one thin pointer is enough to poll and to drop the pointee. The cells are in
//! `cell.rs`.
//!
//! The fields of these types and of the tables are private to this file. The private functions of the file rely on the invariants of these
//! types.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
use alloc::sync::Arc;
use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    ops::Deref,
    pin::Pin,
    ptr::{self, NonNull},
    task::{Context, Poll},
};

use super::{
    ErasedFuture,
    cell::{BorrowedCell, LiveCell, OwnedCell, PollGuard},
    head::{Head, Header, Reference},
};
use crate::{
    affinity::{Admits, Movable},
    error::{ArmOrigin, StaleToken, Terminated},
    token::Token,
};

/// The functions of a source or a consumer role whose output is `T`.
///
/// Invariant: the functions with arguments are called with a head and with the address of the pointee of this head. The head owns an
/// [`ErasedReference`] of the type for which the table was created. So the functions may cast the address to a pointer to the
/// [`Pointee`](ThinReference::Pointee) of this reference type.
pub(crate) struct VTable<T> {
    /// Polls the operation. If this returns `Ready`, the reference was released, and the head is terminated. If this returns `Pending`, the
    /// head is unchanged, or it is terminated because the source refused the token. If the poll unwinds, the head is terminated, and the
    /// reference was released. The arguments include a copy of the head and a reference to the head. So the function need not load the
    /// head.
    poll: PollFn<T>,
    /// Cancels the operation, and releases the reference. The head is not used again.
    cancel: fn(*mut (), Head),
    /// Returns `true` if a poll with this head would certainly return `Ready`. If this is not known without a poll, returns `false`.
    is_completed: fn(*mut (), Head) -> bool,
    /// Returns the name of the source, for `Debug`.
    type_name: fn() -> &'static str,
}

/// The type of [`VTable::poll`].
type PollFn<T> = fn(Head, &mut Head, &mut Context<'_>, *mut ()) -> Poll<T>;

impl<T> VTable<T> {
    /// Returns the table for references of the type `R`.
    pub(crate) const fn of<R: ErasedReference<Output = T>>() -> Self {
        VTable {
            poll: poll::<R>,
            cancel: cancel::<R>,
            is_completed: is_completed::<R>,
            type_name: R::type_name,
        }
    }
}

/// Returns the typed address of a pointee.
#[inline(always)]
fn pointee<R: ErasedReference>(address: *mut ()) -> NonNull<R::Pointee> {
    // SAFETY: by the invariant of `VTable`, this is the address of a pointee. So it is not null.
    unsafe { NonNull::new_unchecked(address) }.cast()
}

fn poll<R: ErasedReference>(
    head: Head,
    place: &mut Head,
    cx: &mut Context<'_>,
    address: *mut (),
) -> Poll<R::Output> {
    R::poll(Live { place, pointee: pointee::<R>(address) }, head.token(), cx)
}

fn cancel<R: ErasedReference>(address: *mut (), head: Head) {
    // SAFETY: the head owns the reference, and the head is not used again.
    let reference = unsafe { R::from_raw(pointee::<R>(address), head.reference()) };
    reference.cancel(head.token());
}

fn is_completed<R: ErasedReference>(address: *mut (), head: Head) -> bool {
    // SAFETY: the head owns a reference to the pointee.
    let pointee = unsafe { pointee::<R>(address).as_ref() };
    R::is_completed(pointee, head.token())
}

/// A reference that can be converted into a thin pointer to its pointee, and back.
///
/// # Safety
///
/// The pointer from `into_raw` is valid for shared access to the pointee, until `from_raw` is called with this pointer. The pointee begins
/// with a [`Header`]. The header points to the table that [`VTable::of`] returns for this type, or to a larger table whose first field is
/// this table. The table lives as long as the pointee.
pub(crate) unsafe trait ThinReference: Sized {
    type Pointee;

    /// Converts the reference into a pointer and a tag. The tag says which type of reference this was.
    fn into_raw(self) -> (NonNull<Self::Pointee>, Reference);

    /// Converts the pointer back into the reference.
    ///
    /// # Safety
    ///
    /// The pointer and the tag are from `into_raw` of a reference of this type, which may have had another lifetime. The returned reference
    /// is used only while that reference could have been used. The caller converts them back only once.
    unsafe fn from_raw(pointee: NonNull<Self::Pointee>, tag: Reference) -> Self;
}

/// A reference that a head can own: a reference to a source, or the consumer of an operation.
pub(crate) trait ErasedReference: ThinReference {
    type Output;

    /// Returns the name that `Debug` shows.
    fn type_name() -> &'static str;

    /// Polls the operation with this token. Reports the outcome by a method of `live`, which consumes `live`.
    fn poll(live: Live<'_, Self>, token: Token, cx: &mut Context<'_>) -> Poll<Self::Output>;

    /// Returns `true` if a poll would certainly return `Ready`. If this is not known without a poll, returns `false`.
    fn is_completed(_: &Self::Pointee, _: Token) -> bool {
        false
    }

    /// Cancels the operation with this token, and releases the reference.
    fn cancel(self, token: Token);
}

/// A guard that exists while a source is polled. If the poll unwinds, the guard terminates the head, and cancels the operation.
///
/// A `Live` has two words, so it stays in registers.
///
/// Invariant: the head at `place` owns an `R`, which is a reference to `pointee`.
#[must_use]
pub(crate) struct Live<'h, R: ErasedReference> {
    place: &'h mut Head,
    pointee: NonNull<R::Pointee>,
}

const COMPLETED: Head = Head::terminated(Terminated::Completed(Some(ArmOrigin::Source)));
const PANICKED: Head = Head::terminated(Terminated::Panicked(ArmOrigin::Source));

impl<R: ErasedReference> Live<'_, R> {
    /// Returns the address of the pointee.
    #[inline(always)]
    pub(crate) fn pointer(&self) -> NonNull<R::Pointee> {
        self.pointee
    }

    /// Ends the poll of an operation that is still pending. Returns `Pending`.
    #[inline(always)]
    pub(crate) fn pending<T>(self) -> Poll<T> {
        mem::forget(self);
        Poll::Pending
    }

    /// Ends the poll of an operation that has a result, and terminates the head. Returns the reference.
    #[inline(always)]
    pub(crate) fn complete(self) -> R {
        ManuallyDrop::new(self).end(COMPLETED)
    }

    /// Ends the poll with the result of `f`, and terminates the head. If `f` unwinds, the reason in the head is that the poll has panicked.
    #[inline(always)]
    pub(crate) fn complete_with<T>(self, f: impl FnOnce(R) -> T) -> T {
        let mut this = ManuallyDrop::new(self);
        let reference = this.end(PANICKED);
        let result = f(reference);
        *this.place = COMPLETED;
        result
    }

    /// Ends the poll of a source that has refused the token, and terminates the head. Returns the reference.
    #[inline(always)]
    pub(crate) fn refuse(self, stale: StaleToken) -> R {
        ManuallyDrop::new(self).end(Head::terminated(Terminated::Stale(stale)))
    }

    /// Moves the reference out of the head, and stores the head `ended` instead. This function is called only once.
    #[inline(always)]
    fn end(&mut self, ended: Head) -> R {
        let live = mem::replace(self.place, ended);
        // SAFETY: by the invariant, the head owned this reference. The head no longer owns it.
        unsafe { R::from_raw(self.pointee, live.reference()) }
    }
}

impl<R: ErasedReference> Deref for Live<'_, R> {
    type Target = R::Pointee;

    #[inline(always)]
    fn deref(&self) -> &R::Pointee {
        // SAFETY: by the invariant, the head owns a reference to the pointee. So the pointee exists.
        unsafe { self.pointee.as_ref() }
    }
}

impl<R: ErasedReference> Drop for Live<'_, R> {
    #[inline]
    fn drop(&mut self) {
        let token = self.place.token();
        self.end(PANICKED).cancel(token);
    }
}

/// The header of a source of exactly the type `P`.
///
/// Invariant: the table is that of an [`AnyReference`] to a `P`. This type is invariant in `P`. Otherwise, a header could be converted into
/// a header of a supertype of `P`, which may be a source with another output.
#[repr(transparent)]
pub(crate) struct SourceHeader<P> {
    header: Header,
    exactly: PhantomData<fn(P) -> P>,
}

// SAFETY: a header is a shared reference to a table of function pointers.
unsafe impl<P> Send for SourceHeader<P> {}
// SAFETY: a header is a shared reference to a table of function pointers.
unsafe impl<P> Sync for SourceHeader<P> {}

impl<P> SourceHeader<P> {
    pub(crate) const fn new<'a, T>() -> Self
    where
        P: 'a,
        AnyReference<'a, P>: ErasedReference<Output = T>,
    {
        let table = const { &VTable::<T>::of::<AnyReference<'a, P>>() };
        SourceHeader { header: Header::new(table), exactly: PhantomData }
    }
}

/// A source that begins with its header.
pub(crate) trait HasHeader: Sized {
    /// Returns the header, which is the first field.
    fn header(&self) -> &SourceHeader<Self>;
}

/// A reference to a source: a borrow, an `Arc` or an `Rc`.
pub(crate) enum AnyReference<'a, P> {
    Borrowed(&'a P),
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    Arc(Arc<P>),
    #[cfg(feature = "alloc")]
    Rc(Rc<P>),
}

impl<P> Deref for AnyReference<'_, P> {
    type Target = P;

    fn deref(&self) -> &P {
        match self {
            AnyReference::Borrowed(source) => source,
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            AnyReference::Arc(source) => source,
            #[cfg(feature = "alloc")]
            AnyReference::Rc(source) => source,
        }
    }
}

// SAFETY: a borrowed pointee exists for the lifetime of the reference. The pointee of an `Arc` or an `Rc` exists until the `Arc` or the
// `Rc` is dropped. `into_raw` asserts that the pointee begins with its header, and by the invariant of `SourceHeader`, the table of this
// header is the one for this type.
unsafe impl<P: HasHeader> ThinReference for AnyReference<'_, P> {
    type Pointee = P;

    #[inline(always)]
    fn into_raw(self) -> (NonNull<P>, Reference) {
        const { assert!(size_of::<P>() >= size_of::<SourceHeader<P>>()) };
        assert!(ptr::addr_eq(self.header(), &raw const *self), "the header is the first field");
        let (pointer, tag) = match self {
            AnyReference::Borrowed(source) => (&raw const *source, Reference::Borrowed),
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            AnyReference::Arc(source) => (Arc::into_raw(source), Reference::Arc),
            #[cfg(feature = "alloc")]
            AnyReference::Rc(source) => (Rc::into_raw(source), Reference::Rc),
        };
        (NonNull::new(pointer.cast_mut()).expect("a source has an address"), tag)
    }

    #[inline(always)]
    unsafe fn from_raw(source: NonNull<P>, tag: Reference) -> Self {
        match tag {
            // SAFETY: the pointer is from a reference, by the contract of `from_raw`. The lifetime of this reference has not ended.
            Reference::Borrowed => AnyReference::Borrowed(unsafe { source.as_ref() }),
            #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
            // SAFETY: the pointer is from `Arc::into_raw`, by the contract of `from_raw`.
            Reference::Arc => AnyReference::Arc(unsafe { Arc::from_raw(source.as_ptr()) }),
            #[cfg(feature = "alloc")]
            // SAFETY: the pointer is from `Rc::into_raw`, by the contract of `from_raw`.
            Reference::Rc => AnyReference::Rc(unsafe { Rc::from_raw(source.as_ptr()) }),
        }
    }
}

/// A head that owns its pointee, or borrows a cell.
///
/// Invariant: a head that is a pointer owns a live cell, borrows a live cell for `'a`, or owns one [`ErasedReference`]. The output of the
/// pointee is `T`, or a subtype of `T`. The pointee lives for `'a`, and it is `Send` if `A` is [`Movable`]. If the head is ready, the owner
/// of the `OwnedHead` stores a `T` next to the head.
///
/// The output may be a subtype `U` of `T`, because a result is only returned. A function in the table that returns a `U` is called as a
/// function that returns a `T`. Safe code can do the same, because the compiler converts a `fn() -> U` into a `fn() -> T`. (For a
/// higher-ranked `T`, Miri reports an error in both cases.)
#[repr(transparent)]
pub(crate) struct OwnedHead<'a, T, A> {
    head: Head,
    /// The `dyn Erased` stands for the erased type of the pointee. So an `OwnedHead` is not automatically `Send` or unwind safe, and it is
    /// covariant in `'a`.
    pointee: PhantomData<dyn Erased + 'a>,
    output: PhantomData<fn() -> T>,
    affinity: PhantomData<A>,
}

trait Erased {}

// SAFETY: by the invariant, the pointee is `Send`, because `A` is `Movable`.
unsafe impl<T, A: Movable> Send for OwnedHead<'_, T, A> {}
// SAFETY: through a shared reference to an `OwnedHead`, only these fields of a pointee are read: the header, the page pointer of a block,
// and the state and the number of a slot. The header and the page pointer do not change while the head owns the pointee. The state and the
// number are atomics, because the pointee is `Send`.
unsafe impl<T, A: Movable> Sync for OwnedHead<'_, T, A> {}

// A pointee does not move if the head that owns it moves.
impl<T, A> Unpin for OwnedHead<'_, T, A> {}

impl<'a, T, A> OwnedHead<'a, T, A> {
    const fn of(head: Head) -> Self {
        OwnedHead { head, pointee: PhantomData, output: PhantomData, affinity: PhantomData }
    }

    /// Returns the head of a future with an inline result.
    ///
    /// # Safety
    ///
    /// The caller stores a `T` next to the head.
    #[inline(always)]
    pub(crate) const unsafe fn ready() -> Self {
        OwnedHead::of(Head::READY)
    }

    /// Returns the head of a future that was terminated for this reason.
    #[inline]
    pub(crate) const fn terminated(why: Terminated) -> Self {
        OwnedHead::of(Head::terminated(why))
    }

    /// Moves the future into an allocation.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn boxed<F>(future: F) -> Self
    where
        F: ErasedFuture<Output = T> + 'a,
        A: Admits<F>,
    {
        OwnedCell::boxed(future).into()
    }

    /// Returns a head that borrows a cell.
    #[inline]
    pub(crate) fn of_borrowed_cell<F>(cell: Pin<&'a mut BorrowedCell<F>>) -> Self
    where
        F: ErasedFuture<Output = T>,
        A: Admits<&'a mut BorrowedCell<F>>,
    {
        OwnedCell::borrowed(cell).into()
    }

    /// Returns the head of the operation with this token. The head owns the reference.
    ///
    /// # Panics
    ///
    /// Panics if the token [does not fit](Head::has_room) beside the address.
    #[inline]
    pub(crate) fn of_reference<R>(reference: R, token: Token) -> Self
    where
        R: ErasedReference<Output = T> + 'a,
        A: Admits<R>,
    {
        OwnedHead::of_admitted(reference, token)
    }

    /// Does what [`of_reference`](OwnedHead::of_reference) does, without the bound `A: Admits<R>`. The callers have this bound for the type
    /// from which they made the reference, such as `Arc<P>`.
    #[inline(always)]
    fn of_admitted<R: ErasedReference<Output = T> + 'a>(reference: R, token: Token) -> Self {
        let (pointee, tag) = reference.into_raw();
        OwnedHead::of(Head::source(pointee.cast(), tag, token))
    }

    /// Does what [`of_reference`](OwnedHead::of_reference) does, for a borrowed source.
    #[inline]
    pub(crate) fn borrowed<P>(source: &'a P, token: Token) -> Self
    where
        AnyReference<'a, P>: ErasedReference<Output = T>,
        A: Admits<&'a P>,
    {
        OwnedHead::of_admitted(AnyReference::Borrowed(source), token)
    }

    /// Does what [`of_reference`](OwnedHead::of_reference) does, for a source in an `Arc`.
    #[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
    #[inline]
    pub(crate) fn arc<P: 'a>(source: Arc<P>, token: Token) -> Self
    where
        AnyReference<'a, P>: ErasedReference<Output = T>,
        A: Admits<Arc<P>>,
    {
        OwnedHead::of_admitted(AnyReference::Arc(source), token)
    }

    /// Does what [`of_reference`](OwnedHead::of_reference) does, for a source in an `Rc`.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn rc<P: 'a>(source: Rc<P>, token: Token) -> Self
    where
        AnyReference<'a, P>: ErasedReference<Output = T>,
        A: Admits<Rc<P>>,
    {
        OwnedHead::of_admitted(AnyReference::Rc(source), token)
    }

    /// Terminates a ready head. The caller takes the inline result.
    ///
    /// # Panics
    ///
    /// Panics if the head is not ready.
    #[inline(always)]
    pub(crate) fn take_ready(&mut self) {
        assert!(self.head.is_ready());
        self.head = const { Head::terminated(Terminated::Completed(Some(ArmOrigin::Ready))) };
    }

    /// Polls the pointee. The head is not ready. If this returns `Pending` and the head is then not a pointer, the future will never be
    /// ready: it was terminated before, or this poll has broken a [rule](crate::error::Rule).
    #[inline(always)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        if self.head.is_cell() {
            // SAFETY: by the invariant, the head owns or borrows a live cell. The output of its future is `T`, or a subtype of `T`.
            unsafe { PollGuard::new(&mut self.head) }.poll(cx)
        } else if self.head.is_pointer() {
            poll_source(SourceHead(self.head, PhantomData), &mut self.head, cx)
        } else {
            Poll::Pending
        }
    }

    /// Returns `true` if the pointee is an operation that certainly has its result. If this is not known without a poll, returns `false`.
    pub(crate) fn operation_is_completed(&self) -> bool {
        if self.head.is_cell() {
            return false;
        }
        self.source().is_some_and(|source| source.is_completed())
    }

    /// Returns the arm and the type name of the pointee, for messages. Returns `None` if there is no pointee.
    pub(crate) fn about_pointee(&self) -> Option<(ArmOrigin, &'static str)> {
        if self.head.is_cell() {
            // SAFETY: by the invariant, the head owns or borrows a live cell. The cell is not released here.
            return Some(unsafe { LiveCell::new(self.head) }.about());
        }
        self.source().map(|source| (ArmOrigin::Source, (source.table().type_name)()))
    }

    /// Returns a copy of the head if the head points to a source. The caller has checked that the head does not point to a cell.
    fn source(&self) -> Option<SourceHead<T>> {
        self.head.is_pointer().then_some(SourceHead(self.head, PhantomData))
    }
}

impl<'a, T, A> From<OwnedCell<'a, T, A>> for OwnedHead<'a, T, A> {
    #[inline(always)]
    fn from(cell: OwnedCell<'a, T, A>) -> Self {
        OwnedHead::of(cell.into_head())
    }
}

impl<T, A> Deref for OwnedHead<'_, T, A> {
    type Target = Head;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn deref(&self) -> &Head {
        &self.head
    }
}

impl<T, A> Drop for OwnedHead<'_, T, A> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.head.is_pointer() {
            release::<T>(self.head);
        }
    }
}

/// Releases the pointee of an [`OwnedHead`] that is dropped. This function is not inlined, because each `.await` has two such calls.
#[cold]
#[inline(never)]
fn release<T>(head: Head) {
    if head.is_cell() {
        // SAFETY: the head owned or borrowed a live cell, and the head is not used again.
        return unsafe { LiveCell::new(head) }.release();
    }
    SourceHead::<T>(head, PhantomData).cancel();
}

/// A copy of a head in the source arm.
///
/// Invariant: the head owns an [`ErasedReference`]. The output of this reference is `T`, or a subtype of `T`.
struct SourceHead<T>(Head, PhantomData<fn() -> T>);

impl<T> Clone for SourceHead<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for SourceHead<T> {}

impl<T> SourceHead<T> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn table(&self) -> &VTable<T> {
        let header = self.0.source_pointer().cast::<Header>();
        // SAFETY: by the invariant, this is the address of a pointee, and a pointee begins with a header.
        let header = unsafe { *header };
        // SAFETY: the table of a source with the output `T` is a `VTable<T>`. It lives as long as the source.
        unsafe { header.table().cast().as_ref() }
    }

    fn is_completed(&self) -> bool {
        (self.table().is_completed)(self.0.source_pointer(), self.0)
    }

    fn cancel(self) {
        (self.table().cancel)(self.0.source_pointer(), self.0);
    }
}

/// Polls the source of the head at `place`. This function is not inlined. If it were, the compiler would unpack the address before it knows
/// whether the head points to a source or to a cell, and the poll of a cell would wait for the unpacking. (Unpacking does not change the
/// address of a cell.) The last instruction of this function is a jump to the function in the table.
#[inline(never)]
fn poll_source<T>(source: SourceHead<T>, place: &mut Head, cx: &mut Context<'_>) -> Poll<T> {
    (source.table().poll)(source.0, place, cx, source.0.source_pointer())
}
