//! `interface!`: one table from which everything about an interface follows.
//!
//! A tt-muncher: it reads the rows one by one into two lists `[(number Message)]`, one of those that
//! are shouted and one of the volatile ones, and writes all implementations at once. Every path is
//! absolute, so that it works under `#![no_implicit_prelude]`.

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
///         // volatile 3 => Blink,   may be lost: see `Volatile`
///     }
/// }
/// ```
///
/// - The number is what the wire carries. Never reuse one: adding a message keeps the version,
///   changing a message or the state needs a new one (`v2`).
/// - Messages and state are types with `Serialize` and `Deserialize`. A message is named without
///   a path (import it).
/// - Every leaf of the interface has a `Handler<Heard<M>>` for every row, and with `state S` is
///   `Stateful<S>`; leaving one out is a compile error that names it.
/// - `presence;` behind the state has the hub tell each leaf who else is one:
///   [`Leaf::joined`](crate::Leaf::joined), [`Handle::members`](crate::Handle::members). What the
///   one who makes an object says counts for all its leaves.
/// - The message of a `volatile` row is sent with `send_volatile` to whoever has room, and heard by a
///   `Handler<Volatile<M>>`: no place in the order, no receipt. For cursors and pointers.
/// - A message or state whose type contains itself (a tree, say) is decoded to any depth that fits
///   into 60 KiB, or 1 MiB of a state: bound it, or a peer can use up a leaf's stack.
/// - `ask 3 => Weigh -> Grams` is the form of a row for requests to an object's owner. This
///   version says so and does not compile it yet.
#[macro_export]
macro_rules! interface {
    // A row at a time into the list.
    (@rows $head:tt $shouted:tt $volatile:tt) => {
        $crate::interface!(@write $head $shouted $volatile);
    };
    (@rows $head:tt $shouted:tt $volatile:tt ask $($rest:tt)*) => {
        ::core::compile_error!(
            "`ask` rows are reserved: this version of actix-multiplex has no asks yet"
        );
    };
    (@rows $head:tt [$($done:tt)*] $volatile:tt
        $kind:literal => $message:ident $(, $($rest:tt)*)?
    ) => {
        $crate::interface!(@rows $head [$($done)* ($kind $message)] $volatile $($($rest)*)?);
    };
    (@rows $head:tt $shouted:tt [$($done:tt)*]
        volatile $kind:literal => $message:ident $(, $($rest:tt)*)?
    ) => {
        $crate::interface!(@rows $head $shouted [$($done)* ($kind $message)] $($($rest)*)?);
    };
    (@rows $head:tt $shouted:tt $volatile:tt $($rest:tt)*) => {
        $crate::interface!(@no_row [] $($rest)*);
    };

    // What is no row, up to its comma.
    (@no_row [$($row:tt)*] $(, $($rest:tt)*)?) => {
        ::core::compile_error!(::core::concat!(
            "not a row of an interface: `", ::core::stringify!($($row)*),
            "`; write `1 => Message,` with the message's type imported, without a path"
        ));
    };
    (@no_row [$($row:tt)*] $next:tt $($rest:tt)*) => {
        $crate::interface!(@no_row [$($row)* $next] $($rest)*);
    };

    // Everything at once.
    (@write
        { [$($meta:tt)*] [$vis:vis] $name:ident $tag:literal $version:ident
          [$($state:ty)?] $($presence:ident)? }
        [$(($kind:literal $message:ident))*]
        [$(($fleeting_kind:literal $fleeting:ident))*]
    ) => {
        $($meta)*
        #[derive(::core::fmt::Debug)]
        #[allow(clippy::exhaustive_enums, reason = "it has no values")]
        $vis enum $name {}

        impl $crate::Interface for $name {
            const TAG: &'static ::core::primitive::str = $tag;
            const VERSION: ::core::primitive::u16 =
                $crate::__private::version(::core::stringify!($version));
            const STATEFUL: ::core::primitive::bool = $crate::interface!(@stateful $($state)?);
            const PRESENCE: ::core::primitive::bool =
                $crate::interface!(@presence $($presence)?);
            type State = $crate::interface!(@state $($state)?);
        }

        // A constant of a trait is computed where it is used; these checks are made here, so that
        // what is wrong is told here, also by `cargo check`.
        const _: () = {
            $crate::__private::tag(<$name as $crate::Interface>::TAG);
            $crate::__private::version(::core::stringify!($version));
        };

        const _: () = {
            // Two messages with one number: the compiler underlines both rows.
            enum __KindNumber { $($message = $kind,)* $($fleeting = $fleeting_kind,)* }

            $(
                const _: () = $crate::__private::kind(
                    __KindNumber::$message as ::core::primitive::i64,
                    ::core::concat!(
                        "`", ::core::stringify!($kind), " => ", ::core::stringify!($message),
                        "`: the numbers of messages run from 0 to 65279"
                    ),
                );
            )*
            $(
                const _: () = $crate::__private::kind(
                    __KindNumber::$fleeting as ::core::primitive::i64,
                    ::core::concat!(
                        "`volatile ", ::core::stringify!($fleeting_kind), " => ",
                        ::core::stringify!($fleeting),
                        "`: the numbers of messages run from 0 to 65279"
                    ),
                );

                impl $crate::VolatileAt<$name> for $fleeting {
                    const KIND: $crate::Kind =
                        $crate::Kind(__KindNumber::$fleeting as ::core::primitive::u16);
                }
            )*
            $(
                impl $crate::ShoutAt<$name> for $message {
                    const KIND: $crate::Kind =
                        $crate::Kind(__KindNumber::$message as ::core::primitive::u16);
                }
            )*

            impl<A> $crate::Dispatch<A> for $name
            where
                A: $crate::__private::actix::Actor<Context = $crate::__private::actix::Context<A>>,
                $(A: $crate::Stateful<$state>,)?
                $(A: $crate::Hears<$message>,)*
                $(A: $crate::HearsVolatile<$fleeting>,)*
            {
                #[allow(unused_variables, reason = "an interface may have no rows")]
                fn dispatch(
                    leaf: &mut A,
                    packet: &$crate::Packet,
                    ctx: &mut $crate::__private::actix::Context<A>,
                ) -> ::core::result::Result<$crate::__private::Done, $crate::DispatchError> {
                    match packet.kind() {
                        $($crate::Kind(number)
                            if number == __KindNumber::$message as ::core::primitive::u16 =>
                        {
                            <A as $crate::Hears<$message>>::deliver(leaf, packet, ctx)
                        })*
                        kind => ::core::result::Result::Err($crate::DispatchError::UnknownKind(kind)),
                    }
                }

                #[allow(unused_variables, reason = "an interface may have no volatile rows")]
                fn glimpse(
                    leaf: &mut A,
                    glimpse: &$crate::__private::Glimpse,
                    ctx: &mut $crate::__private::actix::Context<A>,
                ) -> ::core::option::Option<$crate::__private::Done> {
                    match glimpse.kind() {
                        $($crate::Kind(number)
                            if number == __KindNumber::$fleeting as ::core::primitive::u16 =>
                        {
                            <A as $crate::HearsVolatile<$fleeting>>::glimpse(leaf, glimpse, ctx)
                        })*
                        _ => ::core::option::Option::None,
                    }
                }

                #[allow(unused_variables, reason = "an interface may have no state")]
                fn restore(
                    leaf: &mut A,
                    state: &[::core::primitive::u8],
                    brought: &[$crate::__private::Brought],
                    ctx: &mut $crate::__private::actix::Context<A>,
                ) -> ::core::result::Result<(), $crate::DecodeError> {
                    $(
                        let state = $crate::__private::state::<Self>(state, brought)?;
                        $crate::Stateful::<$state>::restore(leaf, state, ctx);
                    )?
                    ::core::result::Result::Ok(())
                }

                #[allow(unused_variables, reason = "an interface may have no state")]
                fn state(
                    leaf: &A,
                ) -> ::core::result::Result<
                    ::core::option::Option<$crate::Encoded>, $crate::EncodeError,
                > {
                    let state = $crate::interface!(@tell leaf $($state)?);
                    $crate::__private::write_state::<Self>(state)
                }
            }
        };
    };

    (@stateful) => { false };
    (@stateful $state:ty) => { true };
    (@presence) => { false };
    (@presence presence) => { true };
    (@tell $leaf:ident) => { ::core::option::Option::None };
    (@tell $leaf:ident $state:ty) => { $crate::Stateful::<$state>::state($leaf) };
    (@state) => { () };
    (@state $state:ty) => { $state };

    // What users write.
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state none; presence; $($rows:tt)*
    }) => {
        $crate::interface!(
            @rows { [$(#[$meta])*] [$vis] $name $tag $version [] presence } [] [] $($rows)*
        );
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state none; $($rows:tt)*
    }) => {
        $crate::interface!(@rows { [$(#[$meta])*] [$vis] $name $tag $version [] } [] [] $($rows)*);
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state $state:ty; presence; $($rows:tt)*
    }) => {
        $crate::interface!(
            @rows { [$(#[$meta])*] [$vis] $name $tag $version [$state] presence } [] [] $($rows)*
        );
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state $state:ty; $($rows:tt)*
    }) => {
        $crate::interface!(
            @rows { [$(#[$meta])*] [$vis] $name $tag $version [$state] } [] [] $($rows)*
        );
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident { $($rows:tt)* }) => {
        ::core::compile_error!(
            "begin the interface's table with `state none;` or `state T;`, where T is the type \
             that a latecomer is given"
        );
    };
    ($($rest:tt)*) => {
        ::core::compile_error!(
            "write an interface as: /// docs\npub Frog = \"pond.frog\" v1 { state none; 1 => Croak }"
        );
    };
}
