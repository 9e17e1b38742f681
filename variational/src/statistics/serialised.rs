//! Numbers in serde's formats: complex ones as pairs, and NaN as `None`, as JSON has no NaN.

pub(super) mod complex {
    use num_complex::Complex64;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::statistics) fn serialize<S: Serializer>(z: &Complex64, to: S) -> Result<S::Ok, S::Error> {
        [z.re, z.im].map(|part| (!part.is_nan()).then_some(part)).serialize(to)
    }

    pub(in crate::statistics) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Complex64, D::Error> {
        let [re, im] = <[Option<f64>; 2]>::deserialize(from)?.map(|part| part.unwrap_or(f64::NAN));
        Ok(Complex64::new(re, im))
    }
}

pub(super) mod real {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::statistics) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        (!value.is_nan()).then_some(value).serialize(to)
    }

    pub(in crate::statistics) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
    }
}
