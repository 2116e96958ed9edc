//! What was said at an object and how it ended: rules 5, 6 and 9.

use std::collections::HashMap;

use super::super::Event;
use super::super::names::Symbol;
use super::order::{Hearing, Order, VoiceOrder};
use super::{Findings, Summary, Violation};

/// Every shout that was said at one object.
#[derive(Default)]
pub(super) struct Shouts {
    said: Vec<Shout>,
    by_number: HashMap<(Symbol, u64), usize>,
    by_text: HashMap<(Symbol, Symbol), usize>,
    /// Outcomes, which another witness may have recorded ahead of the shouts.
    outcomes: Vec<Event<Symbol>>,
}

impl Shouts {
    pub(super) fn said(
        &mut self,
        voice: Symbol,
        n: u64,
        text: Symbol,
        findings: &mut Findings<'_>,
    ) {
        let place = self.said.len();
        let numbered = *self.by_number.entry((voice, n)).or_insert(place);
        if let Some(first) = self.said.get(numbered) {
            return findings.said_twice(first, text);
        }
        let named = *self.by_text.entry((voice, text)).or_insert(place);
        if let Some(first) = self.said.get(named) {
            findings.text_reused(first, n);
        }
        self.said.push(Shout { voice, n, text, outcome: None, heard_at: None });
    }

    pub(super) fn ended(&mut self, outcome: Event<Symbol>) {
        self.outcomes.push(outcome);
    }

    /// Gives every shout its outcome. Rule 6: each said shout has at most one.
    pub(super) fn settle(&mut self, findings: &mut Findings<'_>) {
        for event in std::mem::take(&mut self.outcomes) {
            let Some((voice, n)) = shout_of(&event) else {
                continue;
            };
            let place = self.by_number.get(&(voice, n));
            match place.map(|&place| &mut self.said[place]) {
                None => findings.outcome_unsaid(voice, n, &event),
                Some(shout) => match &shout.outcome {
                    None => shout.outcome = Some(event),
                    Some(first) => findings.two_outcomes(shout, first, &event),
                },
            }
        }
    }

    /// The shout that was heard, if it was said.
    pub(super) fn heard(&mut self, hearing: &Hearing) -> Option<&mut Shout> {
        let place = self.by_text.get(&(hearing.voice, hearing.text));
        place.map(|&place| &mut self.said[place])
    }

    /// Rule 5. The receipts that nothing heard speaks against, by seq.
    pub(super) fn receipts(&self, order: &Order, findings: &mut Findings<'_>) -> Vec<Receipt> {
        let named = self.said.iter().filter_map(Shout::receipt);
        let mut receipts: Vec<_> = named
            .filter(|(shout, receipt)| shout.bears_out(receipt, order, findings))
            .map(|(_, receipt)| receipt)
            .collect();
        receipts.sort_by_key(|receipt| receipt.seq);
        judge_order(&receipts, findings);
        receipts
    }

    /// Rule 9.
    pub(super) fn judge_complete(&self, findings: &mut Findings<'_>) {
        for shout in self.said.iter().filter(|shout| shout.outcome.is_none()) {
            let (voice, object) = (findings.name(shout.voice), findings.object());
            findings.add(Violation::NoOutcome { voice, object, n: shout.n });
        }
    }

    /// To be called before the outcomes are settled.
    pub(super) fn count(&self, summary: &mut Summary) {
        summary.shouts += self.said.len();
        for outcome in &self.outcomes {
            match outcome {
                Event::Receipted { .. } => summary.receipts += 1,
                Event::Lost { .. } => summary.lost += 1,
                _ => summary.unknown += 1,
            }
        }
    }
}

/// One shout, how it ended and where it was heard.
pub(super) struct Shout {
    pub(super) voice: Symbol,
    pub(super) n: u64,
    text: Symbol,
    outcome: Option<Event<Symbol>>,
    pub(super) heard_at: Option<u64>,
}

impl Shout {
    pub(super) fn why_lost(&self) -> Option<Symbol> {
        match self.outcome {
            Some(Event::Lost { why, .. }) => Some(why),
            _ => None,
        }
    }

    fn receipt(&self) -> Option<(&Self, Receipt)> {
        match self.outcome {
            Some(Event::Receipted { voice, n, seq, .. }) => Some((self, Receipt { voice, n, seq })),
            _ => None,
        }
    }

