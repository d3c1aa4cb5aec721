//! Numbers and times as people read them: three significant digits, thousands apart, units with a space; ISO dates in UTC.
//!
//! Pure, the same on both sides, the same in both languages (digits and SI units need no translation; sentences do).

use naru_view::Millis;

/// Shown where a number is not known. Never a zero.
pub const UNKNOWN: &str = "–";

/// A whole number, thousands apart: `1,204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits, but never fewer than all before the decimal point: `0.0512`, `9.81`, `20.1`, `182`, `1,235`.
pub fn number(x: f64) -> String {
    if !x.is_finite() {
        return UNKNOWN.into();
    }
    if x < 0.0 {
        return format!("−{}", number(-x));
    }
    if x == 0.0 {
        return "0".into();
    }
    // Below this nothing that we measure means anything.
    if x < 0.0005 {
        return "<0.001".into();
    }
    // Rounding may carry into one more digit (9.996 is 10.0), so the digits are counted after it.
    for (decimals, below) in [(4_usize, 0.1), (3, 1.0), (2, 10.0), (1, 100.0)] {
        let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
        if (x * scale).round() / scale < below {
            return format!("{x:.decimals$}");
        }
    }
    count(x.round() as u64)
}

/// Three significant digits of what may be unknown.
pub fn maybe(x: Option<f64>) -> String {
    x.map_or_else(|| UNKNOWN.into(), number)
}

/// A share (0 to 1) in percent to two decimals, without the sign: `2.31`, `0`, `<0.01`, `100`.
pub fn percent(share: f64) -> String {
    let points = share * 100.0;
    if !points.is_finite() {
        UNKNOWN.into()
    } else if points <= 0.0 {
        "0".into()
    } else if points < 0.005 {
        "<0.01".into()
    } else if (99.995..100.0).contains(&points) {
        // 100 means all of them.
        ">99.99".into()
    } else if points >= 100.0 {
        "100".into()
    } else {
        format!("{points:.2}")
    }
}

/// A share of what may be unknown, with its sign: `2.31 %`.
pub fn percent_of(share: Option<f64>) -> String {
    share.map_or_else(|| UNKNOWN.into(), |share| format!("{} %", percent(share)))
}

/// Points (0 to 100) that were set rather than measured: `90`, `33.3`, `<0.1`, `>99.9`.
pub fn share(points: f64) -> String {
    if !points.is_finite() {
        UNKNOWN.into()
    } else if points > 0.0 && points < 0.05 {
        "<0.1".into()
    } else if (99.95..100.0).contains(&points) {
        ">99.9".into()
    } else if (points - points.round()).abs() < 1e-9 {
        format!("{points:.0}")
    } else {
        format!("{points:.1}")
    }
}

/// Points (0 to 100) to one decimal: `9.8`.
pub fn points(points: f64) -> String {
    if points.is_finite() {
        format!("{points:.1}")
    } else {
        UNKNOWN.into()
    }
}

/// A duration given in milliseconds: `9.21 ms`, `182 ms`, `1.24 s`.
pub fn duration(ms: f64) -> String {
    if !ms.is_finite() {
        UNKNOWN.into()
    } else if ms < 999.5 {
        format!("{} ms", number(ms))
    } else {
        format!("{} s", number(ms / 1000.0))
    }
}

/// A duration that may be unknown.
pub fn duration_of(ms: Option<f64>) -> String {
    ms.map_or_else(|| UNKNOWN.into(), duration)
}

/// Bytes in powers of 1024: `512 B`, `1.5 KiB`.
pub fn bytes(n: f64) -> String {
    let mut n = n;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if n < 1023.5 {
            return format!("{} {unit}", number(n));
        }
        n /= 1024.0;
    }
    format!("{} TiB", number(n))
}

/// Year, month, day, hour, minute, second in UTC. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (civil_from_days).
fn civil(at: Millis) -> (i64, i64, i64, i64, i64, i64) {
    let seconds = at.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, day, second / 3600, second / 60 % 60, second % 60)
}

/// For people: `2026-11-23 14:02:07 UTC`.
pub fn utc(at: Millis) -> String {
    let (year, month, day, hour, minute, second) = civil(at);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// A day in UTC: `2026-11-23`.
pub fn day(at: Millis) -> String {
    let (year, month, day, ..) = civil(at);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Time of day in UTC: `14:02:07`.
pub fn clock(at: Millis) -> String {
    let (.., hour, minute, second) = civil(at);
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// For machines (RFC 3339): `2026-11-23T14:02:07Z`.
pub fn iso(at: Millis) -> String {
    let (year, month, day, hour, minute, second) = civil(at);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{bytes, clock, count, day, duration, iso, maybe, number, percent, points, utc};

    #[test]
    fn three_significant_digits_and_honest_rounding() {
        for (x, text) in [
            (0.0, "0"),
            (0.0001, "<0.001"),
            (0.05123, "0.0512"),
            (0.5126, "0.513"),
            (0.9996, "1.00"),
            (9.806, "9.81"),
            (9.996, "10.0"),
            (20.06, "20.1"),
            (99.96, "100"),
            (182.4, "182"),
            (999.7, "1,000"),
            (1234.5, "1,235"),
            (1_234_567.0, "1,234,567"),
            (-2.5, "−2.50"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(number(x), text, "{x}");
        }
        assert_eq!(maybe(None), "–");
        assert_eq!(
            (count(0), count(999), count(1000)),
            ("0".into(), "999".into(), "1,000".into())
        );
    }

    #[test]
    fn no_error_is_hidden_and_nothing_is_called_all_that_is_not() {
        for (share, text) in [
            (0.0, "0"),
            (0.00001, "<0.01"),
            (0.0231, "2.31"),
            (0.99999, ">99.99"),
            (0.9999, "99.99"),
            (1.0, "100"),
        ] {
            assert_eq!(percent(share), text, "{share}");
        }
        assert_eq!(points(9.84), "9.8");
    }

    #[test]
    fn durations_are_milliseconds_below_a_second() {
        for (ms, text) in [
            (0.42, "0.420 ms"),
            (9.2, "9.20 ms"),
            (999.4, "999 ms"),
            (999.6, "1.00 s"),
            (1240.0, "1.24 s"),
        ] {
            assert_eq!(duration(ms), text, "{ms}");
        }
        assert_eq!((bytes(512.0), bytes(1536.0)), ("512 B".into(), "1.50 KiB".into()));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        // date -u -d @…
        for (at, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696_000, "2000-02-29T12:34:56Z"),
            (1_795_442_527_999, "2026-11-23T14:02:07Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(at), text, "{at}");
        }
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(clock(1_795_442_527_000), "14:02:07");
        assert_eq!(day(1_795_442_527_000), "2026-11-23");
    }
}
