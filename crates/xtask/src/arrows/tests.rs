use super::*;

/// A workspace as cargo would describe it: `(package, what it uses)`, where `dev:x` and `build:x`
/// are uses of the other kinds. Packages of the table are members.
fn graph(packages: &[(&str, &[&str])]) -> Graph {
    let kind_of = |used: &str| match used.split_once(':') {
        Some((kind, name)) => (format!("{kind:?}"), name.to_owned()),
        None => ("null".to_owned(), used.to_owned()),
    };
    let mut names: Vec<String> = packages
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    names.extend(
        packages
            .iter()
            .flat_map(|(_, used)| *used)
            .map(|used| kind_of(used).1),
    );
    names.sort_unstable();
    names.dedup();

    let list = |items: Vec<String>| items.join(",");
    let members = packages.iter().filter(|(name, _)| is_ours(name));
    let members = list(members.map(|(name, _)| format!("{name:?}")).collect());
    let listed = list(
        names
            .iter()
            .map(|name| format!(r#"{{"id":{name:?},"name":{name:?}}}"#))
            .collect(),
    );
    let nodes = list(
        packages
            .iter()
            .map(|(name, used)| {
                let deps = used.iter().map(|used| {
                    let (kind, name) = kind_of(used);
                    format!(r#"{{"pkg":{name:?},"dep_kinds":[{{"kind":{kind},"target":null}}]}}"#)
                });
                format!(r#"{{"id":{name:?},"deps":[{}]}}"#, list(deps.collect()))
            })
            .collect(),
    );
    let json = format!(
        r#"{{"packages":[{listed}],"workspace_members":[{members}],"resolve":{{"nodes":[{nodes}]}}}}"#
    );
    Graph::parse(json.as_bytes()).expect("the test's own JSON should be read")
}

fn is_ours(name: &str) -> bool {
    CRATES.iter().any(|row| row.name == name) || name.starts_with("our-")
}

/// The picture as drawn, with the crates it uses from outside.
const AS_DRAWN: &[(&str, &[&str])] = &[
    ("media", &["bytes", "shiguredo_mp4"]),
    ("rtmp-ingest", &["media", "bytes", "tokio", "rml_rtmp"]),
    ("segmenter", &["media", "bytes", "mpeg2ts"]),
    ("playlist", &["media", "m3u8-rs", "tokio"]),
    ("doctor", &["media"]),
    ("tls", &["rustls", "tokio"]),
    (
        "http-server",
        &["media", "playlist", "segmenter", "tls", "axum"],
    ),
    (
        "forebay",
        &[
            "media",
            "doctor",
            "rtmp-ingest",
            "segmenter",
            "playlist",
            "http-server",
            "tls",
        ],
    ),
    ("xtask", &["anyhow"]),
    ("bench", &["anyhow"]),
    ("e2e", &["anyhow"]),
    ("soak", &["e2e", "clap"]),
    ("scripted", &["media", "segmenter", "e2e"]),
    ("axum", &["hyper", "tokio"]),
];

/// The violations after `name` has come to use `used` as well.
fn after_adding(name: &str, used: &'static str) -> Vec<String> {
    let mut packages: Vec<(&str, Vec<&str>)> = AS_DRAWN
        .iter()
        .map(|(name, used)| (*name, used.to_vec()))
        .collect();
    match packages.iter_mut().find(|(other, _)| *other == name) {
        Some((_, all)) => all.push(used),
        None => packages.push((name, vec![used])),
    }
    let packages: Vec<(&str, &[&str])> = packages
        .iter()
        .map(|(name, used)| (*name, used.as_slice()))
        .collect();
    violations(&graph(&packages))
}

#[test]
fn the_picture_as_drawn_has_no_violation() {
    assert_eq!(violations(&graph(AS_DRAWN)), [""; 0]);
}

#[test]
fn every_wrong_arrow_is_named() {
    let cases = [
        (
            "media",
            "playlist",
            "media uses playlist; it may use no workspace crate",
        ),
        (
            "rtmp-ingest",
            "segmenter",
            "rtmp-ingest uses segmenter; it may use media",
        ),
        (
            "segmenter",
            "rtmp-ingest",
            "segmenter uses rtmp-ingest; it may use media",
        ),
        (
            "playlist",
            "segmenter",
            "playlist uses segmenter; it may use media",
        ),
        (
            "http-server",
            "rtmp-ingest",
            "http-server uses rtmp-ingest; it may use media, playlist, segmenter, tls",
        ),
        (
            "e2e",
            "media",
            "e2e uses media; it may use no workspace crate",
        ),
    ];
    for (name, used, expected) in cases {
        let violations = after_adding(name, used);
        assert!(
            violations.iter().any(|line| line == expected),
            "{expected}: {violations:?}"
        );
    }
}

#[test]
fn what_is_forbidden_is_found_at_any_depth() {
    assert_eq!(
        after_adding("segmenter", "tokio"),
        ["segmenter must not know tokio: segmenter -> tokio"]
    );
    assert_eq!(
        after_adding("mpeg2ts", "tokio"),
        ["segmenter must not know tokio: segmenter -> mpeg2ts -> tokio"]
    );
    assert_eq!(
        after_adding("bytes", "tokio"),
        [
            "doctor must not know tokio: doctor -> media -> bytes -> tokio",
            "media must not know tokio: media -> bytes -> tokio",
            "segmenter must not know tokio: segmenter -> bytes -> tokio",
        ]
    );
}

#[test]
fn test_and_build_dependencies_are_free() {
    for used in ["dev:tokio", "dev:forebay", "dev:playlist", "build:tokio"] {
        assert_eq!(after_adding("segmenter", used), [""; 0], "{used}");
    }
}

#[test]
fn cycles_end() {
    assert_eq!(after_adding("mpeg2ts", "bytes"), [""; 0]);
    assert_eq!(after_adding("bytes", "bytes"), [""; 0]);
}

#[test]
fn a_crate_that_nobody_drew_is_named_and_so_is_one_that_is_gone() {
    assert_eq!(
        after_adding("our-new-crate", "bytes"),
        ["our-new-crate is not in the table: draw its arrows in crates/xtask/src/arrows.rs"]
    );
    let without_media: Vec<_> = AS_DRAWN
        .iter()
        .copied()
        .filter(|(name, _)| *name == "e2e")
        .collect();
    let gone = violations(&graph(&without_media));
    assert!(
        gone.contains(&"media is in the table, not in the workspace".to_owned()),
        "{gone:?}"
    );
}
