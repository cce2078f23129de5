//! No handle can outlive the value that it borrows. The tables combine each handle with each way to keep it too long.

use super::harness::{Program, refused_and_fixed};

/// A handle that borrows another value, its owner.
struct Handle {
    name: &'static str,
    owner: &'static str,
    /// The expression that creates the handle from the owner `{o}`.
    create: &'static str,
    borrows: Borrows,
    sendable: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Borrows {
    Shared,
    Mutably,
}
use Borrows::{Mutably, Shared};

const fn of(
    name: &'static str,
    owner: &'static str,
    create: &'static str,
    borrows: Borrows,
    sendable: bool,
) -> Handle {
    Handle { name, owner, create, borrows, sendable }
}

const TEXT: &str = "String::new()";
const SOURCE: &str = "Source::new(Of(5))";
const REUSABLE: &str = "ReusableSource::<Option<u64>>::new()";
const LOCAL_REUSABLE: &str = "LocalReusableSource::<Option<u64>>::new()";
const VALUE_NEXT: &str = "ValueNext::new(Of(5))";

#[rustfmt::skip]
const HANDLES: &[Handle] = &[
    of("ReusableCompleter", REUSABLE, "{o}.begin_with_completer().unwrap().0", Shared, true),
    of("LocalReusableCompleter", LOCAL_REUSABLE, "{o}.begin_with_completer().unwrap().0", Shared, false),
    of("future of an operation with a ReusableCompleter", REUSABLE, "{o}.begin_with_completer().unwrap().1", Shared, true),
    of("local future of an operation with a LocalReusableCompleter", LOCAL_REUSABLE, "{o}.begin_with_completer().unwrap().1", Shared, false),
    of("future of a reusable source", REUSABLE, "{o}.begin().unwrap()", Shared, true),
    of("future of a local reusable source", LOCAL_REUSABLE, "{o}.begin().unwrap()", Shared, false),
    of("ReusableSource of values that borrow", TEXT, "source_for(&{o})", Shared, true),
    of("LocalReusableSource of values that borrow", TEXT, "local_source_for(&{o})", Shared, false),
    of("future with a result that borrows", TEXT, "ValueFuture::ready(&{o})", Shared, true),
    of("local future with a result that borrows", TEXT, "LocalValueFuture::ready(&{o})", Shared, false),
    of("boxed future", TEXT, "ValueFuture::boxed(read(&{o}))", Shared, true),
    of("local boxed future", TEXT, "LocalValueFuture::boxed(read(&{o}))", Shared, false),
    of("pooled future", TEXT, "ValueFuture::pooled(read(&{o}))", Shared, true),
    of("local pooled future", TEXT, "LocalValueFuture::pooled(read(&{o}))", Shared, false),
    of("eager future", TEXT, "ValueFuture::eager(read(&{o}))", Shared, true),
    of("future of a FuturePool", TEXT, "FuturePool::new().pooled(read(&{o}))", Shared, true),
    of("future of a LocalFuturePool", TEXT, "LocalFuturePool::new().pooled(read(&{o}))", Shared, false),
    of("mapped future", TEXT, "ValueFuture::boxed(read(&{o})).map(|length| length + 1)", Shared, true),
    of("chained future", TEXT, "chained(&{o})", Shared, true),
    of("Pin<Box<dyn Future>>", TEXT, "ValueFuture::boxed(read(&{o})).into_boxed()", Shared, true),
    of("future of a source", SOURCE, "ValueFuture::from_source(&{o}, Token::new(1))", Shared, true),
    of("local future of a source", SOURCE, "LocalValueFuture::from_source(&{o}, Token::new(1))", Shared, false),
    of("future of an Arc of a source that borrows", TEXT,
        "ValueFuture::from_source(Arc::new(Source::new(Borrowing(&{o}))), Token::new(1))", Shared, true),
    of("future of an Rc of a source that borrows", TEXT,
        "LocalValueFuture::from_source(Rc::new(Source::new(Borrowing(&{o}))), Token::new(1))", Shared, false),
    of("Arm", REUSABLE, "{o}.begin().unwrap().into_arm()", Shared, true),
    of("LocalArm", LOCAL_REUSABLE, "{o}.begin().unwrap().into_arm()", Shared, false),
    of("BoxedFuture", TEXT,
        "(match ValueFuture::boxed(read(&{o})).into_arm() { Arm::Boxed(boxed) => boxed, _ => panic!() })", Shared, true),
    of("SourceRef", REUSABLE,
        "(match {o}.begin().unwrap().into_arm() { Arm::Source { source, .. } => source, _ => panic!() })", Shared, true),
    of("Checked", REUSABLE, "{o}.begin().unwrap().checked()", Shared, true),
    of("LocalChecked", LOCAL_REUSABLE, "{o}.begin().unwrap().checked()", Shared, false),
    of("Shared", REUSABLE, "{o}.begin().unwrap().share()", Shared, true),
    of("LocalShared", LOCAL_REUSABLE, "{o}.begin().unwrap().share()", Shared, false),
    of("Shared with a result that borrows", TEXT, "ValueFuture::ready(&{o}).share()", Shared, true),
    of("WeakShared", REUSABLE, "{o}.begin().unwrap().share().downgrade()", Shared, true),
    of("LocalWeakShared", LOCAL_REUSABLE, "{o}.begin().unwrap().share().downgrade()", Shared, false),
    of("Completer of values that borrow", TEXT, "completer_for(&{o})", Shared, true),
    of("LocalCompleter of values that borrow", TEXT, "local_completer_for(&{o})", Shared, false),
    of("Completion of values that borrow", TEXT, "completion_for(&{o})", Shared, true),
    of("LocalCompletion of values that borrow", TEXT, "local_completion_for(&{o})", Shared, false),
    of("future of a completion of values that borrow", TEXT, "ValueFuture::from(completion_for(&{o}))", Shared, true),
    of("Pool of values that borrow", TEXT, "pool_for(&{o})", Shared, true),
    of("LocalPool of values that borrow", TEXT, "local_pool_for(&{o})", Shared, false),
    of("Source that owns a future", REUSABLE, "Source::new(Of({o}.begin().unwrap()))", Shared, true),
    of("ValueNext that owns a future", REUSABLE, "ValueNext::new(Of({o}.begin().unwrap()))", Shared, true),
    of("ValueStream", REUSABLE, "stream_of(&{o})", Shared, true),
    of("PooledError", REUSABLE, "refused_by_a_pool({o}.begin().unwrap())", Shared, true),
    of("CompleteError", REUSABLE, "refused_by_a_source({o}.begin().unwrap())", Shared, true),
    of("future of a ValueNext", VALUE_NEXT, "{o}.next()", Mutably, true),
    of("local future of a ValueNext", VALUE_NEXT, "{o}.next_local()", Mutably, false),
    of("Shared of a ValueNext", VALUE_NEXT, "{o}.next().share()", Mutably, true),
];

/// A function body that keeps a handle too long, and a fixed body.
struct Form {
    name: &'static str,
    /// The code of the expected error, which depends on how the handle borrows.
    error: fn(Borrows) -> &'static str,
    refused: &'static str,
    fixed: &'static str,
}

const fn form(
    name: &'static str,
    error: fn(Borrows) -> &'static str,
    refused: &'static str,
    fixed: &'static str,
) -> Form {
    Form { name, error, refused, fixed }
}

const DOES_NOT_LIVE_LONG_ENOUGH: fn(Borrows) -> &'static str = |_| "E0597";

/// The first five forms use the handle only in its destructor. If drop check did not see the borrow, these forms would compile, and the
/// test would fail.
const FORMS: &[Form] = &[
    form(
        "declared before its owner",
        DOES_NOT_LIVE_LONG_ENOUGH,
        "let handle; let mut owner = {owner}; handle = {handle};",
        "let mut owner = {owner}; let handle; handle = {handle};",
    ),
    form(
        "in a Vec",
        DOES_NOT_LIVE_LONG_ENOUGH,
        "let mut held = Vec::new(); let mut owner = {owner}; held.push({handle});",
        "let mut owner = {owner}; let mut held = Vec::new(); held.push({handle});",
    ),
    form(
        "in a struct",
        DOES_NOT_LIVE_LONG_ENOUGH,
        "let mut holder = Holder { held: None }; let mut owner = {owner}; holder.held = Some({handle});",
        "let mut owner = {owner}; let mut holder = Holder { held: None }; holder.held = Some({handle});",
    ),
    form(
        "in an Arc",
        DOES_NOT_LIVE_LONG_ENOUGH,
        "let held = Arc::new(RefCell::new(None)); let mut owner = {owner}; held.replace(Some({handle}));",
        "let mut owner = {owner}; let held = Arc::new(RefCell::new(None)); held.replace(Some({handle}));",
    ),
    form(
        "behind a trait",
        DOES_NOT_LIVE_LONG_ENOUGH,
        "let mut held: Box<dyn Anything + '_> = Box::new(()); let mut owner = {owner}; held = Box::new({handle});",
        "let mut owner = {owner}; let mut held: Box<dyn Anything + '_> = Box::new(()); held = Box::new({handle});",
    ),
    form(
        "used outside of the block of its owner",
        DOES_NOT_LIVE_LONG_ENOUGH,
        "let handle = { let mut owner = {owner}; {handle} }; keep(handle);",
        "let mut owner = {owner}; let handle = { {handle} }; keep(handle);",
    ),
    form(
        "used after its temporary owner is dropped",
        |_| "E0716",
        "let handle = {of_a_temporary}; keep(handle);",
        "let mut owner = {owner}; let handle = {handle}; keep(handle);",
    ),
    form(
        "used after its owner is dropped",
        |_| "E0505",
        "let mut owner = {owner}; let handle = {handle}; drop(owner); keep(handle);",
        "let mut owner = {owner}; let handle = {handle}; keep(handle); drop(owner);",
    ),
    form(
        "used after its owner is moved",
        |_| "E0505",
        "let mut owner = {owner}; let handle = {handle}; let moved = Box::new(owner); keep(handle);",
        "let mut owner = {owner}; let handle = {handle}; keep(handle); let moved = Box::new(owner);",
    ),
    form(
        "used after its owner is assigned",
        |_| "E0506",
        "let mut owner = {owner}; let handle = {handle}; owner = {owner}; keep(handle);",
        "let mut owner = {owner}; let handle = {handle}; keep(handle); owner = {owner};",
    ),
    form(
        "used after its owner is swapped",
        |borrows| if borrows == Shared { "E0502" } else { "E0499" },
        "let mut owner = {owner}; let handle = {handle}; mem::swap(&mut owner, &mut {owner}); keep(handle);",
        "let mut owner = {owner}; let handle = {handle}; keep(handle); mem::swap(&mut owner, &mut {owner});",
    ),
];

/// An additional form for handles that are `Send`.
const SENT: Form = form(
    "moved to a thread that outlives its owner",
    DOES_NOT_LIVE_LONG_ENOUGH,
    "let mut owner = {owner}; let handle = {handle}; thread::spawn(|| keep(handle));",
    "let mut owner = {owner}; let handle = {handle}; thread::scope(|scope| { scope.spawn(|| keep(handle)); });",
);

pub(crate) fn programs() -> Vec<Program> {
    let with = |handle: &Handle, form: &Form| {
        let fill = |text: &str| {
            text.replace("{handle}", &handle.create.replace("{o}", "owner"))
                .replace("{of_a_temporary}", &handle.create.replace("{o}", handle.owner))
                .replace("{owner}", handle.owner)
        };
        let name = format!("handle lifetimes, {}, {}", handle.name, form.name);
        refused_and_fixed(
            &name,
            (form.error)(handle.borrows),
            &fill(form.refused),
            &fill(form.fixed),
        )
    };
    let forms = |handle: &'static Handle| {
        FORMS
            .iter()
            .chain(handle.sendable.then_some(&SENT))
            .flat_map(move |form| with(handle, form))
    };
    HANDLES.iter().flat_map(forms).collect()
}
