//! Figures as advice has them.

use media::MediaTime;

/// `0.3 s`, `10.0 s`, `250 s`.
pub(crate) fn seconds(span: MediaTime) -> String {
    let seconds = span.as_secs_f64();
    if seconds.abs() < 100.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}

/// `2 s`, `2.5 s`: a length that somebody has set.
pub(crate) fn set_seconds(span: MediaTime) -> String {
    format!("{} s", (span.as_secs_f64() * 100.0).round() / 100.0)
}

/// `850 kbit/s`, `5.2 Mbit/s`.
pub(crate) fn bit_rate(bits_per_second: f64) -> String {
    if bits_per_second < 999_500.0 {
        format!("{:.0} kbit/s", bits_per_second / 1e3)
    } else {
        format!("{:.1} Mbit/s", bits_per_second / 1e6)
    }
}

/// `1 jump`, `3 jumps`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_as_many_digits_as_help() {
        let said = [
            seconds(MediaTime::from_millis(10_020)),
            seconds(MediaTime::from_millis(250_400)),
            set_seconds(MediaTime::from_millis(2_000)),
            set_seconds(MediaTime::from_millis(2_500)),
            bit_rate(850_000.0),
            bit_rate(5_249_000.0),
            count(1, "jump", "jumps"),
            count(0, "jump", "jumps"),
        ];
        assert_eq!(
            said,
            [
                "10.0 s",
                "250 s",
                "2 s",
                "2.5 s",
                "850 kbit/s",
                "5.2 Mbit/s",
                "1 jump",
                "0 jumps"
            ]
        );
    }
}
