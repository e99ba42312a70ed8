import Kernel
import LinuxABI

/// Tells the tracer what happens between calls.
final class TraceObserver: TaskObserver {
    func signalTaken(_ information: SignalInformation) {
        Tracer.signal(
            information.signal,
            code: information.code,
            first: information.words[0],
            second: information.words[1]
        )
    }

    /// The first program's, for the symbols of its sites.
    private var loadBias: UInt64 = 0

    func ended(_ status: ExitStatus) {
        loadBias = Process.current.executable.loadBias
        Tracer.exited(status)
    }

    func waits() { Tracer.idle() }

    func instanceEnds() {
        Tracer.report(sitesOf: KnownSites.text?.rewriter, loadBias: UInt(loadBias)) {
            CaughtCalls.stop()
            Tasks.releaseAll()
        }
    }
}
