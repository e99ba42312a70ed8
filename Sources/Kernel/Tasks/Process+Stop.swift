import LinuxABI

/// Stopping and continuing: signal(7).
extension Process {
    public var isStopped: Bool { stopSignal != nil }

    /// Stops all threads, on their way to the program.
    func stop(_ signal: Signal) {
        guard stopSignal == nil else { return }
        stopSignal = signal
        ProcessTable.stoppedCount += 1
        tell(.stopped)
        forEachThread { $0.signals.notify($0) }
    }

    /// Lets the threads go on, for SIGCONT; SIGKILL does too, and nobody is told.
    func `continue`(tells: Bool) {
        guard stopSignal != nil else { return }
        stopSignal = nil
        ProcessTable.stoppedCount -= 1
        unheardNews = nil
        if tells { tell(.continued) }
        continued.wake()
    }

    /// Waits while the process is stopped.
    func waitWhileStopped() {
        while isStopped, exitStatus == nil {
            try? continued.wait(isInterruptible: false)
        }
    }

    private func tell(_ kind: ChildNews.Kind) {
        unheardNews = kind
        guard let parent else { return }
        if !parent.signals[.child].flags.contains(.noChildStop) {
            _ = try? Signals.send(.child, ChildNews(kind, of: self).information(.child), to: parent)
        }
        parent.childNews.wake()
    }
}
