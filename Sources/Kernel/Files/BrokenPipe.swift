import LinuxABI

/// SIGPIPE, which a write without a reader raises besides failing with `brokenPipe`.
enum BrokenPipe {
    /// What sends it; the signal code sets it at the start.
    nonisolated(unsafe) static var handler: (() -> Void)? = nil

    static func raise() { handler?() }
}
