//! Chance that is the same on every machine and in every version.
//!
//! The generator is SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014), written here
//! because `rand` promises for none of its small generators that a later version draws the same.

/// A stream of draws.
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The stream of this seed for this purpose or moment: independent of how many others were drawn before.
    pub(crate) fn new(seed: u64, moment: u64) -> Self {
        let mut first = Self(seed);
        Self(first.bits() ^ moment.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 (included) to 1 (not included), evenly.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `n`, evenly; 0 for an empty choice.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.bits() % n).unwrap_or(0)
    }

    /// How many arrive when `mean` (up to some hundreds) arrive on average and independently: Poisson, by Knuth's product.
    pub(crate) fn arrivals(&mut self, mean: f64) -> u32 {
        let (mut n, mut left) = (0, mean.max(0.0));
        // In parts, since exp(-mean) of a large mean is 0.
        while left > 0.0 {
            let part = left.min(16.0);
            left -= part;
            let (limit, mut product) = ((-part).exp(), self.unit());
            while product > limit {
                n += 1;
                product *= self.unit();
            }
        }
        n
    }

    /// A duration around `mean`: never below half of it, with a long tail, as response times have.
    pub(crate) fn duration(&mut self, mean: f64) -> f64 {
        mean * (0.5 - 0.5 * (1.0 - self.unit()).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;

    #[test]
    fn it_draws_what_the_paper_draws() {
        // The reference implementation's first outputs for the seed 1234567.
        let mut draw = Draw(1_234_567);
        assert_eq!(
            [draw.bits(), draw.bits()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
    }

    #[test]
    fn means_are_kept() {
        let mut draw = Draw::new(1, 2);
        let n = 20_000;
        let mean = |sum: f64| sum / f64::from(n);
        let arrivals = mean((0..n).map(|_| f64::from(draw.arrivals(20.0))).sum());
        assert!((19.8..20.2).contains(&arrivals), "{arrivals}");
        let durations = mean((0..n).map(|_| draw.duration(10.0)).sum());
        assert!((9.8..10.2).contains(&durations), "{durations}");
    }
}
