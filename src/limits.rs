//! Every bound of the system, with its unit and its reason.
//!
//! Nothing here is computed from anything else at run time, and nothing grows without one of
//! these names standing beside it. What happens at a bound is told where the bound is used.

use std::time::Duration;

/// Bytes of one frame after its length prefix. A length above this closes the connection before
/// any memory is taken. 64 KiB is one socket read, and short enough that no frame delays the
/// frames behind it noticeably.
pub const FRAME_BYTES_MAX: usize = 65_536;

/// Bytes of a shout's payload and list of carried objects together. A batch of one shout with the
/// longest header still fits a frame.
pub const SHOUT_BYTES_MAX: usize = 61_440;

/// Bytes of an object's state and the list of objects it carries. Half of what is shouted from one
/// state to the next, so that a leaf that keeps up with the shouts is overtaken at most once while
/// it takes a state. What is larger is several objects, carried by one.
pub const STATE_BYTES_MAX: usize = TAIL_BYTES_MAX / 4;
/// Bytes of a state and what it carries that one frame tells, with its largest header. A larger one
/// goes ahead of that frame in pieces of so many bytes, beside what else is sent.
pub const STATE_PIECE_BYTES: usize = 61_440;

/// Bytes of a volatile message: a pointer, or a name and a colour. What is larger is worth a place.
pub const VOLATILE_BYTES_MAX: usize = 1_024;

/// Bytes of batches and volatile messages queued for one connection, up to which volatile ones are
/// added: what is written at once, or some milliseconds of a connection in use. Behind more they
/// would be old when they come, and are dropped.
pub const VOLATILE_QUEUED_BYTES_MAX: usize = 65_536;

/// Bytes that wait in a leaf's inbox, up to which volatile messages are added. A leaf that is behind
/// by more has better things to do.
pub const VOLATILE_INBOX_BYTES_MAX: usize = 16_384;

/// Time for which a hub waits for those who are to handle a shout, at most. Longer is no receipt any
/// more: say it in a message of one's own.
pub const GRADE_TIME_MAX: Duration = Duration::from_mins(5);
/// Shouts of one session at one object whose handling is waited for. Past it the answer comes at once.
pub const SESSION_GRADES_MAX: usize = 64;
/// Shouts of one object whose handling is waited for. Past it the answer comes at once.
pub const GRADES_MAX: usize = 256;
/// Leaves that the open ones of an object wait for, together. 32 bytes each makes 2 MiB; past it the
/// answer comes at once.
pub const GRADE_LEAVES_MAX: usize = 65_536;
/// Sessions that a Handled names of those who are missing. A hundred names help nobody.
pub const GRADE_MISSING_MAX: usize = 64;

/// Objects that one message or state can carry. Beyond that a list belongs into an object.
pub const CARRIED_MAX: usize = 64;

/// Objects that one carrier waits for: those it carries, and those that their states lead to.
/// Beyond it a reference says that there were too many. 16 full lists.
pub const CARRY_HOLD_MAX: usize = 1_024;

/// Objects that all carriers of a client wait for together, each counted for each. Beyond it a
/// reference says that there were too many. About 100 bytes each makes 6 MiB.
pub const CARRY_WAITS_MAX: usize = 65_536;

/// Joins of carried objects that a client has under way; the others follow when these are answered.
/// As many requests as a hub reads of a session before it answers, so that they fill no queue.
pub const CARRY_JOINS_MAX: usize = 1_024;

/// Time that a message waits for the objects it carries. What is not there by then is late.
pub const CARRY_TIMEOUT: Duration = Duration::from_secs(5);

/// Sessions named in one batch. The table stays below a third of the frame (26 bytes each).
pub const BATCH_SESSIONS_MAX: usize = 512;

/// Bytes that a batch counts as beside its shouts and sessions while a leaf's inbox holds it: its
/// header and the memory round it. Without it, small batches would hold several times the bound.
pub const BATCH_BYTES_MIN: usize = 128;

/// Bytes of a name in the directory (UTF-8).
pub const NAME_BYTES_MAX: usize = 128;

