//! Generics, lifetimes and where clauses.

use std::{collections::HashMap, fmt::Debug, future::Future, marker::PhantomData};

use value_future::async_trait;

use crate::block_on;

#[test]
fn the_trait_and_the_method_can_be_generic() {
    #[async_trait]
    trait Converts<T>
    where
        T: Debug,
    {
        type Output: Send;

        async fn one<U>(&self, from: T, with: U) -> (Self::Output, U)
        where
            T: 'async_trait + Send,
            U: Send;
        async fn many<const N: usize, U: Send + Clone>(&self, of: U) -> [U; N];
    }

    struct ToText;

    #[async_trait]
    impl<T> Converts<T> for ToText
    where
        T: Debug,
    {
        type Output = String;

        async fn one<U>(&self, from: T, with: U) -> (Self::Output, U)
        where
            T: 'async_trait + Send,
            U: Send,
        {
            std::future::ready(()).await;
            (format!("{from:?}"), with)
        }

        async fn many<const N: usize, U: Send + Clone>(&self, of: U) -> [U; N] {
            [(); N].map(|()| of.clone())
        }
    }

    assert_eq!(block_on(ToText.one(Some(1), 'w')), ("Some(1)".to_owned(), 'w'));
    assert_eq!(block_on(<ToText as Converts<u8>>::many::<3, _>(&ToText, "x")), ["x"; 3]);
}

struct Text<'t>(&'t str);

#[test]
fn lifetimes_can_be_named_and_elided() {
    #[async_trait]
    trait Finds<'t> {
        async fn own(&self) -> &'t str;
        async fn elided(&self, of: &str) -> usize;
        async fn in_type(&self, of: Text<'_>, and: &Text<'_>) -> usize;
        async fn named<'a>(&self, first: &'a str, _: &str) -> &'a str;
        async fn bounded<'a, 'b: 'a>(&'a self, first: &'a str, second: &'b str) -> &'a str;
        async fn dynamic(&self, of: &(dyn ToString + Sync), and: &mut (dyn Debug + Send)) -> String
        where
            Self: Sync;
        async fn static_text() -> &'static str {
            "static"
        }
        async fn chained(&self, of: &&'t str) -> &'t str {
            of
        }
    }

    #[async_trait]
    impl<'t> Finds<'t> for Text<'t> {
        async fn own(&self) -> &'t str {
            self.0
        }

        async fn elided(&self, of: &str) -> usize {
            self.0.find(of).unwrap_or(usize::MAX)
        }

        async fn in_type(&self, of: Text<'_>, and: &Text<'_>) -> usize {
            self.0.len() + of.0.len() + and.0.len()
        }

        async fn named<'a>(&self, first: &'a str, _: &str) -> &'a str {
            first
        }

        async fn bounded<'a, 'b: 'a>(&'a self, first: &'a str, second: &'b str) -> &'a str {
            [self.0, first, second].into_iter().max().expect("the array has three texts")
        }

        async fn dynamic(&self, of: &(dyn ToString + Sync), and: &mut (dyn Debug + Send)) -> String
        where
            Self: Sync,
        {
            let of = of.to_string();
            format!("{of}{and:?}")
        }
    }

    let text = Text("a long text");
    let own = {
        let finds: &Text<'static> = &text;
        block_on(finds.own())
    };
    assert_eq!(own, "a long text");
    assert_eq!(block_on(text.elided("long")), 2);
    assert_eq!(block_on(text.in_type(Text("1"), &Text("22"))), 14);
    let first = String::from("first");
    let named = {
        let second = String::from("second");
        block_on(text.named(&first, &second))
    };
    assert_eq!(named, "first");
    assert_eq!(block_on(text.bounded("b", "z")), "z");
    assert_eq!(block_on(text.dynamic(&1, &mut 'c')), "1'c'");
    assert_eq!(block_on(Text::static_text()), "static");
    assert_eq!(block_on(text.chained(&"chained")), "chained");
}

