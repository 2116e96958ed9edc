//! Frames as JSON, the form in which the vectors say what they mean: the fields by their names,
//! ids and other bytes as hex digits, payloads too.

use std::fmt::Write;

use actix_multiplex::{
    Carried, Epoch, Kind, ObjectId, Op, Seq, SessionId,
    wire::{Batch, BatchBuilder, Frame, FrameError, Shouted},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Fields that are lists of ids, or of what has more in it.
const IDS: [&str; 3] = ["missing", "path", "sessions"];

/// Fields, and variants, that are bytes.
const BYTES: [&str; 13] = [
    "magic",
    "credentials",
    "value",
    "hub",
    "session",
    "owner",
    "key",
    "info",
    "object",
    "epoch",
    "origin",
    "Object",
    "Exists",
];

macro_rules! frames {
    (plain { $($plain:ident)* } payload { $($loaded:ident)* }) => {
        /// What a frame says.
        pub(super) fn of_frame(frame: &Frame) -> Value {
            let (header, payload) = match frame {
                Frame::Heartbeat => (json!({}), None),
                Frame::Batch(batch) => (of_batch(batch), None),
                $(Frame::$plain(header) => (serde_json::to_value(header).expect("data"), None),)*
                $(Frame::$loaded(header, payload) => {
                    (serde_json::to_value(header).expect("data"), Some(payload))
                })*
                other => panic!("{:?} is not listed here", other.frame_type()),
            };
            let mut fields = Map::from_iter([
                ("frame".to_owned(), format!("{:?}", frame.frame_type()).into()),
            ]);
            let Value::Object(header) = with_hex(header) else {
                panic!("a header is a struct");
            };
            fields.extend(header);
            fields.extend(payload.map(|bytes| ("payload".to_owned(), digits(bytes).into())));
            fields.into()
        }

        /// The frame that says this.
        pub(super) fn to_frame(json: &Value) -> Frame {
            let mut fields = json.as_object().expect("is an object").clone();
            let name = fields.remove("frame").expect("has its type");
            let payload = fields.remove("payload").map(|payload| bytes_of(&payload));
            match name.as_str().expect("is a text") {
                "Heartbeat" => Frame::Heartbeat,
                "Batch" => to_batch(&fields),
                $(stringify!($plain) => Frame::$plain(to_header(fields)),)*
                $(stringify!($loaded) => {
                    Frame::$loaded(to_header(fields), payload.expect("has a payload").into())
                })*
                other => panic!("there is no frame {other}"),
            }
        }
    };
}

frames! {
    plain {
        Hello Welcome Goodbye Join Part Attach Detach NameObject List Unwatch Attached Done
        Refused Listed Changed Outcome Rejoin Ended Pin Destroy SnapshotWanted
        Members MembersChanged Heard Handled Pull Pulled
        Claim Granted Barred Below Over Reserve Release Made Fetch Enroll Enrolled Withdraw Absent
        Spent Stalled
    }
    payload {
        StatePiece Create Shout Joined Snapshot Volatile VolatileHeard Resynced
        Ask Asked Reply Replied Via Fetched
    }
}

/// The frame's bytes, with the length. A batch is made anew, shout by shout.
pub(super) fn write(frame: &Frame) -> Bytes {
    match frame {
        Frame::Batch(batch) => write_batch(batch),
        other => other.encode(),
    }
}

/// What an error says.
pub(super) fn of_error(error: &FrameError) -> Value {
    match error {
        FrameError::TooLong { bytes, max } => json!({"TooLong": {"bytes": bytes, "max": max}}),
        FrameError::Empty => json!("Empty"),
        FrameError::UnknownType(number) => json!({"UnknownType": number}),
        FrameError::Header { frame, bytes } => {
            json!({"Header": {"frame": format!("{frame:?}"), "bytes": bytes}})
        }
        FrameError::LeftOver { frame, left } => {
            json!({"LeftOver": {"frame": format!("{frame:?}"), "left": left}})
        }
        FrameError::Nonsense { frame, what } => {
            json!({"Nonsense": {"frame": format!("{frame:?}"), "what": what}})
        }
        other => panic!("{other:?} is not listed here"),
    }
}

fn of_batch(batch: &Batch) -> Value {
    let sessions = batch.sessions.iter();
    let shouts = batch.shouts().enumerate().map(|(place, shout)| {
        assert_eq!(shout.seq, batch.first_seq.plus(place as u64));
        json!({
            "session": shout.session,
            "op": shout.op,
            "kind": shout.kind,
            "asks": shout.asks,
            "carried": shout.carried,
            "payload": digits(&shout.payload),
        })
    });
    json!({
        "object": batch.object,
        "epoch": batch.epoch,
        "first_seq": batch.first_seq,
        "hub_time_ms": batch.hub_time_ms,
        "sessions": sessions
            .map(|(session, op)| json!({"session": session, "first_op": op}))
            .collect::<Vec<_>>(),
        "shouts": shouts.collect::<Vec<_>>(),
    })
}

fn to_batch(fields: &Map<String, Value>) -> Frame {
    let session_of = |shout: &Value| {
        let index = shout["session"].as_u64().expect("an index") as usize;
        SessionId(id(&fields["sessions"][index]["session"]))
    };
    let mut builder = BatchBuilder::new(
        ObjectId(id(&fields["object"])),
        Epoch(id(&fields["epoch"])),
        Seq(number(&fields["first_seq"])),
    );
    for shout in fields["shouts"].as_array().expect("is a list") {
        let carried: Vec<Carried> =
            serde_json::from_value(with_bytes(shout["carried"].clone())).expect("is a list");
        let payload = bytes_of(&shout["payload"]);
        assert!(builder.has_room(payload.len(), &carried));
        let kind = Kind(u16::try_from(number(&shout["kind"])).expect("is a kind"));
        let (op, asks) = (Op(number(&shout["op"])), shout["asks"] == true);
        builder.push_asking(session_of(shout), op, kind, &carried, &payload, asks);
    }
    let frame = builder.seal(number(&fields["hub_time_ms"]));
    Frame::decode(&frame.slice(4..)).expect("a builder makes batches")
}

fn write_batch(batch: &Batch) -> Bytes {
    let mut builder = BatchBuilder::new(batch.object, batch.epoch, batch.first_seq);
    for shout in batch.shouts() {
        let (session, _) = batch.sessions[shout.session];
        let Shouted { op, kind, asks, carried, payload, .. } = shout;
        builder.push_asking(session, op, kind, &carried, &payload, asks);
    }
    builder.seal(batch.hub_time_ms)
}

fn to_header<H: DeserializeOwned>(fields: Map<String, Value>) -> H {
    serde_json::from_value(with_bytes(fields.into())).expect("has the fields of its type")
}

/// Byte lists become digits.
fn with_hex(value: Value) -> Value {
    each_byte_field(value, &|value| match value {
        Value::Array(bytes) => {
            let bytes: Vec<u8> = bytes.iter().map(|byte| number(byte) as u8).collect();
            digits(&bytes).into()
        }
        other => other,
    })
}

/// Digits become byte lists.
fn with_bytes(value: Value) -> Value {
    each_byte_field(value, &|value| match value {
        Value::String(_) => bytes_of(&value).into(),
        other => other,
    })
}

fn each_byte_field(value: Value, change: &dyn Fn(Value) -> Value) -> Value {
    match value {
        Value::Array(items) => {
            items.into_iter().map(|item| each_byte_field(item, change)).collect()
        }
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let is_bytes = BYTES.contains(&name.as_str());
                let each = |value| {
                    if is_id(&value) { change(value) } else { each_byte_field(value, change) }
                };
                let value = match value {
                    value if is_bytes => change(value),
                    Value::Array(ids) if IDS.contains(&name.as_str()) => {
                        ids.into_iter().map(each).collect()
                    }
                    value if name == "carried" => each(value),
                    value => each_byte_field(value, change),
                };
                (name, value)
            })
            .collect(),
        other => other,
    }
}

/// What is carried is one id where that is refused, and a list of more than ids elsewhere.
fn is_id(value: &Value) -> bool {
    let are_bytes = value.as_array().and_then(|bytes| bytes.first()).is_some_and(Value::is_number);
    are_bytes || value.is_string()
}

fn id<const BYTES: usize>(value: &Value) -> [u8; BYTES] {
    bytes_of(value).try_into().expect("has its length")
}

fn bytes_of(value: &Value) -> Vec<u8> {
    super::hex(value.as_str().expect("digits")).to_vec()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("is a number")
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a string takes all");
        digits
    })
}
