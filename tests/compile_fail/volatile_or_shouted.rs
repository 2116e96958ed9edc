//! What is volatile is shouted, and what is shouted said as if it might be lost; and a leaf leaves
//! out what is volatile.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

#[derive(Serialize, Deserialize)]
pub struct Blink;

interface! {
    /// A newt that blinks.
    pub Newt = "pond.newt" v1 {
        state none;
        1 => Croak,
        volatile 2 => Blink,
    }
}

pub struct Blind;

impl Actor for Blind {
    type Context = Context<Self>;
}

impl Supervised for Blind {}

impl Leaf for Blind {
    type Interface = Newt;
}

impl Handler<Heard<Croak>> for Blind {
    type Result = ();
    fn handle(&mut self, _: Heard<Croak>, _: &mut Context<Self>) {}
}

async fn say(tritone: Voice<Newt>) {
    let _ = tritone.send(Shout(Blink)).await;
    let _ = tritone.send_volatile(Croak);
}

fn main() {}
