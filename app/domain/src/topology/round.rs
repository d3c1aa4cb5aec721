//! Rounding, done before views are compared: what looks equal is equal.

/// To three significant digits. What is no number, or negative, becomes 0.
pub(crate) fn significant(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 0.0;
    }
    let exponent = value.log10().floor();
    if !(-12.0..=15.0).contains(&exponent) {
        return if exponent < 0.0 { 0.0 } else { value };
    }
    // Powers of ten up to 22 are exact as f64, so multiplying or dividing a whole number by one gives the nearest decimal.
    let scale = 2 - exponent as i32;
    if scale >= 0 {
        let power = 10_f64.powi(scale);
        (value * power).round() / power
    } else {
        let power = 10_f64.powi(-scale);
        (value / power).round() * power
    }
}

/// A share to four decimals, within 0 and 1; None where there is nothing to divide by.
pub(crate) fn share(part: f64, whole: f64) -> Option<f64> {
    let share = part / whole;
    (whole > 0.0 && share.is_finite()).then(|| (share.clamp(0.0, 1.0) * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::{share, significant};
    use proptest::prelude::{any, prop_assert, proptest};

    #[test]
    fn three_digits() {
        let table = [
            (0.0, 0.0),
            (1.2345, 1.23),
            (1234.5, 1230.0),
            (0.000_123_45, 0.000_123),
            (999.9, 1000.0),
            (9.996, 10.0),
            (0.1 + 0.2, 0.3),
            (99.949, 99.9),
            (f64::NAN, 0.0),
            (f64::INFINITY, 0.0),
            (-3.0, 0.0),
            (1e-300, 0.0),
        ];
        for (value, expected) in table {
            assert_eq!(significant(value), expected, "{value}");
        }
    }

    #[test]
    fn shares() {
        assert_eq!(share(1.0, 3.0), Some(0.3333));
        assert_eq!(share(1.0, 0.0), None);
        assert_eq!(share(f64::NAN, 1.0), None);
        assert_eq!(share(2.0, 1.0), Some(1.0));
    }

    proptest! {
        #[test]
        fn rounding_twice_is_rounding_once(value in any::<f64>()) {
            let once = significant(value);
            prop_assert!(significant(once) == once);
            if (1e-9..1e12).contains(&value) {
                prop_assert!((once - value).abs() <= value * 0.005_001);
            }
        }
    }
}
