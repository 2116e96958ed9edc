//! Looking at a journal: `ls`, `show`, `verify`.

use std::{
    error::Error,
    io::{self, BufWriter, Write},
    path::Path,
};

use actix_multiplex::journal::{Contents, Kept, Redb};

use super::bar;

pub(super) fn ls(directory: &Path) -> Result<(), Box<dyn Error>> {
    let contents = read(&mut Redb::existing(directory)?)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for kept in contents.objects() {
        writeln!(out, "{}", line(kept))?;
    }
    let (objects, damaged) = (contents.objects().count(), damaged(&contents).count());
    let bytes: u64 = contents.objects().map(Kept::bytes).sum();
    let (records, sessions) = (contents.records(), contents.sessions());
    writeln!(
        out,
        "objects {objects} ({bytes} bytes, {damaged} damaged), sessions {sessions}, records {records}"
    )?;
    Ok(out.flush()?)
}

pub(super) fn show(directory: &Path, object: &str) -> Result<(), Box<dyn Error>> {
    let contents = read(&mut Redb::existing(directory)?)?;
    let is_it = |kept: &&Kept| kept.id().to_string() == object || kept.name() == Some(object);
    let kept = contents.objects().find(is_it);
    let kept = kept.ok_or_else(|| format!("there is no object {object}"))?;
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "{}", line(kept))?;
    for line in kept.lines() {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

pub(super) fn verify(directory: &Path) -> Result<(), Box<dyn Error>> {
    let mut journal = Redb::existing(directory)?;
    let contents = read(&mut journal)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let damage = damaged(&contents).map(line).chain(contents.damage().iter().cloned());
    let mut count = 0;
    for damage in damage {
        count += 1;
        writeln!(out, "{damage}")?;
    }
    out.flush()?;
    if count > 0 {
        return Err(format!("{count} damaged, of {} records", contents.records()).into());
    }
    journal.verify()?;
    writeln!(out, "{} records are whole", contents.records())?;
    Ok(out.flush()?)
}

fn read(journal: &mut Redb) -> Result<Contents, Box<dyn Error>> {
    let reading = bar(Some(journal.records()?), "reading");
    let contents = Contents::read(journal, |count| reading.set_position(count));
    reading.finish_and_clear();
    Ok(contents?)
}

fn damaged(contents: &Contents) -> impl Iterator<Item = &Kept> {
    contents.objects().filter(|kept| kept.damage().is_some())
}

/// An object in one line: id, interface, name, last seq, records, bytes, and what else there is to
/// know.
fn line(kept: &Kept) -> String {
    let interface = kept.interface().unwrap_or_else(|| "?".to_owned());
    let name = kept.name().unwrap_or("-");
    let (id, last, records, bytes) = (kept.id(), kept.last(), kept.records(), kept.bytes());
    let pinned = if kept.is_pinned() { " pinned" } else { "" };
    let damage = kept.damage().unwrap_or("ok");
    format!("{id} {interface} {name} {last} {records} records {bytes} bytes{pinned} {damage}")
}
