//! What every sampler is told: its space, the number of chains, a seed and a device.

use operator_core::{Backend, HilbertSpace, WaveFunction};

use crate::check::check_chains;
use crate::error::Result;
use crate::rng::{ChainRng, generators};

/// The settings that all samplers share.
#[derive(Clone, Debug)]
pub(crate) struct Setup<B: Backend> {
    pub(crate) hilbert: HilbertSpace,
    pub(crate) n_chains: usize,
    pub(crate) seed: u64,
    /// The device that was asked for.
    pub(crate) device: Option<B::Device>,
}

impl<B: Backend> Setup<B> {
    /// 16 chains from seed 0, on the wave function's device.
    pub(crate) fn new(hilbert: HilbertSpace) -> Self {
        Setup { hilbert, n_chains: 16, seed: 0, device: None }
    }

    /// Checks that the wave function is on this space and on the device that was asked for, and returns its device.
    pub(crate) fn device_of<W: WaveFunction<B> + ?Sized>(&self, wave_function: &W) -> Result<B::Device> {
        self.hilbert.expect_same(wave_function.hilbert())?;
        let device = wave_function.device();
        if let Some(own) = &self.device {
            B::expect_same_device(["sampler", "wave function"], own, &device)?;
        }
        Ok(device)
    }

    /// The random numbers of each chain, which follow from the seed and the chain's number.
    pub(crate) fn generators(&self) -> Result<Vec<ChainRng>> {
        check_chains(&self.hilbert, self.n_chains)?;
        Ok(generators(self.seed, self.n_chains))
    }
}

/// The methods that set and read a sampler's field `setup`.
macro_rules! setup_methods {
    () => {
        /// Sets the number of chains, 16 unless set.
        ///
        /// # Errors
        /// [`Error::Setting`](crate::Error::Setting) for 0.
        pub fn with_n_chains(mut self, n_chains: usize) -> crate::Result<Self> {
            self.setup.n_chains = crate::check::at_least_one("n_chains", n_chains)?;
            Ok(self)
        }

        /// Sets the seed, 0 unless set.
        #[must_use]
        pub fn with_seed(mut self, seed: u64) -> Self {
            self.setup.seed = seed;
            self
        }

        /// Asks for a device. Unless set, chains and samples are on the wave function's device; if set, a wave function
        /// on another device is [`DeviceMismatch`](operator_core::Error::DeviceMismatch) when chains start.
        #[must_use]
        pub fn with_device(mut self, device: B::Device) -> Self {
            self.setup.device = Some(device);
            self
        }

        /// The space that is sampled.
        pub fn hilbert(&self) -> &operator_core::HilbertSpace {
            &self.setup.hilbert
        }

        /// Number of chains.
        pub fn n_chains(&self) -> usize {
            self.setup.n_chains
        }

        /// The device that was asked for by [`with_device`](Self::with_device).
        pub fn device(&self) -> Option<&B::Device> {
            self.setup.device.as_ref()
        }
    };
}
pub(crate) use setup_methods;
