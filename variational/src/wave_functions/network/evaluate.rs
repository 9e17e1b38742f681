//! Networks and their derivatives, written with [`Matrix`] operations.

use std::ops::Range;

use operator_core::Result;

use super::architecture::{Architecture, Branch, Layer, Linear, Output, Sharing};
use super::first_layers::{Changed, FirstLayer};
use super::matrix::{Arithmetic, Field, Matrix};
use super::numbers::{Activation, Order};

/// The arrays of a linear layer, with each parameter copied to all of its places.
#[derive(Clone, Debug)]
pub(super) struct Weights<M> {
    /// `(1, n_out)`
    bias: Option<Field<M>>,
    /// `(n_out, n_in)`
    kernel: Field<M>,
}

/// The weights of all linear layers, from parameters of shape `(1, n_values)`.
pub(super) fn weights<M: Matrix>(
    architecture: &Architecture,
    parameters: &Field<M>,
) -> Result<Vec<Weights<M>>> {
    let spread = |places: &[u32], dim: (usize, usize)| {
        parameters.map(|matrix| M::reshape(M::gather(matrix, places)?, dim))
    };
    architecture
        .placed_layers()
        .map(|(linear, places)| {
            let bias = places.bias.map(|bias| spread(&bias, (1, linear.n_out))).transpose()?;
            Ok(Weights { bias, kernel: spread(&places.kernel, (linear.n_out, linear.n_in))? })
        })
        .collect()
}

/// An architecture and its weights.
pub(super) struct Evaluation<'a, M> {
    pub(super) architecture: &'a Architecture,
    pub(super) weights: &'a [Weights<M>],
}

impl<M: Matrix> Evaluation<'_, M> {
    /// For each branch that starts with a linear layer, its transposed kernel and its biases.
    pub(super) fn first_layers(&self) -> Result<Vec<Option<FirstLayer<M>>>> {
        let mut weights = self.weights.iter();
        let branches = self.architecture.branches().iter();
        branches
            .map(|branch| {
                let linear = branch.layers.iter().map(|layer| matches!(layer, Layer::Linear(_)));
                let mut kernels = linear.map(|is_linear| if is_linear { weights.next() } else { None });
                let first = kernels.next().flatten();
                kernels.for_each(drop);
                let layer = |weights: &Weights<M>| {
                    Ok(FirstLayer { columns: weights.kernel.map(M::transpose)?, bias: weights.bias.clone() })
                };
                first.map(layer).transpose()
            })
            .collect()
    }

    /// The values after the last layer of each branch.
    pub(super) fn values(&self, x: &M) -> Result<Vec<Field<M>>> {
        self.values_from(x, |_| Ok(None))
    }

    /// The same. `first` may give the values after the first linear layer of a branch.
    fn values_from(&self, x: &M, first: impl Fn(usize) -> Result<Option<Field<M>>>) -> Result<Vec<Field<M>>> {
        let mut weights = self.weights.iter();
        let branches = self.architecture.branches().iter().enumerate();
        branches
            .map(|(k, branch)| {
                let mut layers = branch.layers.iter().peekable();
                let mut values = match first(k)? {
                    Some(values) => {
                        // They are behind it.
                        layers.next();
                        next(&mut weights);
                        values
                    }
                    None => Field::real(x.clone()),
                };
                while let Some(layer) = layers.next() {
                    values = match (layer, layers.peek()) {
                        (Layer::Linear(_), Some(Layer::Activation(activation))) => {
                            layers.next();
                            linear(values, next(&mut weights), Some(*activation))?
                        }
                        _ => forward(layer, values, &mut weights)?.0,
                    };
                }
                Ok(values)
            })
            .collect()
    }

    /// ln ψ, the sum of all values, shape `(rows, 1)`.
    pub(super) fn log_psi(&self, x: &M) -> Result<Field<M::Double>> {
        self.add_up(x, self.values(x)?)
    }

    /// The same for rows of configurations that differ from samples in a few sites.
    pub(super) fn log_psi_connected(
        &self,
        changed: &Changed<'_, M>,
        rows: Range<usize>,
        x: &M,
    ) -> Result<Field<M::Double>> {
        self.add_up(x, self.values_from(x, |branch| changed.values(branch, rows.clone(), x))?)
    }

    /// ln ψ from the values after the first layer of each branch; `None` without branches.
    pub(super) fn log_psi_from(&self, first: &[Field<M>]) -> Result<Option<Field<M::Double>>> {
        let Some(Field { re: like, .. }) = first.first() else { return Ok(None) };
        let values = self.values_from(like, |branch| Ok(first.get(branch).cloned()))?;
        self.add_up(like, values).map(Some)
    }

    /// Sums of each row; `like` has as many.
    fn add_up(&self, like: &M, values: Vec<Field<M>>) -> Result<Field<M::Double>> {
        let mut sum = Field::real(M::sum_columns(&M::gather(like, &[])?)?);
        for (branch, values) in self.architecture.branches().iter().zip(values) {
            let value = values.map(M::sum_columns)?;
            sum = sum.add(&match branch.output {
                Output::LogPsi => value,
                Output::Phase => times_i(value)?,
            })?;
        }
        Ok(sum)
    }

    /// The sums of a network whose branches are each one linear layer, or one and ln cosh; `None` for others.
    pub(super) fn sums_of_units(&self) -> Option<Vec<SumOfUnits<'_, M>>> {
        let branches = self.architecture.branches().iter().zip(self.weights);
        branches
            .map(|(branch, weights)| {
                let activation = match branch.layers[..] {
                    [Layer::Linear(_)] => None,
                    [Layer::Linear(_), Layer::Activation(Activation::LnCosh)] => Some(Activation::LnCosh),
                    _ => return None,
                };
                Some(SumOfUnits { activation, output: branch.output, weights })
            })
            .collect()
    }

    /// Derivatives of ln ψ by the parameters, shape `(rows, n_values)`.
    ///
    /// `deltas` returns the derivatives by the last values of a branch, from whether it is a phase and from
    /// these values. They are 1 if ln ψ is the sum of the values.
    pub(super) fn log_derivatives<F>(&self, x: &M, deltas: F) -> Result<Field<M>>
    where
        F: Fn(bool, &Field<M>) -> Result<Field<M>>,
    {
        self.columns(x, deltas, |output, derivatives| {
            let derivatives = derivatives.whole()?;
            Ok(vec![match output {
                Output::LogPsi => derivatives,
                Output::Phase => times_i(derivatives)?,
            }])
        })
    }

    /// The factors of the same derivatives side by side, in the order of [`blocks`]. For real networks whose
    /// ln ψ is the sum of all last values.
    pub(super) fn factors<F>(&self, x: &M, deltas: F) -> Result<Field<M>>
    where
        F: Fn(bool, &Field<M>) -> Result<Field<M>>,
    {
        self.columns(x, deltas, |_, derivatives| match derivatives {
            Derivatives::Outer { linear, delta, before } if is_outer(linear) => Ok(vec![delta, before]),
            other => Ok(vec![other.whole()?]),
        })
    }

    /// Applies `form` to the derivatives by each array, in the order of the parameters, and puts the results
    /// side by side.
    fn columns<F>(
        &self,
        x: &M,
        deltas: F,
        form: impl Fn(Output, Derivatives<'_, M>) -> Result<Vec<Field<M>>>,
    ) -> Result<Field<M>>
    where
        F: Fn(bool, &Field<M>) -> Result<Field<M>>,
    {
        let mut weights = self.weights.iter();
        let mut columns = Vec::new();
        for branch in self.architecture.branches() {
            for derivatives in branch_derivatives(branch, x, &mut weights, &deltas)? {
                columns.extend(form(branch.output, derivatives)?);
            }
        }
        Field::beside(columns)
    }
}

