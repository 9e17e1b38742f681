//! Moves that change one site or exchange two, for chains that stay on a device.

use candle_core::{DType, Device, Result, Tensor, bail};
use operator_core::HilbertSpace;
use operator_core::hilbert::LocalStates;
use rayon::prelude::*;

use super::uniforms::{KIND, N_DRAWS, PLACE, SHIFT, below};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::memory::with_numbers;

/// Moves of several kinds on a space. A kind is drawn first, then one of its moves.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct SiteMoves {
    tables: MoveTables,
    device: Device,
    #[cfg(feature = "cuda")]
    on_device: Option<cuda::MoveTables>,
}

/// What a move is drawn from.
#[derive(Clone, Debug)]
pub(crate) struct MoveTables {
    /// A kind is taken if a uniform number is below its limit, and none before it was; the last one, otherwise.
    pub(crate) limits: Vec<f64>,
    /// The pairs of kind k end here, and those of the next one begin. A kind without pairs changes one site.
    pub(crate) ends: Vec<u32>,
    pub(crate) pairs: Vec<[u32; 2]>,
    /// First quantum number, step and number of the local states of each site.
    pub(crate) locals: Vec<[i32; 3]>,
}

impl SiteMoves {
    /// Kinds with their probabilities, which add up to 1: a kind with pairs exchanges the sites of one of them; one without
    /// changes a site to another of its local states. All are drawn uniformly.
    ///
    /// # Errors
    /// For no kinds, pairs of sites that do not exist, or if the device fails.
    pub fn new<'a>(
        hilbert: &HilbertSpace,
        kinds: impl IntoIterator<Item = (f64, &'a [[usize; 2]])>,
        device: &Device,
    ) -> Result<Self> {
        let of_site = |local: LocalStates| -> Result<[i32; 3]> {
            Ok([local.first().into(), local.step().into(), i32::try_from(local.dim())?])
        };
        let sites = hilbert.blocks().iter().flat_map(|block| block.sites().map(|_| block.local()));
        let locals = sites.map(of_site).collect::<Result<Vec<_>>>()?;
        let (mut limits, mut ends, mut pairs, mut sum) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
        for (probability, of_kind) in kinds {
            for &[a, b] in of_kind {
                if a.max(b) >= locals.len() {
                    bail!("sites {a} and {b} are exchanged; there are {} sites", locals.len());
                }
                pairs.push([a as u32, b as u32]);
            }
            sum += probability;
            limits.push(sum);
            ends.push(u32::try_from(pairs.len())?);
        }
        if limits.is_empty() || locals.is_empty() {
            bail!("there are {} kinds of moves on {} sites; expected some", limits.len(), locals.len());
        }
        let tables = MoveTables { limits, ends, pairs, locals };
        Ok(SiteMoves {
            #[cfg(feature = "cuda")]
            on_device: device.is_cuda().then(|| cuda::MoveTables::new(&tables, device)).transpose()?,
            tables,
            device: device.clone(),
        })
    }

    /// Where the draws of each row of `uniforms`, shape `(n_chains, 4)`, lead from the same row of `x`, states of the space
    /// in f32: shape `(n_chains, n_sites)`.
    ///
    /// # Errors
    /// For other shapes and types, or if the device fails.
    pub fn propose(&self, x: &Tensor, uniforms: &Tensor) -> Result<Tensor> {
        let (n_chains, n_sites) = x.dims2()?;
        if n_sites != self.tables.locals.len() || uniforms.dims() != [n_chains, N_DRAWS] {
            bail!("no moves from {:?} by {:?} numbers", x.dims(), uniforms.dims());
        }
        if (x.dtype(), uniforms.dtype()) != (DType::F32, DType::F64) {
            bail!("no moves from {:?} by numbers of {:?}; expected f32 and f64", x.dtype(), uniforms.dtype());
        }
        let (x, uniforms) = (x.contiguous()?, uniforms.contiguous()?);
        #[cfg(feature = "cuda")]
        if let Some(tables) = &self.on_device {
            return tables.propose(&x, &uniforms);
        }
        let mut proposed = vec![0f32; n_chains * n_sites];
        let [x, uniforms] = [x, uniforms].map(|tensor| tensor.to_device(&Device::Cpu));
        let (x, uniforms) = (x?, uniforms?);
        with_numbers(&x, |x: &[f32]| {
            with_numbers(&uniforms, |uniforms: &[f64]| {
                let chains = x.par_chunks_exact(n_sites).zip(uniforms.par_chunks_exact(N_DRAWS));
                let rows = proposed.par_chunks_exact_mut(n_sites).zip(chains).with_min_len(64);
                rows.for_each(|(row, (x, draws))| {
                    row.copy_from_slice(x);
                    self.tables.change(draws, row);
                });
            })
        })??;
        Tensor::from_vec(proposed, (n_chains, n_sites), &self.device)
    }
}

