//! Bringing a journal out and back in: `export`, `import`.

use std::{
    error::Error,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::Path,
};

use actix_multiplex::journal::{self, JournalError, Redb};
use rand::{
    SeedableRng,
    rngs::{StdRng, SysRng},
};

use super::bar;

pub(super) fn export(directory: &Path, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut journal = Redb::existing(directory)?;
    let exporting = bar(Some(journal.records()?), "exporting");
    let mut to = BufWriter::new(output(file)?);
    let count = journal::export(&mut journal, &mut to, |count| exporting.set_position(count));
    exporting.finish_and_clear();
    drop(to);
    let count = count.inspect_err(|_| discard(file))?;
    keep(file)?;
    eprintln!("records exported: {count}");
    Ok(())
}

/// What is found is held in memory until it is all there is: the file may turn out to be unreadable
/// half-way, and is then searched from its beginning.
pub(super) fn salvage(directory: &Path, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut found = Vec::new();
    let count = match read(directory, &mut found) {
        Err(error @ (JournalError::Damaged { .. } | JournalError::Store(_))) => {
            eprintln!("{error}");
            found.clear();
            search(&Redb::file(directory), &mut found)?
        }
        count => count?,
    };
    let mut to = output(file)?;
    to.write_all(&found).and_then(|()| to.flush()).inspect_err(|_| discard(file))?;
    drop(to);
    keep(file)?;
    eprintln!("records exported: {count}");
    Ok(())
}

fn read(directory: &Path, to: &mut Vec<u8>) -> Result<u64, JournalError> {
    let mut journal = Redb::existing(directory)?;
    let exporting = bar(Some(journal.records()?), "exporting");
    let count = journal::salvage(
        &mut journal,
        to,
        |count| exporting.set_position(count),
        |place| exporting.suspend(|| eprintln!("left out: {place}")),
    );
    exporting.finish_and_clear();
    count
}

fn search(file: &Path, to: &mut Vec<u8>) -> Result<u64, Box<dyn Error>> {
    eprintln!("searching the bytes of {}", file.display());
    let bytes = fs::read(file)?;
    let searching = bar(Some(bytes.len() as u64), "searching");
    let count = journal::salvage_file(&bytes, to, |at| searching.set_position(at));
    searching.finish_and_clear();
    Ok(count?)
}

pub(super) fn import(directory: &Path, from: &Path) -> Result<(), Box<dyn Error>> {
    let file = Redb::file(directory);
    if file.exists() {
        return Err(format!("{} is there: import into another directory", file.display()).into());
    }
    let (mut input, mut random) = (input(from)?, StdRng::try_from_rng(&mut SysRng)?);
    // It has its place when it is whole; what an attempt before this one has left is in the way.
    let making = directory.join("importing");
    let _nothing_left = fs::remove_dir_all(&making);
    let mut journal = Redb::open(&making)?;
    let importing = bar(None, "importing");
    let progress = |done| importing.set_position(done);
    let imported = journal::import(&mut input, &mut journal, &mut random, progress);
    importing.finish_and_clear();
    drop(journal);
    let placed = imported.map_err(Into::into).and_then(|imported| {
        fs::rename(Redb::file(&making), &file)?;
        Ok::<_, Box<dyn Error>>(imported)
    });
    let _nothing_left = fs::remove_dir_all(&making);
    let imported = placed?;
    drop(Redb::open(directory)?);
    for what in &imported.left_out {
        eprintln!("left out: {what}");
    }
    eprintln!("objects imported: {}", imported.objects);
    Ok(())
}

fn output(file: &Path) -> Result<Box<dyn Write>, Box<dyn Error>> {
    if is_standard(file) {
        return Ok(Box::new(io::stdout().lock()));
    }
    let made = File::create_new(file);
    Ok(Box::new(made.map_err(|error| format!("{} cannot be made: {error}", file.display()))?))
}

fn input(file: &Path) -> Result<Box<dyn Read>, Box<dyn Error>> {
    if is_standard(file) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file);
    Ok(Box::new(opened.map_err(|error| format!("{} cannot be read: {error}", file.display()))?))
}

/// What was written survives a loss of power.
fn keep(file: &Path) -> io::Result<()> {
    if is_standard(file) { Ok(()) } else { File::open(file)?.sync_all() }
}

/// A part of an export is of no use.
fn discard(file: &Path) {
    if !is_standard(file) {
        let _gone = fs::remove_file(file);
    }
}

fn is_standard(file: &Path) -> bool {
    file == Path::new("-")
}
