//! Bodies with early returns, macros and items, and bodies that diverge.

use value_future::async_trait;

use crate::block_on;

macro_rules! pass_on {
    ($($tokens:tt)*) => { $($tokens)* };
}

#[async_trait]
trait Bodies {
    const NUMBER: u32;

    async fn with_macros(&self) -> u32;
    async fn with_items(&self) -> u32;
    async fn returns_early(&self, early: bool) -> Result<u32, String>;
    async fn coerces() -> Box<dyn Fn() -> u32 + Send> {
        if Self::NUMBER == 0 {
            return Box::new(|| 0);
        }
        Box::new(|| 1)
    }
    async fn of_trait_objects() -> &'static (dyn std::fmt::Debug + Sync) {
        return &"object";
    }
    async fn diverges(&self) -> u32 {
        unimplemented!("{}", Self::NUMBER)
    }
    #[allow(dead_code)]
    async fn of_unit() {
        unimplemented!()
    }
    async fn of_explicit_unit() -> () {
        if Self::NUMBER == 1 {
            return;
        }
        std::future::ready(()).await;
    }
}

mod functions {
    pub(super) fn three() -> u32 {
        3
    }
}

struct Number(u32);

impl Number {
    fn inherent(&self) -> u32 {
        self.0
    }
}

#[async_trait]
impl Bodies for Number {
    const NUMBER: u32 = 10;

    async fn with_macros(&self) -> u32 {
        macro_rules! own {
            () => {
                self.0 + Self::NUMBER
            };
        }
        let text = format!("{}{}", self.0, pass_on!(self.inherent()));
        let passed = pass_on!({
            let Self(number) = self;
            *number
        });
        let selected = futures::select! {
            number = futures::future::ready(self.0) => number,
        };
        assert!(matches!(self, Self(2)), "{text}");
        own!() + passed + selected
    }

    async fn with_items(&self) -> u32 {
        const FIVE: u32 = 5;
        struct Number(u32);
        impl Number {
            fn double(self) -> u32 {
                self.0 * 2
            }
        }
        macro_rules! with_function {
            () => {{
                struct Other(u32);
                impl Other {
                    fn number(&self) -> u32 {
                        self.0
                    }
                }
                Other(1).number()
            }};
        }
        Number(self.0).double() + FIVE + functions::three() + with_function!()
    }

    async fn returns_early(&self, early: bool) -> Result<u32, String> {
        if early {
            return Err("early".into());
        }
        let parsed = "4".parse::<u32>().map_err(|error| error.to_string())?;
        Ok(parsed + self.0)
    }
}

#[test]
fn bodies_work_as_in_an_async_fn() {
    let number = Number(2);
    assert_eq!(block_on(number.with_macros()), 16);
    assert_eq!(block_on(number.with_items()), 13);
    assert_eq!(block_on(number.returns_early(true)), Err("early".into()));
    assert_eq!(block_on(number.returns_early(false)), Ok(6));
    assert_eq!(block_on(Number::coerces())(), 1);
    assert_eq!(format!("{:?}", block_on(Number::of_trait_objects())), "\"object\"");
    block_on(Number::of_explicit_unit());
}

#[test]
#[should_panic(expected = "not implemented: 10")]
fn a_body_can_diverge() {
    block_on(Number(0).diverges());
}

/// The expansion keeps the attributes of the method, of the trait and of the implementation.
#[test]
fn attributes_are_passed_on() {
    /// A documented trait.
    ///
    /// # Safety
    ///
    /// There are no requirements.
    #[async_trait]
    #[allow(dead_code)]
    pub(crate) unsafe trait Attributed {
        /// A documented method.
        #[must_use]
        #[allow(non_snake_case)]
        async fn camelCase(&self) -> u32;
        #[cfg(loom)]
        async fn absent(&self) -> Absent;
        #[inline]
        async fn r#async(&self, r#type: u32) -> u32 {
            r#type
        }
    }

    // SAFETY: there are no requirements.
    #[async_trait]
    unsafe impl Attributed for () {
        async fn camelCase(&self) -> u32 {
            1
        }
    }

    assert_eq!(block_on(().camelCase()), 1);
    assert_eq!(block_on(().r#async(2)), 2);
}

/// A macro can define the trait and the implementation.
#[test]
fn the_attribute_works_inside_macros() {
    macro_rules! number {
        ($Trait:ident, $Type:ty, $method:ident, $number:expr, $bound:ident, $($generic:tt)*) => {
            #[async_trait]
            trait $Trait: Sized {
                async fn $method<$($generic)*: $bound>(&self, of: $($generic)*) -> u32;
            }

            #[async_trait]
            impl $Trait for $Type {
                async fn $method<$($generic)*: $bound>(&self, _: $($generic)*) -> u32 {
                    $number
                }
            }
        };
    }

    number!(One, u8, one, 1, Send, T);
    assert_eq!(block_on(0.one(())), 1);
}
