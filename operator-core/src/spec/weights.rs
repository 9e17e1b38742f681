//! Reads the weights of strings from JSON.

use num_complex::Complex64;

use super::reader::Reader;
use crate::definition::Definition;
use crate::error::Result;

/// The weights of strings.
pub(crate) struct Weights {
    values: Vec<Complex64>,
    /// Whether imaginary parts are parameters even if all are 0 now.
    imaginary: bool,
}

impl Weights {
    /// Reads `weights`, and `weights_im` if it is given.
    pub(crate) fn read(spec: &Reader<'_>, n_strings: usize) -> Result<Self> {
        let one_a_string = |reader: &Reader<'_>, len: usize| {
            if len == n_strings { Ok(()) } else { reader.wrong_len(len, n_strings, "one a string") }
        };
        let weights = spec.key("weights")?;
        let mut values = weights.items()?.map(|item| item.complex()).collect::<Result<Vec<_>>>()?;
        one_a_string(&weights, values.len())?;
        let Some(reader) = spec.optional("weights_im")? else {
            return Ok(Weights { values, imaginary: false });
        };
        let imaginary = reader.numbers()?;
        one_a_string(&reader, imaginary.len())?;
        if weights.items()?.any(|item| item.is_array()) {
            return weights.wrong("numbers, since weights_im is given");
        }
        values.iter_mut().zip(imaginary).for_each(|(value, im)| value.im = im);
        Ok(Weights { values, imaginary: true })
    }

    /// Adds the weight of one more string.
    pub(crate) fn push(&mut self, weight: Complex64) {
        self.values.push(weight);
    }

    /// The operator that `build` makes from the weights.
    pub(crate) fn definition(
        self,
        build: impl FnOnce(Vec<Complex64>) -> Result<Definition>,
    ) -> Result<Definition> {
        if !self.imaginary || self.values.is_empty() {
            return build(self.values);
        }
        // Build with non-zero imaginary parts, so that they become parameters, then set them.
        let definition = build(self.values.iter().map(|weight| Complex64::new(weight.re, 1.0)).collect())?;
        let (mut parameters, structure) = definition.unpack();
        parameters.set("weights_im", self.values.iter().map(|weight| weight.im).collect::<Vec<_>>())?;
        structure.pack(parameters)
    }
}
