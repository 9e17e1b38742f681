//! Networks and their derivatives, in the operations of [`NetworkBackend`].

use std::ops::Range;
use std::sync::Arc;

use operator_core::Result;

use super::activation::Order;
use super::algebra::{Arithmetic, Field, NetworkBackend};
use super::architecture::{Architecture, Branch, Layer, Linear, Output, Sharing};
use super::first_layers::FirstLayers;

/// The arrays of a linear layer, spread over all places where their parameters stand.
#[derive(Clone, Debug)]
pub(super) struct Weights<M> {
    /// `(1, n_out)`
    bias: Option<Field<M>>,
    /// `(n_out, n_in)`
    kernel: Field<M>,
}

/// The weights of all linear layers, from parameters of shape `(1, n_values)`.
pub(super) fn weights<B: NetworkBackend>(
    architecture: &Architecture,
    parameters: &Field<B::Matrix>,
) -> Result<Vec<Weights<B::Matrix>>> {
    let spread = |places: &[u32], dim: (usize, usize)| {
        parameters.map(|matrix| B::reshape(B::gather(matrix, places)?, dim))
    };
    architecture
        .placed_layers()
        .map(|(linear, places)| {
            let bias = places.bias.map(|bias| spread(&bias, (1, linear.n_out))).transpose()?;
            Ok(Weights { bias, kernel: spread(&places.kernel, (linear.n_out, linear.n_in))? })
        })
        .collect()
}

/// A network with the weights that it is evaluated with.
pub(super) struct Evaluation<'a, M> {
    pub(super) architecture: &'a Architecture,
    pub(super) weights: &'a [Weights<M>],
}

impl<M: Clone + Send + Sync> Evaluation<'_, M> {
    /// The kernel of the linear layer that a branch starts with, for each branch.
    pub(super) fn first_kernels(&self) -> Vec<Option<&Field<M>>> {
        let mut weights = self.weights.iter();
        let branches = self.architecture.branches().iter();
        branches
            .map(|branch| {
                let linear = branch.layers.iter().map(|layer| matches!(layer, Layer::Linear(_)));
                let mut kernels = linear.map(|is_linear| if is_linear { weights.next() } else { None });
                let first = kernels.next().flatten();
                kernels.for_each(drop);
                first.map(|weights| &weights.kernel)
            })
            .collect()
    }

    /// The values after the last layer of each branch.
    pub(super) fn values<B: NetworkBackend<Matrix = M>>(&self, x: &M) -> Result<Vec<Field<M>>> {
        self.values_from::<B>(x, |_| Ok(None))
    }

    /// The same where `first` gives products with the kernel that a branch starts with.
    fn values_from<B: NetworkBackend<Matrix = M>>(
        &self,
        x: &M,
        first: impl Fn(usize) -> Result<Option<Field<M>>>,
    ) -> Result<Vec<Field<M>>> {
        let mut weights = self.weights.iter();
        let branches = self.architecture.branches().iter().enumerate();
        branches
            .map(|(k, branch)| {
                let mut layers = branch.layers.iter();
                let mut values = match first(k)? {
                    Some(product) => {
                        layers.next();
                        with_bias::<B>(product, weights.next())?
                    }
                    None => Field::real(x.clone()),
                };
                for layer in layers {
                    values = forward::<B>(layer, &values, &mut weights)?.0;
                }
                Ok(values)
            })
            .collect()
    }

    /// ln ψ, the sum of all values, shape `(rows, 1)`.
    pub(super) fn log_psi<B: NetworkBackend<Matrix = M>>(&self, x: &M) -> Result<Field<M>> {
        self.add_up::<B>(x, self.values::<B>(x)?)
    }

    /// The same for these rows of connected configurations, from what is known of those that they differ from.
    pub(super) fn log_psi_connected<B: NetworkBackend<Matrix = M>>(
        &self,
        first: &FirstLayers<'_, M>,
        rows: Range<usize>,
        x: &M,
    ) -> Result<Field<M>> {
        self.add_up::<B>(x, self.values_from::<B>(x, |branch| first.product::<B>(branch, rows.clone(), x))?)
    }

    fn add_up<B: NetworkBackend<Matrix = M>>(&self, x: &M, values: Vec<Field<M>>) -> Result<Field<M>> {
        let mut sum = Field::real(B::sum_columns(&B::gather(x, &[])?)?);
        for (branch, values) in self.architecture.branches().iter().zip(values) {
            let value = values.map(B::sum_columns)?;
            sum = sum.add::<B>(&match branch.output {
                Output::LogPsi => value,
                Output::Phase => times_i::<B>(value)?,
            })?;
        }
        Ok(sum)
    }

    /// Derivatives of ln ψ by the parameters, shape `(rows, n_values)`.
    ///
    /// `deltas` gives those by the last values of each branch, from whether they are a phase and these values:
    /// 1 where ln ψ is their sum.
    pub(super) fn log_derivatives<B, F>(&self, x: &M, deltas: F) -> Result<Field<M>>
    where
        B: NetworkBackend<Matrix = M>,
        F: Fn(bool, &Field<M>) -> Result<Field<M>>,
    {
        self.columns::<B, F>(x, deltas, |output, derivatives| {
            let derivatives = derivatives.whole::<B>()?;
            Ok(vec![match output {
                Output::LogPsi => derivatives,
                Output::Phase => times_i::<B>(derivatives)?,
            }])
        })
    }

    /// The factors of the same derivatives beside each other, as [`blocks`] lists them; for real networks,
    /// where ln ψ is the sum of all last values.
    pub(super) fn factors<B, F>(&self, x: &M, deltas: F) -> Result<Field<M>>
    where
        B: NetworkBackend<Matrix = M>,
        F: Fn(bool, &Field<M>) -> Result<Field<M>>,
    {
        self.columns::<B, F>(x, deltas, |_, derivatives| match derivatives {
            Derivatives::Outer { linear, delta, before } if is_outer(linear) => Ok(vec![delta, before]),
            other => Ok(vec![other.whole::<B>()?]),
        })
    }

    /// What `form` makes of the derivatives by each array, in the order of the parameters.
    fn columns<B, F>(
        &self,
        x: &M,
        deltas: F,
        form: impl Fn(Output, Derivatives<'_, M>) -> Result<Vec<Field<M>>>,
    ) -> Result<Field<M>>
    where
        B: NetworkBackend<Matrix = M>,
        F: Fn(bool, &Field<M>) -> Result<Field<M>>,
    {
        let mut weights = self.weights.iter();
        let mut columns = Vec::new();
        for branch in self.architecture.branches() {
            for derivatives in branch_derivatives::<B, F>(branch, x, &mut weights, &deltas)? {
                columns.extend(form(branch.output, derivatives)?);
            }
        }
        beside::<B>(columns)
    }
}

