//! Delta updates: what a player makes of one and of the load it has (rfc8216bis §6.2.5.1).

use super::load::Load;

/// A playlist's lines by what they belong to.
struct Lines<'a> {
    header: Vec<&'a str>,
    /// Each ends with its URI, but for the open one.
    segments: Vec<Vec<&'a str>>,
    edge: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let mut lines = Self {
            header: Vec::new(),
            segments: Vec::new(),
            edge: Vec::new(),
        };
        let mut open: Vec<&str> = Vec::new();
        let of_segment = |line: &str| {
            let tags = [
                "#EXT-X-DISCONTINUITY\n",
                "#EXT-X-MAP:",
                "#EXT-X-PROGRAM-DATE-TIME:",
            ];
            tags.iter().any(|tag| line.starts_with(tag))
        };
        let of_edge = |line: &str| {
            let tags = [
                "#EXT-X-PRELOAD-HINT:",
                "#EXT-X-RENDITION-REPORT:",
                "#EXT-X-ENDLIST",
            ];
            tags.iter().any(|tag| line.starts_with(tag))
        };
        for line in text.split_inclusive('\n') {
            if of_edge(line) {
                lines.edge.push(line);
            } else if open.is_empty() && lines.segments.is_empty() && !of_segment(line) {
                lines.header.push(line);
            } else {
                open.push(line);
                if !line.starts_with('#') {
                    lines.segments.push(std::mem::take(&mut open));
                }
            }
        }
        if !open.is_empty() {
            lines.segments.push(open);
        }
        lines
    }
}

fn is_map(line: &str) -> bool {
    line.starts_with("#EXT-X-MAP:")
}

/// The whole text that `delta` stands for, to somebody who has `base`.
///
/// # Panics
/// It skips what is not in `base`.
pub fn merged(base: &Load, delta: &str) -> String {
    let read = Load::read(delta);
    let (old, new) = (Lines::of(&base.text), Lines::of(delta));
    let removed = read.sequence.checked_sub(base.sequence);
    let removed = removed.expect("numbers do not step back");
    let removed = usize::try_from(removed).expect("small");
    let skipped = usize::try_from(read.skipped).expect("small");
    let kept = old.segments.get(removed..removed + skipped);
    let kept =
        kept.unwrap_or_else(|| panic!("{}\ndoes not have what is skipped in\n{delta}", base.text));
    let header = new
        .header
        .iter()
        .filter(|line| !line.starts_with("#EXT-X-SKIP:"));
    let mut text: String = header.copied().collect();
    // The init section in force where the list begins now.
    let gone = old.segments[..removed].iter().flatten();
    let mut map = gone.copied().rfind(|line| is_map(line));
    for segment in kept.iter().chain(&new.segments) {
        let begins = segment
            .iter()
            .take_while(|line| **line == "#EXT-X-DISCONTINUITY\n");
        let (front, rest) = segment.split_at(begins.count());
        text.extend(front.iter().copied());
        if let Some(map) = map
            .take()
            .filter(|_| !segment.iter().any(|line| is_map(line)))
        {
            text.push_str(map);
        }
        text.extend(rest.iter().copied());
    }
    text.extend(new.edge.iter().copied());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "#EXTM3U\n#EXT-X-VERSION:9\n";
    const DATE: &str = "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:01:22.000Z\n";

    fn segment(name: &str) -> String {
        format!("{DATE}#EXTINF:1.000,\n{name}\n")
    }

    #[test]
    fn what_is_skipped_comes_from_the_load_before_with_its_init_section() {
        let (a, b, c, d) = (segment("a"), segment("b"), segment("c"), segment("d"));
        let map = "#EXT-X-MAP:URI=\"i\"\n";
        let sequence = |number| format!("{HEADER}#EXT-X-MEDIA-SEQUENCE:{number}\n");
        let base = Load::read(&format!("{}{map}{a}{b}{c}", sequence(7)));
        let delta = format!("{}#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n{d}", sequence(8));
        let whole = format!("{}{map}{b}{c}{d}", sequence(8));
        assert_eq!(merged(&base, &delta), whole);
    }
}
