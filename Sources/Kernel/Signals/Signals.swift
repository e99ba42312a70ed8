import LinuxABI
import Platform

/// Sending and taking signals.
public enum Signals {
    /// Sends what came from outside (a terminal, kill(1) on the host) to the program.
    static func takeOutsideSignals() {
        let signals = cpu_take_outside_signals()
        guard signals != 0 else { return }
    }
}
