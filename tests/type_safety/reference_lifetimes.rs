//! No reference can outlive the value that it borrows, or alias a mutable reference.

use super::harness::{Program, refused_and_fixed};

/// Each entry has a name, the expression that creates the value `it`, the expression that borrows from `it`, and whether this borrow is
/// shared or mutable.
#[rustfmt::skip]
const REFERENCES: &[(&str, &str, &str, Borrows)] = &[
    ("Shared::peek", "ValueFuture::ready(5).share()", "it.peek()", Shared),
    ("LocalShared::peek", "LocalValueFuture::ready(5).share()", "it.peek()", Shared),
    ("Source, dereferenced", "Source::new(Of(5))", "&it.0", Shared),
    ("Source, mutably dereferenced", "Source::new(Of(5))", "&mut it.0", Mutably),
    ("ValueNext::get_ref", "ValueNext::new(Of(5))", "it.get_ref()", Shared),
    ("ValueNext::get_mut", "ValueNext::new(Of(5))", "it.get_mut()", Mutably),
    ("ValueNext::next", "ValueNext::new(Of(5))", "it.next()", Mutably),
    ("ValueNext::next_local", "ValueNext::new(Of(5))", "it.next_local()", Mutably),
    ("ValueNext::next_pinned", "ValueNext::new(Of(5))", "Pin::new(&mut it).next_pinned()", Mutably),
    ("Completer::closed", "Pool::<Option<u8>>::new().rent().0", "it.closed()", Mutably),
    ("LocalCompleter::closed", "LocalPool::<Option<u8>>::new().rent().0", "it.closed()", Mutably),
    ("ReusableCompleter::closed", "completer_of_a_static()", "it.closed()", Mutably),
    ("ReusableSource::begin", "Numbers::new()", "it.begin()", Shared),
    ("ReusableSource::begin_with_completer", "Numbers::new()", "it.begin_with_completer()", Shared),
    ("Arm::Ready", "Arm::<u8>::Ready(5)", "match &it { Arm::Ready(value) => value, _ => panic!() }", Shared),
];

enum Borrows {
    Shared,
    Mutably,
}
use Borrows::{Mutably, Shared};

/// Each entry has a name, the error if the borrow is shared, the error if it is mutable, the refused body, and the fixed body. If the error
/// is empty, the body is not refused for this kind of borrow.
#[rustfmt::skip]
const FORMS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "used outside of the block of its value", "E0597", "E0597",
        "let kept = { let mut it = {create}; {reference} }; keep(kept);",
        "let mut it = {create}; let kept = { {reference} }; keep(kept);",
    ),
    (
        "used after its value is dropped", "E0505", "E0505",
        "let mut it = {create}; let kept = {reference}; drop(it); keep(kept);",
        "let mut it = {create}; let kept = {reference}; keep(kept); drop(it);",
    ),
    (
        "used after its value is replaced", "E0502", "E0499",
        "let mut it = {create}; let kept = {reference}; mem::replace(&mut it, {create}); keep(kept);",
        "let mut it = {create}; let kept = {reference}; keep(kept); mem::replace(&mut it, {create});",
    ),
    (
        "used after its value is read", "", "E0502",
        "let mut it = {create}; let kept = {reference}; keep(&it); keep(kept);",
        "let mut it = {create}; let kept = {reference}; keep(kept); keep(&it);",
    ),
];

