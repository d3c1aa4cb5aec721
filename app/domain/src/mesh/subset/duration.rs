//! Durations as Istio's resources write them: Go's form, such as `1h30m`, `1.5s` or `100ms`.

/// Whole milliseconds; None for what is no duration, negative ones included.
pub(crate) fn millis(text: &str) -> Option<u64> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(number);
        let unit = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit);
        nanos = nanos.checked_add(nanos_of(number, unit)?)?;
        rest = next;
    }
    u64::try_from(nanos / 1_000_000).ok()
}

fn nanos_of(number: &str, unit: &str) -> Option<u128> {
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| -> Option<u128> {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse().ok()
        }
    };
    // Nine digits are nanoseconds of a second; what comes after them is less than a millisecond of anything.
    let fraction = fraction.get(..fraction.len().min(9))?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let whole = digits(whole)?.checked_mul(unit)?;
    whole.checked_add(digits(fraction)?.checked_mul(unit)? / scale)
}

#[cfg(test)]
mod tests {
    use super::millis;
    use proptest::prelude::*;

    #[test]
    fn gos_forms_are_read() {
        for (text, expected) in [
            ("10s", Some(10_000)),
            ("1.5s", Some(1_500)),
            (".5s", Some(500)),
            ("1.s", Some(1_000)),
            ("100ms", Some(100)),
            ("2500us", Some(2)),
            ("2500µs", Some(2)),
            ("3000000ns", Some(3)),
            ("1h30m", Some(5_400_000)),
            ("1m0.25s", Some(60_250)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("+2s", Some(2_000)),
            ("1.0000000004s", Some(1_000)),
            ("0.00833333333h", Some(29_999)),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_duration() {
        for text in [
            "", "+", "s", ".s", "10", "10 s", "-1s", "1.2.3s", "1d", "1s2", "한", "1S",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
        assert_eq!(millis("99999999999999999999999999999999999999999h"), None);
    }

    proptest! {
        #[test]
        fn milliseconds_come_back(ms in 0_u64..10_000_000) {
            prop_assert_eq!(millis(&format!("{ms}ms")), Some(ms));
            prop_assert_eq!(millis(&format!("{}.{:03}s", ms / 1000, ms % 1000)), Some(ms));
        }

        #[test]
        fn nothing_panics(text in "[0-9.hmsunµ+-]{0,40}") {
            let _ = millis(&text);
        }
    }
}
