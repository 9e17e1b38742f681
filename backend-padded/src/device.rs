//! Devices by name.

use candle_core::Device;
use operator_core::{Error, Result};

/// The device of a name: `cpu`, `cuda` or `cuda:1`, `metal` or `metal:0`.
///
/// `cuda` and `metal` need the cargo feature of that name.
///
/// # Errors
/// [`Error::Device`] for another name, a device that the machine does not have, or a feature that is off.
///
/// ```
/// assert!(backend_padded::device("cpu")?.is_cpu());
/// # Ok::<(), operator_core::Error>(())
/// ```
pub fn device(name: &str) -> Result<Device> {
    let failed = |reason: String| Error::Device { device: name.to_owned(), reason };
    let (kind, number) = name.split_once(':').unwrap_or((name, "0"));
    let ordinal: usize = number.parse().map_err(|_| failed(format!("{number:?} is not a number")))?;
    let device = match (kind, ordinal) {
        ("cpu", 0) => return Ok(Device::Cpu),
        ("cuda", _) => Device::new_cuda(ordinal),
        ("metal", _) => Device::new_metal(ordinal),
        _ => return Err(failed("expected cpu, cuda:N or metal:N".into())),
    };
    // Below its first line, a message of candle may carry a backtrace.
    device.map_err(|error| failed(error.to_string().lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_that_are_not_there_are_named() {
        let message = |name: &str| device(name).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(message("cpu"), Ok(()));
        let unknown = "device \"tpu\" is not there: expected cpu, cuda:N or metal:N";
        assert_eq!(message("tpu"), Err(unknown.into()));
        let no_number = "device \"cuda:x\" is not there: \"x\" is not a number";
        assert_eq!(message("cuda:x"), Err(no_number.into()));
        // No machine has that many; without the feature there is none at all.
        let missing = message("cuda:4096").unwrap_err();
        assert!(missing.starts_with("device \"cuda:4096\" is not there: "), "{missing}");
    }
}
