import LinuxABI

/// Signals that are read instead of handled: signalfd(2). Who reads takes them, of the thread's
/// own and of the process's.
public final class SignalFile: AnonymousFile {
    public private(set) var mask: SignalSet

    init(_ mask: SignalSet, _ flags: OpenFlags) {
        self.mask = mask.subtracting(.unblockable)
        super.init(flags: flags.intersection(.nonBlocking).union(.readWrite))
    }

    public override var waitQueue: Unmanaged<WaitQueue>? {
        .passUnretained(Process.current.signals.arrivals)
    }

    public override func readiness() -> PollEvents {
        let thread = Thread.current
        let waiting = thread.signals.pending.set.union(thread.process.signals.pending.set)
        return waiting.isDisjoint(with: mask) ? [] : .readable
    }

    /// Gives as many signals as wait and have room.
    public override func read(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        let size = MemoryLayout<SignalFileRecord>.size
        guard transfer.remaining >= size else { throw .invalidArgument }
        var given = 0
        while transfer.remaining >= size, let information = Signals.take(mask, by: .current) {
            var record = SignalFileRecord(information)
            guard try transfer.give(&record, size) == size else { throw .badAddress }
            given += size
        }
        guard given > 0 else { throw .wouldBlock }
        return given
    }

    public override func describe(into text: inout TextBuffer) {
        text.append("anon_inode:[signalfd]")
    }

    /// Replaces the signals that are read; who waits looks again.
    public func setMask(_ new: SignalSet) {
        mask = new.subtracting(.unblockable)
        Process.current.signals.arrivals.wake(.allReadable)
    }
}

extension DescriptorTable {
    /// As signalfd4(2) for a new descriptor.
    public func makeSignalFile(_ mask: SignalSet, _ flags: OpenFlags) throws(Errno)
        -> FileDescriptor
    {
        try insert(SignalFile(mask, flags), closesOnExec: flags.contains(.closeOnExec))
    }
}
