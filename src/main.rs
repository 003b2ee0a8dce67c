//! The command line of thrash.

fn main() -> std::process::ExitCode {
    // ONNX Runtime's own packages tell Microsoft of every session, and leave a database in the user's cache. The switch in
    // its API comes too late for the first message.
    #[expect(
        unsafe_code,
        reason = "no thread has been started yet that could read the environment meanwhile"
    )]
    unsafe {
        std::env::set_var("ORT_DISABLE_TELEMETRY", "1");
    }
    thrash::cli::main()
}