impl MoveTables {
    fn change(&self, draws: &[f64], x: &mut [f32]) {
        let last = self.limits.len() - 1;
        let kind = self.limits[..last].iter().position(|&limit| draws[KIND] < limit).unwrap_or(last);
        let (first, end) = (if kind == 0 { 0 } else { self.ends[kind - 1] }, self.ends[kind]);
        if first < end {
            let [a, b] = self.pairs[(first + below(draws[PLACE], end - first)) as usize];
            return x.swap(a as usize, b as usize);
        }
        let site = below(draws[PLACE], x.len() as u32) as usize;
        let [first, step, dim] = self.locals[site];
        if dim > 1 {
            let shift = 1 + below(draws[SHIFT], (dim - 1).unsigned_abs()) as i32;
            let index = ((x[site] as i32 - first) / step + shift) % dim;
            x[site] = (first + step * index) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use operator_core::hilbert::{Fock, Qubit, Spin};

    use super::*;

    /// How often each row comes, in parts of 1, when all draws take `n` equally distant values.
    fn proposals(moves: &SiteMoves, x: &[i8], n: usize) -> Result<BTreeMap<Vec<i64>, f64>> {
        let at = |k: usize| (k as f64 + 0.5) / n as f64;
        let draws: Vec<f64> =
            (0..n.pow(3)).flat_map(|k| [0.0, at(k % n), at(k / n % n), at(k / n / n)]).collect();
        let n_chains = draws.len() / N_DRAWS;
        let draws = Tensor::from_vec(draws, (n_chains, N_DRAWS), &Device::Cpu)?;
        let x: Vec<f32> = x.iter().map(|&q| q.into()).collect();
        let x = Tensor::from_slice(&x, (1, x.len()), &Device::Cpu)?.broadcast_as((n_chains, x.len()))?;
        let mut rows = BTreeMap::new();
        for row in moves.propose(&x, &draws)?.to_dtype(DType::I64)?.to_vec2()? {
            *rows.entry(row).or_default() += 1.0 / n_chains as f64;
        }
        Ok(rows)
    }

    fn expect(got: &BTreeMap<Vec<i64>, f64>, expected: &[(&[i64], f64)]) {
        assert_eq!(got.len(), expected.len(), "{got:?}");
        for (row, probability) in expected {
            assert!((got[*row] - probability).abs() < 1e-12, "{row:?}: {got:?}");
        }
    }

    #[test]
    fn sites_change_to_each_of_their_other_local_states() -> Result<()> {
        let hilbert = HilbertSpace::from(Spin::new(1.0, 2).unwrap());
        let hilbert = (hilbert * Qubit::new(1).unwrap()).unwrap();
        let moves = SiteMoves::new(&hilbert, [(1.0, &[][..])], &Device::Cpu)?;
        let (sixth, third) = (1.0 / 6.0, 1.0 / 3.0);
        let expected: [(&[i64], f64); 5] = [
            (&[0, -2, 1], sixth),
            (&[-2, -2, 1], sixth),
            (&[2, 2, 1], sixth),
            (&[2, 0, 1], sixth),
            (&[2, -2, 0], third),
        ];
        expect(&proposals(&moves, &[2, -2, 1], 6)?, &expected);
        Ok(())
    }

    #[test]
    fn pairs_are_exchanged_and_kinds_have_their_probabilities() -> Result<()> {
        let hilbert = HilbertSpace::from(Fock::new(1, 3).unwrap());
        let exchanges = [[0, 1], [1, 2], [0, 2]];
        let kinds = [(0.25, &exchanges[..]), (0.5, &[][..]), (0.25, &exchanges[..1])];
        let moves = SiteMoves::new(&hilbert, kinds, &Device::Cpu)?;
        let (twelfth, sixth) = (1.0 / 12.0, 1.0 / 6.0);
        let expected: [(&[i64], f64); 6] = [
            (&[1, 0, 0], twelfth),
            (&[0, 1, 0], twelfth + 0.25),
            (&[0, 0, 1], twelfth),
            (&[0, 0, 0], sixth),
            (&[1, 1, 0], sixth),
            (&[1, 0, 1], sixth),
        ];
        expect(&proposals(&moves, &[1, 0, 0], 12)?, &expected);
        Ok(())
    }

    #[test]
    fn moves_that_are_none_are_refused() -> Result<()> {
        let hilbert = HilbertSpace::from(Qubit::new(2).unwrap());
        let refused = |kinds: &[(f64, &[[usize; 2]])]| {
            SiteMoves::new(&hilbert, kinds.iter().copied(), &Device::Cpu).map(|_| ()).unwrap_err().to_string()
        };
        assert!(refused(&[]).contains("0 kinds of moves on 2 sites"));
        assert!(refused(&[(1.0, &[[0, 2]])]).contains("sites 0 and 2 are exchanged; there are 2 sites"));
        let moves = SiteMoves::new(&hilbert, [(1.0, &[][..])], &Device::Cpu)?;
        let x = |dtype| Tensor::ones((1, 2), dtype, &Device::Cpu);
        let draws = Tensor::zeros((1, N_DRAWS), DType::F64, &Device::Cpu)?;
        assert!(moves.propose(&x(DType::F32)?, &draws).is_ok());
        assert!(moves.propose(&x(DType::F64)?, &draws).is_err());
        assert!(moves.propose(&x(DType::F32)?, &draws.narrow(1, 0, 3)?).is_err());
        Ok(())
    }
}
