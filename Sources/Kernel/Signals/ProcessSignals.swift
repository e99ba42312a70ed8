import LinuxABI

/// The signals of a process: the actions, and what is pending for any of its threads.
public final class ProcessSignals {
    public init() {}
}
