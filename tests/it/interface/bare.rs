//! Where nothing is in scope that is not named: the macro needs no name but the messages'.
//!
//! Names that it might have meant by accident are taken by something else.

use ::actix_multiplex::interface;
use ::serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Ok;
#[derive(Serialize, Deserialize)]
struct Kind;
#[derive(Serialize, Deserialize)]
struct KindNumber;
#[derive(Serialize, Deserialize)]
struct State;

interface! {
    /// No state.
    Result = "bare.result" v1 {
        state none;
        1 => Ok,
        2 => Kind,
        3 => KindNumber,
    }
}

interface! {
    /// A state.
    Context = "bare.context" v1 {
        state State;
        1 => Ok,
    }
}

mod core {}
mod std {}
mod actix {}
#[expect(non_camel_case_types, reason = "it stands in the way of the primitive type")]
#[expect(dead_code, reason = "it only stands in the way")]
struct u16;
#[expect(non_camel_case_types, reason = "it stands in the way of the primitive type")]
#[expect(dead_code, reason = "it only stands in the way")]
struct bool;

#[::core::prelude::v1::test]
fn an_interface_needs_nothing_in_scope() {
    use ::actix_multiplex::{Interface, ShoutAt};
    ::core::assert_eq!(<Result as Interface>::id().version, 1);
    ::core::assert_eq!(<KindNumber as ShoutAt<Result>>::KIND, ::actix_multiplex::Kind(3));
    ::core::assert!(super::has_state::<Context>(State));
}
