//! Where a client wants to publish: `tcUrl`, application and publish name, which clients divide as they
//! please (`rtmp://host/app/name`, `…/app/instance/name`, everything in one of the fields).

use media::{AppName, Name, NameError, RESERVED_APPS};

use crate::{Query, StreamKey};

/// Components of the longest path: application, instance, name.
const MAX_COMPONENTS: usize = 3;

/// A text with its query string cut off.
pub(super) fn cut_query(text: &str) -> (&str, Option<Query>) {
    match text.split_once('?') {
        None => (text, None),
        Some((text, query)) => (
            text,
            (!query.is_empty()).then(|| Query::new(query.to_owned())),
        ),
    }
}

/// The path of an URL without its query: `live/show` of `rtmp://host:1935/live/show`.
pub(super) fn url_path(url: &str) -> &str {
    url.split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path)
}

/// Checks the application that `connect` names, which may be empty, or still hold the publish name.
pub(super) fn check_application(path: &str) -> Result<(), NameError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(());
    }
    let count = path.split('/').count();
    if count > MAX_COMPONENTS {
        return Err(NameError::TooDeep(count));
    }
    for component in path.split('/') {
        Name::parse(component, "application")?;
    }
    let first = path.split('/').next().unwrap_or_default();
    if RESERVED_APPS.contains(&first) {
        return Err(NameError::Reserved(first.to_owned()));
    }
    Ok(())
}

/// Application and publish name are one path: its last component is the key, the rest the application.
/// However a client divides it, the same path means the same publish.
pub(super) fn resolve(application: &str, name: &str) -> Result<(AppName, StreamKey), NameError> {
    let application = application.strip_suffix('/').unwrap_or(application);
    let joined = match (application.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => application.to_owned(),
        _ => format!("{application}/{name}"),
    };
    let Some((application, key)) = joined.rsplit_once('/') else {
        // One component alone is an application if `connect` named it, else a name.
        return Err(NameError::Empty(if application.is_empty() {
            "application"
        } else {
            "publish"
        }));
    };
    let key = Name::parse(key, "publish")?;
    Ok((AppName::parse(application)?, StreamKey::new(key)))
}

/// `tc_url` without the key, if it ends in it.
pub(super) fn without_key(tc_url: &str, key: &StreamKey) -> String {
    tc_url
        .strip_suffix('/')
        .unwrap_or(tc_url)
        .strip_suffix(key.reveal().as_str())
        .filter(|rest| rest.ends_with('/'))
        .unwrap_or(tc_url)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_is_the_same_publish_however_it_is_divided() {
        for (application, name, expected) in [
            ("live", "show", "live show"),
            ("live/", "show", "live show"),
            ("live/show", "", "live show"),
            ("", "live/show", "live show"),
            ("live/studio", "show", "live/studio show"),
            ("live", "/show", "live show"),
            ("live", "studio/show", "live/studio show"),
            ("live/studio/show", "", "live/studio show"),
        ] {
            let (app, key) = resolve(application, name).expect(expected);
            assert_eq!(format!("{app} {}", key.reveal()), expected);
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for (application, name, expected) in [
            ("live", "", "the publish name is empty"),
            ("", "", "the application name is empty"),
            ("", "show", "the application name is empty"),
            (
                "live",
                "a/b/c",
                "the application name has 3 parts; 'app' and 'app/instance' are allowed",
            ),
            ("live", "show/", "the publish name is empty"),
            ("live", "../show", "the application name begins with a dot"),
            ("live", "..", "the publish name begins with a dot"),
        ] {
            let error = resolve(application, name).expect_err(expected);
            assert_eq!(error.to_string(), expected, "{application:?} {name:?}");
        }
    }

    #[test]
    fn urls_lose_what_is_secret() {
        let (url, query) = cut_query("rtmp://h/live/show?sign=x?y");
        assert_eq!(url, "rtmp://h/live/show");
        assert_eq!(query.as_ref().map(Query::reveal), Some("sign=x?y"));
        assert_eq!(format!("{query:?}"), "Some([redacted])");
        let (_, key) = resolve("live", "show").expect("path");
        assert_eq!(without_key(url, &key), "rtmp://h/live/");
        assert_eq!(without_key("rtmp://h/live", &key), "rtmp://h/live");
        assert_eq!(url_path("rtmp://h:1935/a/b"), "a/b");
        assert_eq!(url_path("rtmp://h"), "");
    }
}
