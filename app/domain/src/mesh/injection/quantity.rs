//! Kubernetes' quantities (`100m`, `1Gi`, `2e3`), in thousandths (Kubernetes reference, `Quantity`).

/// Thousandths, rounded up; None for what is no quantity, is negative or is beyond 2^100.
pub(super) fn milli(text: &str) -> Option<i128> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && part.is_empty()) || whole.len() + part.len() > 24 || part.contains('.') {
        return None;
    }
    let digits: i128 = format!("{whole}{part}").parse().ok()?;
    let scale = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let (times, over) = unit(suffix)?;
    let above = digits.checked_mul(times)?.checked_mul(1000)?;
    let below = scale.checked_mul(over)?;
    Some(above / below + i128::from(above % below != 0))
}

/// What a suffix multiplies by, and divides by.
fn unit(suffix: &str) -> Option<(i128, i128)> {
    let binary = |power: u32| Some((1024_i128.pow(power), 1));
    let decimal = |power: u32| Some((1000_i128.pow(power), 1));
    match suffix {
        "" => Some((1, 1)),
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "k" => decimal(1),
        "M" => decimal(2),
        "G" => decimal(3),
        "T" => decimal(4),
        "P" => decimal(5),
        "E" => decimal(6),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        exponent => {
            let exponent: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128
                .checked_pow(exponent.unsigned_abs())
                .filter(|_| exponent.abs() <= 18)?;
            Some(if exponent < 0 { (1, power) } else { (power, 1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::milli;

    #[test]
    fn quantities_are_read_in_thousandths_and_rounded_up() {
        let table = [
            ("1", Some(1000)),
            ("100m", Some(100)),
            ("0.1", Some(100)),
            (".5", Some(500)),
            ("1.", Some(1000)),
            ("1u", Some(1)),
            ("1n", Some(1)),
            ("2k", Some(2_000_000)),
            ("1M", Some(1_000_000_000)),
            ("1Ki", Some(1_024_000)),
            ("128Mi", Some(134_217_728_000)),
            ("1Gi", Some(1_073_741_824_000)),
            ("1.5Ki", Some(1_536_000)),
            ("2e3", Some(2_000_000)),
            ("2E-3", Some(2)),
            ("1E", Some(1_000_000_000_000_000_000_000)),
            ("0", Some(0)),
            ("", None),
            (".", None),
            ("m", None),
            ("-1", None),
            ("1.2.3", None),
            ("1x", None),
            ("1e99", None),
            ("9999999999999999999999999", None),
        ];
        for (text, expected) in table {
            assert_eq!(milli(text), expected, "{text:?}");
        }
    }
}
