//! The arithmetic of weights: as shares, and as linked sliders, which are integers from 0 to 100 that always add up to 100.

/// What the weights of a rule add up to.
pub const TOTAL: u32 = 100;

/// Sets `weights[index]` to `wanted` and spreads the difference over the others that are not `locked`, in proportion to what they
/// have (evenly if they have nothing), so that the sum is [`TOTAL`] again. What the unlocked others cannot give or take is cut from
/// `wanted`. Rounding is by largest remainder, ties to the earlier, so the result depends on nothing but the input.
///
/// An `index` out of range leaves the weights as they are. `locked` may be shorter than `weights`; missing entries are unlocked.
pub fn link(weights: &mut [u32], locked: &[bool], index: usize, wanted: u32) {
    if index >= weights.len() {
        return;
    }
    let is_locked = |i: usize| locked.get(i).copied().unwrap_or(false);
    let held: u32 = (0..weights.len())
        .filter(|&i| i != index && is_locked(i))
        .map(|i| weights[i])
        .sum();
    let room = TOTAL.saturating_sub(held);
    let others: Vec<usize> = (0..weights.len())
        .filter(|&i| i != index && !is_locked(i))
        .collect();
    let wanted = if others.is_empty() { room } else { wanted.min(room) };
    weights[index] = wanted;
    let rest = room - wanted;
    let shares: Vec<u32> = others.iter().map(|&i| weights[i]).collect();
    for (&i, share) in others.iter().zip(apportion(rest, &shares)) {
        weights[i] = share;
    }
}

/// Splits `total` in proportion to `shares` by largest remainder; evenly if all shares are zero.
pub fn apportion(total: u32, shares: &[u32]) -> Vec<u32> {
    if shares.is_empty() {
        return Vec::new();
    }
    let sum: u64 = shares.iter().map(|&s| u64::from(s)).sum();
    let even = vec![1_u32; shares.len()];
    let (shares, sum) = if sum == 0 {
        (even.as_slice(), even.len() as u64)
    } else {
        (shares, sum)
    };
    let exact = |s: u32| u64::from(total) * u64::from(s);
    let mut parts: Vec<u32> = shares
        .iter()
        .map(|&s| u32::try_from(exact(s) / sum).unwrap_or(u32::MAX))
        .collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(exact(shares[i]) % sum), i));
    let missing = total - parts.iter().sum::<u32>();
    for &i in order.iter().take(missing as usize) {
        parts[i] += 1;
    }
    parts
}

/// Each weight's share of all, in points, 0 to 100; all 0 if none has any.
pub fn shares(weights: &[u32]) -> Vec<f64> {
    let total: f64 = weights.iter().map(|&it| f64::from(it)).sum();
    let share = |&it: &u32| {
        if total > 0.0 {
            100.0 * f64::from(it) / total
        } else {
            0.0
        }
    };
    weights.iter().map(share).collect()
}

/// The same in whole points that add up to [`TOTAL`], by largest remainder; all 0 if no weight is any. What adds up to it already stays.
pub fn points(weights: &[u32]) -> Vec<u32> {
    if weights.iter().all(|&it| it == 0) {
        return weights.to_vec();
    }
    apportion(TOTAL, weights)
}

#[cfg(test)]
mod tests {
    use super::{TOTAL, apportion, link, points, shares};
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    fn linked(weights: &[u32], locked: &[bool], index: usize, wanted: u32) -> Vec<u32> {
        let mut weights = weights.to_vec();
        link(&mut weights, locked, index, wanted);
        weights
    }

    #[test]
    fn two_destinations_mirror_each_other() {
        assert_eq!(linked(&[90, 10], &[], 1, 50), [50, 50]);
        assert_eq!(linked(&[90, 10], &[], 0, 100), [100, 0]);
        assert_eq!(linked(&[100, 0], &[], 0, 99), [99, 1]);
    }

    #[test]
    fn a_third_that_is_locked_stays_and_limits() {
        assert_eq!(linked(&[70, 10, 20], &[false, false, true], 1, 30), [50, 30, 20]);
        assert_eq!(linked(&[70, 10, 20], &[false, false, true], 1, 95), [0, 80, 20]);
    }

    #[test]
    fn one_alone_is_always_all() {
        assert_eq!(linked(&[100], &[], 0, 40), [100]);
        assert_eq!(linked(&[60, 40], &[false, true], 0, 10), [60, 40]);
    }

    #[test]
    fn out_of_range_changes_nothing() {
        assert_eq!(linked(&[90, 10], &[], 7, 50), [90, 10]);
    }

    #[test]
    fn shares_are_of_whatever_the_weights_add_up_to() {
        assert_eq!(shares(&[9, 1]), [90.0, 10.0]);
        assert_eq!(points(&[9, 1]), [90, 10]);
        assert_eq!(points(&[1, 1, 1]), [34, 33, 33]);
        assert_eq!(points(&[1_000_000; 16]).iter().sum::<u32>(), TOTAL);
        for none in [&[][..], &[0, 0]] {
            assert_eq!(points(none), none);
            assert!(shares(none).iter().all(|it| *it == 0.0));
        }
    }

    #[test]
    fn zeros_share_evenly() {
        assert_eq!(apportion(100, &[0, 0, 0]), [34, 33, 33]);
        assert_eq!(apportion(5, &[]), Vec::<u32>::new());
    }

    proptest! {
        #[test]
        fn points_are_the_shares_to_less_than_one(weights in prop::collection::vec(0_u32..=1_000_000, 1..16)) {
            for (point, share) in points(&weights).into_iter().zip(shares(&weights)) {
                prop_assert!((f64::from(point) - share).abs() < 1.0);
            }
            let whole = points(&weights);
            prop_assert_eq!(points(&whole), whole);
        }

        #[test]
        fn the_sum_is_always_the_total(
            shares in prop::collection::vec(0_u32..=100, 1..6),
            locks in prop::collection::vec(any::<bool>(), 0..6),
            index in 0_usize..6,
            wanted in 0_u32..=200,
        ) {
            let mut weights = apportion(TOTAL, &shares);
            let before = weights.clone();
            link(&mut weights, &locks, index, wanted);
            prop_assert_eq!(weights.iter().sum::<u32>(), TOTAL);
            for (i, locked) in locks.iter().enumerate().take(weights.len()) {
                if *locked && i != index {
                    prop_assert_eq!(weights[i], before[i]);
                }
            }
            if index < weights.len() {
                prop_assert!(weights[index] <= wanted.max(before[index]) || locks.iter().any(|&l| l) || weights.len() == 1);
            }
        }
    }
}
