//! What comes down a link: to the copies of objects, to the directory, and to those who have asked.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use super::Env;
use crate::{
    connection::{Burst, Closed, Inward},
    hub::{By, Copied, EndedAbove, Told, Unsought, Word},
    limits::REQUEST_BYTES_MIN,
    object::{ObjectId, SessionId},
    wire::{EndReason, Fetched, Frame, Incoming, Made, Refusal, Request, Target},
};

/// Takes what comes over one connection.
pub(super) struct Hearer {
    env: Env,
    inward: Arc<Inward>,
    /// The state that is coming, if it is a large one.
    incoming: Incoming,
}

impl Hearer {
    pub(super) fn new(env: Env, inward: Arc<Inward>) -> Self {
        Self { env, inward, incoming: Incoming::default() }
    }

    /// Takes what one read has brought.
    ///
    /// # Errors
    /// What the hub above may not say, or that it says goodbye.
    pub(super) async fn hear(&mut self, mut burst: Burst) -> Result<(), Closed> {
        while let Some(frame) = burst.peek() {
            let bytes = frame.len();
            let whole = with_length(frame);
            let frame = Frame::decode(&whole.slice(LENGTH_BYTES..))?;
            burst.pass_over(bytes);
            self.take(whole, frame).await?;
        }
        Ok(())
    }

    async fn take(&mut self, whole: Bytes, frame: Frame) -> Result<(), Closed> {
        let bytes = whole.len();
        match frame {
            Frame::Heartbeat | Frame::Pulled(_) => {}
            Frame::Goodbye(goodbye) => return Err(Closed::remote(goodbye)),
            Frame::StatePiece(piece, state) => {
                self.incoming.add(piece, &state).map_err(Closed::protocol)?;
            }
            Frame::Fetched(fetched, payload) => {
                let state = self.incoming.state(fetched.object, fetched.state, payload);
                self.fetched(fetched, state.map_err(Closed::protocol)?).await;
            }
            Frame::Resynced(resynced, payload) => {
                let (object, is) = (resynced.object, resynced.state);
                let state = self.incoming.state(object, is, payload).map_err(Closed::protocol)?;
                self.tell(object, Word::Resynced(resynced, state), bytes);
            }
            Frame::Enrolled(enrolled) => {
                if let Some(By::Entrant(object, session)) = self.answered(enrolled.request) {
                    self.tell(
                        object,
                        Word::Enrolled(session, enrolled.request, enrolled.next_op),
                        bytes,
                    );
                }
            }
            Frame::Made(made) => self.done(made.request, Some(made)),
            Frame::Done(done) => self.done(done.request, None),
            Frame::Refused(refused) => self.refused(refused.request, refused.refusal, bytes),
            Frame::Via(via, inner) => self.via(via.session, &inner)?,
            Frame::SnapshotWanted(wanted) => self.tell(wanted.object, Word::SnapshotWanted, bytes),
            Frame::Rejoin(rejoin) => self.tell(rejoin.object, Word::Rejoin, bytes),
            Frame::Stalled(stalled) => self.tell(stalled.object, Word::Stalled, bytes),
            Frame::Ended(ended) => self.ended(ended.object, ended.reason),
            Frame::Granted(granted) => self.env.upward().decided(granted.number, Ok(())),
            Frame::Barred(barred) => self.env.upward().decided(barred.number, Err(barred.why)),
            frame => {
                let kind = frame.frame_type();
                let wrong = || Closed::protocol(format!("a {kind:?} frame came down a link"));
                let object = streamed(&frame).ok_or_else(wrong)?;
                self.tell(object, Word::Streamed(whole, frame), bytes);
            }
        }
        Ok(())
    }

    fn answered(&self, request: Request) -> Option<By> {
        self.env.upward().answered(request)
    }

    /// Tells the copy of an object. There is none if it has gone meanwhile.
    fn tell(&self, object: ObjectId, what: Word, bytes: usize) {
        if let Some(copy) = self.env.upward().copy(object) {
            let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
            copy.do_send(Told { what, held });
        }
    }

    async fn fetched(&self, fetched: Fetched, state: Bytes) {
        let bytes = state.len();
        match self.answered(fetched.request) {
            Some(By::Copy(object)) => self.tell(object, Word::Fetched(fetched, state), bytes),
            Some(By::Seekers(target)) => {
                let copied = Copied { fetched: fetched.clone(), target };
                if let Ok(Some(copy)) = self.env.directory().send(copied).await {
                    let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
                    copy.do_send(Told { what: Word::Fetched(fetched, state), held });
                }
            }
            _ => {}
        }
    }

    fn done(&self, request: Request, made: Option<Made>) {
        if let Some(By::Task(reply)) = self.answered(request) {
            let _nobody_waits = reply.send(Ok(made));
        }
    }

    fn refused(&self, request: Request, refusal: Refusal, bytes: usize) {
        match self.answered(request) {
            Some(By::Task(reply)) => drop(reply.send(Err(refusal))),
            Some(By::Seekers(target)) => self.not_found(target, refusal),
            Some(By::Entrant(object, session)) => {
                self.tell(object, Word::Refused(session, request, refusal), bytes);
            }
            Some(By::Copy(object)) if !is_final(&refusal) => {
                self.tell(object, Word::Unfetched, bytes);
            }
            Some(By::Copy(object)) => {
                let why = format!("the hub above does not give it any more: {refusal}");
                self.ended(object, EndReason::Failed(crate::wire::reason(&why)));
            }
            Some(By::Nobody) | None => {}
        }
    }

    fn not_found(&self, target: Target, refusal: Refusal) {
        self.env.directory().do_send(Unsought { target, refusal });
    }

    fn ended(&self, object: ObjectId, reason: EndReason) {
        self.env.directory().do_send(EndedAbove { object, reason });
    }

    fn via(&self, session: SessionId, inner: &Bytes) -> Result<(), Closed> {
        let frame = Frame::decode(inner)?;
        let object = match &frame {
            Frame::Outcome(outcome) => outcome.object,
            Frame::Handled(handled) => handled.object,
            Frame::Asked(asked, _) => asked.object,
            Frame::Replied(replied, _) => replied.object,
            other => {
                let kind = other.frame_type();
                return Err(Closed::protocol(format!("a {kind:?} frame came for a session")));
            }
        };
        let bytes = inner.len();
        self.tell(object, Word::Via(session, with_length(inner), Box::new(frame)), bytes);
        Ok(())
    }
}

/// Whether an object cannot be had any more, and not only for now.
fn is_final(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Gone | Refusal::Unknown | Refusal::Denied(_) | Refusal::Interface { .. }
    )
}

/// The object in whose stream a frame stands.
fn streamed(frame: &Frame) -> Option<ObjectId> {
    Some(match frame {
        Frame::Batch(batch) => batch.object,
        Frame::VolatileHeard(heard, _) => heard.object,
        Frame::Members(members) => members.object,
        Frame::MembersChanged(changed) => changed.object,
        _ => return None,
    })
}

/// A frame of its own, with its length prefix: what is kept of it keeps nothing else.
fn with_length(frame: &[u8]) -> Bytes {
    let mut whole = BytesMut::with_capacity(LENGTH_BYTES + frame.len());
    whole.put_u32_le(frame.len() as u32);
    whole.put_slice(frame);
    whole.freeze()
}

/// Bytes of a frame's length, in front of it.
const LENGTH_BYTES: usize = 4;
