//! What is around the async block: the call that makes a value future of it, and `#[ready]` before that.
//!
//! ```text
//! #[ready(self.cached(key))]
//! async fn get(&self, key: String) -> R { … }
//!
//! {
//!     if let Some(result) = {
//!         let this = self;
//!         let key = &key;
//!         (move || -> Option<R> { this.cached(key) })()
//!     } {
//!         return ValueFuture::ready(result);
//!     }
//!     out_of_line(move || ValueFuture::pooled(async move { … }))
//! }
//! ```
//!
//! `#[ready(if self.has_word() => self.next_word())]` makes an `if` that returns. So the compiler knows that a borrow by the result
//! is not in the way of the body.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Block, Error, Expr, ExprCall, FnArg, Ident, Pat, PatIdent, Receiver, Result,
    ReturnType, Signature, Stmt, Token, Type,
    parse::{Parse, ParseStream},
    parse_quote, token,
    visit_mut::VisitMut,
};

use crate::{
    body::{InferImplTraits, is_cfg},
    options::{Options, Place},
    receiver,
    signature::{argument_name, peel},
};

/// What is in `#[ready]`.
pub(crate) enum Ready {
    /// An expression that may have the result.
    Option(Expr),
    /// A condition, and the expression that then has the result.
    If(Expr, Expr),
}

impl Parse for Ready {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        // An expression may begin with `if`, too.
        let ahead = input.fork();
        let has_condition = ahead.parse::<Token![if]>().is_ok()
            && Expr::parse_without_eager_brace(&ahead).is_ok()
            && !ahead.peek(token::Brace);
        let ready = if has_condition {
            input.parse::<Token![if]>()?;
            let condition = Expr::parse_without_eager_brace(input)?;
            if let Expr::Let(_) = condition {
                return Err(Error::new_spanned(
                    condition,
                    "the condition of `#[ready(if …)]` is a `bool`, such as `self.next.is_some()`: it has no pattern",
                ));
            }
            let arrow = input.parse::<Token![=>]>();
            arrow.and_then(|_| input.parse()).map(|result| Ready::If(condition, result))
        } else {
            input.parse().map(Ready::Option)
        };
        let end = |ready| {
            input.parse::<Option<Token![,]>>()?;
            if input.is_empty() { Ok(ready) } else { Err(input.error("unexpected token")) }
        };
        ready.and_then(end).map_err(|error| {
            let forms = "`#[ready]` takes one expression, or `if CONDITION => RESULT`";
            Error::new(error.span(), format!("{forms}: {error}"))
        })
    }
}

impl ToTokens for Ready {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (Ready::Option(expression) | Ready::If(_, expression)) = self;
        expression.to_tokens(tokens);
    }
}

