//! Whether a request that changes something may come from where it comes from.
//!
//! Everything may be read from pages of any origin; steering from a stranger's page, with the operator's
//! browser as its hand, must not work. Browsers say where a request comes from; other clients say
//! nothing and are let through.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};

/// A page of another site sent this.
pub(super) fn is_cross_site(uri: &Uri, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site")
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let authority = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, authority)| authority);
    let host = match headers.get(HOST) {
        Some(host) => host.to_str().ok(),
        // HTTP/2 has it in the request line.
        None => uri.authority().map(http::uri::Authority::as_str),
    };
    match (authority, host) {
        (Some(authority), Some(host)) => !authority.eq_ignore_ascii_case(host),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_own_pages_and_no_pages_may_steer() {
        // Sec-Fetch-Site, Origin, cross-site?
        let cases = [
            (None, None, false),
            (Some("none"), None, false),
            (Some("same-origin"), Some("http://gateway:8080"), false),
            (None, Some("http://Gateway:8080"), false),
            (None, Some("https://gateway:8080"), false),
            (None, Some("http://gateway"), true),
            (None, Some("http://evil.example"), true),
            (None, Some("null"), true),
            (Some("cross-site"), None, true),
            (Some("same-site"), None, true),
            (Some("cross-site"), Some("http://gateway:8080"), true),
        ];
        for (site, origin, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("gateway:8080"));
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            let uri = Uri::from_static("/api/v1/streams/live/show");
            assert_eq!(
                is_cross_site(&uri, &headers),
                expected,
                "{site:?} {origin:?}"
            );
        }
    }
}
