import LaunchRecord
import LinuxABI

extension Signals {
    /// Stops a process by a signal whose default it is. When none is left that runs, `unirun` stops, as
    /// a job of its shell, until it is continued. Where nobody can be asked the program runs on.
    static func stop(_ process: Process, _ signal: Signal) {
        process.stop(signal)
        var isAnyRunning = false
        ProcessTable.forEach { if !$0.hasEnded, !$0.isStopped { isAnyRunning = true } }
        guard !isAnyRunning else { return }
        _ = try? HostControl.ask(.stop, .input)
        // The shell's SIGCONT is for the whole job.
        ProcessTable.forEach { if $0.isStopped { send(.continue, to: $0) } }
    }
}
