//! What a killed hub has left on the disk, looked at in a copy.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    thread::JoinHandle,
};

use actix_multiplex::journal::{Contents, Redb};

/// How far the records of each object go: its first entry, and its state.
#[derive(Debug, Default)]
struct Image(BTreeMap<String, (Option<u64>, Option<u64>)>);

/// What was seen of all images.
#[derive(Default)]
pub(super) struct Images {
    reading: Option<JoinHandle<Image>>,
    first_entries: BTreeSet<(String, u64)>,
    states: BTreeSet<(String, u64)>,
    pub(super) count: u64,
}

impl Images {
    /// Copies the journal of a hub that is no more, and reads the copy on a thread of its own.
    pub(super) fn take(&mut self, data: &Path) {
        self.finish();
        let (file, copy) = (Redb::file(data), data.with_extension("image"));
        if !file.exists() {
            return;
        }
        std::fs::create_dir_all(&copy).expect("a directory can be made");
        std::fs::copy(file, Redb::file(&copy)).expect("a file can be copied");
        self.reading = Some(std::thread::spawn(move || Image::read(&copy)));
    }

    /// Waits for the image that is being read.
    pub(super) fn finish(&mut self) {
        let Some(reading) = self.reading.take() else { return };
        let Image(objects) = reading.join().expect("the image is whole");
        self.count += 1;
        for (object, (entry, state)) in objects {
            self.first_entries.extend(entry.map(|entry| (object.clone(), entry)));
            self.states.extend(state.map(|state| (object, state)));
        }
    }

    /// How often entries were cut from one image to another, at least.
    pub(super) fn cuts(&self) -> usize {
        self.first_entries.iter().filter(|(_, entry)| *entry > 0).count()
    }

    /// How many states were kept, but for those that objects were made with.
    pub(super) fn states(&self) -> usize {
        self.states.iter().filter(|(_, seq)| *seq > 0).count()
    }
}

impl Image {
    fn read(directory: &Path) -> Self {
        let mut journal = Redb::open(directory).expect("a hub would open it too");
        let contents = Contents::of(&mut journal).expect("a hub would read it too");
        assert_eq!(contents.damage(), [""; 0]);
        let mut image = Self::default();
        for kept in contents.objects() {
            assert_eq!(kept.damage(), None, "{} {:?}", kept.id(), kept.name());
            let number = |word| kept.lines().find_map(|line| number_behind(word, &line));
            let object = format!("{} {:?}", kept.id(), kept.name());
            image.0.insert(object, (number("entry "), number("state at ")));
        }
        image
    }
}

fn number_behind(word: &str, line: &str) -> Option<u64> {
    let digits = line.strip_prefix(word)?.trim_start_matches('#');
    let end = digits.find(|letter: char| !letter.is_ascii_digit())?;
    Some(digits[..end].parse().expect("a number"))
}