/// The output borrows only the arguments whose lifetimes its type names. So `key` can be dropped after the await, while the output is used.
#[test]
fn the_output_borrows_only_what_its_type_names() {
    #[async_trait]
    trait Cache {
        async fn get_or_new<'a>(&'a mut self, key: &str) -> &'a mut u32;
    }

    #[async_trait]
    impl Cache for HashMap<String, u32> {
        async fn get_or_new<'a>(&'a mut self, key: &str) -> &'a mut u32 {
            self.entry(key.to_owned()).or_default()
        }
    }

    let mut cache = HashMap::new();
    let value = {
        let key = String::from("key");
        block_on(cache.get_or_new(&key))
    };
    *value += 1;
    assert_eq!(cache["key"], 1);
}

#[test]
fn arguments_can_be_generic_functions() {
    #[async_trait]
    trait Runs: Send + Sync {
        type With: Sync;

        async fn run<F, Fut, T>(&self, work: F) -> T
        where
            F: FnOnce(&Self::With) -> Fut + Send,
            Fut: Future<Output = T> + Send + 'static,
            T: Send;
    }

    struct Worker(u32);

    #[async_trait]
    impl Runs for Worker {
        type With = u32;

        async fn run<F, Fut, T>(&self, work: F) -> T
        where
            F: FnOnce(&Self::With) -> Fut + Send,
            Fut: Future<Output = T> + Send + 'static,
            T: Send,
        {
            work(&self.0).await
        }
    }

    #[async_trait]
    impl<R: Runs + ?Sized> Runs for &R {
        type With = R::With;

        async fn run<F, Fut, T>(&self, work: F) -> T
        where
            F: FnOnce(&Self::With) -> Fut + Send,
            Fut: Future<Output = T> + Send + 'static,
            T: Send,
        {
            (**self).run(work).await
        }
    }

    let worker = &Worker(2);
    assert_eq!(block_on(worker.run(|two| std::future::ready(two + 1))), 3);
}

#[test]
fn supertraits_and_outputs_can_be_futures() {
    #[async_trait]
    trait Flattens: Future {
        async fn flatten(self) -> <Self::Output as Future>::Output
        where
            Self::Output: Future + Send,
            Self: Sized,
        {
            self.await.await
        }

        async fn yields() -> std::future::Ready<()> {
            std::future::ready(())
        }
    }

    impl<F: Future> Flattens for F {}

    assert_eq!(block_on(std::future::ready(std::future::ready(4)).flatten()), 4);
    block_on(block_on(std::future::Ready::<()>::yields()));
}

#[test]
fn outputs_can_have_an_impl_trait_type() {
    #[async_trait]
    trait Opens {
        type Error;

        async fn open(&self) -> Result<impl AsRef<str> + Send, Self::Error>;
    }

    #[async_trait]
    impl Opens for u8 {
        type Error = ();

        async fn open(&self) -> Result<impl AsRef<str> + Send, Self::Error> {
            if *self == 0 {
                return Err(());
            }
            Ok("opened")
        }
    }

    assert!(matches!(block_on(1.open()), Ok(opened) if opened.as_ref() == "opened"));
    assert!(block_on(0.open()).is_err());
}

/// As with `async-trait`, outputs and unused type parameters need not be `Send`.
#[test]
fn the_attribute_adds_no_unneeded_bounds() {
    #[async_trait]
    trait Makes<T> {
        async fn items() -> Box<dyn Iterator<Item = u8>> {
            Box::new([1, 2].into_iter())
        }
        async fn nothing<U>(&self) -> usize;
        async fn marked(&self, _: PhantomData<dyn Debug + Send>) {}
        async fn referred(&self, _: &T);
    }

    #[async_trait]
    impl<T> Makes<T> for Vec<u8> {
        async fn nothing<U>(&self) -> usize {
            size_of::<U>()
        }

        async fn referred(&self, _: &T) {}
    }

    assert_eq!(block_on(<Vec<u8> as Makes<u8>>::items()).sum::<u8>(), 3);
    assert_eq!(block_on(<Vec<u8> as Makes<u8>>::nothing::<u32>(&Vec::new())), 4);
    let vec = Vec::new();
    block_on(<Vec<u8> as Makes<u8>>::marked(&vec, PhantomData));
    block_on(vec.referred(&'c'));
}
