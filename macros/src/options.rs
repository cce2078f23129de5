//! The options of the attribute.

use syn::{
    Error, Expr, Path, Result, Token,
    parse::{Parse, ParseStream},
    parse_quote,
};

mod kw {
    syn::custom_keyword!(Send);
    syn::custom_keyword!(boxed);
    syn::custom_keyword!(cold);
    syn::custom_keyword!(eager);
    syn::custom_keyword!(pool);
}

const EXPECTED: &str = "expected one of the options of `async_trait`: `?Send`, `boxed`, `eager`, `pool = PATH`, `crate = PATH`";

/// Where the future of a method lives.
pub(crate) enum Place {
    /// In the built-in pool.
    Pooled,
    Boxed,
    /// In a pool that the user names.
    Pool(Expr),
}

pub(crate) struct Options {
    /// The futures need not be `Send`.
    pub(crate) is_local: bool,
    pub(crate) place: Place,
    /// The body is polled once by the call.
    pub(crate) is_eager: bool,
    /// The path of the crate `value_future`.
    pub(crate) krate: Path,
    /// For `make`: the method has `#[ready]`, so its body is rarely needed.
    pub(crate) is_cold: bool,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Options {
            is_local: false,
            place: Place::Pooled,
            is_eager: false,
            krate: parse_quote!(::value_future),
            is_cold: false,
        };
        while !input.is_empty() {
            options.parse_one(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>().map_err(|error| Error::new(error.span(), EXPECTED))?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn parse_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        let span = input.span();
        let conflict = |is_in_conflict: bool, with: &str| {
            let text = format!("`async_trait`: this option and `{with}` exclude each other");
            if is_in_conflict { Err(Error::new(span, text)) } else { Ok(()) }
        };
        if input.parse::<Option<Token![?]>>()?.is_some() {
            input.parse::<kw::Send>().map_err(|error| Error::new(error.span(), EXPECTED))?;
            self.is_local = true;
        } else if input.parse::<Option<kw::boxed>>()?.is_some() {
            conflict(matches!(self.place, Place::Pool(_)), "pool")?;
            conflict(self.is_eager, "eager")?;
            self.place = Place::Boxed;
        } else if input.parse::<Option<kw::eager>>()?.is_some() {
            conflict(matches!(self.place, Place::Boxed), "boxed")?;
            self.is_eager = true;
        } else if input.parse::<Option<kw::cold>>()?.is_some() {
            self.is_cold = true;
        } else if input.parse::<Option<kw::pool>>()?.is_some() {
            conflict(matches!(self.place, Place::Boxed), "boxed")?;
            let expected = "expected the pool: `pool = PATH`";
            input.parse::<Token![=]>().map_err(|_| Error::new(span, expected))?;
            self.place = Place::Pool(input.parse()?);
        } else if input.parse::<Option<Token![crate]>>()?.is_some() {
            input.parse::<Token![=]>()?;
            self.krate = Path::parse_mod_style(input)?;
        } else {
            return Err(Error::new(span, EXPECTED));
        }
        Ok(())
    }
}