/// Bytes of an interface's tag (UTF-8).
pub const TAG_BYTES_MAX: usize = 64;

/// Bytes of a reason told to a peer: a paragraph, never a dump.
pub const REASON_BYTES_MAX: usize = 1_024;

/// Bytes of credentials in a Hello. Enough for a signed token with a certificate chain's digest.
pub const CREDENTIALS_BYTES_MAX: usize = 4_096;

/// Bytes of the peer's description of itself in a Hello.
pub const AGENT_BYTES_MAX: usize = 64;

/// Extension fields in a Hello or Welcome, and bytes of each.
pub const EXTRAS_MAX: usize = 16;
/// Bytes of one extension field in a Hello or Welcome.
pub const EXTRA_BYTES_MAX: usize = 1_024;

/// Bytes of the name that a client has among the members of objects (UTF-8): a person's name fits.
pub const MEMBER_NAME_BYTES_MAX: usize = 64;
/// Bytes of what the members of objects are told of a client: a status line and a picture's address.
pub const MEMBER_INFO_BYTES_MAX: usize = 1_024;
/// Members of an object that are listed. Past it only their number is told: each of so many that
/// come would cost all others a message, and each is told of all: a megabyte at the most.
pub const MEMBERS_LISTED_MAX: usize = 1_000;
/// Members of an object from which on they are listed again, which tells all of all: not for every
/// one that comes and goes at the limit, but for a hundred.
pub const MEMBERS_LISTED_AGAIN: usize = 900;
/// Bytes of members, or of their changes, in one frame. What stands around them still fits.
pub const MEMBERS_BYTES_MAX: usize = 61_440;

/// The largest number of a message in an interface. Those above are the hubs' own.
pub const KIND_MAX: u16 = 0xfeff;

/// Asks of an interface, of which a leaf's class tells when it joins which it answers.
pub const ASKS_MAX: usize = 256;
/// Time for which an answer is waited for, at most. What takes longer is worth a shout when it is
/// done.
pub const ASK_TIME_MAX: Duration = Duration::from_mins(5);
/// Time for which `ask` waits for an answer: twice the silence after which a connection is held for
/// dead, so that one that is lost meanwhile can be made anew.
pub const ASK_TIME: Duration = Duration::from_secs(30);
/// Asks of one session at one object without an answer. Past it the asker is told `Busy`.
pub const SESSION_ASKS_MAX: usize = 64;
/// What is queued before an ask or its answer, at most: a quarter of what batches may take, among which
/// they count. Past it the asker is told `Busy`.
pub const ASKS_QUEUED_BYTES_MAX: usize = 524_288;
/// Bytes of asks that one client has without an answer. Past it they wait for room.
pub const ASKS_BYTES_MAX: usize = 4 << 20;
/// Asks whose answers an owner remembers until their deadlines, and bytes of these answers: so that
/// none is given twice. Past it the oldest are forgotten.
pub const ANSWERS_MAX: usize = 1_024;
/// See [`ANSWERS_MAX`].
pub const ANSWERS_BYTES_MAX: usize = 4 << 20;
/// Asks at one object without an answer. Past it the asker is told `Busy`.
pub const OBJECT_ASKS_MAX: usize = 256;
/// Bytes of the asks at one object without an answer, which its hub keeps to pass them on again when
/// the owner's connection is made anew. Past it the asker is told `Busy`.
pub const OBJECT_ASKS_BYTES_MAX: usize = 1 << 20;

/// Shouts that one session may have under way at one object.
pub const WINDOW_SHOUTS: usize = 4_096;
/// Bytes of shouts that one session may have under way at one object.
pub const WINDOW_BYTES: usize = 1_048_576;
/// Bytes of shouts that one session may have under way in all.
pub const WINDOW_TOTAL_BYTES: usize = 8_388_608;

/// Bytes a hub has read of one connection, handed on and not yet handled. Past it the reader
/// stops, so that every mailbox is bounded by its sessions.
pub const INWARD_BYTES_MAX: usize = 262_144;