    /// Whether nothing that was heard speaks against the receipt of this shout.
    fn bears_out(&self, receipt: &Receipt, order: &Order, findings: &mut Findings<'_>) -> bool {
        let other = |hearing: &&Hearing| (hearing.voice, hearing.text) != (self.voice, self.text);
        let elsewhere = self.heard_at.filter(|&seq| seq != receipt.seq);
        if let Some(heard) = order.at(receipt.seq).filter(other) {
            findings.false_receipt(receipt, heard);
        } else if let Some(heard_seq) = elsewhere {
            findings.misplaced_receipt(receipt, heard_seq);
        } else {
            return true;
        }
        false
    }
}

/// A voice was told that its shout was sequenced.
pub(super) struct Receipt {
    pub(super) voice: Symbol,
    pub(super) n: u64,
    pub(super) seq: u64,
}

impl Receipt {
    pub(super) fn event(&self, object: Symbol) -> Event<Symbol> {
        Event::Receipted { voice: self.voice, object, n: self.n, seq: self.seq }
    }
}

/// Rule 5: no seq is named twice, and a voice's receipts increase.
fn judge_order(receipts: &[Receipt], findings: &mut Findings<'_>) {
    for pair in receipts.windows(2).filter(|pair| pair[0].seq == pair[1].seq) {
        findings.shared_receipt(&pair[0], &pair[1]);
    }
    let mut voices = VoiceOrder::default();
    for &Receipt { voice, n, seq } in receipts {
        if let Some(later_n) = voices.overtaken_by(voice, n) {
            let (voice, object) = (findings.name(voice), findings.object());
            findings.add(Violation::ReceiptsReordered { voice, object, n, seq, later_n });
        }
    }
}

/// Whose outcome an event is, if it is one.
fn shout_of(event: &Event<Symbol>) -> Option<(Symbol, u64)> {
    match *event {
        Event::Receipted { voice, n, .. }
        | Event::Lost { voice, n, .. }
        | Event::Unknown { voice, n, .. } => Some((voice, n)),
        _ => None,
    }
}

impl Findings<'_> {
    fn said_twice(&mut self, first: &Shout, text: Symbol) {
        let (voice, object, n) = (self.name(first.voice), self.object(), first.n);
        let (text, first_text) = (self.name(text), self.name(first.text));
        self.add(Violation::SaidTwice { voice, object, n, text, first_text });
    }

    fn text_reused(&mut self, first: &Shout, n: u64) {
        let (voice, object, first_n) = (self.name(first.voice), self.object(), first.n);
        let text = self.name(first.text);
        self.add(Violation::TextReused { voice, object, text, n, first_n });
    }

    fn outcome_unsaid(&mut self, voice: Symbol, n: u64, event: &Event<Symbol>) {
        let (voice, object, event) = (self.name(voice), self.object(), self.line(event));
        self.add(Violation::OutcomeUnsaid { voice, object, n, event });
    }

    fn two_outcomes(&mut self, shout: &Shout, first: &Event<Symbol>, event: &Event<Symbol>) {
        let (voice, object, n) = (self.name(shout.voice), self.object(), shout.n);
        let (first_event, event) = (self.line(first), self.line(event));
        self.add(Violation::TwoOutcomes { voice, object, n, first_event, event });
    }

    fn false_receipt(&mut self, receipt: &Receipt, heard: &Hearing) {
        let violation = Violation::FalseReceipt {
            voice: self.name(receipt.voice),
            object: self.object(),
            n: receipt.n,
            seq: receipt.seq,
            leaf: self.name(heard.leaf),
            heard_voice: self.name(heard.voice),
            heard_text: self.name(heard.text),
        };
        self.add(violation);
    }

    fn misplaced_receipt(&mut self, receipt: &Receipt, heard_seq: u64) {
        let (voice, object) = (self.name(receipt.voice), self.object());
        let (n, seq) = (receipt.n, receipt.seq);
        self.add(Violation::MisplacedReceipt { voice, object, n, seq, heard_seq });
    }

    fn shared_receipt(&mut self, first: &Receipt, receipt: &Receipt) {
        let violation = Violation::SharedReceipt {
            object: self.object(),
            seq: receipt.seq,
            voice: self.name(receipt.voice),
            n: receipt.n,
            first_voice: self.name(first.voice),
            first_n: first.n,
        };
        self.add(violation);
    }
}
