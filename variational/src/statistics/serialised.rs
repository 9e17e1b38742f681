//! Numbers in serde's formats: complex ones as pairs, NaN as `None`, and infinities as text, as JSON has neither.

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

    /// R̂ of stuck chains is infinite.
    #[derive(Deserialize, Serialize)]
    #[serde(untagged)]
    enum Number {
        Finite(f64),
        Infinite(Infinity),
    }

    #[derive(Deserialize, Serialize)]
    enum Infinity {
        Infinity,
        #[serde(rename = "-Infinity")]
        Negative,
    }

    pub(in crate::statistics) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return value.serialize(to);
        }
        let number = if *value == f64::INFINITY {
            Number::Infinite(Infinity::Infinity)
        } else if *value == f64::NEG_INFINITY {
            Number::Infinite(Infinity::Negative)
        } else {
            Number::Finite(*value)
        };
        (!value.is_nan()).then_some(number).serialize(to)
    }

    pub(in crate::statistics) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        if !from.is_human_readable() {
            return f64::deserialize(from);
        }
        Ok(match Option::deserialize(from)? {
            None => f64::NAN,
            Some(Number::Finite(value)) => value,
            Some(Number::Infinite(Infinity::Infinity)) => f64::INFINITY,
            Some(Number::Infinite(Infinity::Negative)) => f64::NEG_INFINITY,
        })
    }
}