/// Frames handed on at a time, out of what one read brought. The inward bound is looked at in
/// between, so that a read of the shortest frames does not pass it many times over.
pub const BURST_FRAMES_MAX: usize = 1_024;

/// Bytes asked of a socket at a time: one frame of the largest size.
pub const READ_BYTES: usize = 65_536;

/// Bytes of shouts and requests that a client queues for its hub. Past it the connection is closed
/// as too slow; it is larger than two windows, so that a resend always fits.
pub const OUTWARD_BYTES_MAX: usize = 16_777_216;

/// Bytes of batches, and of what is told of members, that a hub queues for one connection. Past it
/// the object with most of them is no longer pushed but pulled: what is queued of it is dropped, and
/// given again as the client reads. Half of what a tail holds, so that what is dropped is still there,
/// and for a while.
pub const LAG_BYTES_MAX: usize = TAIL_BYTES_MAX / 2;
/// Bytes that a leaf that is behind is given at a time, before others of its connection have their
/// turn. As much as one full frame.
pub const PULL_BYTES: usize = 65_536;
/// Bytes that a leaf that joins is given at once; the rest of a long tail is pulled. A quarter of
/// [`LAG_BYTES_MAX`], so that a few can join at the same time.
pub const JOIN_BYTES: usize = LAG_BYTES_MAX / 4;
/// Time from one resync of a leaf to the next: a leaf that cannot keep up at all is given the state
/// no more often. Meanwhile nothing is queued for it.
pub const RESYNC_INTERVAL: Duration = Duration::from_secs(10);

/// Bytes of control frames queued for one connection. Past it the connection is closed as too
/// slow: control frames are answers, and who asks without reading has stopped taking part.
pub const CONTROL_BYTES_MAX: usize = 1_048_576;

/// Bytes queued for a connection from which on it is told in few words why an authority refuses its
/// shouts: half of what closes it, and the other half takes a whole window of such refusals.
pub const REASONS_QUEUED_BYTES_MAX: usize = CONTROL_BYTES_MAX / 2;
/// Bytes of such a reason then: a short sentence.
pub const REASON_BYTES_SHORT: usize = 64;
/// Bytes of an authority's reasons after which a repeater flushes, so that they are queued and
/// counted: as much as a full frame.
pub const CHUNK_REASONS_BYTES: usize = 65_536;

/// Slices handed to one vectored write. Linux takes 1,024; 64 chunks of 64 KiB fill any socket.
pub const WRITE_SLICES_MAX: usize = 64;

/// Bytes of batches held for one leaf that has not heard them. Past it the client drops what
/// follows and asks for it again from its cursor when there is room.
pub const INBOX_BYTES_MAX: usize = 262_144;

/// Bytes of an object's tail, kept for those who catch up. Past it an object without state drops
/// the oldest chunks.
pub const TAIL_BYTES_MAX: usize = 4_194_304;

/// Shouts in an object's tail. As [`TAIL_BYTES_MAX`], for empty messages.
pub const TAIL_SHOUTS_MAX: usize = 131_072;

/// Bytes of all objects' tails on a hub, with [`CHUNK_BYTES`] for each chunk: 32 full ones. Past it
/// an object without state that is shouted at keeps an equal part of it, so that many objects cannot
/// take what memory there is.
pub const TAILS_BYTES_MAX: usize = 134_217_728;

/// Bytes that a chunk of a tail takes beside its frame, about.
pub const CHUNK_BYTES: usize = 128;

/// Eighths of its tail from which on an object with state wants a newer state: half is left for
/// what is shouted until the state comes, which is two windows. Each further eighth another leaf is
/// asked.
pub const SNAPSHOT_EIGHTHS: usize = 4;

/// Time for a leaf to tell the state that it was asked for; then another one is asked. The largest
/// comes in this time where 2 Mbit/s are left for it; one that comes later is taken all the same.
pub const SNAPSHOT_LEASE: Duration = Duration::from_secs(5);
/// Bytes queued for a connection from which on its leaf lags: it is asked for a state when nobody
/// else is left. Four turns of a repeater.
pub const SNAPSHOT_LAG_BYTES: usize = 1_048_576;