/// More function bodies that break a rule of borrowing, of pinning, or of shared ownership. Each entry has a name, the error, the refused
/// body, and the fixed body.
#[rustfmt::skip]
const BODIES: &[(&str, &str, &str, &str)] = &[
    (
        "a reusable source cleared while its future is used", "E0502",
        "let mut source = Numbers::new(); let future = source.begin(); source.clear(); keep(future);",
        "let mut source = Numbers::new(); let future = source.begin(); keep(future); source.clear();",
    ),
    (
        "a reusable source cleared while its completer is used", "E0502",
        "let mut source = Numbers::new(); let (completer, _) = source.begin_with_completer().unwrap(); source.clear(); keep(completer);",
        "let mut source = Numbers::new(); let (completer, _) = source.begin_with_completer().unwrap(); keep(completer); source.clear();",
    ),
    (
        "a shared reusable source cleared", "E0596",
        "let source = Arc::new(Numbers::new()); source.clear();",
        "let mut source = Arc::new(Numbers::new()); Arc::get_mut(&mut source).unwrap().clear();",
    ),
    (
        "two futures of a `ValueNext`", "E0499",
        "let mut values = ValueNext::new(Of(5)); let (one, other) = (values.next(), values.next()); keep(one);",
        "let mut values = ValueNext::new(Of(5)); keep(values.next()); keep(values.next());",
    ),
    (
        "two futures of a pinned `ValueNext`", "E0499",
        "let mut values = pin!(ValueNext::new(Of(5))); let one = values.as_mut().next_pinned(); let other = values.as_mut().next_pinned(); keep(one);",
        "let mut values = pin!(ValueNext::new(Of(5))); keep(values.as_mut().next_pinned()); keep(values.as_mut().next_pinned());",
    ),
    (
        "the stream of a `ValueNext` borrowed while its future is used", "E0499",
        "let mut values = ValueNext::new(Of(5)); let next = values.next(); let stream = values.get_mut(); keep(next);",
        "let mut values = ValueNext::new(Of(5)); let next = values.next(); keep(next); let stream = values.get_mut();",
    ),
    (
        "a `ValueNext` consumed while its future is used", "E0505",
        "let mut values = ValueNext::new(Of(5)); let next = values.next(); let stream = values.into_inner(); keep(next);",
        "let mut values = ValueNext::new(Of(5)); let next = values.next(); keep(next); let stream = values.into_inner();",
    ),
    (
        "a `ValueNext` polled as a stream while its future is used", "E0499",
        "let mut values = ValueNext::new(Of(5)); let next = values.next(); futures_core::Stream::poll_next(Pin::new(&mut values), &mut Context::from_waker(Waker::noop())); keep(next);",
        "let mut values = ValueNext::new(Of(5)); let next = values.next(); keep(next); futures_core::Stream::poll_next(Pin::new(&mut values), &mut Context::from_waker(Waker::noop()));",
    ),
    (
        "a stream that is dropped after the value that its reader borrows", "E0597",
        "let stream; let text = String::new(); stream = ReaderStream::new(&text, |reader: &mut &String| ValueFuture::boxed(read(reader)).map(Some));",
        "let text = String::new(); let stream; stream = ReaderStream::new(&text, |reader: &mut &String| ValueFuture::boxed(read(reader)).map(Some));",
    ),
    (
        "a local stream that is dropped after the value that its reader borrows", "E0597",
        "let stream; let text = String::new(); stream = LocalReaderStream::new(&text, |reader: &mut &String| LocalValueFuture::boxed(read(reader)).map(Some));",
        "let text = String::new(); let stream; stream = LocalReaderStream::new(&text, |reader: &mut &String| LocalValueFuture::boxed(read(reader)).map(Some));",
    ),
    (
        "a mutable reference to a pinned `ValueNext`", "E0277",
        "let values = pin!(ValueNext::new(Of(PhantomPinned))); values.get_mut();",
        "let values = pin!(ValueNext::new(Of(5))); values.get_mut();",
    ),
    (
        "two values of `ValueNext` swapped while the future of one is used", "E0499",
        "let (mut one, mut other) = (ValueNext::new(Of(5)), ValueNext::new(Of(5))); let next = one.next(); mem::swap(&mut one, &mut other); keep(next);",
        "let (mut one, mut other) = (ValueNext::new(Of(5)), ValueNext::new(Of(5))); let next = one.next(); keep(next); mem::swap(&mut one, &mut other);",
    ),
    (
        "a source changed while its future is used", "E0502",
        "let mut source = Source::new(Of(5)); let future = ValueFuture::from_source(&source, Token::new(1)); source.0 = 6; keep(future);",
        "let mut source = Source::new(Of(5)); let future = ValueFuture::from_source(&source, Token::new(1)); keep(future); source.0 = 6;",
    ),
    (
        "a source consumed while its future is used", "E0505",
        "let source = Source::new(Of(5)); let future = ValueFuture::from_source(&source, Token::new(1)); source.into_inner(); keep(future);",
        "let source = Source::new(Of(5)); let future = ValueFuture::from_source(&source, Token::new(1)); keep(future); source.into_inner();",
    ),
    (
        "a source in an Arc changed", "E0596",
        "let source = Arc::new(Source::new(Of(5))); keep(&mut source.0);",
        "let mut source = Arc::new(Source::new(Of(5))); keep(&mut Arc::get_mut(&mut source).unwrap().0);",
    ),
    (
        "a source in an Arc consumed", "E0507",
        "let source = Arc::new(Source::new(Of(5))); (*source).into_inner();",
        "let source = Arc::new(Source::new(Of(5))); Arc::try_unwrap(source).ok().unwrap().into_inner();",
    ),
    (
        "a shared future polled while its result is borrowed", "E0502",
        "let mut shared = pin!(ValueFuture::boxed(async { 5 }).share()); let value = shared.peek(); shared.as_mut().poll(&mut Context::from_waker(Waker::noop())); keep(value);",
        "let mut shared = pin!(ValueFuture::boxed(async { 5 }).share()); let value = shared.peek(); keep(value); shared.as_mut().poll(&mut Context::from_waker(Waker::noop()));",
    ),
    (
        "a shared future polled without being pinned", "E0277",
        "let mut shared = ValueFuture::boxed(async { 5 }).share(); keep(Pin::new(&mut shared));",
        "let mut future = ValueFuture::boxed(async { 5 }); keep(Pin::new(&mut future));",
    ),
    (
        "a completer consumed while `closed` is used", "E0505",
        "let (mut completer, _) = Pool::new().rent(); let closed = completer.closed(); completer.complete(Some(5)); keep(closed);",
        "let (mut completer, _) = Pool::new().rent(); let closed = completer.closed(); keep(closed); completer.complete(Some(5));",
    ),
    (
        "a reusable completer consumed while `closed` is used", "E0505",
        "let mut completer = completer_of_a_static(); let closed = completer.closed(); completer.complete(Some(5)); keep(closed);",
        "let mut completer = completer_of_a_static(); let closed = completer.closed(); keep(closed); completer.complete(Some(5));",
    ),
    (
        "a source with a value that borrows the source", "E0597",
        "let source = ReusableSource::<Option<Box<dyn Anything + Send + '_>>>::new(); let future = source.begin(); source.complete_key(source.key().unwrap(), Some(Box::new(source.begin())));",
        "let source = ReusableSource::<Option<Box<dyn Anything + Send + '_>>>::new(); let future = source.begin(); source.complete_key(source.key().unwrap(), Some(Box::new(5)));",
    ),
];

