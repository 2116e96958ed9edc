//! The judgement: events go onto one sheet per object, and each sheet is judged by itself.
//!
//! A seq is a number that a witness wrote, so nothing here takes memory or time by its size.

mod leaves;
mod order;
mod shouts;
mod states;

use self::leaves::Leaves;
use self::order::{Hearing, Order};
use self::shouts::Shouts;
use self::states::States;
use super::names::{Names, Symbol};
use super::{Event, Summary, Violation, Violations};

pub(super) fn check(
    names: &Names,
    events: &[Event<Symbol>],
    complete: bool,
) -> Result<Summary, Violations> {
    let mut summary = Summary::default();
    let mut violations = Vec::new();
    for sheet in sheets(names, events) {
        sheet.count(&mut summary);
        violations.append(&mut sheet.judge(complete));
    }
    Violations::of(violations).map_or(Ok(summary), Err)
}

/// One sheet per object, in the order of first mention.
fn sheets<'t>(names: &'t Names, events: &[Event<Symbol>]) -> Vec<Sheet<'t>> {
    let mut sheets = Vec::new();
    let mut places = vec![None; names.len()];
    for event in events {
        let object = *event.object();
        let place = *places[object].get_or_insert_with(|| {
            sheets.push(Sheet::new(Findings { names, object, violations: Vec::new() }));
            sheets.len() - 1
        });
        sheets[place].take(event);
    }
    sheets
}

/// All that happened to one object.
struct Sheet<'t> {
    shouts: Shouts,
    leaves: Leaves,
    states: States,
    hearings: Vec<Hearing>,
    end: End,
    resyncs: usize,
    findings: Findings<'t>,
}

impl<'t> Sheet<'t> {
    fn new(findings: Findings<'t>) -> Self {
        let (shouts, leaves, end) = (Shouts::default(), Leaves::default(), End::default());
        let states = States::default();
        Self { shouts, leaves, states, hearings: Vec::new(), end, resyncs: 0, findings }
    }

    fn take(&mut self, event: &Event<Symbol>) {
        let findings = &mut self.findings;
        match *event {
            Event::Said { n: 0, .. }
            | Event::Receipted { seq: 0, .. }
            | Event::Heard { seq: 0, .. } => {
                let event = findings.line(event);
                findings.add(Violation::Zero { event });
            }
            Event::Said { voice, n, text, .. } => self.shouts.said(voice, n, text, findings),
            Event::Receipted { .. } | Event::Lost { .. } | Event::Unknown { .. } => {
                self.shouts.ended(*event);
            }
            Event::Heard { leaf, seq, voice, text, .. } => {
                self.hearings.push(Hearing { leaf, seq, voice, text });
                self.leaves.take(event, findings);
                self.end.reach(seq, event);
            }
            Event::Joined { after, .. } => {
                self.leaves.take(event, findings);
                self.end.reach(after, event);
            }
            Event::Resynced { to, .. } => {
                self.resyncs += 1;
                self.leaves.take(event, findings);
                self.end.reach(to, event);
            }
            Event::Stands { leaf, seq, state, .. } => self.states.take(leaf, seq, state, findings),
            Event::Parted { .. } => self.leaves.take(event, findings),
            Event::Ended { seq, .. } => self.end.told(seq, findings),
        }
    }

    fn count(&self, summary: &mut Summary) {
        summary.objects += 1;
        summary.leaves += self.leaves.joined();
        summary.deliveries += self.hearings.len();
        summary.resyncs += self.resyncs;
        summary.compared += self.states.compared();
        self.shouts.count(summary);
    }

    fn judge(mut self, complete: bool) -> Vec<Violation> {
        let findings = &mut self.findings;
        self.shouts.settle(findings);
        let order = Order::of(self.hearings, findings);
        order.judge(&mut self.shouts, findings);
        let receipts = self.shouts.receipts(&order, findings);
        if let Some(last) = receipts.last() {
            self.end.reach(last.seq, &last.event(findings.object));
        }
        let end = self.end.judge(findings);
        self.leaves.judge(end, &receipts, findings);
        if complete {
            self.shouts.judge_complete(findings);
        }
        self.findings.violations
    }
}

/// An object's last seq: as told, else as far as anything reached.
#[derive(Default)]
struct End {
    told: Option<u64>,
    reached: Option<(u64, Event<Symbol>)>,
}

impl End {
    fn told(&mut self, seq: u64, findings: &mut Findings<'_>) {
        let first_seq = *self.told.get_or_insert(seq);
        if first_seq != seq {
            let object = findings.object();
            findings.add(Violation::EndsDiffer { object, seq, first_seq });
        }
    }

    fn reach(&mut self, seq: u64, event: &Event<Symbol>) {
        if self.reached.is_none_or(|(reached, _)| seq > reached) {
            self.reached = Some((seq, *event));
        }
    }

    fn judge(&self, findings: &mut Findings<'_>) -> u64 {
        let reached = self.reached.map_or(0, |(seq, _)| seq);
        let end = self.told.unwrap_or(reached);
        if let Some((seq, event)) = self.reached.filter(|(seq, _)| *seq > end) {
            let (object, event) = (findings.object(), findings.line(&event));
            findings.add(Violation::PastEnd { object, end, seq, event });
        }
        end
    }
}

/// The violations at one object, and the names to tell them with.
struct Findings<'t> {
    names: &'t Names,
    object: Symbol,
    violations: Vec<Violation>,
}

impl Findings<'_> {
    fn add(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    fn object(&self) -> String {
        self.name(self.object)
    }

    fn name(&self, symbol: Symbol) -> String {
        self.names.of(symbol).to_owned()
    }

    fn line(&self, event: &Event<Symbol>) -> String {
        event.map(|&symbol| self.names.of(symbol)).to_string()
    }
}
