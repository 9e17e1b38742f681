//! Convolutional networks on periodic lattices.

use std::marker::PhantomData;

use operator_core::graph::Lattice;
use operator_core::{Error, HilbertSpace, Result};

use super::group_cnn::convolutions;
use super::network::{Activation, Architecture, Init, Network, NetworkBackend, NetworkKind, Scalar, Sealed};

/// A convolutional network on a periodic lattice: the [`GroupCnn`](super::GroupCnn) of its translations, with
/// kernels that cover a few sites only.
pub type Cnn<B, T = f64> = Network<B, CnnKind<T>>;

/// Marks [`Cnn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CnnKind<T>(PhantomData<T>);

impl<T> Sealed for CnnKind<T> {}

impl<T: Scalar> NetworkKind for CnnKind<T> {
    type Scalar = T;
    const NAME: &'static str = "CNN";
}

impl<B: NetworkBackend, T: Scalar> Cnn<B, T> {
    /// One layer for each number of features in `features`. Kernels are centred boxes with `kernel_size`
    /// sites along each direction, cut to the lattice. Parameters are drawn from [`Init::LecunNormal`].
    ///
    /// # Errors
    /// [`Error::Lattice`] unless the lattice is periodic and has one site per cell; otherwise as
    /// [`GroupCnn::new`](super::GroupCnn::new).
    pub fn new(
        hilbert: impl Into<HilbertSpace>,
        lattice: &Lattice,
        kernel_size: usize,
        features: &[usize],
        activation: Activation,
    ) -> Result<Self> {
        let hilbert = hilbert.into();
        let group = lattice.translations()?;
        if group.len() != group.n_sites() {
            let reason = "a convolutional network needs one site a cell and periodic directions";
            return Err(Error::Lattice(reason.into()));
        }
        super::at_least_one("sites of a kernel", kernel_size, &hilbert)?;
        let kernel = centered_box(lattice.extents(), kernel_size);
        let network = convolutions(&hilbert, &group, features, activation, Some(&kernel))?;
        let architecture = Architecture::new([network]);
        Self::build(hilbert, architecture, Init::LecunNormal)
    }
}

/// The sites of a box of `size` sites along each direction around site 0, the last coordinate running
/// fastest.
fn centered_box(extents: &[usize], size: usize) -> Vec<usize> {
    let mut sites = vec![0];
    for &extent in extents {
        let (before, reach) = ((size - 1) / 2, size.min(extent));
        let shifts = |k: usize| (k + extent - before % extent) % extent;
        sites = sites.iter().flat_map(|&site| (0..reach).map(move |k| site * extent + shifts(k))).collect();
    }
    sites.sort_unstable();
    sites
}

#[cfg(test)]
mod tests {
    use super::centered_box;

    #[test]
    fn kernels_are_boxes_around_the_origin() {
        assert_eq!(centered_box(&[6], 3), [0, 1, 5]);
        assert_eq!(centered_box(&[6], 2), [0, 1]);
        assert_eq!(centered_box(&[4, 4], 3), [0, 1, 3, 4, 5, 7, 12, 13, 15]);
        assert_eq!(centered_box(&[2, 3], 5), [0, 1, 2, 3, 4, 5]);
    }
}
