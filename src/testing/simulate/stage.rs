//! Where a schedule is carried out.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    task::spawn_local,
    time::{Instant, sleep, sleep_until},
};

use super::{hubs::Hubs, model::Say, program::Program};
use crate::{
    hub::Trouble,
    testing::{
        network::Way,
        schedule::{Act, Step, Thing},
        simulation::Sim,
        stats::Stats,
    },
};

/// The programs that are there, and what they did.
pub(super) struct Stage<'a> {
    sim: &'a Sim,
    has_journal: bool,
    hubs: Hubs,
    begun: Instant,
    programs: BTreeMap<u8, Rc<Program>>,
    /// Whose last program has crashed.
    crashed: BTreeSet<u8>,
    /// How many programs there ever were.
    started: u64,
    said: u64,
    stats: Stats,
}

impl<'a> Stage<'a> {
    pub(super) fn new(sim: &'a Sim, has_journal: bool, hubs: Hubs) -> Self {
        let (begun, programs, stats) = (Instant::now(), BTreeMap::new(), Stats::default());
        Self {
            sim,
            has_journal,
            hubs,
            begun,
            programs,
            crashed: BTreeSet::new(),
            started: 0,
            said: 0,
            stats,
        }
    }

    /// Waits for the time of a step, and takes it.
    pub(super) async fn take(&mut self, step: Step) {
        sleep_until(self.begun + Duration::from_millis(step.at_ms)).await;
        self.go_on_after_a_failure();
        match step.act {
            Act::Come(who) => self.come(who, true),
            Act::ComeAsVoice(who) => self.come(who, false),
            Act::Shout { who, thing, count, bytes } => self.shout(who, thing, count, bytes),
            Act::Speak { who, thing } => self.speak(who, thing),
            Act::Part { who, thing } => self.count("parts", who, |it| it.part(thing)),
            Act::Join { who, thing } => self.count("joins", who, |it| it.join(thing)),
            Act::Fall { who, thing } => self.count("falls of a leaf", who, |it| it.fall(thing)),
            Act::Repeat { who, thing } => self.count("repeats", who, |it| it.repeat(thing)),
            Act::Crash(who) => self.crash(who),
            Act::Stall { ms } => self.stall(ms),
            Act::Restart if self.has_journal => self.restart(),
            Act::Panic { thing, trouble } => self.panic(thing, trouble).await,
            of_a_line => self.change_a_line(of_a_line),
        }
    }

    /// Mends all, and waits until everybody is where they stay. Returns who has lost a connection
    /// that nothing had happened to, and the counts.
    pub(super) async fn end(mut self) -> (Option<String>, Stats) {
        if self.hubs.calm_down() {
            self.restart();
        }
        let network = self.sim.network();
        self.programs.values().for_each(|program| network.mend(&program.name));
        network.stall(false);
        self.sim.settle().await;
        sleep(REST).await;
        self.sim.settle().await;
        let lost = self.programs.values().find(|it| !it.is_disturbed.get() && !it.is_connected());
        let lost = lost.map(|program| program.name.clone());
        self.stats.add("schedules", 1);
        (lost, self.stats)
    }

    fn come(&mut self, who: u8, hears: bool) {
        if self.programs.contains_key(&who) {
            return;
        }
        self.stats.add("late joins", u64::from(hears && self.said > 0));
        self.stats.add("restarts", u64::from(self.crashed.remove(&who)));
        self.started += 1;
        let name = format!("client-{who}.{}", self.started);
        self.programs.insert(who, Program::start(name, self.sim, hears));
    }

    fn shout(&mut self, who: u8, thing: Thing, count: u16, bytes: u16) {
        let Some(program) = self.programs.get(&who) else { return };
        for _ in 0..count {
            self.said += 1;
            let (n, filling) = (self.said, "x".repeat(bytes.into()));
            if !program.shout(thing, Say { n, filling }) {
                return;
            }
        }
    }

    fn speak(&mut self, who: u8, thing: Thing) {
        self.said += 1;
        let n = self.said;
        self.count("voices", who, |it| it.speak(thing, Say { n, filling: String::new() }));
    }

    fn crash(&mut self, who: u8) {
        let Some(program) = self.programs.remove(&who) else { return };
        self.sim.network().cut(&program.name);
        program.crash();
        self.crashed.insert(who);
        self.stats.add("crashes", 1);
    }

    fn stall(&mut self, ms: u16) {
        self.stats.add("stalls", 1);
        self.programs.values().for_each(|program| program.is_disturbed.set(true));
        let network = self.sim.network().clone();
        network.stall(true);
        spawn_local(async move {
            sleep(Duration::from_millis(ms.into())).await;
            network.stall(false);
        });
    }

    /// A hub whose journal has failed has stopped: another takes its place.
    fn go_on_after_a_failure(&mut self) {
        if self.sim.hub().failed().now_or_never().is_some() {
            self.stats.add("journals that failed", 1);
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.stats.add("restarts of the hub", 1);
        self.programs.values().for_each(|program| program.is_disturbed.set(true));
        self.sim.restart();
    }

    async fn panic(&mut self, thing: Thing, trouble: Trouble) {
        let Some(object) = self.programs.values().find_map(|it| it.object(thing)) else { return };
        let struck = self.sim.hub().sabotage(object, trouble).await;
        self.stats.add("panics of a repeater", u64::from(struck));
    }

    fn change_a_line(&self, act: Act) {
        let network = self.sim.network();
        match act {
            Act::Cut(who) => self.disturb(who, |name| network.cut(name)),
            Act::LoseUp(who) => self.disturb(who, |name| network.lose(name, Way::Up)),
            Act::LoseDown(who) => self.disturb(who, |name| network.lose(name, Way::Down)),
            Act::Hold(who) => self.disturb(who, |name| network.hold(name)),
            Act::Slow { who, bytes_per_s } => {
                self.disturb(who, |name| network.slow(name, bytes_per_s.into()));
            }
            Act::Haunt(who) => self.disturb(who, |name| network.haunt(name)),
            Act::Delay { who, ms } => {
                let max = Duration::from_millis(ms.into());
                self.with_line(who, |name| network.delay(name, max));
            }
            Act::Tear(who) => self.with_line(who, |name| network.tear(name)),
            Act::Mend(who) => self.with_line(who, |name| network.mend(name)),
            _ => {}
        }
    }

    fn disturb(&self, who: u8, change: impl FnOnce(&str)) {
        if let Some(program) = self.programs.get(&who) {
            program.is_disturbed.set(true);
            change(&program.name);
        }
    }

    fn with_line(&self, who: u8, change: impl FnOnce(&str)) {
        if let Some(program) = self.programs.get(&who) {
            change(&program.name);
        }
    }

    fn count(&mut self, what: &'static str, who: u8, act: impl FnOnce(&Rc<Program>) -> bool) {
        let acted = self.programs.get(&who).is_some_and(act);
        self.stats.add(what, u64::from(acted));
    }
}

/// Longer than silence, and than whatever a client waits for before it tries again.
const REST: Duration = Duration::from_secs(40);
