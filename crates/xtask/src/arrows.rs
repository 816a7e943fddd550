//! The architecture as a check: which crate may know which, and the shape of source files.
//!
//! The picture is in the design and in `crates/README.md`; [`CRATES`] is the same picture for the
//! machine. Only normal dependencies count: a test may know anyone.

mod graph;
mod layout;

use anyhow::ensure;

use crate::workspace::{self, Workspace};
use graph::{Graph, PackageId};

/// What one workspace crate may know.
struct Crate {
    name: &'static str,
    /// The workspace crates it may name in `[dependencies]`.
    may_use: &'static [&'static str],
    /// Crates it must not reach, not even through others.
    never: &'static [&'static str],
}

/// ```text
/// media <- rtmp-ingest <-------------------------- forebay
///       <- doctor      <--------------------------
///       <- segmenter   <----- http-server <-------
///       <- playlist    <-----
///          tls         <-----             <-------
/// ```
const CRATES: &[Crate] = &[
    Crate {
        name: "media",
        may_use: &[],
        never: &["tokio", "mpeg2ts", "m3u8-rs", "rml_rtmp"],
    },
    Crate {
        name: "rtmp-ingest",
        may_use: &["media"],
        never: &["hyper", "axum", "mpeg2ts", "m3u8-rs"],
    },
    Crate {
        name: "segmenter",
        may_use: &["media"],
        never: &["tokio", "hyper", "m3u8-rs", "rml_rtmp"],
    },
    Crate {
        name: "doctor",
        may_use: &["media"],
        never: &["tokio", "hyper", "m3u8-rs", "mpeg2ts", "rml_rtmp"],
    },
    Crate {
        name: "playlist",
        may_use: &["media"],
        never: &["http", "hyper", "axum", "mpeg2ts", "rml_rtmp"],
    },
    Crate {
        name: "tls",
        may_use: &[],
        never: &["hyper", "http", "axum", "rml_rtmp", "aws-lc-rs"],
    },
    Crate {
        name: "http-server",
        may_use: &["media", "playlist", "segmenter", "tls"],
        never: &["rml_rtmp", "rml_amf0"],
    },
    Crate {
        name: "forebay",
        may_use: &[
            "media",
            "doctor",
            "rtmp-ingest",
            "segmenter",
            "playlist",
            "http-server",
            "tls",
        ],
        never: &["aws-lc-rs", "openssl-sys"],
    },
    // They drive the built binary, and know nothing of its insides.
    Crate {
        name: "xtask",
        may_use: &[],
        never: &["tokio"],
    },
    Crate {
        name: "bench",
        may_use: &["e2e"],
        never: &["tokio"],
    },
    Crate {
        name: "e2e",
        may_use: &[],
        never: &[],
    },
    Crate {
        name: "soak",
        may_use: &["e2e"],
        never: &["tokio"],
    },
    // It plays whole publishes to the pure parts, without the binary.
    Crate {
        name: "scripted",
        may_use: &["media", "rtmp-ingest", "segmenter", "playlist", "e2e"],
        never: &["hyper", "axum"],
    },
];

/// The platform whose dependencies count: the one that is deployed. Without it cargo fetches those
/// of every system there is.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Checks the workspace; the error lists every violation.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let mut command = workspace.cargo(["metadata", "--format-version", "1"]);
    command.args(["--filter-platform", PLATFORM]);
    let graph = Graph::parse(&workspace::output(&mut command)?)?;
    let sources = layout::read_sources(workspace.root())?;
    ensure!(
        !sources.is_empty(),
        "no Rust source below {}",
        workspace.root().display()
    );

    let mut violations = violations(&graph);
    violations.extend(layout::violations(&sources));
    ensure!(
        violations.is_empty(),
        "{} violation(s) of the architecture:\n  {}",
        violations.len(),
        violations.join("\n  ")
    );
    println!(
        "{} crates and {} source files are as drawn",
        CRATES.len(),
        sources.len()
    );
    Ok(())
}

/// Every arrow of the graph that the table does not draw.
fn violations(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    for member in graph.members() {
        let name = graph.name(member);
        let Some(row) = CRATES.iter().find(|row| row.name == name) else {
            violations.push(format!(
                "{name} is not in the table: draw its arrows in crates/xtask/src/arrows.rs"
            ));
            continue;
        };
        violations.extend(undrawn_arrows(graph, member, row));
        violations.extend(forbidden_knowledge(graph, member, row));
    }
    for row in CRATES {
        if !graph.members().any(|member| graph.name(member) == row.name) {
            violations.push(format!(
                "{} is in the table, not in the workspace",
                row.name
            ));
        }
    }
    violations
}

fn undrawn_arrows(graph: &Graph, member: &PackageId, row: &Crate) -> Vec<String> {
    let used = graph
        .uses(member)
        .iter()
        .filter(|used| graph.is_member(used));
    used.map(|used| graph.name(used))
        .filter(|used| !row.may_use.contains(used))
        .map(|used| match row.may_use {
            [] => format!("{} uses {used}; it may use no workspace crate", row.name),
            may_use => format!(
                "{} uses {used}; it may use {}",
                row.name,
                may_use.join(", ")
            ),
        })
        .collect()
}

fn forbidden_knowledge(graph: &Graph, member: &PackageId, row: &Crate) -> Vec<String> {
    let paths = row
        .never
        .iter()
        .filter_map(|never| Some((never, graph.path(member, never)?)));
    paths
        .map(|(never, path)| format!("{} must not know {never}: {}", row.name, path.join(" -> ")))
        .collect()
}

#[cfg(test)]
mod tests;
