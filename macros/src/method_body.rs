//! Builds the body of a method: the statement of `#[ready]`, and the call that creates a value future from the `async` block.
//!
//! ```text
//! {
//!     if let Some(result) = … { return ValueFuture::ready(result); }     // see `ready`
//!     out_of_line(move || ValueFuture::pooled(async move { … }))         // `out_of_line` only after `#[ready]`
//! }
//! ```
//!
//! If the method has other attribute macros, they see the body that `async-trait` would write: `Box::pin(async move { … })`. The attribute
//! `make` runs after these macros, and replaces `Box::pin`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Block, Error, Expr, ExprCall, Result, Signature, Stmt, parse_quote};

use crate::{
    options::{Options, Storage},
    ready::Ready,
    signature::with_span,
};

/// Returns the body of a method. If `has_foreign_macros` is `true`, the body ends in `Box::pin(…)`, because the other attribute macros
/// expect this call.
pub(crate) fn method_body(
    signature: &Signature,
    ready: Option<Ready>,
    block: &TokenStream,
    options: &Options,
    has_foreign_macros: bool,
) -> Block {
    let future = if has_foreign_macros {
        quote!(Box::pin(#block))
    } else {
        future_call(options, ready.is_some(), block)
    };
    let early_return = ready.map(|ready| ready.early_return(signature, &future_type(options)));
    parse_quote!({ #early_return #future })
}

/// Returns the path of the type of future that the method returns.
fn future_type(options: &Options) -> TokenStream {
    let krate = &options.krate;
    if options.is_local { quote!(#krate::LocalValueFuture) } else { quote!(#krate::ValueFuture) }
}

/// Returns the call that creates a value future from an `async` block. If `is_cold` is `true`, the call is in a function that is not
/// inlined.
fn future_call(options: &Options, is_cold: bool, block: &TokenStream) -> TokenStream {
    // The call has the span of `async`. So the compiler's errors about the block point at `async`.
    let span = block.clone().into_iter().next().map_or_else(Span::call_site, |first| first.span());
    let future = with_span(future_type(options), span);
    let call = match (&options.storage, options.is_eager) {
        (Storage::BuiltInPool, false) => quote_spanned!(span=> #future::pooled(#block)),
        (Storage::BuiltInPool, true) => quote_spanned!(span=> #future::eager(#block)),
        (Storage::Boxed, _) => quote_spanned!(span=> #future::boxed(#block)),
        (Storage::Pool(pool), false) => quote_spanned!(span=> (#pool).pooled(#block)),
        (Storage::Pool(pool), true) => quote_spanned!(span=> (#pool).eager(#block)),
    };
    let krate = &options.krate;
    if is_cold { quote!(#krate::__private::out_of_line(move || #call)) } else { call }
}

/// Returns the attribute `make`, which replaces `Box::pin` after the other attribute macros have run.
pub(crate) fn make_attribute(options: &Options, is_cold: bool) -> Attribute {
    let Options { is_local, storage, is_eager, krate, .. } = options;
    let local = is_local.then(|| quote!(?Send,));
    let storage = match storage {
        Storage::BuiltInPool => quote!(),
        Storage::Boxed => quote!(boxed,),
        Storage::Pool(pool) => quote!(pool = #pool,),
    };
    let eager = is_eager.then(|| quote!(eager,));
    let cold = is_cold.then(|| quote!(cold,));
    parse_quote!(#[#krate::__private::make(#local #storage #eager #cold crate = #krate)])
}

/// Replaces the `Box::pin(future)` at the end of a body by the call that creates a value future.
pub(crate) fn replace_box(body: &mut Block, options: &Options) -> Result<()> {
    let span = body.brace_token.span.join();
    let last = body.stmts.iter_mut().rev().find_map(|statement| match statement {
        Stmt::Expr(expression, None) => Some(expression),
        _ => None,
    });
    if let Some(expression) = last {
        if let Some(future) = argument_of_box_pin(expression) {
            *expression = Expr::Verbatim(future_call(options, options.is_cold, &future));
            return Ok(());
        }
    }
    Err(Error::new(
        span,
        "`#[async_trait]` needs `Box::pin(async move { … })` at the end of this body, but another attribute of the method \
         has changed it: remove that attribute, or write the method without `async` in the trait and in each `impl`",
    ))
}

/// Returns the argument of `Box::pin(…)`. The function accepts any call with one argument if the path of the called function ends in `pin`.
/// For any other expression, it returns `None`.
fn argument_of_box_pin(expression: &Expr) -> Option<TokenStream> {
    let Expr::Call(ExprCall { func, args, .. }) = expression else { return None };
    let Expr::Path(function) = &**func else { return None };
    let is_pin = function.path.segments.last().is_some_and(|segment| segment.ident == "pin");
    (is_pin && args.len() == 1).then(|| args.to_token_stream())
}