/// Columns of [`Evaluation::factors`] that belong together.
pub(super) enum Block {
    /// As many columns as parameters.
    Dense(usize),
    /// Columns of the left factor, then those of the right one.
    Outer(usize, usize),
}

/// What the factors of an architecture's derivatives are, in the order of its parameters; `None` where none
/// of them saves anything, or ln ψ has a phase.
pub(super) fn blocks(architecture: &Architecture) -> Option<Vec<Block>> {
    let has_phase = architecture.branches().iter().any(|branch| branch.output == Output::Phase);
    if has_phase || !architecture.linear_layers().any(is_outer) {
        return None;
    }
    let mut blocks = Vec::new();
    for linear in architecture.linear_layers() {
        blocks.extend(linear.bias.as_ref().map(|bias| Block::Dense(bias.n_values)));
        blocks.push(match is_outer(linear) {
            true => Block::Outer(linear.n_out, linear.n_in),
            false => Block::Dense(linear.kernel.n_values),
        });
    }
    Some(blocks)
}

/// Whether each weight has its own parameter, and there are more of them than numbers in both factors.
fn is_outer(linear: &Linear) -> bool {
    linear.kernel.is_identity && linear.n_out * linear.n_in > linear.n_out + linear.n_in
}

/// Derivatives by one array of parameters.
enum Derivatives<'a, M> {
    Whole(Field<M>),
    /// Of a layer's weights: products of the derivatives by its outputs and of its inputs.
    Outer {
        linear: &'a Linear,
        delta: Field<M>,
        before: Field<M>,
    },
}

impl<M: Clone> Derivatives<'_, M> {
    fn whole<B: NetworkBackend<Matrix = M>>(self) -> Result<Field<M>> {
        match self {
            Derivatives::Whole(derivatives) => Ok(derivatives),
            Derivatives::Outer { linear, delta, before } => kernel_derivatives::<B>(linear, &delta, &before),
        }
    }
}

/// Columns of some matrices, complex if one of them is.
fn beside<B: NetworkBackend>(columns: Vec<Field<B::Matrix>>) -> Result<Field<B::Matrix>> {
    let re: Vec<&B::Matrix> = columns.iter().map(|column| &column.re).collect();
    let im = match columns.iter().any(|column| column.im.is_some()) {
        true => {
            let parts = columns.iter().map(|column| match &column.im {
                Some(im) => Ok(im.clone()),
                None => B::zeros_like(&column.re),
            });
            let parts = parts.collect::<Result<Vec<B::Matrix>>>()?;
            Some(B::concatenate(&parts.iter().collect::<Vec<_>>())?)
        }
        false => None,
    };
    Ok(Field { re: B::concatenate(&re)?, im })
}

