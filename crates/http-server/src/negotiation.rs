//! What a request's headers allow: content coding, validators, byte ranges (RFC 9110 §12.5.3, §13, §14).

use std::ops::Range;

use http::header::{ACCEPT_ENCODING, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};

/// The form of a text that a client takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Gzip,
}

/// gzip if the client names it with a weight above zero, or takes anything (RFC 9110 §12.5.3).
pub(crate) fn coding(headers: &HeaderMap) -> Coding {
    let mut any = false;
    for element in list(headers, &ACCEPT_ENCODING) {
        let (name, parameters) = element
            .split_once(';')
            .map_or((element, ""), |(name, parameters)| {
                (name.trim_end(), parameters)
            });
        let accepted = weight_is_positive(parameters);
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return if accepted {
                Coding::Gzip
            } else {
                Coding::Identity
            };
        }
        any |= name == "*" && accepted;
    }
    if any { Coding::Gzip } else { Coding::Identity }
}

fn weight_is_positive(parameters: &str) -> bool {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        name.eq_ignore_ascii_case("q").then_some(value)
    });
    weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
}

/// If-None-Match names `tag` (the opaque tag without quotes), by weak comparison.
pub(crate) fn is_unchanged(headers: &HeaderMap, tag: &str) -> bool {
    list(headers, &IF_NONE_MATCH).any(|element| {
        element == "*" || opaque(element.strip_prefix("W/").unwrap_or(element)) == Some(tag)
    })
}

fn opaque(element: &str) -> Option<&str> {
    element.strip_prefix('"')?.strip_suffix('"')
}

/// The elements of a comma-separated header, over all its lines.
fn list<'a>(
    headers: &'a HeaderMap,
    name: &http::HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// What part of a body a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no range, several (which may be ignored, RFC 9110 §14.2), or one not understood.
    Whole,
    /// One range, within the body.
    Part(Range<usize>),
    /// A range that begins behind the end.
    Unsatisfiable,
}

/// The range asked for of a body of `length` bytes with the strong entity tag `tag` (without quotes).
pub(crate) fn wanted(headers: &HeaderMap, length: usize, tag: &str) -> Wanted {
    let Some(value) = headers.get(RANGE) else {
        return Wanted::Whole;
    };
    let current = headers.get(IF_RANGE).is_none_or(|condition| {
        condition
            .to_str()
            .is_ok_and(|text| opaque(text) == Some(tag))
    });
    if !current {
        return Wanted::Whole;
    }
    value
        .to_str()
        .ok()
        .and_then(|value| byte_range(value, length))
        .unwrap_or(Wanted::Whole)
}

/// The range in `value` of a body that still grows: a last byte of `open_end` or beyond is no end, as none is.
/// `None` for a range that cannot be told before the end is known, or is none.
pub(crate) fn open_range(value: &HeaderValue, open_end: u64) -> Option<Range<u64>> {
    let (unit, range) = value.to_str().ok()?.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let first = number(first)? as u64;
    let end = match last {
        "" => u64::MAX,
        last => match number(last)? as u64 {
            last if last >= open_end => u64::MAX,
            last => last + 1,
        },
    };
    (first < end).then_some(first..end)
}

/// `bytes=first-last`, `bytes=first-`, `bytes=-suffix`; `None` for anything else.
fn byte_range(value: &str, length: usize) -> Option<Wanted> {
    let (unit, range) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let (start, end) = if first.is_empty() {
        let suffix = number(last)?.min(length);
        (length - suffix, length)
    } else {
        let first = number(first)?;
        let end = match last {
            "" => length,
            last => {
                let last = number(last)?;
                if last < first {
                    return None;
                }
                last.saturating_add(1).min(length)
            }
        };
        (first, end)
    };
    Some(if start < end {
        Wanted::Part(start..end)
    } else {
        Wanted::Unsatisfiable
    })
}

/// Digits only; a number too large to hold lies behind every end.
fn number(digits: &str) -> Option<usize> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn with(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.clone(), HeaderValue::from_str(value).expect("value")))
            .collect()
    }

    #[test]
    fn gzip_only_where_it_is_welcome() {
        let cases: [(&[&str], Coding); 13] = [
            (&[], Coding::Identity),
            (&[""], Coding::Identity),
            (&["gzip"], Coding::Gzip),
            (&["gzip, deflate, br, zstd"], Coding::Gzip),
            (&["br", "GZIP ; q=0.5"], Coding::Gzip),
            (&["x-gzip"], Coding::Gzip),
            (&["gzip;q=0"], Coding::Identity),
            (&["gzip; Q=0.000, *"], Coding::Identity),
            (&["*"], Coding::Gzip),
            (&["*;q=0"], Coding::Identity),
            (&["identity"], Coding::Identity),
            (&["gzip;q=banana"], Coding::Identity),
            (&["gzipped"], Coding::Identity),
        ];
        for (values, expected) in cases {
            assert_eq!(
                coding(&with(&ACCEPT_ENCODING, values)),
                expected,
                "{values:?}"
            );
        }
    }

    #[test]
    fn validators() {
        let cases: [(&[&str], bool); 8] = [
            (&[], false),
            (&["\"a-1\""], true),
            (&["W/\"a-1\""], true),
            (&["\"b\", \"a-1\""], true),
            (&["\"b\"", "\"a-1\""], true),
            (&["*"], true),
            (&["a-1"], false),
            (&["\"a-12\""], false),
        ];
        for (values, expected) in cases {
            assert_eq!(
                is_unchanged(&with(&IF_NONE_MATCH, values), "a-1"),
                expected,
                "{values:?}"
            );
        }
    }

    #[test]
    fn ranges_of_a_hundred_bytes() {
        let cases = [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=99-", Wanted::Part(99..100)),
            ("bytes=0-99999999999999999999999", Wanted::Part(0..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("Bytes=5-6", Wanted::Part(5..7)),
            ("bytes=100-", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=9-0", Wanted::Whole),
            ("bytes=0-9,20-29", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("frames=0-9", Wanted::Whole),
        ];
        for (value, expected) in cases {
            assert_eq!(
                wanted(&with(&RANGE, &[value]), 100, "t"),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        for (condition, expected) in [
            ("\"t\"", Wanted::Part(0..10)),
            ("\"u\"", Wanted::Whole),
            ("W/\"t\"", Wanted::Whole),
            ("Mon, 23 Nov 2026 00:00:00 GMT", Wanted::Whole),
        ] {
            let mut headers = with(&RANGE, &["bytes=0-9"]);
            headers.insert(IF_RANGE, HeaderValue::from_static(condition));
            assert_eq!(wanted(&headers, 100, "t"), expected, "{condition}");
        }
    }

    proptest! {
        #[test]
        fn any_range_lies_within_the_body(value in "bytes=[0-9]{0,22}-[0-9]{0,22}", length in 0_usize..1_000) {
            if let Wanted::Part(range) = wanted(&with(&RANGE, &[&value]), length, "t") {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }
    }
}