/// Returns the body of the method. `is_unfinished` if other attribute macros are to see the form that they know from `async-trait`.
pub(crate) fn method_body(
    signature: &Signature,
    ready: Option<Ready>,
    block: &TokenStream,
    options: &Options,
    is_unfinished: bool,
) -> Block {
    let is_cold = ready.is_some();
    let make = if is_unfinished { quote!(Box::pin(#block)) } else { call(options, is_cold, block) };
    let Some(ready) = ready else { return parse_quote!({ #make }) };
    let mut output = match &signature.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, output) => (**output).clone(),
    };
    InferImplTraits.visit_type_mut(&mut output);
    let bindings = signature.inputs.iter().enumerate().map(|(at, argument)| borrow(at, argument));
    let bindings = bindings.collect::<TokenStream>();
    let future = future(options);
    let result = Ident::new("__result", Span::mixed_site());
    match ready {
        Ready::Option(mut expression) => {
            receiver::rename_in_expression(&mut expression);
            parse_quote!({
                #[allow(unreachable_code, clippy::redundant_closure_call)]
                if let ::core::option::Option::Some(#result) = {
                    #bindings
                    // In a closure, `?` and `return` are those of the expression.
                    (move || -> ::core::option::Option<#output> { #expression })()
                } {
                    return #future::ready(#result);
                }
                #make
            })
        }
        Ready::If(mut condition, mut expression) => {
            receiver::rename_in_expression(&mut condition);
            receiver::rename_in_expression(&mut expression);
            parse_quote!({
                #[allow(unreachable_code, unused_braces, unused_parens, clippy::redundant_closure_call)]
                if {
                    #bindings
                    (move || -> bool { #condition })()
                } {
                    #bindings
                    // Not in a closure, which could not lend what it has captured.
                    let #result: #output = #expression;
                    return #future::ready(#result);
                }
                #make
            })
        }
    }
}

/// Returns the statement by which the expression of `#[ready]` sees an argument.
fn borrow(position: usize, argument: &FnArg) -> TokenStream {
    let unused = quote!(#[allow(unused_variables)]);
    match argument {
        FnArg::Receiver(Receiver { self_token, ty, .. }) => {
            let (name, this) = (receiver::name(self_token.span), Token![self](self_token.span));
            let view = view(ty, &this);
            quote!(#unused let #name = #view;)
        }
        FnArg::Typed(argument) => {
            let attributes = argument.attrs.iter().filter(|attribute| is_cfg(attribute));
            let is_reference = matches!(peel(&argument.ty), Type::Reference(_));
            match &*argument.pat {
                Pat::Wild(_) => TokenStream::new(),
                Pat::Ident(PatIdent { ident, subpat: None, .. }) => {
                    let view = view(&argument.ty, ident);
                    quote!(#(#attributes)* #unused let #ident = #view;)
                }
                // The signature binds its names.
                _ if is_reference => TokenStream::new(),
                pattern => {
                    let (name, mut pattern) = (argument_name(position, pattern), pattern.clone());
                    BindReferences.visit_pat_mut(&mut pattern);
                    quote!(#(#attributes)* #unused let #pattern = &#name;)
                }
            }
        }
    }
}

/// Returns a reborrow of a `&mut` argument, a `&` argument unchanged, and `&argument` for any other.
fn view(ty: &Type, argument: &dyn ToTokens) -> TokenStream {
    match peel(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => quote!(&mut *#argument),
        Type::Reference(_) => argument.to_token_stream(),
        _ => quote!(&#argument),
    }
}

/// Makes a pattern one that is matched against a reference.
struct BindReferences;

impl VisitMut for BindReferences {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        pattern.by_ref = None;
        pattern.mutability = None;
        syn::visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

fn future(options: &Options) -> TokenStream {
    let krate = &options.krate;
    if options.is_local { quote!(#krate::LocalValueFuture) } else { quote!(#krate::ValueFuture) }
}

/// Returns the call that makes a value future.
fn call(options: &Options, is_cold: bool, block: &TokenStream) -> TokenStream {
    // Errors about the block point at `async`.
    let span = block.clone().into_iter().next().map_or_else(Span::call_site, |first| first.span());
    let future = future(options).into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    let future = future.collect::<TokenStream>();
    let call = match (&options.place, options.is_eager) {
        (Place::Pooled, false) => quote_spanned!(span=> #future::pooled(#block)),
        (Place::Pooled, true) => quote_spanned!(span=> #future::eager(#block)),
        (Place::Boxed, _) => quote_spanned!(span=> #future::boxed(#block)),
        (Place::Pool(pool), false) => quote_spanned!(span=> (#pool).pooled(#block)),
        (Place::Pool(pool), true) => quote_spanned!(span=> (#pool).eager(#block)),
    };
    let krate = &options.krate;
    if is_cold { quote!(#krate::__private::out_of_line(move || #call)) } else { call }
}

/// Returns the attribute that replaces `Box::pin` after other attribute macros have run.
pub(crate) fn attribute(options: &Options, is_cold: bool) -> Attribute {
    let Options { is_local, place, is_eager, krate, .. } = options;
    let local = is_local.then(|| quote!(?Send,));
    let place = match place {
        Place::Pooled => quote!(),
        Place::Boxed => quote!(boxed,),
        Place::Pool(pool) => quote!(pool = #pool,),
    };
    let eager = is_eager.then(|| quote!(eager,));
    let cold = is_cold.then(|| quote!(cold,));
    parse_quote!(#[#krate::__private::make(#local #place #eager #cold crate = #krate)])
}

/// Replaces the `Box::pin(future)` at the end of a body.
pub(crate) fn replace_box(body: &mut Block, options: &Options) -> Result<()> {
    let span = body.brace_token.span.join();
    let last = body.stmts.iter_mut().rev().find_map(|statement| match statement {
        Stmt::Expr(expression, None) => Some(expression),
        _ => None,
    });
    if let Some(expression) = last {
        if let Some(future) = pinned(expression) {
            *expression = Expr::Verbatim(call(options, options.is_cold, &future));
            return Ok(());
        }
    }
    Err(Error::new(
        span,
        "`#[async_trait]` expects this body to end in `Box::pin(async move { … })`, but another attribute of the method \
         has changed that",
    ))
}

/// Returns the argument of `Box::pin(…)`.
fn pinned(expression: &Expr) -> Option<TokenStream> {
    let Expr::Call(ExprCall { func, args, .. }) = expression else { return None };
    let Expr::Path(function) = &**func else { return None };
    let is_pin = function.path.segments.last().is_some_and(|segment| segment.ident == "pin");
    (is_pin && args.len() == 1).then(|| args.to_token_stream())
}
