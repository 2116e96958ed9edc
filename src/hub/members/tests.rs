//! What leaves are told of each other, frame by frame.

use std::{cell::RefCell, rc::Rc};

use super::*;
use crate::{
    hub::{admission::Rights, roster::Way},
    limits::{FRAME_BYTES_MAX, MEMBER_INFO_BYTES_MAX},
    wire::{Frame, Outcome},
};

const OBJECT: ObjectId = ObjectId([0; 16]);
const ALEC: SessionId = SessionId([1; 16]);
const AMY: SessionId = SessionId([2; 16]);

#[derive(Clone, Default)]
struct Recorder {
    told: Rc<RefCell<Vec<Frame>>>,
    going: bool,
}

impl Sink for Recorder {
    fn hear(&self, _: Class, chunk: Bytes) -> Result<(), Unsent> {
        assert!(chunk.len() <= 4 + FRAME_BYTES_MAX);
        self.told.borrow_mut().push(Frame::decode(&chunk.slice(4..)).expect("is a frame"));
        if self.going { Err(Unsent::Closing) } else { Ok(()) }
    }

    fn tell(&self, outcome: &Outcome) {
        panic!("{outcome:?} is nobody's presence");
    }
}

/// An object, and the leaves at it.
struct Pond {
    members: Members,
    roster: Roster<Recorder>,
    info: Vec<u8>,
}

impl Pond {
    fn new() -> Self {
        Self { members: Members::new(OBJECT), roster: Roster::default(), info: Vec::new() }
    }

    fn join(&mut self, session: SessionId) -> Recorder {
        self.join_at(session, 7)
    }

    fn join_at(&mut self, session: SessionId, now_ms: u64) -> Recorder {
        let client = Identity { info: self.info.clone(), ..Identity::default() };
        let known = self.roster.get(session).map(|member| member.contact.clone());
        let recorder = known.unwrap_or_default();
        self.members.join(session, Arc::new(client), now_ms);
        self.roster.enter(session, recorder.clone(), Rights::ALL, Way::Joined);
        recorder
    }

    fn part(&mut self, session: SessionId) {
        self.members.part(session);
        self.roster.leave(session, Way::Joined);
    }

    fn tell(&mut self) -> Vec<SessionId> {
        let unsent = self.members.tell(Seq(3), Class::Batch, &self.roster);
        unsent.into_iter().map(|(session, _)| session).collect()
    }

    /// Sessions that join at once.
    fn crowd(&mut self, numbers: std::ops::Range<u16>) {
        numbers.for_each(|number| drop(self.join(numbered(number))));
    }
}

