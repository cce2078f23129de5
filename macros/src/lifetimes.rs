//! Names the elided lifetimes of arguments, so that the return type can refer to them.

use proc_macro2::Span;
use syn::{
    Expr, GenericArgument, Lifetime, Receiver, ReturnType, Token, Type, TypeBareFn, TypeImplTrait,
    TypeParen, TypePtr, TypeReference, parse_quote_spanned, token,
    visit_mut::{self, VisitMut},
};

/// A visitor that names the elided lifetimes. `elided` collects the new names. `named` collects the names that are already in the code.
#[derive(Default)]
pub(crate) struct NameLifetimes {
    pub(crate) elided: Vec<Lifetime>,
    pub(crate) named: Vec<Lifetime>,
}

impl NameLifetimes {
    fn next(&mut self, span: Span) -> Lifetime {
        let lifetime = Lifetime::new(&format!("'life{}", self.elided.len()), span);
        self.elided.push(lifetime.clone());
        lifetime
    }

    fn visit_reference(&mut self, and: Token![&], lifetime: &mut Option<Lifetime>) {
        match lifetime {
            Some(lifetime) => self.visit(lifetime),
            None => *lifetime = Some(self.next(and.span)),
        }
    }

    fn visit(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.next(lifetime.span());
        } else {
            self.named.push(lifetime.clone());
        }
    }
}

impl VisitMut for NameLifetimes {
    fn visit_receiver_mut(&mut self, receiver: &mut Receiver) {
        match &mut receiver.reference {
            Some((and, lifetime)) => self.visit_reference(*and, lifetime),
            None if receiver.colon_token.is_some() => self.visit_type_mut(&mut receiver.ty),
            None => {}
        }
        // For `&self`, `syn` also stores the type `&Self`, but does not print this type. The assignment gives the type the same lifetime as
        // the reference.
        if let (Some((_, lifetime)), Type::Reference(ty)) = (&receiver.reference, &mut *receiver.ty)
        {
            ty.lifetime.clone_from(lifetime);
        }
    }

    fn visit_type_reference_mut(&mut self, ty: &mut TypeReference) {
        self.visit_reference(ty.and_token, &mut ty.lifetime);
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_generic_argument_mut(&mut self, argument: &mut GenericArgument) {
        if let GenericArgument::Lifetime(lifetime) = argument {
            self.visit(lifetime);
        }
        visit_mut::visit_generic_argument_mut(self, argument);
    }

    // Elided lifetimes in a function pointer or in `Fn(&str)` are not lifetimes of the method.
    fn visit_type_bare_fn_mut(&mut self, _: &mut TypeBareFn) {}
    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        _: &mut syn::ParenthesizedGenericArguments,
    ) {
    }
}

/// A visitor that adds the bound `'async_trait` to each `impl Trait` in the type of an argument.
pub(crate) struct BoundImplTraits;

impl VisitMut for BoundImplTraits {
    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        let span = ty.impl_token.span;
        ty.bounds.push(parse_quote_spanned!(span=> 'async_trait));
        visit_mut::visit_type_impl_trait_mut(self, ty);
    }

    // Behind `&`, an `impl Trait` with two bounds needs parentheses: `&impl A + 'a` is not a type, but `&(impl A + 'a)` is.
    fn visit_type_reference_mut(&mut self, ty: &mut TypeReference) {
        parenthesize(&mut ty.elem);
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_type_ptr_mut(&mut self, ty: &mut TypePtr) {
        parenthesize(&mut ty.elem);
        visit_mut::visit_type_ptr_mut(self, ty);
    }

    fn visit_type_bare_fn_mut(&mut self, ty: &mut TypeBareFn) {
        if let ReturnType::Type(_, output) = &mut ty.output {
            parenthesize(output);
        }
        visit_mut::visit_type_bare_fn_mut(self, ty);
    }

    // The visitor skips expressions. The length of an array is an expression, and may contain functions with their own arguments.
    fn visit_expr_mut(&mut self, _: &mut Expr) {}
}

fn parenthesize(ty: &mut Type) {
    if let Type::ImplTrait(inner) = ty {
        let paren_token = token::Paren(inner.impl_token.span);
        let elem = Box::new(Type::ImplTrait(inner.clone()));
        *ty = Type::Paren(TypeParen { paren_token, elem });
    }
}
