import Kernel
import LinuxABI

/// What strace(1) shows between the calls.
extension Tracer {
    /// A signal that the current thread takes now, from its `siginfo_t`: the signal's number, the
    /// code, and the first two words of the union (bytes 16 to 31 of the structure).
    public static func signal(_ number: Int32, code: Int32, first: UInt64, second: UInt64) {
        guard isOn, shows else { return }
        writer.beginRemark(author)
        writer.line.append("--- ")
        let summary = SignalSummary(signal: number, code: code, first: first, second: second)
        writer.line.append(signal: number)
        writer.line.append(" ")
        writer.line.append(information: summary)
        writer.line.append(" ---")
        writer.finish()
    }

    /// The current thread, or its process when it is the last, ended.
    public static func exited(_ status: ExitStatus) {
        guard isOn, shows else { return }
        writer.beginRemark(author)
        switch status {
        case .exited(let code):
            writer.line.append("+++ exited with ")
            writer.line.append(Int(code))
        case .killed(let signal, let dumpedCore):
            writer.line.append("+++ killed by ")
            writer.line.append(signal: signal)
            if dumpedCore { writer.line.append(" (core dumped)") }
        }
        writer.line.append(" +++")
        writer.finish()
    }

    /// The processor is about to wait: shows the call that is under way, so that one sees what a
    /// program hangs in.
    public static func idle() {
        guard isOn, shows else { return }
        writer.flush()
    }
}