/// Shouts, or other frames, that a repeater or a session takes in one turn before others run: about
/// 0.1 ms. A repeater flushes first.
pub const TURN_SHOUTS: usize = 1_024;
/// Bytes that a repeater, a session, the directory or a writer handles in one turn before others
/// run. As much as a connection may have on its way inward, and four full frames: far below
/// [`LAG_BYTES_MAX`], so that writers write before a queue is full. All but a writer count what
/// is smaller as [`REQUEST_BYTES_MIN`].
pub const TURN_BYTES: usize = 262_144;
/// Frames that a repeater pushes onto queues in one turn before others run: chunks times leaves,
/// and what those who join are given. The directory counts whoever watches names. Four full chunks
/// for a thousand leaves.
pub const TURN_PUSHES: usize = 4_096;

/// Restarts of a repeater that panics, within [`REPEATER_RESTARTS_WITHIN`]. Past them the object
/// has failed.
pub const REPEATER_RESTARTS: u32 = 5;
/// The time over which [`REPEATER_RESTARTS`] are counted.
pub const REPEATER_RESTARTS_WITHIN: Duration = Duration::from_secs(10);

/// Times that a leaf that panics is made anew, within [`LEAF_RESTARTS_WITHIN`]. Past them it has
/// parted. A shout that cannot be heard takes two.
pub const LEAF_RESTARTS: u32 = 5;
/// The time over which [`LEAF_RESTARTS`] are counted.
pub const LEAF_RESTARTS_WITHIN: Duration = Duration::from_secs(10);

/// Objects on one hub. 2 KiB each makes 2 GiB.
pub const OBJECTS_MAX: usize = 1_048_576;
/// For how long an object is kept that nobody needs: no leaf, no pin, and nothing that is kept
/// lists it. Time to be joined by whoever was just told of it, with every deadline on the way.
pub const LINGER: Duration = Duration::from_mins(1);
/// Time from the end of one look for objects that nobody needs to the next: a quarter of
/// [`LINGER`], so that none is kept for much longer than that.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(15);
/// Objects and listed ids that one turn of a look visits before others run: 0.1 ms with 100,000
/// objects, 0.2 ms with a million.
pub const SWEEP_VISITS: usize = 512;
/// Objects dropped in one turn of a look before others run: about 0.1 ms.
pub const SWEEP_DROPS: usize = 50;
/// Time from one turn of a look to the next, in which others run, and those who watch names take in
/// their changes: at most 7 KiB each time, so 7 MB a second. Timers make some 2 ms of it.
pub const SWEEP_PAUSE: Duration = Duration::from_millis(1);
/// Ids of objects that are no more, remembered so that they are not used again. 64 bytes each
/// makes 4 MiB; the oldest are forgotten, and nobody makes one of 16 random bytes twice.
pub const TOMBSTONES_MAX: usize = 65_536;
/// Ids of objects that are no more, forgotten by a journal at a time: one range to remove for many.
pub const TOMBSTONES_FORGOTTEN: u64 = 1_024;
/// Sessions on one hub. A process here may open 20,000 files.
pub const SESSIONS_MAX: usize = 16_384;
/// Objects that one session has joined or attached to.
pub const SESSION_OBJECTS_MAX: usize = 131_072;
/// Bytes that a request counts as at least, until it is answered, against the inward bound: a
/// session has at most 1,024 requests under way, and those of one part of a read.
pub const REQUEST_BYTES_MIN: usize = 256;
/// Bytes of names in one listing of the directory: half of what an answer may queue, so that it
/// never closes the connection that asked. About 8,000 names; beyond it a longer prefix is needed.
pub const LISTING_BYTES_MAX: usize = CONTROL_BYTES_MAX / 2;
/// Directory listings that one session watches.
pub const SESSION_WATCHES_MAX: usize = 16;
/// Changes of the directory held for a watcher in a client that does not take them.
pub const WATCH_CHANGES_MAX: usize = 16_384;

