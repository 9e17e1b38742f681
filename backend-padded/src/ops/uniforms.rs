//! Random numbers that are counted, not carried on: every chain, step and draw has its own, on any device.

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use crate::cuda;
use crate::memory::with_numbers;

/// What a chain draws in a step: whether it accepts, which site, pair or state it goes to, the kind of move, and how far the
/// site is shifted.
pub(crate) const ACCEPT: usize = 0;
pub(crate) const PLACE: usize = 1;
pub(crate) const KIND: usize = 2;
pub(crate) const SHIFT: usize = 3;
/// The number of these draws.
#[doc(hidden)]
pub const N_DRAWS: usize = 4;

/// Philox4x32-10, the generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC'11).
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
    /// The golden ratio, and √3 − 1.
    const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
    for _ in 0..10 {
        let [a, b] = [0, 1].map(|k| u64::from(MULTIPLIERS[k]) * u64::from(counter[2 * k]));
        let high = |product: u64| (product >> 32) as u32;
        counter = [high(b) ^ counter[1] ^ key[0], b as u32, high(a) ^ counter[3] ^ key[1], a as u32];
        key = [0, 1].map(|k| key[k].wrapping_add(WEYL[k]));
    }
    counter
}

/// The two numbers of a block of draws.
fn block(key: u64, step: u32, block: u32) -> [f64; 2] {
    let words = philox([step, 0, block, 0], [key as u32, (key >> 32) as u32]);
    [0, 1].map(|k| {
        let bits = u64::from(words[2 * k]) | u64::from(words[2 * k + 1]) << 32;
        // A double precision number has 53 bits.
        (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    })
}

/// The keys of chains on a device, shape `(n_chains,)`, for [`uniforms`].
///
/// # Errors
/// If the device fails.
pub fn keys(keys: &[u64], device: &Device) -> Result<Tensor> {
    // Candle has no u64.
    let keys: Vec<i64> = keys.iter().map(|key| key.cast_signed()).collect();
    let n = keys.len();
    Tensor::from_vec(keys, n, device)
}

/// Numbers from 0 to below 1, uniform and independent, shape `(n_chains, n_draws)`, f64, on the device of the keys.
///
/// A number depends only on its chain's key, the step and its column; all devices give the same bits. Steps are below 2³².
///
/// # Errors
/// If the device fails.
pub fn uniforms(keys: &Tensor, step: usize, n_draws: usize) -> Result<Tensor> {
    let (n_chains, step) = (keys.dims1()?, u32::try_from(step)?);
    #[cfg(feature = "cuda")]
    if keys.device().is_cuda() {
        return cuda::uniforms(keys, step, n_draws);
    }
    let mut numbers = vec![0.0; n_chains * n_draws];
    if !numbers.is_empty() {
        let host = keys.to_device(&Device::Cpu)?.contiguous()?;
        with_numbers(&host, |keys: &[i64]| {
            numbers.par_chunks_exact_mut(n_draws).zip(keys).with_min_len(64).for_each(|(draws, key)| {
                for (k, draws) in draws.chunks_mut(2).enumerate() {
                    let pair = block(key.cast_unsigned(), step, k as u32);
                    draws.copy_from_slice(&pair[..draws.len()]);
                }
            });
        })?;
    }
    Tensor::from_vec(numbers, (n_chains, n_draws), keys.device())
}

/// A number below `n` from a uniform number; 0 if `n` is 0.
pub(super) fn below(uniform: f64, n: u32) -> u32 {
    // The product may round up to n.
    ((uniform * f64::from(n)) as u32).min(n.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the Random123 distribution (`kat_vectors`).
    #[test]
    fn philox_gives_the_known_answers() {
        let zeros = philox([0; 4], [0; 2]);
        assert_eq!(zeros, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = philox([u32::MAX; 4], [u32::MAX; 2]);
        assert_eq!(ones, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        let of_pi = philox(pi, [0xa409_3822, 0x299f_31d0]);
        assert_eq!(of_pi, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn numbers_depend_on_their_chain_step_and_draw_alone() -> Result<()> {
        let all = [3, u64::MAX, 1 << 40, 8];
        let of = |range: std::ops::Range<usize>, step, n_draws| -> Result<Vec<Vec<f64>>> {
            uniforms(&keys(&all[range], &Device::Cpu)?, step, n_draws)?.to_vec2()
        };
        let numbers = of(0..4, 5, 7)?;
        assert_eq!(of(1..3, 5, 7)?, numbers[1..3]);
        let fewer = of(0..4, 5, 3)?;
        assert!(fewer.iter().zip(&numbers).all(|(few, all)| few[..] == all[..3]));
        let mut seen: Vec<f64> = numbers.into_iter().chain(of(0..4, 6, 7)?).flatten().collect();
        assert!(seen.iter().all(|u| (0.0..1.0).contains(u)));
        seen.sort_by(f64::total_cmp);
        seen.dedup();
        assert_eq!(seen.len(), 2 * 4 * 7);
        Ok(())
    }

    /// Three standard deviations of the mean of 40 000 numbers, and of their squares; other seeds fail with a probability
    /// of 0.6 %.
    #[test]
    fn numbers_are_uniform() -> Result<()> {
        let chains: Vec<u64> = (0..1000).collect();
        let numbers = uniforms(&keys(&chains, &Device::Cpu)?, 0, 40)?.flatten_all()?.to_vec1::<f64>()?;
        let mean = |f: fn(f64) -> f64| numbers.iter().map(|&u| f(u)).sum::<f64>() / 40_000.0;
        assert!((mean(|u| u) - 0.5).abs() < 3.0 * (1.0 / 12.0f64 / 40_000.0).sqrt());
        assert!((mean(|u| u * u) - 1.0 / 3.0).abs() < 3.0 * (4.0 / 45.0f64 / 40_000.0).sqrt());
        Ok(())
    }

    #[test]
    fn numbers_below_a_bound_stay_below_it() {
        let largest = 1.0 - f64::EPSILON / 2.0;
        for n in [1, 2, 3, 100, u32::MAX] {
            assert_eq!((below(0.0, n), below(largest, n)), (0, n - 1));
        }
        assert_eq!(below(0.7, 0), 0);
    }
}
