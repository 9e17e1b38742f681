//! Times backends and peers on the same works, side by side.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use backend_padded::candle_core::Device;
use benches::compare::works::{FIRST_ENERGY, first_energy};
use benches::compare::{Comparison, Line, Peers, Places, Style, Work, about, table, works};
use benches::systems::Size;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::{consts::SIGINT, flag};

/// Times backends on one thread and on all, and with --netket the peers, on the same works.
///
/// Contenders take turns, and the best of many runs counts. Ctrl-C stops and prints the results so far.
#[derive(Debug, Parser)]
struct Arguments {
    /// Print one JSON object a line, as soon as each is known.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print a Markdown table.
    #[arg(long)]
    markdown: bool,
    /// Also run the peers' side in this Python, which needs NetKet and QuSpin (data/requirements.txt).
    #[arg(long, value_name = "PYTHON")]
    netket: Option<PathBuf>,
    /// Run only works whose name contains all these words, such as `conn,ising`; see --list. May be repeated.
    #[arg(long, value_name = "WORDS")]
    only: Vec<String>,
    /// List the works and exit.
    #[arg(long)]
    list: bool,
    /// Numbers of threads; by default one and all.
    #[arg(long, value_delimiter = ',', value_parser = positive)]
    threads: Vec<usize>,
    /// Where padded has its tensors: cpu, or cuda:N, which needs a build with --features cuda.
    #[arg(long, default_value = "cpu", value_name = "DEVICE", value_parser = device)]
    device: Device,
    /// Seconds for each backend, number of threads and peer.
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// Number of turns that share these seconds.
    #[arg(long, default_value_t = 3, value_parser = positive)]
    turns: usize,
    /// One short turn with a tenth of the seconds.
    #[arg(long)]
    quick: bool,
    /// Use small systems and few samples, to try the program. The peers do not know these systems.
    #[arg(long)]
    small: bool,
    /// Use many samples and wide RBMs, for accelerators: 16 384 samples, 4 hidden units a site, thousands of chains.
    #[arg(long, conflicts_with = "small")]
    large: bool,
    /// Print the energy of a fresh wave function on a backend and exit.
    #[arg(long = FIRST_ENERGY, hide = true, value_name = "BACKEND")]
    first_energy: Option<String>,
}

impl Arguments {
    fn size(&self) -> Size {
        match (self.small, self.large) {
            (true, _) => Size::Small,
            (_, true) => Size::Large,
            _ => Size::Full,
        }
    }

    fn wants(&self, work: &Work) -> bool {
        let name = work.to_string();
        let has_all = |words: &String| words.split(',').all(|word| name.contains(word));
        self.only.is_empty() || self.only.iter().any(has_all)
    }

    fn threads(&self) -> Vec<usize> {
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        if !self.threads.is_empty() {
            self.threads.clone()
        } else if all > 1 {
            vec![1, all]
        } else {
            vec![1]
        }
    }

    fn turns(&self) -> (f64, usize) {
        if self.quick { (self.seconds / 10.0, 1) } else { (self.seconds, self.turns) }
    }
}

fn device(name: &str) -> Result<Device, String> {
    let is_cuda = name == "cuda" || name.starts_with("cuda:");
    if is_cuda && !cfg!(feature = "cuda") {
        return Err("this program was built without CUDA; build it with: cargo run --release -p benches --features cuda \
                    --bin compare"
            .into());
    }
    backend_padded::device(name).map_err(|error| error.to_string())
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".into()),
        Ok(n) => Ok(n),
        Err(error) => Err(format!("{error}")),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => Ok(seconds),
        Ok(_) => Err("expected a time that is not negative".into()),
        Err(error) => Err(format!("{error}")),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything went well.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    if let Some(backend) = &arguments.first_energy {
        let energy = first_energy(backend, arguments.size(), &arguments.device)?;
        println!(
            "{}",
            energy.ok_or_else(|| format!("{backend:?} is not a backend; there are flat and padded"))?
        );
        return Ok(true);
    }
    let mut works = works(arguments.size())?;
    works.retain(|work| arguments.wants(work));
    if works.is_empty() {
        return Err("no work has such a name; --list lists them".into());
    }
    if arguments.list {
        works.iter().for_each(|work| println!("{work}"));
        return Ok(true);
    }
    compare(arguments, &works)
}

/// Compares one work after another. Names a work that fails, and goes on with the others.
fn compare(arguments: &Arguments, works: &[Work]) -> Result<bool, Box<dyn std::error::Error>> {
    listen_to_ctrl_c()?;
    let mut peers = arguments.netket.as_deref().map(Peers::start).transpose()?;
    let mut heading = about(&arguments.device);
    if let Some(peers) = &mut peers {
        heading += &format!("; {}", peers.versions()?);
    }
    let places = Places::new(&arguments.threads(), &arguments.device);
    let (seconds, turns) = arguments.turns();
    let mut comparison = Comparison { seconds, turns, places: &places, peers, stop: &is_pressed };
    let (mut lines, mut all_well) = (Vec::new(), true);
    let bar = progress(works.len());
    for work in works.iter().take_while(|_| !is_pressed()) {
        bar.set_message(work.to_string());
        match comparison.run(work) {
            Ok(new) if arguments.json => bar.suspend(|| print_json(&new))?,
            Ok(new) => lines.extend(new),
            Err(error) => {
                bar.suspend(|| eprintln!("{work}: {error}"));
                all_well = false;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    match (arguments.json, arguments.markdown) {
        (true, _) => eprintln!("{heading}"),
        (_, true) => print!("{heading}; `{}`\n\n{}", command(), table(&lines, Style::Markdown)),
        _ => print!("{heading}\n\n{}", table(&lines, Style::Text)),
    }
    Ok(all_well && !is_pressed())
}

fn print_json(lines: &[Line]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        writeln!(out)?;
    }
    out.flush()
}

/// Shown only on terminals.
fn progress(n_works: usize) -> ProgressBar {
    let bar = ProgressBar::new(n_works as u64);
    let style = ProgressStyle::with_template("{elapsed_precise} [{bar:20}] {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(std::time::Duration::from_secs(1));
    bar
}

/// The command of this run, without paths of this machine.
fn command() -> String {
    let mut words = vec!["cargo run --release -p benches --bin compare --".to_owned()];
    let mut is_path = false;
    for word in std::env::args().skip(1) {
        words.push(match (is_path, word.starts_with("--netket=")) {
            (true, _) => "PYTHON".to_owned(),
            (_, true) => "--netket=PYTHON".to_owned(),
            _ => word.clone(),
        });
        is_path = word == "--netket";
    }
    words.join(" ")
}

static PRESSED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

fn is_pressed() -> bool {
    PRESSED.load(Ordering::SeqCst)
}

/// The first Ctrl-C asks the program to stop; the second one ends it.
fn listen_to_ctrl_c() -> io::Result<()> {
    /// The exit status that shells report for a program ended by Ctrl-C.
    const EXIT_STATUS: i32 = 130;
    flag::register_conditional_shutdown(SIGINT, EXIT_STATUS, PRESSED.clone())?;
    flag::register(SIGINT, PRESSED.clone())?;
    Ok(())
}
