//! Where and when a comparison ran: date, processor, threads, versions.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use backend_padded::candle_core::Device;

/// The date and the machine: `2026-11-25, AMD EPYC, 2 threads, linux x86_64, benches 0.1.0`, and the name of a device
/// that is not the processor.
pub fn about(device: &Device) -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let version = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned();
    let date = date(seconds / 86_400);
    let threads = format!("{threads} threads");
    let words = [Some(date), processor(), accelerator(device), Some(threads), Some(system), Some(version)];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The name of a CUDA device, if its driver gives it.
#[cfg(feature = "cuda")]
fn accelerator(device: &Device) -> Option<String> {
    device.as_cuda_device().ok()?.cuda_stream().context().name().ok()
}

#[cfg(not(feature = "cuda"))]
fn accelerator(_: &Device) -> Option<String> {
    None
}

/// The processor's name, if Linux gives it.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// The date of a day counted from 1970-01-01.
///
/// Years begin in March, so that the leap day comes last (Hinnant, chrono-compatible low-level date algorithms,
/// `civil_from_days`).
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let known = [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_782, "2026-11-25"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ];
        for (days, expected) in known {
            assert_eq!(date(days), expected);
        }
    }
}
