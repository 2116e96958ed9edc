//! Lines in, lines out, and the line to the hub.

use std::{
    fmt::Display,
    io::{BufRead, BufReader, Read, Write, stdout},
    thread,
};

use actix_multiplex::{Client, Closed, ConnectionEvent};
use tokio::sync::mpsc;

/// Prints a line, in one piece. Whether anybody reads it is not our business.
pub fn say(line: impl Display) {
    let line = format!("{line}\n");
    let _nobody_reads = stdout().write_all(line.as_bytes());
}

/// The lines of `input`, read by a thread of its own, since reading blocks.
pub fn lines(input: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    thread::spawn(move || {
        for line in BufReader::new(input).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Waits until the connection to the hub is lost. The client would go on by itself when the hub is
/// back; here it goes home.
pub async fn lost(client: &Client) -> Closed {
    let mut events = client.events();
    while let Some(event) = events.next().await {
        if let ConnectionEvent::Waiting { why, .. } | ConnectionEvent::Closed { why } = event {
            return why;
        }
    }
    client.closed().await
}
