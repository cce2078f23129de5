//! Receivers of methods, and `Self` in signatures and bodies.

use std::{pin::Pin, rc::Rc, sync::Arc};

use value_future::async_trait;

use crate::block_on;

#[async_trait]
trait Receives: Send + Sync {
    const NUMBER: u32;
    type Same;

    async fn nothing() -> u32;
    async fn shared(&self) -> u32;
    async fn mutable(&mut self) -> u32;
    async fn by_value(self) -> u32
    where
        Self: Sized;
    async fn in_arc(self: Arc<Self>) -> u32;
    async fn in_box(self: Box<Self>) -> u32;
    async fn pinned(self: Pin<&mut Self>) -> u32;
    async fn typed(self: &Self) -> u32;
    async fn defaulted(&self) -> u32 {
        self.shared().await + Self::NUMBER + <Self>::nothing().await
    }
    async fn defaulted_mutable(&mut self) -> u32 {
        let this = &mut *self;
        this.mutable().await
    }
    async fn defaulted_in_arc(self: Arc<Self>) -> u32 {
        self.shared().await
    }
    async fn defaulted_by_value(self) -> u32
    where
        Self: Sized,
    {
        self.by_value().await
    }
    fn not_async(&self) -> Self::Same;
}

struct Number(u32);

#[async_trait]
impl Receives for Number {
    const NUMBER: u32 = 100;
    type Same = Self;

    async fn nothing() -> u32 {
        1000
    }

    async fn shared(&self) -> u32 {
        let Self(number) = self;
        *number
    }

    async fn mutable(&mut self) -> u32 {
        self.0 += 1;
        #[allow(clippy::mut_mut, reason = "`async-trait` accepts this statement")]
        let _ = &mut self;
        self.0
    }

    async fn by_value(mut self) -> u32 {
        self.0 *= 2;
        let Self(number) = Self(self.0);
        number
    }

    async fn in_arc(self: Arc<Self>) -> u32 {
        self.0
    }

    async fn in_box(mut self: Box<Self>) -> u32 {
        self.0 += 3;
        self.0
    }

    async fn pinned(mut self: Pin<&mut Self>) -> u32 {
        self.as_mut().0 += 4;
        self.0
    }

    async fn typed(mut self: &Self) -> u32 {
        let other = &Self(7);
        let one = self.0;
        self = other;
        one + self.0
    }

    fn not_async(&self) -> Self::Same {
        Self(self.0)
    }
}

#[test]
fn each_receiver_works() {
    let mut number = Number(1);
    assert_eq!(block_on(Number::nothing()), 1000);
    assert_eq!(block_on(number.shared()), 1);
    assert_eq!(block_on(number.mutable()), 2);
    assert_eq!(block_on(number.not_async().by_value()), 4);
    assert_eq!(block_on(Arc::new(number.not_async()).in_arc()), 2);
    assert_eq!(block_on(Box::new(number.not_async()).in_box()), 5);
    assert_eq!(block_on(Pin::new(&mut number).pinned()), 6);
    assert_eq!(block_on(number.typed()), 13);
    assert_eq!(block_on(number.defaulted()), 1106);
    assert_eq!(block_on(number.defaulted_mutable()), 7);
    assert_eq!(block_on(Arc::new(number.not_async()).defaulted_in_arc()), 7);
    assert_eq!(block_on(number.defaulted_by_value()), 14);
}

/// A trait works behind `dyn`, even if some of its methods have default bodies. It can be implemented for references and for `dyn` types.
#[test]
fn traits_are_dyn_compatible() {
    #[async_trait]
    trait Names: Sync {
        async fn name(&self) -> &str;
        async fn len(&self) -> usize {
            self.name().await.len()
        }
    }

    #[async_trait]
    impl Names for String {
        async fn name(&self) -> &str {
            self
        }
    }

    #[async_trait]
    impl<N: Names + ?Sized> Names for &N {
        async fn name(&self) -> &str {
            (**self).name().await
        }
    }

    #[async_trait]
    impl Names for dyn Fn() -> u32 + Send + Sync {
        async fn name(&self) -> &str {
            if self() == 1 { "one" } else { "other" }
        }
    }

    let names: [&dyn Names; 2] = [&String::from("first"), &&String::from("second")];
    let lengths = async { names[0].len().await + names[1].len().await };
    assert_eq!(block_on(lengths), 11);
    let one: Box<dyn Fn() -> u32 + Send + Sync> = Box::new(|| 1);
    assert_eq!(block_on(one.name()), "one");
}

/// With `?Send`, the expansion adds no `Send` bound, and bodies and outputs may contain values that are not `Send`.
#[test]
fn with_question_mark_send_receivers_and_outputs_need_not_be_send() {
    #[async_trait(?Send)]
    trait Local {
        async fn shared(&self) -> Rc<u32>;
        async fn twice(&self) -> u32 {
            *self.shared().await + *self.shared().await
        }
        async fn in_rc(self: Rc<Self>) -> u32;
    }

    struct Holds(Rc<u32>);

    #[async_trait(?Send)]
    impl Local for Holds {
        async fn shared(&self) -> Rc<u32> {
            let kept = Rc::clone(&self.0);
            std::future::ready(()).await;
            kept
        }

        async fn in_rc(self: Rc<Self>) -> u32 {
            *self.0
        }
    }

    let holds = Rc::new(Holds(Rc::new(4)));
    let local: &dyn Local = &*holds;
    assert_eq!(block_on(local.twice()), 8);
    assert_eq!(block_on(holds.in_rc()), 4);
}
