//! `interface!`: one table from which everything about an interface follows.
//!
//! A tt-muncher: it reads what stands behind the state, and then the rows one by one into three lists
//! `[(number Message)]`, of those that are shouted, the volatile ones and the asks, and writes all
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
///         // volatile 3 => Blink,        may be lost: see `Volatile`
///         // ask 4 => Weigh -> Grams,    has an answer: see `Asked`
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
/// - The message of an `ask` row is asked with `ask`, and answered by this leaf's own class or by the
///   object's owner: a `Handler<Asked<M>>`, which also says so ([`elsewhere!`](crate::elsewhere)). It
///   is an actix [`Message`](actix::Message), whose `Result` the row repeats.
/// - `handover;` behind the state (and `presence;`, if that is there) has another leaf own the object
///   when the owner is no leaf any more: the one that joined first of those whose class answers every
///   ask. Without it nobody does. See [`Leaf::owner_changed`](crate::Leaf::owner_changed).
/// - A message or state whose type contains itself (a tree, say) is decoded to any depth that fits
///   into 60 KiB, or 1 MiB of a state: bound it, or a peer can use up a leaf's stack.
#[macro_export]
macro_rules! interface {
    // What stands behind the state.
    (@flags { $($head:tt)* } presence; handover; $($rows:tt)*) => {
        $crate::interface!(@rows { $($head)* [presence] [handover] } [] [] [] $($rows)*);
    };
    (@flags { $($head:tt)* } presence; $($rows:tt)*) => {
        $crate::interface!(@rows { $($head)* [presence] [] } [] [] [] $($rows)*);
    };
    (@flags { $($head:tt)* } handover; $($rows:tt)*) => {
        $crate::interface!(@rows { $($head)* [] [handover] } [] [] [] $($rows)*);
    };
    (@flags { $($head:tt)* } $($rows:tt)*) => {
        $crate::interface!(@rows { $($head)* [] [] } [] [] [] $($rows)*);
    };

    // A row at a time into its list.
    (@rows $head:tt $shouted:tt $volatile:tt $asks:tt) => {
        $crate::interface!(@write $head $shouted $volatile $asks);
    };
    (@rows $head:tt [$($done:tt)*] $volatile:tt $asks:tt
        $kind:literal => $message:ident $(, $($rest:tt)*)?
    ) => {
        $crate::interface!(@rows $head [$($done)* ($kind $message)] $volatile $asks $($($rest)*)?);
    };
    (@rows $head:tt $shouted:tt [$($done:tt)*] $asks:tt
        volatile $kind:literal => $message:ident $(, $($rest:tt)*)?
    ) => {
        $crate::interface!(@rows $head $shouted [$($done)* ($kind $message)] $asks $($($rest)*)?);
    };
    (@rows $head:tt $shouted:tt $volatile:tt [$($done:tt)*]
        ask $kind:literal => $message:ident -> $reply:ty $(, $($rest:tt)*)?
    ) => {
        $crate::interface!(
            @rows $head $shouted $volatile [$($done)* ($kind $message $reply)] $($($rest)*)?
        );
    };
    (@rows $head:tt $shouted:tt $volatile:tt $asks:tt
        ask $kind:literal => $message:ident $(, $($rest:tt)*)?
    ) => {
        ::core::compile_error!(::core::concat!(
            "`ask ", ::core::stringify!($kind), " => ", ::core::stringify!($message),
            "` has no answer; write `ask ", ::core::stringify!($kind), " => ",
            ::core::stringify!($message), " -> Answer,` with the answer's type"
        ));
    };
    (@rows $head:tt $shouted:tt $volatile:tt $asks:tt $($rest:tt)*) => {
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
          [$($state:ty)?] [$($presence:ident)?] [$($handover:ident)?] }
        [$(($kind:literal $message:ident))*]
        [$(($fleeting_kind:literal $fleeting:ident))*]
        [$(($ask_kind:literal $ask:ident $reply:ty))*]
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
            const HANDOVER: ::core::primitive::bool =
                $crate::interface!(@handover $($handover)?);
            const ASKS: &'static [$crate::Kind] = &[$($crate::Kind($ask_kind)),*];
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
            enum __KindNumber {
                $($message = $kind,)* $($fleeting = $fleeting_kind,)* $($ask = $ask_kind,)*
            }

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
                const _: () = $crate::__private::kind(
                    __KindNumber::$ask as ::core::primitive::i64,
                    ::core::concat!(
                        "`ask ", ::core::stringify!($ask_kind), " => ", ::core::stringify!($ask),
                        "`: the numbers of messages run from 0 to 65279"
                    ),
                );
                const _: () = $crate::__private::replies::<$ask, $reply>();

                impl $crate::AskOf<$name> for $ask {
                    const KIND: $crate::Kind =
                        $crate::Kind(__KindNumber::$ask as ::core::primitive::u16);
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
                $(A: $crate::Replies<$ask>,)*
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

                #[allow(unused_variables, reason = "an interface may have no asks")]
                fn answer(
                    leaf: &mut A,
                    question: &$crate::__private::Question,
                    ctx: &mut $crate::__private::actix::Context<A>,
                ) -> ::core::result::Result<
                    $crate::__private::Answering, $crate::__private::Unanswered,
                > {
                    match question.kind() {
                        $($crate::Kind(number)
                            if number == __KindNumber::$ask as ::core::primitive::u16 =>
                        {
                            <A as $crate::Replies<$ask>>::answer(leaf, question, ctx)
                        })*
                        _ => ::core::result::Result::Err($crate::__private::Unanswered::Elsewhere),
                    }
                }

                #[allow(unused_mut, reason = "an interface may have no asks")]
                fn answers() -> $crate::__private::Kinds {
                    let mut kinds = $crate::__private::Kinds::new();
                    $(if <A as $crate::Replies<$ask>>::is_here() {
                        kinds.push(<$ask as $crate::AskOf<$name>>::KIND);
                    })*
                    kinds
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
    (@handover) => { false };
    (@handover handover) => { true };
    (@tell $leaf:ident) => { ::core::option::Option::None };
    (@tell $leaf:ident $state:ty) => { $crate::Stateful::<$state>::state($leaf) };
    (@state) => { () };
    (@state $state:ty) => { $state };

    // What users write.
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state none; $($rest:tt)*
    }) => {
        $crate::interface!(@flags { [$(#[$meta])*] [$vis] $name $tag $version [] } $($rest)*);
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $tag:literal $version:ident {
        state $state:ty; $($rest:tt)*
    }) => {
        $crate::interface!(@flags { [$(#[$meta])*] [$vis] $name $tag $version [$state] } $($rest)*);
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
