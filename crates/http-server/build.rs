//! Puts the built pages of `web/dist` into a table of the crate, so that the binary carries them.
//!
//! Without node there is no `web/dist`: the table is then empty, and the crate has plainer pages.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo should set it"))
        .join("../../web/dist");
    // A path that is missing counts as changed at every build; an empty folder (ignored by git) does
    // not. Where the sources are read-only, building each time is the lesser evil.
    let _ = fs::create_dir_all(&dist);
    println!("cargo:rerun-if-changed={}", dist.display());

    let mut files = Vec::new();
    if dist.is_dir() {
        collect(&dist, &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let path = file.strip_prefix(&dist).expect("a file of the folder");
        let url = format!("/{}", path.to_string_lossy().replace('\\', "/"));
        let source = file.canonicalize()?;
        writeln!(table, "    ({url:?}, include_bytes!({source:?})),").expect("writing to memory");
    }
    table.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo should set it"));
    fs::write(out.join("pages.in"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
