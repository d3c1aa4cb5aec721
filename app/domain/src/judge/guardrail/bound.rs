//! How far failures may exceed what is expected before chance no longer explains it, however often one looks.
//!
//! The excess S of the canary's failures over what they would be at the threshold, with variance V, is taken for a sub-exponential process
//! of scale c: exp(λS − Vψ(λ)) with ψ(λ) = (−ln(1 − cλ) − cλ)/c² is then no more than 1 on average at whatever moment one stops. A fixed
//! mixture of several λ keeps that, and Ville's inequality makes the boundary: the mixture reaches 1/α in no more than a share α of all
//! worthy canaries. See Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of
//! Statistics 49(2), 2021: sub-exponential uniform boundaries and discrete mixtures.
//!
//! Why this one. Failures are few and come in bursts, so that their sum is skewed: the asymptotic sequences of Waudby-Smith et al. want
//! many blocks before they hold, and a canary that fails wholly must be caught in one or two. Betting on block means is valid at once, but
//! knows nothing of how many requests a block has, and needs hundreds of blocks for a difference of points. A burst of φ requests that fail
//! together is what c stands for, and a gamma-Poisson count of such bursts has nearly this ψ. What is not given is exactness: V and φ are
//! estimated, so that the promised rate is measured by simulation (`benches/guardrail.rs`), not proven. Nor does Ville's inequality say
//! anything of what is forgotten: of a canary that lasts longer than counts reach back, the beginning falls out of the sum.

/// Of worthy canaries, the share that one metric may condemn, by whatever [part](super::spans) of what was counted; four metrics make 1 %
/// in all.
pub(super) const ALPHA: f64 = 0.01 / 4.0;

/// Of worthy canaries, the share that may be held for what the last minutes show. It is no promise, for these minutes are others at each
/// look: who is held wrongly only waits.
pub(super) const HOLDS: f64 = 0.05;

/// The mixture's λ, as cλ: large ones find a canary that fails wholly within seconds, small ones a difference of a point within an hour.
const LAMBDAS: [f64; 6] = [0.8, 0.5, 0.3, 0.15, 0.07, 0.03];

/// The least excess at which the mixture reaches 1/α. `variance` in requests², `scale` in requests, above 0.
pub(super) fn excess(variance: f64, scale: f64, alpha: f64) -> f64 {
    let ratio = variance / (scale * scale);
    // In units of the scale: exponent(x, s) = x·s − ratio·(−ln(1 − x) − x).
    let cost = |x: f64| ratio * (-(-x).ln_1p() - x);
    #[expect(clippy::cast_precision_loss, reason = "six of them")]
    let parts = LAMBDAS.len() as f64;
    let wanted = -alpha.ln();
    let alone = |at_least: f64| {
        LAMBDAS
            .iter()
            .map(|&x| (at_least + cost(x)) / x)
            .fold(f64::INFINITY, f64::min)
    };
    // The mean is at most its largest part, and at least a sixth of it.
    let (mut low, mut high) = (alone(wanted), alone(wanted + parts.ln()));
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        let sum: f64 = LAMBDAS
            .iter()
            .map(|&x| (x * middle - cost(x) - wanted).exp())
            .sum();
        if sum < parts {
            low = middle;
        } else {
            high = middle;
        }
    }
    high * scale
}

#[cfg(test)]
mod tests {
    use super::{ALPHA, LAMBDAS, excess};

    #[test]
    fn the_mixture_reaches_its_mark_exactly_at_the_boundary() {
        for (variance, scale) in [(0.0, 1.0), (4.0, 1.0), (900.0, 3.0), (1e6, 40.0)] {
            let at = |s: f64| -> f64 {
                let part = |x: f64| {
                    let lambda: f64 = x / scale;
                    let psi = (-(1.0 - scale * lambda).ln() - scale * lambda) / (scale * scale);
                    (lambda * s - variance * psi).exp() / 6.0
                };
                LAMBDAS.iter().map(|&x| part(x)).sum()
            };
            let s = excess(variance, scale, ALPHA);
            assert!((at(s) * ALPHA - 1.0).abs() < 1e-4, "{variance} {scale}");
        }
    }

    #[test]
    fn more_variance_larger_bursts_and_smaller_rates_want_more() {
        let base = excess(10.0, 2.0, 0.01);
        assert!(excess(20.0, 2.0, 0.01) > base);
        assert!(excess(10.0, 4.0, 0.01) > base);
        assert!(excess(10.0, 2.0, 0.001) > base);
        // Fewer than seven failures condemn nobody.
        assert!(excess(0.0, 1.0, ALPHA) > 7.0);
    }
}
