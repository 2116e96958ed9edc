//! What the project is built from, weighed by the lists in `deny.toml`.
//!
//! In: the packages that `cargo metadata` resolves, all features and all platforms. Out: a line for
//! each that may not be here. The same file drives `cargo deny`; its advisories, which need a
//! database from the network, are not looked at here (CONTRIBUTING.md).

use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

#[test]
fn every_dependency_has_a_licence_on_the_list() {
    let policy = policy();
    agree(|package| policy.licence_refusal(package));
}

#[test]
fn no_banned_crate_is_depended_on() {
    let policy = policy();
    agree(|package| policy.ban_refusal(package));
}

#[test]
fn every_dependency_comes_from_crates_io() {
    let policy = policy();
    agree(|package| policy.source_refusal(package));
}

#[test]
fn the_lists_name_what_the_project_promises() {
    let policy = policy();
    let banned: Vec<_> = policy.bans.deny.iter().map(|ban| ban.name.as_str()).collect();
    assert_eq!(banned, ["native-tls", "openssl", "openssl-sys"]);
    assert_eq!(policy.sources.allow_registry, [CRATES_IO]);
    assert!(policy.licenses.allow.iter().all(|licence| !licence.contains("GPL")));
}

#[test]
fn the_packages_weighed_are_those_of_all_features_and_platforms() {
    let names: Vec<_> = packages().into_iter().map(|package| package.name).collect();
    for expected in ["actix-multiplex", "actix", "clap", "windows-sys", "spdx"] {
        assert!(names.iter().any(|name| name == expected), "no {expected} in {names:?}");
    }
}

#[test]
fn a_licence_off_the_list_is_refused() {
    let policy = policy();
    let refusal = |licence: Option<&str>| {
        let licence = licence.map(str::to_owned);
        policy.licence_refusal(&Package { licence, ..crates_io("x") })
    };
    for allowed in ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "(MIT) AND Unicode-3.0"] {
        assert_eq!(refusal(Some(allowed)), None, "{allowed}");
    }
    for refused in ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "Nobody-1.0", ""] {
        assert!(refusal(Some(refused)).is_some(), "{refused}");
    }
    assert!(refusal(None).is_some());
}

#[test]
fn a_banned_crate_is_refused() {
    let policy = policy();
    assert_eq!(policy.ban_refusal(&crates_io("rustls")), None);
    for banned in ["native-tls", "openssl", "openssl-sys"] {
        assert!(policy.ban_refusal(&crates_io(banned)).is_some(), "{banned}");
    }
}

#[test]
fn a_dependency_from_elsewhere_is_refused() {
    let policy = policy();
    let refusal = |name: &str, source: Option<&str>| {
        let source = source.map(str::to_owned);
        policy.source_refusal(&Package { source, ..crates_io(name) })
    };
    assert_eq!(policy.source_refusal(&crates_io("x")), None);
    assert_eq!(refusal(env!("CARGO_PKG_NAME"), None), None, "the package itself");
    for elsewhere in ["git+https://github.com/x/x#1", "registry+https://example.org/index"] {
        assert!(refusal("x", Some(elsewhere)).is_some(), "{elsewhere}");
    }
    assert!(refusal("x", None).is_some(), "a path outside the package");
}

/// Fails with what `refusal` says of the project's packages.
fn agree(refusal: impl Fn(&Package) -> Option<String>) {
    let refusals: Vec<_> = packages().iter().filter_map(refusal).collect();
    assert!(refusals.is_empty(), "\n{}", refusals.join("\n"));
}

/// The parts of `deny.toml` that are weighed here.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(rename = "license")]
    licence: Option<String>,
    /// Where it came from; none for what lies in a folder.
    source: Option<String>,
}

impl Policy {
    fn licence_refusal(&self, package: &Package) -> Option<String> {
        let Package { name, version, licence, .. } = package;
        let Some(licence) = licence else {
            return Some(format!("{name} {version}: no licence"));
        };
        let allow = self.licenses.allow.iter();
        let allowed: Vec<_> = allow.map(|it| Licensee::parse(it).expect("a licence")).collect();
        let agrees = Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| {
            expression.evaluate(|asked| allowed.iter().any(|licensee| licensee.satisfies(asked)))
        });
        (!agrees).then(|| format!("{name} {version}: licence `{licence}` is not on the list"))
    }

    fn ban_refusal(&self, package: &Package) -> Option<String> {
        let ban = self.bans.deny.iter().find(|ban| ban.name == package.name)?;
        Some(format!("{} {}: banned: {}", package.name, package.version, ban.reason))
    }

    fn source_refusal(&self, package: &Package) -> Option<String> {
        let Package { name, version, source, .. } = package;
        let allowed = match source.as_deref() {
            Some(source) => source
                .strip_prefix("registry+")
                .is_some_and(|index| self.sources.allow_registry.iter().any(|it| it == index)),
            None => name == env!("CARGO_PKG_NAME"),
        };
        (!allowed).then(|| format!("{name} {version}: from {source:?}, not from crates.io"))
    }
}

fn policy() -> Policy {
    toml::from_str(include_str!("../../deny.toml")).expect("deny.toml has the lists")
}

/// Asks cargo. It fetches the manifests of other platforms' crates when they are not here yet.
fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata failed; `cargo fetch --locked`?\n{error}");
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("cargo's json");
    metadata.packages
}

fn crates_io(name: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        licence: Some("MIT".to_owned()),
        source: Some(format!("registry+{CRATES_IO}")),
    }
}

const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";
