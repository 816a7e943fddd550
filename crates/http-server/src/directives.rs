//! Delivery directives: what a player adds to the URL of a media playlist (rfc8216bis §6.2.5).

use playlist::{Playlist, Position};

/// The directives of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Directives {
    /// `_HLS_msn` and `_HLS_part`: what the playlist has to hold.
    pub(crate) until: Option<Position>,
    /// `_HLS_skip`.
    pub(crate) form: Playlist,
}

/// Reads the directives in a query; whatever else is there is somebody else's.
///
/// # Errors
/// A directive that cannot be meant: in words, for whoever asked.
pub(crate) fn parse(query: &str) -> Result<Directives, String> {
    let (mut segment, mut part, mut form) = (None, None, None);
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let twice = match name {
            "_HLS_msn" => segment.replace(number(name, value)?).is_some(),
            "_HLS_part" => part.replace(number(name, value)?).is_some(),
            "_HLS_skip" => {
                let wanted = match value {
                    "YES" | "v2" => Playlist::Delta,
                    _ => return Err(format!("_HLS_skip is {:.20}; YES and v2 are known", value)),
                };
                form.replace(wanted).is_some()
            }
            _ => false,
        };
        if twice {
            return Err(format!("{name} is there twice"));
        }
    }
    if part.is_some() && segment.is_none() {
        return Err("_HLS_part needs _HLS_msn: the part of which segment".to_owned());
    }
    Ok(Directives {
        until: segment.map(|segment| Position { segment, part }),
        form: form.unwrap_or(Playlist::Full),
    })
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| value.parse().ok())
        .flatten()
        .ok_or_else(|| format!("{name} is {value:.20}, which is no number of 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_players_add() {
        let until = |segment, part| Some(Position { segment, part });
        let cases = [
            ("", None, Playlist::Full),
            ("token=abc&_HLS_msnx=1", None, Playlist::Full),
            ("_HLS_msn=7", until(7, None), Playlist::Full),
            ("_HLS_msn=7&_HLS_part=0", until(7, Some(0)), Playlist::Full),
            (
                "a=b&_HLS_skip=YES&_HLS_part=3&_HLS_msn=7&",
                until(7, Some(3)),
                Playlist::Delta,
            ),
            ("_HLS_skip=v2", None, Playlist::Delta),
        ];
        for (query, until, form) in cases {
            assert_eq!(parse(query), Ok(Directives { until, form }), "{query}");
        }
    }

    #[test]
    fn what_cannot_be_meant() {
        for query in [
            "_HLS_msn=-1",
            "_HLS_msn=",
            "_HLS_msn=1e3",
            "_HLS_msn=18446744073709551616",
            "_HLS_msn=1&_HLS_msn=1",
            "_HLS_part=1",
            "_HLS_msn=1&_HLS_part=x",
            "_HLS_skip=no",
        ] {
            assert!(parse(query).is_err(), "{query}");
        }
    }
}
