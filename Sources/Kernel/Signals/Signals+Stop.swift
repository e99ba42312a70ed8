import LaunchRecord
import LinuxABI

extension Signals {
    /// Stops the program: `unirun` stops, as a job of its shell, until it is continued.
    ///
    /// Nothing of the instance runs meanwhile, for the only process is what stops. Where nobody
    /// can be asked the program runs on.
    static func stopInstance(_ process: Process) {
        guard (try? HostControl.ask(.stop, .input)) != nil else { return }
        send(.continue, to: process)
    }
}
