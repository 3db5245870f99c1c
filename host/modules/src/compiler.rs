//! Compiling in a process of its own, which can be ended: no component keeps a server's compiler for ever, or takes all
//! of the server's memory.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine;
use crate::error::LoadError;
use crate::inspect::inspect;

/// Most bytes of compiled code that are taken: an interpreter's are some 40 MB.
const COMPILED_BYTES_MAX: u64 = 512 << 20;
/// Most bytes that are read of why a component is not compiled.
const REASON_BYTES_MAX: u64 = 4 << 10;
/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The signals by which a process ends that used up what it may: processor time, and memory.
const USED_UP: [i32; 2] = [SIGXCPU, SIGABRT];
const SIGABRT: i32 = 6;
const SIGXCPU: i32 = 24;

/// A program that calls [`compile`] with what it reads, and writes what that gives.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The program. It bounds its own processor time and memory.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// After how long it is ended.
    pub time_max: Duration,
}

/// Compiles a component for the engine of its class, in this process; the compiled code.
///
/// # Errors
/// When it is refused, or cannot be compiled.
pub fn compile(bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let engine = engine::engine(inspect(bytes)?).map_err(LoadError::Host)?;
    engine.precompile_component(bytes).map_err(|error| LoadError::NotCompilable(format!("{error:#}")))
}

impl Compiler {
    /// The compiled code of a component, made by the program.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        let host = |error: io::Error| LoadError::Host(error.into());
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            // Whoever interrupts the server lets it end by itself.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(host)?;
        let Ended { status, compiled, reason, late } = self.follow(child, bytes).map_err(host)?;
        if late {
            let seconds = self.time_max.as_secs();
            return Err(LoadError::NotCompilable(format!("it takes longer than {seconds} s")));
        }
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(compiled),
            (Some(1), _) => Err(LoadError::NotCompilable(String::from_utf8_lossy(&reason).trim().to_owned())),
            (_, Some(signal)) if USED_UP.contains(&signal) => {
                Err(LoadError::NotCompilable("it takes more time or memory than the compiler has".to_owned()))
            }
            // Ended by somebody else: for another attempt.
            _ => Err(LoadError::Host(wasmtime::Error::msg(format!("the compiler broke off: {status}")))),
        }
    }

    fn follow(&self, mut child: Child, bytes: &[u8]) -> io::Result<Ended> {
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        thread::scope(|scope| {
            // One that ends early leaves what it has not read.
            let feeding = scope.spawn(|| stdin.is_some_and(|mut stdin| stdin.write_all(bytes).is_ok()));
            let reading = scope.spawn(|| read(stdout, COMPILED_BYTES_MAX));
            let hearing = scope.spawn(|| read(stderr, REASON_BYTES_MAX));
            let until = Instant::now() + self.time_max;
            let mut late = false;
            let status = loop {
                if let Some(status) = child.try_wait()? {
                    break status;
                }
                if Instant::now() > until {
                    late = true;
                    child.kill()?;
                    break child.wait()?;
                }
                thread::sleep(LOOK);
            };
            let broken = || io::Error::other("a pipe broke");
            feeding.join().map_err(|_| broken())?;
            let compiled = reading.join().map_err(|_| broken())??;
            let reason = hearing.join().map_err(|_| broken())??;
            Ok(Ended { status, compiled, reason, late })
        })
    }
}

/// How the program ended, and what it wrote.
struct Ended {
    status: ExitStatus,
    compiled: Vec<u8>,
    reason: Vec<u8>,
    late: bool,
}

fn read(from: Option<impl io::Read>, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(bytes_max).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
