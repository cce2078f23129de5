//! Parses `#[ready]`, and expands it to a statement that runs before the future is created. The argument of `#[ready]` has one of two
//! forms. The first form is an expression whose type is an `Option` of the output:
//!
//! ```text
//! #[ready(self.cached(key))]
//! async fn get(&self, key: String) -> R { … }
//!
//! if let Some(result) = {
//!     let this = self;
//!     let key = &key;
//!     (move || -> Option<R> { this.cached(key) })()
//! } {
//!     return ValueFuture::ready(result);
//! }
//! ```
//!
//! The second form has a condition: `#[ready(if self.has_word() => self.next_word())]`. It becomes an `if` statement whose branch returns
//! the result. In this form, the result may borrow from `&mut self`, because the borrow is only in this branch.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Error, Expr, FnArg, Ident, Pat, PatIdent, Receiver, Result, ReturnType, Signature, Token, Type,
    parse::{Parse, ParseStream},
    parse_quote,
    spanned::Spanned,
    token,
    visit_mut::VisitMut,
};

use crate::{
    async_block::{InferImplTraits, is_cfg},
    receiver,
    signature::{argument_name, ungroup, with_span},
};

/// The argument of `#[ready]`.
pub(crate) enum Ready {
    /// An expression whose type is an `Option` of the output.
    Option(Expr),
    /// A condition, and the expression of the result.
    If(Expr, Expr),
}

impl Parse for Ready {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        // The first form may also begin with `if`, because an `if … { … } else { … }` is an expression.
        let lookahead = input.fork();
        let has_condition = lookahead.parse::<Token![if]>().is_ok()
            && Expr::parse_without_eager_brace(&lookahead).is_ok()
            && !lookahead.peek(token::Brace);
        let ready = if has_condition {
            input.parse::<Token![if]>()?;
            let condition = Expr::parse_without_eager_brace(input)?;
            if let Expr::Let(_) = condition {
                return Err(Error::new_spanned(
                    condition,
                    "`#[ready(if …)]` does not support `if let`: write a `bool` as the condition, such as `self.next.is_some()`",
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
            let forms = "`#[ready]` accepts one expression, or `if CONDITION => RESULT`";
            Error::new(error.span(), format!("{forms}: {error}"))
        })
    }
}

/// Writes the expression without the condition, so that an error can point at the expression.
impl ToTokens for Ready {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let (Ready::Option(expression) | Ready::If(_, expression)) = self;
        expression.to_tokens(tokens);
    }
}

impl Ready {
    /// Returns the statement by which the method returns a ready future. `future` is the type of this future.
    pub(crate) fn early_return(self, signature: &Signature, future: &TokenStream) -> TokenStream {
        let mut output = match &signature.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, output) => (**output).clone(),
        };
        InferImplTraits.visit_type_mut(&mut output);
        let bindings = signature.inputs.iter().enumerate();
        let bindings = bindings.map(|(position, argument)| binding(position, argument));
        let bindings = bindings.collect::<TokenStream>();
        let result = Ident::new("__result", Span::mixed_site());
        // With this span, the feature `trace` names the line of the expression.
        let (Ready::Option(expression) | Ready::If(_, expression)) = &self;
        let span = expression.span();
        let future = with_span(future.clone(), span);
        let early = quote_spanned!(span=> #future::ready(#result));
        match self {
            Ready::Option(mut expression) => {
                receiver::rename_in_expression(&mut expression, signature);
                // The expression is in a closure, so that `?` and `return` leave only the expression.
                quote! {
                    #[allow(unreachable_code, clippy::redundant_closure_call)]
                    if let ::core::option::Option::Some(#result) = {
                        #bindings
                        (move || -> ::core::option::Option<#output> { #expression })()
                    } {
                        return #early;
                    }
                }
            }
            Ready::If(mut condition, mut expression) => {
                receiver::rename_in_expression(&mut condition, signature);
                receiver::rename_in_expression(&mut expression, signature);
                // The expression of the result is not in a closure, because a closure cannot return a borrow from a captured `&mut`.
                quote! {
                    #[allow(unreachable_code, unused_braces, unused_parens, clippy::redundant_closure_call)]
                    if {
                        #bindings
                        (move || -> bool { #condition })()
                    } {
                        #bindings
                        let #result: #output = #expression;
                        return #early;
                    }
                }
            }
        }
    }
}

/// Returns the statement that binds an argument for the expressions of `#[ready]`.
fn binding(position: usize, argument: &FnArg) -> TokenStream {
    let unused = quote!(#[allow(unused_variables)]);
    match argument {
        FnArg::Receiver(Receiver { self_token, ty, .. }) => {
            let (name, this) = (receiver::name(self_token.span), Token![self](self_token.span));
            let borrowed = borrowed(ty, &this);
            quote!(#unused let #name = #borrowed;)
        }
        FnArg::Typed(argument) => {
            let attributes = argument.attrs.iter().filter(|attribute| is_cfg(attribute));
            let is_reference = matches!(ungroup(&argument.ty), Type::Reference(_));
            match &*argument.pat {
                Pat::Wild(_) => TokenStream::new(),
                Pat::Ident(PatIdent { ident, subpat: None, .. }) => {
                    let borrowed = borrowed(&argument.ty, ident);
                    quote!(#(#attributes)* #unused let #ident = #borrowed;)
                }
                // If the argument is a reference, its pattern stays in the signature. So the names in the pattern are already bound.
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

/// Returns an expression that borrows an argument. A `&mut` argument is reborrowed, and a `&` argument is unchanged. For any other
/// argument, the expression is a reference to the argument.
fn borrowed(ty: &Type, argument: &dyn ToTokens) -> TokenStream {
    match ungroup(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => quote!(&mut *#argument),
        Type::Reference(_) => argument.to_token_stream(),
        _ => quote!(&#argument),
    }
}

/// A visitor that removes `ref` and `mut` from a pattern, because a pattern that is matched with a reference must not contain them.
struct BindReferences;

impl VisitMut for BindReferences {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        pattern.by_ref = None;
        pattern.mutability = None;
        syn::visit_mut::visit_pat_ident_mut(self, pattern);
    }
}