fn numbered(number: u16) -> SessionId {
    let [high, low] = number.to_be_bytes();
    SessionId([9, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn told(recorder: &Recorder) -> Vec<Frame> {
    recorder.told.take()
}

fn only(recorder: &Recorder) -> Frame {
    let [frame] = &told(recorder)[..] else { panic!("not told one thing") };
    frame.clone()
}

fn change_of(recorder: &Recorder) -> MembersChanged {
    match only(recorder) {
        Frame::MembersChanged(changed) => changed,
        other => panic!("no change but {other:?}"),
    }
}

fn whole_of(recorder: &Recorder) -> wire::Members {
    match only(recorder) {
        Frame::Members(members) => members,
        other => panic!("no members but {other:?}"),
    }
}

#[test]
fn who_joins_is_told_all_and_the_others_what_has_changed_behind_which_shout() {
    let mut pond = Pond::new();
    let alec = pond.join(ALEC);
    pond.tell();
    let all = whole_of(&alec);
    assert_eq!((all.object, all.version, all.after, all.count), (OBJECT, 1, Seq(3), 1));
    assert_eq!((all.members[0].session, all.members[0].since_ms, all.last), (ALEC, 7, true));

    let amy = pond.join_at(AMY, 8);
    pond.tell();
    let all = whole_of(&amy);
    assert_eq!((all.version, all.count, all.members.len()), (2, 2, 2));
    let change = change_of(&alec);
    assert_eq!((change.version, change.after, change.count), (2, Seq(3), 2));
    assert_eq!(change.changes, [MemberChange::Came(all.members[1].clone())]);

    pond.part(AMY);
    pond.tell();
    let change = change_of(&alec);
    assert_eq!((change.version, change.count), (3, 1));
    assert_eq!(change.changes, [MemberChange::Parted { session: AMY }]);
    assert!(told(&amy).is_empty());
}

#[test]
fn what_came_and_went_in_a_turn_is_not_told_and_takes_no_version() {
    let mut pond = Pond::new();
    let alec = pond.join(ALEC);
    pond.tell();
    told(&alec);
    pond.join(AMY);
    pond.part(AMY);
    pond.tell();
    assert!(told(&alec).is_empty());
    pond.join(AMY);
    pond.tell();
    assert_eq!(change_of(&alec).version, 2);
}

#[test]
fn who_parted_and_came_again_has_come_and_who_joins_again_has_not() {
    let mut pond = Pond::new();
    let (alec, amy) = (pond.join(ALEC), pond.join(AMY));
    pond.tell();
    told(&alec);
    told(&amy);
    pond.join_at(AMY, 9);
    pond.tell();
    assert!(told(&alec).is_empty());
    let all = whole_of(&amy);
    assert_eq!((all.version, all.members[1].since_ms), (1, 7));

    pond.part(AMY);
    pond.join_at(AMY, 9);
    pond.tell();
    let change = change_of(&alec);
    let [MemberChange::Came(again)] = &change.changes[..] else { panic!("{change:?}") };
    assert_eq!((again.session, again.since_ms, change.count), (AMY, 9, 2));
}

#[test]
fn who_is_away_stays_a_member_and_is_back_when_it_joins() {
    let mut pond = Pond::new();
    let (alec, amy) = (pond.join(ALEC), pond.join(AMY));
    pond.tell();
    told(&alec);
    told(&amy);
    pond.members.away(AMY);
    pond.roster.remove(AMY);
    pond.tell();
    let change = change_of(&alec);
    assert_eq!((change.changes, change.count), (vec![MemberChange::Away { session: AMY }], 2));

    let amy = pond.join_at(AMY, 9);
    pond.tell();
    assert_eq!(change_of(&alec).changes, [MemberChange::Back { session: AMY }]);
    let all = whole_of(&amy);
    assert_eq!((all.members[1].away, all.members[1].since_ms), (false, 7));

    pond.members.away(AMY);
    pond.join_at(AMY, 9);
    pond.tell();
    assert!(told(&alec).is_empty());
}

#[test]
fn a_thousand_that_come_and_a_thousand_that_part_in_one_turn_are_one_frame_for_each_leaf() {
    let mut pond = Pond::new();
    let alec = pond.join(ALEC);
    pond.crowd(0..999);
    pond.tell();
    told(&alec);
    (0..999).for_each(|number| pond.part(numbered(number)));
    pond.crowd(1_000..1_999);
    pond.tell();
    let change = change_of(&alec);
    assert_eq!((change.changes.len(), change.count, change.version), (1_998, 1_000, 2));
    let (parted, came) = change.changes.split_at(999);
    assert!(parted.iter().all(|change| matches!(change, MemberChange::Parted { .. })));
    assert!(came.iter().all(|change| matches!(change, MemberChange::Came(_))));
}

#[test]
fn a_thousand_members_with_the_longest_infos_come_in_frames_that_all_fit() {
    let mut pond = Pond::new();
    let alec = pond.join(ALEC);
    pond.tell();
    told(&alec);
    pond.info = vec![7; MEMBER_INFO_BYTES_MAX];
    let amy = pond.join(AMY);
    pond.crowd(0..998);
    pond.tell();

    let mut listed = 0;
    let frames = told(&amy);
    for (at, frame) in frames.iter().enumerate() {
        let Frame::Members(members) = frame else { panic!("{frame:?}") };
        assert_eq!((members.count, members.last), (1_000, at + 1 == frames.len()));
        listed += members.members.len();
    }
    assert_eq!((listed, frames.len()), (1_000, 18));

    let mut count = 1;
    for (at, frame) in told(&alec).iter().enumerate() {
        let Frame::MembersChanged(changed) = frame else { panic!("{frame:?}") };
        count += changed.changes.len() as u32;
        assert_eq!((changed.count, changed.version), (count, 2 + at as u64));
    }
    assert_eq!(count, 1_000);
}

#[test]
fn above_the_limit_only_the_number_is_told_until_there_are_a_tenth_less() {
    let mut pond = Pond::new();
    let alec = pond.join(ALEC);
    pond.crowd(0..999);
    pond.tell();
    assert_eq!(whole_of(&alec).members.len(), 1_000);

    let late = pond.join(AMY);
    pond.tell();
    let change = change_of(&alec);
    assert_eq!((change.listed, change.count, change.changes.len()), (false, 1_001, 0));
    let all = whole_of(&late);
    assert_eq!((all.listed, all.count, all.members.len(), all.last), (false, 1_001, 0, true));

    (0..100).for_each(|number| pond.part(numbered(number)));
    pond.tell();
    let change = change_of(&alec);
    assert_eq!((change.listed, change.count, change.version), (false, 901, 3));

    pond.part(numbered(100));
    pond.tell();
    let all = whole_of(&alec);
    assert_eq!((all.listed, all.members.len(), all.version), (true, 900, 4));
}

#[test]
fn when_all_join_again_nobody_has_parted_and_versions_go_on() {
    let mut pond = Pond::new();
    let (alec, amy) = (pond.join(ALEC), pond.join(AMY));
    pond.tell();
    told(&alec);
    told(&amy);
    pond.join(numbered(1));
    pond.members.begin_anew();
    pond.roster = Roster::default();
    let alec = pond.join(ALEC);
    pond.tell();
    let all = whole_of(&alec);
    assert_eq!((all.version, all.members.len(), all.members[0].since_ms), (2, 3, 7));
    pond.part(AMY);
    pond.tell();
    assert_eq!(change_of(&alec).changes, [MemberChange::Parted { session: AMY }]);
}

#[test]
fn whoever_is_going_is_named_and_the_end_of_a_turn_is_asked_for_once() {
    let mut pond = Pond::new();
    assert!(!pond.members.needs_end());
    pond.join(ALEC);
    let going = Recorder { going: true, ..Recorder::default() };
    pond.roster.enter(AMY, going, Rights::ALL, Way::Joined);
    pond.join(AMY);
    assert!(pond.members.needs_end() && !pond.members.needs_end());
    assert_eq!(pond.tell(), [AMY]);
    assert!(!pond.members.has_news() && !pond.members.needs_end());
    pond.part(AMY);
    assert!(pond.members.has_news() && pond.members.needs_end());
}
