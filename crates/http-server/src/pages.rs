//! The web pages: the built ones of `web/dist`, embedded, or the plain ones where that was not built.
//!
//! Files are looked up by their whole path in a table; no path is ever opened.

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;

use crate::presentations::nothing_here;
use crate::replies::{self, AssetType, Kind};

/// Path and content of each file, sorted by path.
type Table = &'static [(&'static str, &'static [u8])];

static BUILT: Table = include!(concat!(env!("OUT_DIR"), "/pages.in"));

static PLAIN: Table = &[
    (
        "/assets/fallback.js",
        include_bytes!("../../../web/fallback/fallback.js"),
    ),
    (
        "/index.html",
        include_bytes!("../../../web/fallback/index.html"),
    ),
    (
        "/watch.html",
        include_bytes!("../../../web/fallback/watch.html"),
    ),
];

const LIST: &str = "/index.html";
const WATCH: &str = "/watch.html";

/// The page that lists what is live.
pub(crate) fn list() -> Response {
    page(LIST)
}

/// The page that plays a presentation; which one, it reads from its own address.
pub(crate) fn watch() -> Response {
    page(WATCH)
}

/// A file of the pages by its path.
pub(crate) fn asset(path: &str) -> Response {
    match find(table(), path) {
        Some(body) => replies::reply(asset_kind(path), StatusCode::OK, body),
        None => nothing_here(),
    }
}

fn page(path: &str) -> Response {
    match find(table(), path) {
        Some(body) => replies::reply(Kind::Page, StatusCode::OK, body),
        None => nothing_here(),
    }
}

/// The build writes a hash into the name of whatever it puts into `/assets/`.
fn asset_kind(path: &str) -> Kind {
    let asset = AssetType::of(path);
    if path.starts_with("/assets/") && is_built(BUILT) {
        Kind::HashedAsset(asset)
    } else {
        Kind::Asset(asset)
    }
}

fn table() -> Table {
    if is_built(BUILT) { BUILT } else { PLAIN }
}

/// Both pages are there: an interrupted build does not count.
fn is_built(built: Table) -> bool {
    find(built, LIST).is_some() && find(built, WATCH).is_some()
}

fn find(table: Table, path: &str) -> Option<Bytes> {
    let at = table.binary_search_by_key(&path, |(path, _)| path).ok()?;
    table.get(at).map(|(_, body)| Bytes::from_static(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_have_both_pages() {
        for table in [BUILT, PLAIN] {
            assert!(table.is_sorted_by_key(|(path, _)| *path));
        }
        assert!(is_built(PLAIN));
        assert!(!is_built(&[("/index.html", b"")]));
    }

    #[test]
    fn pages_ask_for_nothing_that_is_not_embedded() {
        for page in [LIST, WATCH] {
            let html = find(table(), page).expect("page");
            let html = String::from_utf8(html.to_vec()).expect("UTF-8");
            let sources = html
                .split(['"', '\''])
                .filter(|text| text.starts_with("/assets/") || *text == "/favicon.ico");
            for source in sources {
                assert!(find(table(), source).is_some(), "{page} asks for {source}");
            }
        }
    }
}
