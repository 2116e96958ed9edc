//! A length and a payload, as the servers of this program copy them.

use std::{io::Read, net::TcpStream};

use super::{super::super::Wrong, Speech};

/// Frames of a length (32 bits, the lowest first) and a payload.
#[derive(Debug)]
pub(super) struct Plain;

impl Speech for Plain {
    /// An empty frame says that the connection is in.
    fn enter(&mut self, stream: &mut TcpStream, _: usize) -> Result<(), Wrong> {
        Ok(stream.read_exact(&mut [0; 4])?)
    }

    fn shout(&mut self, _: usize, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(payload);
    }

    fn hear(&mut self, input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<usize, Wrong> {
        let mut at = 0;
        while let Some(length) = input[at..].first_chunk() {
            let end = at + 4 + u32::from_le_bytes(*length) as usize;
            let Some(payload) = input.get(at + 4..end) else { break };
            heard(payload);
            at = end;
        }
        Ok(at)
    }
}
