//! The service's commands: `serve`, `migrate`, `key`.

use std::process::ExitCode;

mod command;

fn main() -> ExitCode {
    let arguments = command::read_arguments();
    let log = command::Log::start(&arguments.log);
    match command::run(arguments, &log) {
        Ok(code) => code,
        Err(error) => {
            // Logs may be JSON; what goes wrong at start is for the person who started it.
            command::report_failure(&error);
            ExitCode::from(1)
        }
    }
}
