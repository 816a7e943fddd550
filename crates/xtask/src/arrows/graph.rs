//! The dependency graph as cargo resolves it: packages and their *normal* dependencies.
//!
//! Read from `cargo metadata` (`cargo help metadata`, "JSON format"). Development and build
//! dependencies are left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Context as _;
use serde::Deserialize;

/// A package's identity: cargo's opaque text, unique where two versions share a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(super) struct PackageId(String);

/// Who uses whom.
#[derive(Debug)]
pub(super) struct Graph {
    packages: BTreeMap<PackageId, Package>,
    members: BTreeSet<PackageId>,
}

#[derive(Debug)]
struct Package {
    name: String,
    uses: Vec<PackageId>,
}

impl Graph {
    /// Reads the output of `cargo metadata --format-version 1` (without `--no-deps`).
    pub(super) fn parse(json: &[u8]) -> anyhow::Result<Self> {
        let metadata: json::Metadata =
            serde_json::from_slice(json).context("cargo metadata is not what it was")?;
        let mut uses: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
        for node in metadata.resolve.nodes {
            let normal = node.deps.into_iter().filter(json::Dep::is_normal);
            uses.insert(node.id, normal.map(|dep| dep.pkg).collect());
        }
        let packages = metadata.packages.into_iter().map(|package| {
            let uses = uses.remove(&package.id).unwrap_or_default();
            (
                package.id,
                Package {
                    name: package.name,
                    uses,
                },
            )
        });
        Ok(Self {
            packages: packages.collect(),
            members: metadata.workspace_members.into_iter().collect(),
        })
    }

    /// The workspace's own packages.
    pub(super) fn members(&self) -> impl Iterator<Item = &PackageId> {
        self.members.iter()
    }

    pub(super) fn is_member(&self, id: &PackageId) -> bool {
        self.members.contains(id)
    }

    /// The package's name; its id if cargo did not list it.
    pub(super) fn name<'graph>(&'graph self, id: &'graph PackageId) -> &'graph str {
        self.packages.get(id).map_or(&id.0, |package| &package.name)
    }

    /// What the package names in `[dependencies]`.
    pub(super) fn uses(&self, id: &PackageId) -> &[PackageId] {
        self.packages.get(id).map_or(&[], |package| &package.uses)
    }

    /// The names on the shortest way from `start` to a package called `target`, both included.
    pub(super) fn path(&self, start: &PackageId, target: &str) -> Option<Vec<&str>> {
        let mut reached_from: BTreeMap<&PackageId, &PackageId> = BTreeMap::new();
        let mut queue = VecDeque::from_iter(self.packages.get_key_value(start).map(|(id, _)| id));
        while let Some(id) = queue.pop_front() {
            if id != start && self.name(id) == target {
                let way_back = std::iter::successors(Some(id), |id| reached_from.get(id).copied());
                let mut path: Vec<_> = way_back.map(|id| self.name(id)).collect();
                path.reverse();
                return Some(path);
            }
            for used in self.uses(id) {
                if used != start && !reached_from.contains_key(used) {
                    reached_from.insert(used, id);
                    queue.push_back(used);
                }
            }
        }
        None
    }
}

/// The parts of cargo's JSON that are read.
mod json {
    use serde::Deserialize;

    use super::PackageId;

    #[derive(Deserialize)]
    pub(super) struct Metadata {
        pub(super) packages: Vec<Package>,
        pub(super) workspace_members: Vec<PackageId>,
        pub(super) resolve: Resolve,
    }

    #[derive(Deserialize)]
    pub(super) struct Package {
        pub(super) id: PackageId,
        pub(super) name: String,
    }

    #[derive(Deserialize)]
    pub(super) struct Resolve {
        pub(super) nodes: Vec<Node>,
    }

    #[derive(Deserialize)]
    pub(super) struct Node {
        pub(super) id: PackageId,
        pub(super) deps: Vec<Dep>,
    }

    #[derive(Deserialize)]
    pub(super) struct Dep {
        pub(super) pkg: PackageId,
        dep_kinds: Vec<DepKind>,
    }

    #[derive(Deserialize)]
    struct DepKind {
        /// `null` for a normal dependency, else `"dev"` or `"build"`.
        kind: Option<String>,
    }

    impl Dep {
        pub(super) fn is_normal(&self) -> bool {
            self.dep_kinds.iter().any(|kind| kind.kind.is_none())
        }
    }
}
