//! Chance, seeded: the same run on every machine.

use rand::{Rng, SeedableRng, rngs::SmallRng};

pub(crate) struct Chance(SmallRng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SmallRng::seed_from_u64(seed))
    }

    /// True with this probability.
    pub(crate) fn is(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// Box and Muller's.
    pub(crate) fn normal(&mut self) -> f64 {
        let (one, other): (f64, f64) = (self.0.random(), self.0.random());
        (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos()
    }

    /// Exact below a mean of 30 (gaps between events), above it rounded from the normal.
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 30.0 {
            return count(mean + mean.sqrt() * self.normal(), f64::INFINITY);
        }
        let (mut n, mut at) = (0, 0.0);
        loop {
            at -= (1.0 - self.0.random::<f64>()).ln();
            if at > mean {
                return n;
            }
            n += 1;
        }
    }

    /// Exact below a mean of 30 (geometric gaps), above it rounded from the normal.
    pub(crate) fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if n == 0 || p <= 0.0 {
            return 0;
        }
        if p >= 1.0 {
            return n;
        }
        let of = float(n);
        if of * p > 30.0 {
            return count(of * p + (of * p * (1.0 - p)).sqrt() * self.normal(), of);
        }
        let (mut hits, mut at) = (0, 0.0);
        loop {
            at += ((1.0 - self.0.random::<f64>()).ln() / (-p).ln_1p()).floor() + 1.0;
            if at > of {
                return hits;
            }
            hits += 1;
        }
    }

    /// A share around `p` such that two requests under it are correlated by `related`: the beta-binomial's.
    pub(crate) fn beta(&mut self, p: f64, related: f64) -> f64 {
        if p <= 0.0 {
            return 0.0;
        }
        let p = p.min(0.99);
        let size = (1.0 - related) / related;
        let (one, other) = (self.gamma(p * size), self.gamma((1.0 - p) * size));
        if one + other > 0.0 {
            one / (one + other)
        } else {
            0.0
        }
    }

    /// G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", 2000; scale 1.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let lift = self.0.random::<f64>().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * lift;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            let u: f64 = 1.0 - self.0.random::<f64>();
            if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "kept between 0 and a count"
)]
fn count(x: f64, most: f64) -> u64 {
    x.round().clamp(0.0, most) as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(crate) fn float(n: u64) -> f64 {
    n as f64
}
