//! `multiplex hub`, as an operator runs it: what it prints, its signals, its exit codes.

use std::net::TcpListener;

use actix_multiplex::{Client, Shout, interface};
use serde::{Deserialize, Serialize};

use super::process::{Program, example};

const MULTIPLEX: &str = env!("CARGO_BIN_EXE_multiplex");

fn hub(arguments: &[&str]) -> (Program, String) {
    let hub = Program::start(MULTIPLEX, &[&["hub", "--ephemeral"], arguments].concat());
    let line = hub.line();
    let address = line.strip_prefix("listening on ").expect("says where it listens").to_owned();
    (hub, address)
}

fn frog(address: &str, who: &str) -> Program {
    let frog = Program::start(example("frog"), &["--connect", address, "--who", who]);
    frog.lines_to("joined kermit");
    frog
}

#[test]
fn a_hub_on_port_0_serves_frogs_of_other_processes() {
    let (hub, address) =
        hub(&["--listen", "tcp://127.0.0.1:0", "--arbiters", "2", "--slow-leaves", "disconnect"]);
    let (mut alec, mut amy) = (frog(&address, "alec"), frog(&address, "amy"));
    alec.say("croak\n");
    amy.lines_to("heard #1 croak ");
    amy.say("hop 2\n");
    alec.lines_to("heard #2 hop 2 ");
    for frog in [alec, amy] {
        assert!(frog.end().status.success());
    }
    drop(hub);
}

#[test]
fn a_hub_listens_at_each_address_that_it_is_given() {
    let (hub, first) = hub(&["--listen", "tcp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0"]);
    let second = hub.line();
    let second = second.strip_prefix("listening on ").expect("says where it listens");
    assert_ne!(first, second);
    let mut alec = frog(&first, "alec");
    let amy = frog(second, "amy");
    alec.say("croak\n");
    amy.lines_to("heard #1 croak ");
}

#[cfg(unix)]
#[test]
fn either_signal_drains_the_hub_which_says_goodbye_and_exits_with_0() {
    for signal in ["TERM", "INT"] {
        let (hub, address) = hub(&["--listen", "tcp://127.0.0.1:0"]);
        let mut alec = frog(&address, "alec");
        alec.say("croak\n");
        alec.lines_to("heard #1 croak ");
        hub.signal(signal);
        let ended = hub.end();
        assert_eq!(ended.status.code(), Some(0), "{ended:#?}");
        assert_eq!(ended.lines, [""; 0]);
        assert!(ended.errors.iter().any(|line| line.contains("the hub has stopped")));

        let told = alec.error_with("frog: ");
        assert_eq!(told, "frog: connection closed by the other side: the hub stops");
        assert_eq!(alec.end().status.code(), Some(1));
    }
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_hub_at_once_with_130() {
    let (hub, address) = hub(&["--listen", "tcp://127.0.0.1:0"]);
    // A frog that reads nothing more, and has a lot coming, keeps the hub draining.
    let stuck = frog(&address, "stuck");
    stuck.signal("STOP");
    flood(&address);
    hub.signal("TERM");
    hub.error_with("the hub stops");
    hub.signal("TERM");
    let ended = hub.end();
    assert_eq!(ended.status.code(), Some(130), "{ended:#?}");
}

/// More of what a frog may one day be told, in bulk.
#[derive(Serialize, Deserialize)]
struct Spawn(Vec<u8>);

interface! {
    /// A frog of a later day.
    Frog = "pond.frog" v1 {
        state none;
        9 => Spawn,
    }
}

/// Shouts 15 MB at kermit: more than sockets hold, and less than the hub queues for a slow leaf.
fn flood(address: &str) {
    actix::System::new().block_on(async {
        let client = Client::connect(address).await.expect("the hub is there");
        let kermit = client.voice::<Frog>("kermit").await.expect("kermit is there");
        for _ in 0..250 {
            kermit.send(Shout(Spawn(vec![0; 60_000]))).await.expect("it has its place");
        }
        client.close().await;
    });
}

#[test]
fn a_taken_port_is_one_clear_error_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = format!("tcp://{}", taken.local_addr().expect("is bound"));
    let ended = Program::start(MULTIPLEX, &["hub", "--ephemeral", "--listen", &address]).end();
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.lines, [""; 0]);
    let [error] = &ended.errors[..] else { panic!("{ended:#?}") };
    assert!(error.starts_with("multiplex: "), "{error}");
    assert_eq!(error.matches(&address).count(), 1, "{error}");
}

#[test]
fn an_address_that_is_none_is_an_error_and_a_flag_that_is_none_a_wrong_usage() {
    let ended = Program::start(MULTIPLEX, &["hub", "--ephemeral", "--listen", "127.0.0.1:0"]).end();
    assert_eq!(ended.status.code(), Some(1));
    let scheme = "multiplex: address `127.0.0.1:0` has no scheme: write tcp://HOST:PORT";
    assert_eq!(ended.errors, [scheme]);

    let ended = Program::start(MULTIPLEX, &["hub", "--listn", "tcp://127.0.0.1:0"]).end();
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.errors[0].contains("--listn"), "{ended:#?}");
}
