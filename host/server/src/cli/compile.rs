//! `niyam compile-component`: what a server starts to compile a component apart from itself. Not for people.

use std::io::{Read as _, Write as _, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use niyam_modules::Compiler;
use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

/// Processor time of one compilation, seconds: more than ten times what an interpreter's component takes.
const CPU_SECONDS: u64 = 300;
/// Memory of one compilation.
const MEMORY_MIB: u64 = 4096;
/// After how long a server gives up, on a machine that is busy with other things.
const TIME_MAX: Duration = Duration::from_mins(20);

#[derive(Debug, Args)]
pub(super) struct Compile {
    /// Most processor time, seconds.
    #[arg(long, env = "NIYAM_CPU_SECONDS", default_value_t = CPU_SECONDS)]
    cpu_seconds: u64,
    /// Most memory, MiB.
    #[arg(long, env = "NIYAM_MEMORY_MIB", default_value_t = MEMORY_MIB)]
    memory_mib: u64,
}

/// This very program, as what compiles.
pub(super) fn compiler() -> Compiler {
    Compiler {
        program: "/proc/self/exe".into(),
        arguments: vec!["compile-component".into()],
        time_max: TIME_MAX,
    }
}

/// Compiles what comes on standard input, to standard output. Exit code 1: it cannot be compiled, and standard error says
/// why.
pub(super) fn run(args: &Compile) -> ExitCode {
    match compile(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compile(args: &Compile) -> Result<(), String> {
    let said = |error: std::io::Error| error.to_string();
    let limit = |resource, soft, hard| {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
            .map_err(|error| error.to_string())
    };
    // The soft one ends it by a signal of its own, which tells why.
    limit(Resource::Cpu, args.cpu_seconds, args.cpu_seconds.saturating_add(5))?;
    let memory = args.memory_mib.saturating_mul(1 << 20);
    limit(Resource::Data, memory, memory)?;
    limit(Resource::Core, 0, 0)?;
    // Whose server is gone compiles for nobody.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| error.to_string())?;
    let mut component = Vec::new();
    stdin().lock().read_to_end(&mut component).map_err(said)?;
    let compiled = niyam_modules::compile(&component).map_err(|error| error.to_string())?;
    let mut stdout = stdout().lock();
    stdout.write_all(&compiled).and_then(|()| stdout.flush()).map_err(said)
}
