//! Hubs on hosts with addresses of their own: network namespaces, with a cable between them that is
//! pulled out for a while.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::process::{Program, example};

#[test]
fn g11_a_cable_that_is_out_for_10_s_in_mid_load_costs_no_croak() {
    if let Err(why) = has_namespaces() {
        return eprintln!("skipped, for want of network namespaces: {why}");
    }
    let directory = Scratch::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/hosts.sh");
    let (frog, place) = (example("frog"), directory.0.to_str().expect("is text"));
    let frog = frog.to_str().expect("is text");
    let arguments = ["-rn", "bash", script, env!("CARGO_BIN_EXE_multiplex"), frog, place];
    let ended = Program::start("unshare", &arguments).end();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.lines, ["the cable is out", "the cable is in"]);

    let [top, edge] = ["top.heard", "edge.heard"].map(|file| heard(&directory.0.join(file)));
    let mut hops: Vec<_> = top.iter().filter_map(|(_, what)| what.strip_prefix("hop ")).collect();
    hops.sort_unstable_by_key(|hop| hop.parse::<u32>().expect("is a number"));
    let all: Vec<_> = (1..=120).map(|hop: u32| hop.to_string()).collect();
    assert_eq!(hops, all, "each is heard once");
    let first = edge.first().expect("it has heard something").0;
    let same: Vec<_> = top.into_iter().filter(|(seq, _)| *seq >= first).collect();
    let count = same.len().min(edge.len());
    assert_eq!(same[..count], edge[..count], "in one order");
    assert!(count >= 110, "{count}");
}

/// What a frog has heard: seq and words.
fn heard(file: &Path) -> Vec<(u32, String)> {
    let lines = fs::read_to_string(file).expect("it was written");
    let heard = lines.lines().filter_map(|line| {
        let (seq, rest) = line.split_once("heard #")?.1.split_once(' ')?;
        let what = rest.split(" - ").next()?;
        Some((seq.parse().ok()?, what.to_owned()))
    });
    heard.collect()
}

/// Whether this machine lets us have two hosts.
fn has_namespaces() -> Result<(), String> {
    let trial = "ip link add v0 type veth peer name v1 && unshare -n true";
    match Command::new("unshare").args(["-rn", "bash", "-c", trial]).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("hosts-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("can be made");
        Self(directory)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left_over = fs::remove_dir_all(&self.0);
    }
}
