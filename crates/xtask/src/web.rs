//! The pages in `web/`: their dependencies, their build, their tests. Everything through npm.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;
use crate::interrupt::Interrupts;
use crate::process;
use crate::workspace;

/// What Vite asks for: the releases in which `require` takes ES modules.
const NEEDED: &str = "Node.js 20.19 or later of 20, or 22.12 or later";

/// Whether the pages can be built here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Npm {
    /// `npm` is on the path, and its Node.js is new enough.
    Present,
    /// The pages cannot be built, and this is why.
    Missing(String),
}

impl Npm {
    /// Looks for it, and asks for the version.
    pub(crate) fn find() -> Self {
        if !install::program_exists("npm") {
            return Self::Missing(format!("npm is not on the path; the pages need {NEEDED}"));
        }
        let version = workspace::output(Command::new("node").arg("--version"));
        Self::with_node(version.ok().as_deref())
    }

    /// `version` is what `node --version` prints: `v20.19.4`.
    fn with_node(version: Option<&[u8]>) -> Self {
        let printed = String::from_utf8_lossy(version.unwrap_or_default());
        let Some((major, minor)) = major_and_minor(printed.trim()) else {
            return Self::Missing(format!(
                "`node --version` does not say which Node.js is here; the pages need {NEEDED}"
            ));
        };
        match (major, minor) {
            (20, 19..) | (22, 12..) | (23.., _) => Self::Present,
            _ => Self::Missing(format!(
                "Node.js {major}.{minor} cannot build the pages, which need {NEEDED}"
            )),
        }
    }
}

fn major_and_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Installs exactly what the lock file names, unless that has been done since it last changed.
pub(crate) fn install_dependencies(web: &Path, interrupts: &Interrupts) -> anyhow::Result<()> {
    // npm writes this file last, so an installation that was broken off does not count.
    let installed = web.join("node_modules/.package-lock.json");
    if is_newer(&installed, &web.join("package-lock.json")) {
        return Ok(());
    }
    process::run(npm(web).args(["ci", "--no-audit", "--no-fund"]), interrupts)
}

/// Builds the pages, unless nothing has changed since: a new build has new times, and the gateway, which has
/// the pages in it, would be built again.
pub(crate) fn build(web: &Path, interrupts: &Interrupts) -> anyhow::Result<()> {
    let built = web.join("dist/index.html");
    if sources(web)?.iter().all(|source| is_newer(&built, source)) {
        return Ok(());
    }
    run_script(web, "build", interrupts)
}

/// Installs the dependencies and builds the pages, for a gateway that is built next. Where that cannot be done, its
/// built-in page does without.
pub(crate) fn build_if_possible(web: &Path, interrupts: &Interrupts) -> anyhow::Result<()> {
    match Npm::find() {
        Npm::Missing(why) => {
            println!(
                "{why}; until then the gateway's built-in page is used, which plays with the \
                 browser's own HLS"
            );
            Ok(())
        }
        Npm::Present => {
            println!("building the pages");
            install_dependencies(web, interrupts)?;
            build(web, interrupts)
        }
    }
}

/// Every file that goes into the pages.
fn sources(web: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![web.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            let made = ["node_modules", "dist"]
                .iter()
                .any(|made| path == web.join(made));
            match (made, path.is_dir()) {
                (true, _) => {}
                (false, true) => folders.push(path),
                (false, false) => found.push(path),
            }
        }
    }
    Ok(found)
}

/// Runs one script of `package.json`.
pub(crate) fn run_script(web: &Path, script: &str, interrupts: &Interrupts) -> anyhow::Result<()> {
    process::run(npm(web).args(["run", script]), interrupts)
}

fn npm(web: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(web);
    command
}

/// False if either file is missing.
fn is_newer(left: &Path, right: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    matches!((changed(left), changed(right)), (Ok(left), Ok(right)) if left >= right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_and_installed_is_no_source() {
        let web = std::env::temp_dir().join(format!("forebay-web-{}", std::process::id()));
        for folder in ["src/list", "dist/assets", "node_modules/x"] {
            std::fs::create_dir_all(web.join(folder)).unwrap();
        }
        for file in [
            "index.html",
            "src/list/card.ts",
            "dist/index.html",
            "node_modules/x/a.js",
        ] {
            std::fs::write(web.join(file), "").unwrap();
        }
        let mut found = sources(&web).unwrap();
        found.sort();
        assert_eq!(
            found,
            [web.join("index.html"), web.join("src/list/card.ts")]
        );
        std::fs::remove_dir_all(&web).unwrap();
    }

    #[test]
    fn an_old_node_counts_as_none() {
        let present = ["v20.19.0\n", "v20.20.2", "v22.12.0", "v23.0.0", "v24.1.0"];
        for version in present {
            let npm = Npm::with_node(Some(version.as_bytes()));
            assert_eq!(npm, Npm::Present, "{version}");
        }
        let missing = [
            (
                Some("v18.20.4\n"),
                "Node.js 18.20 cannot build the pages, which need ",
            ),
            (Some("v20.18.3"), "Node.js 20.18 cannot build"),
            (Some("v21.7.0"), "Node.js 21.7 cannot build"),
            (Some("v22.11.0"), "Node.js 22.11 cannot build"),
            (Some("not found"), "`node --version` does not say"),
            (None, "`node --version` does not say"),
        ];
        for (version, expected) in missing {
            let npm = Npm::with_node(version.map(str::as_bytes));
            assert!(
                matches!(&npm, Npm::Missing(why) if why.starts_with(expected)),
                "{version:?}: {npm:?}"
            );
        }
    }
}