/// Function bodies that drop an owner before its handle. They compile, because the handle does not borrow the owner.
const INDEPENDENT: &[(&str, &str)] = &[
    (
        "an operation outlives its pool",
        "let pool = Pool::<Option<u8>>::new(); let operation = pool.rent(); drop(pool); keep(operation);",
    ),
    (
        "a pooled future outlives its pool",
        "let text = String::new(); let pool = FuturePool::new(); let future = pool.pooled(read(&text)); drop(pool); keep(future);",
    ),
    (
        "a future of an Arc outlives the Arc",
        "let source = Arc::new(Source::new(Of(5))); let future = ValueFuture::from_source(Arc::clone(&source), Token::new(1)); drop(source); keep(future);",
    ),
    (
        "a key outlives its reusable source",
        "let source = Numbers::new(); keep(source.begin()); let key = source.key(); drop(source); keep(key);",
    ),
    (
        "a handle of a shared future outlives another handle",
        "let one = ValueFuture::ready(5).share(); let other = one.clone(); drop(one); keep(other);",
    ),
];

pub(crate) fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    for (name, create, reference, borrows) in REFERENCES {
        for (form, shared, mutably, refused, fixed) in FORMS {
            let error = if matches!(borrows, Shared) { *shared } else { *mutably };
            let fill =
                |text: &str| text.replace("{create}", create).replace("{reference}", reference);
            if !error.is_empty() {
                let name = format!("reference lifetimes, {name}, {form}");
                programs.extend(refused_and_fixed(&name, error, &fill(refused), &fill(fixed)));
            }
        }
    }
    for (name, error, refused, fixed) in BODIES {
        programs.extend(refused_and_fixed(
            &format!("reference lifetimes, {name}"),
            error,
            refused,
            fixed,
        ));
    }
    for (name, body) in INDEPENDENT {
        programs.push(Program::compiles(
            format!("independent, {name}"),
            format!("fn case() {{ {body} }}"),
        ));
    }
    programs
}