/// A branch of one linear layer: a sum over units, of their values or of a function of these.
pub(super) struct SumOfUnits<'a, M> {
    pub(super) activation: Option<Activation>,
    output: Output,
    weights: &'a Weights<M>,
}

impl<M: Matrix> SumOfUnits<'_, M> {
    /// The units' values, `W x + b`, shape `(rows, n_units)`.
    pub(super) fn values(&self, x: &M) -> Result<Field<M>> {
        linear(Field::real(x.clone()), self.weights, None)
    }

    /// `Wᵀ`, whose rows hold the contributions of a site to all units.
    pub(super) fn columns(&self) -> Result<Field<M>> {
        self.weights.kernel.map(M::transpose)
    }

    /// What the sums add to ln ψ.
    pub(super) fn to_log_psi<D: Matrix>(&self, sums: Field<D>) -> Result<Field<D>> {
        match self.output {
            Output::LogPsi => Ok(sums),
            Output::Phase => times_i(sums),
        }
    }
}

/// A group of columns of [`Evaluation::factors`].
pub(super) enum Block {
    /// One column per parameter.
    Dense(usize),
    /// Columns of the left factor, then those of the right one.
    Outer(usize, usize),
}

impl Block {
    pub(super) fn n_columns(&self) -> usize {
        match *self {
            Block::Dense(n) => n,
            Block::Outer(left, right) => left + right,
        }
    }
}

/// The factors of an architecture's derivatives, in the order of its parameters; `None` if factors save
/// nothing or ln ψ has a phase.
pub(super) fn blocks(architecture: &Architecture) -> Option<Vec<Block>> {
    let has_phase = architecture.branches().iter().any(|branch| branch.output == Output::Phase);
    if has_phase || !architecture.linear_layers().any(is_outer) {
        return None;
    }
    let mut blocks = Vec::new();
    for linear in architecture.linear_layers() {
        blocks.extend(linear.bias.as_ref().map(|bias| Block::Dense(bias.n_values)));
        blocks.push(if is_outer(linear) {
            Block::Outer(linear.n_out, linear.n_in)
        } else {
            Block::Dense(linear.kernel.n_values)
        });
    }
    Some(blocks)
}

