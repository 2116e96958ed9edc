//! The transcript checker: each rule with a run that keeps it and a twin that breaks only it, the
//! lines of other witnesses, and mutations of good runs, every one of which must be caught.

mod generate;
mod lines;
mod mutations;
mod rules;
mod scale;