/// Callers of an in-process hub that it has not accepted yet. Past it they wait: as many as a
/// listening socket keeps by old custom.
pub const MEMORY_BACKLOG_MAX: usize = 128;
/// Bytes in one direction of an in-process connection, as in a socket's buffer. Past it the writer
/// waits.
pub const MEMORY_PIPE_BYTES_MAX: usize = 64 * 1024;
/// Callers of a TCP listener that it has not accepted yet; the system may cap it lower.
pub const TCP_BACKLOG_MAX: u32 = 1_024;
/// Rest after an accept that failed for want of files or memory, before the next.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Silence after which a side sends a heartbeat.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);
/// Silence after which a side holds the other for dead: three heartbeats.
pub const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Time for a client to be connected and welcomed.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How often the rest before a client connects again doubles: its range is 7 to 15 s then. A hub that
/// comes back is not met by all its clients at once.
pub const RECONNECT_DOUBLINGS_MAX: u32 = 3;
/// Connection events held for a program that does not take them; the oldest go.
pub const CONNECTION_EVENTS_MAX: usize = 64;
/// Time for the first frame of a connection to arrive.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time an admission may take to decide.
pub const ADMISSION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a session outlives its connection, unless a hub is told otherwise: time for a few tries
/// to come back.
pub const GRACE: Duration = Duration::from_secs(10);
/// The longest that a hub can be told: what it holds for those who are away is held for so long.
pub const GRACE_MAX: Duration = Duration::from_hours(1);
/// Hubs in a chain, the top one too: each is a hop more for everything.
pub const LINK_DEPTH_MAX: usize = 16;
/// Sessions in one frame that tells who is below a link: nearly a whole frame of them.
pub const BELOW_SESSIONS_MAX: usize = 4_000;
/// Time for a claim to be decided by the top of the chain: many round trips.
pub const CLAIM_TIMEOUT: Duration = Duration::from_secs(10);
/// Sessions below one link, those below the hubs below it too.
pub const BELOW_MAX: usize = 1 << 20;
/// Objects that are about to be made below one link: each counts in the inward bound of who makes it.
pub const RESERVED_MAX: usize = 65_536;
/// Objects that a hub looks for above: one more is refused.
pub const SOUGHT_MAX: usize = 65_536;
/// Claims that a hub lets wait, or has passed on: one more is told to come later.
pub const CLAIMS_MAX: usize = 1_024;
/// Bytes of frames to a hub below that are no batches: what a client may have queued, for many.
pub const LINK_CONTROL_BYTES_MAX: usize = 64 * CONTROL_BYTES_MAX;
/// Rest before an object is fetched once more that the hub above could not give.
pub const FETCH_REST: Duration = Duration::from_secs(1);
/// How long a session that goes on over another connection waits for what is decided about it. What
/// waits for longer, for an admission or a hub above, is said again by the client.
pub const HAND_OVER_MAX: Duration = Duration::from_millis(250);
/// The longest that `send` waits for a receipt while a link on the way is cut; the least is half of
/// it.
pub const STALL_DEADLINE: Duration = Duration::from_secs(30);
/// How long a hub keeps what it knows of those below a link that is cut, unless it is told otherwise:
/// a night, and time to notice.
pub const LINK_GRACE: Duration = Duration::from_hours(24);

/// Time a stopping hub, or a closing connection, has to send what it has queued.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes of shouts that a journal has of an object beyond the tail, before its marks are written
/// again and it is cut: a quarter of a tail, so that cutting is seldom, and what has to be read at a
/// start is little more than what is gone on with.
pub const CUT_BYTES: usize = 1 << 20;
/// The same for each run of ops in the marks: four times what one takes there, so that all cuts
/// together write no more than a quarter of what shouts do.
pub const CUT_RUN_BYTES: usize = 32;
/// Ops that are refused in one record of a journal: many windows. What says more is damaged.
pub const REFUSED_MAX: u32 = 65_536;
/// What a record of ops that are refused takes in a journal, about.
pub const REFUSAL_BYTES: usize = 100;

/// Bytes of a journal's pages that are kept in memory: enough for the pages that commits change; a hub
/// reads the rest once, when it starts.
pub const JOURNAL_CACHE_BYTES: usize = 67_108_864;
