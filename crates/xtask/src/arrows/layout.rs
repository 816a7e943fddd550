//! The shape of source files: one idea a file, found under its own name.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Past this a file holds more than one idea, tests included.
const MAX_LINES: usize = 700;

/// Folders with nothing of ours in them; those that begin with a dot are skipped as well.
const FOREIGN_FOLDERS: &[&str] = &["target", "node_modules", "dist"];

/// A Rust file of the checkout.
#[derive(Debug)]
pub(super) struct Source {
    /// Relative to the root.
    path: PathBuf,
    lines: usize,
}

/// Every `.rs` file below `root`.
pub(super) fn read_sources(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let context = || format!("cannot read {}", folder.display());
        for entry in folder.read_dir().with_context(context)? {
            let path = entry.with_context(context)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_symlink() || name.starts_with('.') || FOREIGN_FOLDERS.contains(&&*name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
                sources.push(Source {
                    path,
                    lines: text.lines().count(),
                });
            }
        }
    }
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(sources)
}

/// Files that are too long, and files called `mod.rs`.
pub(super) fn violations(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for Source { path, lines } in sources {
        let shown = path.display();
        if *lines > MAX_LINES {
            violations.push(format!(
                "{shown} has {lines} lines; {MAX_LINES} is the most"
            ));
        }
        if path.ends_with("mod.rs") {
            violations.push(format!(
                "{shown}: write `foo.rs` beside `foo/`, not `foo/mod.rs`"
            ));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, lines: usize) -> Source {
        Source {
            path: path.into(),
            lines,
        }
    }

    #[test]
    fn long_files_and_mod_files_are_named() {
        let sources = [
            source("crates/a/src/lib.rs", 700),
            source("crates/a/src/long.rs", 701),
            source("crates/a/src/b/mod.rs", 3),
            source("crates/a/src/not_mod.rs", 3),
        ];
        assert_eq!(
            violations(&sources),
            [
                "crates/a/src/long.rs has 701 lines; 700 is the most",
                "crates/a/src/b/mod.rs: write `foo.rs` beside `foo/`, not `foo/mod.rs`",
            ]
        );
    }

    #[test]
    fn this_file_is_among_the_sources_and_nothing_foreign_is() {
        let sources = read_sources(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let has = |path: &str| sources.iter().any(|source| source.path == Path::new(path));
        assert!(has("src/arrows/layout.rs"));
        assert!(!has("Cargo.toml"));
    }
}