/// Whether each weight has its own parameter and both factors together are smaller than their product.
fn is_outer(linear: &Linear) -> bool {
    linear.kernel.index.is_none() && linear.n_out * linear.n_in > linear.n_out + linear.n_in
}

/// Derivatives by one array of parameters.
enum Derivatives<'a, M> {
    Whole(Field<M>),
    /// For the weights of a layer: products of the derivatives by its outputs and its inputs.
    Outer {
        linear: &'a Linear,
        delta: Field<M>,
        before: Field<M>,
    },
}

impl<M: Matrix> Derivatives<'_, M> {
    fn whole(self) -> Result<Field<M>> {
        match self {
            Derivatives::Whole(derivatives) => Ok(derivatives),
            Derivatives::Outer { linear, delta, before } => kernel_derivatives(linear, &delta, &before),
        }
    }
}

/// Values, and the weights used to compute them.
type Forward<'w, M> = (Field<M>, Option<&'w Weights<M>>);

/// The values after a layer, and the weights it used.
fn forward<'w, M: Matrix + 'w>(
    layer: &Layer,
    values: Field<M>,
    weights: &mut impl Iterator<Item = &'w Weights<M>>,
) -> Result<Forward<'w, M>> {
    let after = match layer {
        Layer::Indicators { sites, values: numbers } => {
            Field::real(M::equals(&M::gather(&values.re, sites)?, numbers)?)
        }
        Layer::Pairs { first, second } => Field::real(M::arithmetic(
            Arithmetic::Multiply,
            M::gather(&values.re, first)?,
            &M::gather(&values.re, second)?,
        )?),
        Layer::Activation(activation) => M::activate(*activation, Order::Value, values)?,
        Layer::Linear(_) => {
            let weights = next(weights);
            return Ok((linear(values, weights, None)?, Some(weights)));
        }
    };
    Ok((after, None))
}

/// The weights of the next linear layer.
fn next<'w, M>(weights: &mut impl Iterator<Item = &'w Weights<M>>) -> &'w Weights<M> {
    weights.next().expect("`weights` makes some for each linear layer")
}

/// The values after a linear layer, and after the activation that follows it.
fn linear<M: Matrix>(
    values: Field<M>,
    Weights { bias, kernel }: &Weights<M>,
    activation: Option<Activation>,
) -> Result<Field<M>> {
    let is_real = |field: &Field<M>| field.im.is_none();
    if is_real(&values) && is_real(kernel) && bias.as_ref().is_none_or(is_real) {
        let bias = bias.as_ref().map(|bias| &bias.re);
        return M::dense(&values.re, &kernel.re, bias, activation).map(Field::real);
    }
    let product = values.times(kernel, M::product_transposed)?;
    let values = match bias {
        Some(bias) => product.add(bias)?,
        None => product,
    };
    match activation {
        Some(activation) => M::activate(activation, Order::Value, values),
        None => Ok(values),
    }
}

/// Derivatives by the arrays of a branch, in order.
fn branch_derivatives<'w, M: Matrix + 'w, F>(
    branch: &'w Branch,
    x: &M,
    weights: &mut impl Iterator<Item = &'w Weights<M>>,
    deltas: &F,
) -> Result<Vec<Derivatives<'w, M>>>
where
    F: Fn(bool, &Field<M>) -> Result<Field<M>>,
{
    let mut values = Field::real(x.clone());
    let mut passed = Vec::new();
    for layer in &branch.layers {
        let (after, used) = forward(layer, values.clone(), weights)?;
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
                    derivatives.push(Derivatives::Whole(bias_derivatives(bias, &delta)?));
                }
                linear_left -= 1;
                if linear_left == 0 {
                    break;
                }
                delta = delta.times(&weights.kernel, M::product)?;
            }
            (Layer::Activation(activation), _) => {
                let slope = M::activate(*activation, Order::Derivative, before.clone())?;
                delta = delta.times(&slope, |a, b| M::arithmetic(Arithmetic::Multiply, a.clone(), b))?;
            }
            // There are no parameters before these layers.
            _ => break,
        }
    }
    derivatives.reverse();
    Ok(derivatives)
}

fn kernel_derivatives<M: Matrix>(linear: &Linear, delta: &Field<M>, before: &Field<M>) -> Result<Field<M>> {
    let kernel = &linear.kernel;
    let columns = kernel.index.as_deref().map(|index| (index, kernel.n_values));
    delta.times(before, |a, b| M::outer(a, b, columns))
}

fn bias_derivatives<M: Matrix>(bias: &Sharing, delta: &Field<M>) -> Result<Field<M>> {
    match &bias.index {
        Some(index) => delta.map(|delta| M::scatter(delta, index, bias.n_values)),
        None => Ok(delta.clone()),
    }
}

fn times_i<M: Matrix>(value: Field<M>) -> Result<Field<M>> {
    let zeros = M::zeros_like(&value.re)?;
    let re = match &value.im {
        Some(im) => M::arithmetic(Arithmetic::Subtract, zeros, im)?,
        None => zeros,
    };
    Ok(Field { re, im: Some(value.re) })
}
