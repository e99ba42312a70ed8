import LinuxABI

/// The signals of one thread: its mask, what is pending for it alone, its alternate stack.
public final class ThreadSignals {
    /// Set when a wait ended because of a signal; the way out of the call decides on restarting.
    public var interruptedWait = false

    public init() {}

    /// Whether a signal waits that the thread would take on its way back to the program.
    @inline(__always)
    public func hasDeliverable(_ thread: Thread) -> Bool { false }
}