/// Values, and the weights that they were found with.
type Forward<'w, M> = (Field<M>, Option<&'w Weights<M>>);

/// The values after a layer, and the weights that it used.
fn forward<'w, B: NetworkBackend>(
    layer: &Layer,
    values: &Field<B::Matrix>,
    weights: &mut impl Iterator<Item = &'w Weights<B::Matrix>>,
) -> Result<Forward<'w, B::Matrix>>
where
    B::Matrix: 'w,
{
    let after = match layer {
        Layer::Indicators { sites, values: numbers } => {
            Field::real(B::equals(&B::gather(&values.re, sites)?, numbers)?)
        }
        Layer::Pairs { first, second } => Field::real(B::arithmetic(
            Arithmetic::Multiply,
            &B::gather(&values.re, first)?,
            &B::gather(&values.re, second)?,
        )?),
        Layer::Activation(activation) => B::activate(*activation, Order::Value, values)?,
        Layer::Linear(_) => {
            let Some(weights) = weights.next() else { return Ok((values.clone(), None)) };
            let product = values.times::<B>(&weights.kernel, B::product_transposed)?;
            return Ok((with_bias::<B>(product, Some(weights))?, Some(weights)));
        }
    };
    Ok((after, None))
}

fn with_bias<B: NetworkBackend>(
    product: Field<B::Matrix>,
    weights: Option<&Weights<B::Matrix>>,
) -> Result<Field<B::Matrix>> {
    match weights.and_then(|weights| weights.bias.as_ref()) {
        Some(bias) => product.add::<B>(bias),
        None => Ok(product),
    }
}

/// Derivatives by the parameters of each array of a branch, in their order.
fn branch_derivatives<'w, B: NetworkBackend, F>(
    branch: &'w Branch,
    x: &B::Matrix,
    weights: &mut impl Iterator<Item = &'w Weights<B::Matrix>>,
    deltas: &F,
) -> Result<Vec<Derivatives<'w, B::Matrix>>>
where
    B::Matrix: 'w,
    F: Fn(bool, &Field<B::Matrix>) -> Result<Field<B::Matrix>>,
{
    let mut values = Field::real(x.clone());
    let mut passed = Vec::new();
    for layer in &branch.layers {
        let (after, used) = forward::<B>(layer, &values, weights)?;
        passed.push((layer, values, used));
        values = after;
    }
    // Backwards: `delta` holds the derivatives by the values after the present layer.
    let mut delta = deltas(branch.output == Output::Phase, &values)?;
    let mut derivatives = Vec::new();
    let mut linear_left = passed.iter().filter(|(_, _, used)| used.is_some()).count();
    for (layer, before, used) in passed.iter().rev() {
        match (layer, used) {
            (Layer::Linear(linear), Some(weights)) => {
                let (delta_here, before) = (delta.clone(), before.clone());
                derivatives.push(Derivatives::Outer { linear, delta: delta_here, before });
                if let Some(bias) = &linear.bias {
                    derivatives.push(Derivatives::Whole(bias_derivatives::<B>(bias, &delta)?));
                }
                linear_left -= 1;
                if linear_left == 0 {
                    break;
                }
                delta = delta.times::<B>(&weights.kernel, B::product)?;
            }
            (Layer::Activation(activation), _) => {
                let slope = B::activate(*activation, Order::Derivative, before)?;
                delta = delta.times::<B>(&slope, |a, b| B::arithmetic(Arithmetic::Multiply, a, b))?;
            }
            // Only parameters come after these.
            _ => break,
        }
    }
    derivatives.reverse();
    Ok(derivatives)
}

fn kernel_derivatives<B: NetworkBackend>(
    linear: &Linear,
    delta: &Field<B::Matrix>,
    before: &Field<B::Matrix>,
) -> Result<Field<B::Matrix>> {
    let kernel = &linear.kernel;
    let columns: Option<(&Arc<[u32]>, usize)> =
        (!kernel.is_identity).then_some((&kernel.index, kernel.n_values));
    delta.times::<B>(before, |a, b| B::outer(a, b, columns.map(|(index, n)| (&**index, n))))
}

fn bias_derivatives<B: NetworkBackend>(bias: &Sharing, delta: &Field<B::Matrix>) -> Result<Field<B::Matrix>> {
    match bias.is_identity {
        true => Ok(delta.clone()),
        false => delta.map(|delta| B::scatter(delta, &bias.index, bias.n_values)),
    }
}

fn times_i<B: NetworkBackend>(value: Field<B::Matrix>) -> Result<Field<B::Matrix>> {
    let zeros = B::zeros_like(&value.re)?;
    let re = match &value.im {
        Some(im) => B::arithmetic(Arithmetic::Subtract, &zeros, im)?,
        None => zeros,
    };
    Ok(Field { re, im: Some(value.re) })
}
