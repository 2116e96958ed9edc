//! `interface!`: one table from which everything about an interface follows.
//!
//! A tt-muncher: it reads the rows one by one into a list `[(number Message)]` and writes all
//! implementations at once. Every path is absolute, so that it works under
//! `#![no_implicit_prelude]`.

/// Declares an interface: tag, version, state and numbered messages.
///
/// ```
/// use actix_multiplex::interface;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// pub struct Croak;
/// #[derive(Debug, Serialize, Deserialize)]
/// pub struct Hop { pub metres: u32 }
///
/// interface! {
///     /// A frog, wherever it sits.
///     pub Frog = "pond.frog" v1 {
///         state none;          // or: state FrogState;
///         1 => Croak,
///         2 => Hop,
///     }
/// }
/// ```
///
/// - The number is what the wire carries. Never reuse one: adding a message keeps the version,
///   changing a message or the state needs a new one (`v2`).
/// - Messages and state are types with `Serialize` and `Deserialize`, named without a path
///   (import them).
/// - Every leaf of the interface has a `Handler<Heard<M>>` for every row, and with `state S` is
///   `Restore<S>`; leaving one out is a compile error that names it.
/// - `ask 3 => Weigh -> Grams` is the form of a row for requests to an object's owner. This
///   version says so and does not compile it yet.
#[macro_export]
macro_rules! interface {
    // A row at a time into the list.
    (@rows $head:tt [$($done:tt)*]) => {
        $crate::interface!(@write $head [$($done)*]);
    };
    (@rows $head:tt $done:tt ask $($rest:tt)*) => {
        ::core::compile_error!(
            "`ask` rows are reserved: this version of actix-multiplex has no asks yet"
        );
    };
    (@rows $head:tt [$($done:tt)*] $kind:literal => $message:ident, $($rest:tt)*) => {
        $crate::interface!(@rows $head [$($done)* ($kind $message)] $($rest)*);
    };
    (@rows $head:tt [$($done:tt)*] $kind:literal => $message:ident) => {
        $crate::interface!(@rows $head [$($done)* ($kind $message)]);
    };
    (@rows $head:tt $done:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "not a row of an interface: `", ::core::stringify!($($rest)*),
            "`; write `1 => Message,` with the message's type imported, without a path"
        ));
    };

    // Everything at once.
    (@write
        { [$($meta:tt)*] [$vis:vis] $name:ident $tag:literal $version:ident [$($state:tt)*] }
        [$(($kind:literal $message:ident))*]
    ) => {
        $($meta)*
        #[derive(::core::fmt::Debug)]
        #[allow(clippy::exhaustive_enums, reason = "it has no values")]
        $vis enum $name {}

        impl $crate::Interface for $name {
            const TAG: &'static str = $crate::__private::tag($tag);
            const VERSION: ::core::primitive::u16 =
                $crate::__private::version(::core::stringify!($version));
            $crate::interface!(@state $($state)*);
        }

        // Two messages with one number: the compiler underlines both rows.
        const _: () = {
            #[allow(dead_code, reason = "only its discriminants matter")]
            enum KindNumber { $($message = $kind),* }
        };

        $(
            impl $crate::ShoutAt<$name> for $message {
                const KIND: $crate::Kind = $crate::__private::kind($kind);
            }
        )*

        $crate::interface!(@dispatch $name [$($state)*] [$(($kind $message))*]);
    };

    (@state none) => {
        const STATEFUL: ::core::primitive::bool = false;
        type State = ();
    };
    (@state $state:ty) => {
        const STATEFUL: ::core::primitive::bool = true;
        type State = $state;
    };

    (@dispatch $name:ident [none] $rows:tt) => {
        $crate::interface!(@dispatch_impl $name [] $rows _leaf _state _ctx {
            ::core::result::Result::Ok(())
        });
    };
    (@dispatch $name:ident [$state:ty] $rows:tt) => {
        $crate::interface!(@dispatch_impl $name [$state] $rows leaf state ctx {
            let state = $crate::__private::decode::<$state>(state)?;
            $crate::Restore::<$state>::restore(leaf, state, ctx);
            ::core::result::Result::Ok(())
        });
    };
    (@dispatch_impl $name:ident [$($state:ty)?] [$(($kind:literal $message:ident))*]
        $leaf:ident $bytes:ident $ctx:ident $restore:block
    ) => {
        impl<A> $crate::Dispatch<A> for $name
        where
            A: $crate::__private::actix::Actor<Context = $crate::__private::actix::Context<A>>,
            $(A: $crate::Restore<$state>,)?
            $(A: $crate::Hears<$message>,)*
        {
            #[allow(unused_variables, reason = "an interface may have no rows")]
            fn dispatch(
                leaf: &mut A,
                packet: &$crate::Packet,
                ctx: &mut $crate::__private::actix::Context<A>,
            ) -> ::core::result::Result<$crate::__private::Done, $crate::DispatchError> {
                match packet.kind().0 {
                    $($kind => <A as $crate::Hears<$message>>::deliver(leaf, packet, ctx),)*
                    _ => ::core::result::Result::Err(
                        $crate::DispatchError::UnknownKind(packet.kind())
                    ),
                }
            }

            fn restore(
                $leaf: &mut A,
                $bytes: &[::core::primitive::u8],
                $ctx: &mut $crate::__private::actix::Context<A>,
            ) -> ::core::result::Result<(), $crate::DecodeError> $restore
        }
    };

    // What users write.
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state none; $($rows:tt)*
    }) => {
        $crate::interface!(@rows { [$(#[$meta])*] [$vis] $name $tag $version [none] } [] $($rows)*);
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state $state:ident; $($rows:tt)*
    }) => {
        $crate::interface!(
            @rows { [$(#[$meta])*] [$vis] $name $tag $version [$state] } [] $($rows)*
        );
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident { $($rows:tt)* }) => {
        ::core::compile_error!(
            "begin the interface's table with `state none;` or `state T;`, where T is the type \
             that a latecomer is given, imported, without a path"
        );
    };
    ($($rest:tt)*) => {
        ::core::compile_error!(
            "write an interface as: /// docs\npub Frog = \"pond.frog\" v1 { state none; 1 => Croak }"
        );
    };
}
