//! Finds `self` and `Self` in a method, and renames `self` in the `async` block and in the expressions of `#[ready]`.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::{
    Block, Expr, ExprPath, Item, Macro, Path, Receiver, Signature, TypePath,
    visit_mut::{self, VisitMut},
};

/// Returns the name that replaces the receiver `self`. No user code has this name. The name has the span of `self`. With another span, the
/// compiler could not underline an expression that begins with `self` as a whole, and would propose wrong corrections.
pub(crate) fn name(receiver: Span) -> Ident {
    Ident::new("__self_of_async_trait", receiver)
}

/// Returns `true` if a signature has a receiver, or mentions `Self`.
pub(crate) fn is_mentioned_in_signature(signature: &mut Signature) -> bool {
    let mut visitor = FindSelf(false);
    visitor.visit_signature_mut(signature);
    visitor.0
}

/// Returns `true` if a block mentions `Self`.
pub(crate) fn is_mentioned_in_block(block: &mut Block) -> bool {
    let mut visitor = FindSelf(false);
    visitor.visit_block_mut(block);
    visitor.0
}

/// A visitor that sets its field if it finds a receiver or `Self`.
struct FindSelf(bool);

impl VisitMut for FindSelf {
    fn visit_expr_path_mut(&mut self, expression: &mut ExprPath) {
        self.0 |= expression.path.segments.first().is_some_and(|first| first.ident == "Self");
        visit_mut::visit_expr_path_mut(self, expression);
    }

    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        self.0 |= ty.path.segments.first().is_some_and(|first| first.ident == "Self");
        visit_mut::visit_type_path_mut(self, ty);
    }

    fn visit_receiver_mut(&mut self, _: &mut Receiver) {
        self.0 = true;
    }

    // An item in the body has its own `Self`, so the visitor skips items.
    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_macro_mut(&mut self, invocation: &mut Macro) {
        self.0 |= !contains(&invocation.tokens, "fn") && contains(&invocation.tokens, "Self");
    }
}

/// Returns `true` if the tokens contain this identifier.
fn contains(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => contains(&group.stream(), word),
        _ => false,
    })
}

/// A visitor that renames `self`, because `let` cannot bind `self`. The field is the span of the receiver.
pub(crate) struct RenameSelf(Span);

impl RenameSelf {
    /// The new name is resolved where the receiver is. (A macro by example may get `#[ready(self.cached())]` as an argument, and write the
    /// receiver itself.)
    fn rename(&self, ident: &mut Ident) {
        if ident == "self" {
            *ident = name(ident.span().resolved_at(self.0));
        }
    }

    fn rename_tokens(&self, tokens: TokenStream) -> TokenStream {
        let renamed = tokens.into_iter().map(|mut token| {
            match &mut token {
                TokenTree::Ident(ident) => self.rename(ident),
                TokenTree::Group(group) => {
                    let mut renamed =
                        Group::new(group.delimiter(), self.rename_tokens(group.stream()));
                    renamed.set_span(group.span());
                    *group = renamed;
                }
                _ => {}
            }
            token
        });
        renamed.collect()
    }
}

impl VisitMut for RenameSelf {
    fn visit_path_mut(&mut self, path: &mut Path) {
        // Matches `self`, but not `self::function`.
        if path.segments.len() == 1 {
            self.rename(&mut path.segments[0].ident);
        }
        visit_mut::visit_path_mut(self, path);
    }

    // An item in the body has its own `self`, and stays unchanged. There are two exceptions, which may refer to the `self` of the method: a
    // definition by `macro_rules!`, and a `select!` that is parsed as an item.
    fn visit_item_mut(&mut self, item: &mut Item) {
        if let Item::Macro(item) = item {
            let name = &item.mac.path.segments.last().expect("a path has a segment").ident;
            if name == "macro_rules" || name == "select" {
                self.visit_macro_mut(&mut item.mac);
            }
        }
    }

    // If the tokens of a macro contain `fn`, they probably contain a function with its own `self`. Such tokens stay unchanged. Tokens
    // without `self` stay unchanged too, because a rebuilt group loses the spans of its delimiters.
    fn visit_macro_mut(&mut self, invocation: &mut Macro) {
        if !contains(&invocation.tokens, "fn") && contains(&invocation.tokens, "self") {
            invocation.tokens = self.rename_tokens(invocation.tokens.clone());
        }
    }
}

/// Renames `self` in a block. `receiver` is the span of the receiver.
pub(crate) fn rename_in_block(block: &mut Block, receiver: Span) {
    RenameSelf(receiver).visit_block_mut(block);
}

/// Renames `self` in an expression, if the signature has a receiver.
pub(crate) fn rename_in_expression(expression: &mut Expr, signature: &Signature) {
    if let Some(receiver) = signature.receiver() {
        RenameSelf(receiver.self_token.span).visit_expr_mut(expression);
    }
}
