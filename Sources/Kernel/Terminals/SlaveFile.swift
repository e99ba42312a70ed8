import LinuxABI
import Terminal

/// The terminal of a pseudo-terminal as an open file.
final class SlaveFile: OpenFile {
    let terminal: Pseudoterminal

    init(_ terminal: Pseudoterminal, _ flags: OpenFlags, _ dentry: Dentry) {
        self.terminal = terminal
        super.init(flags: flags, traits: .writesAll, dentry: dentry)
        terminal.slaveOpened()
        terminal.wasOpened(flags)
    }

    deinit {
        stopTelling()
        terminal.slaveClosed()
    }

    override var tellsNews: Bool { true }

    override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(terminal.slaveQueue) }

    override func readiness() -> PollEvents {
        guard !terminal.isAbandoned else {
            return [.allReadable, .allWritable, .error, .hangUp, .readHangUp]
        }
        var events: PollEvents = []
        if terminal.discipline.isReadable { events.formUnion(.allReadable) }
        if terminal.isWritable { events.formUnion(.allWritable) }
        return events
    }

    // MARK: Reading

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard !terminal.isAbandoned else { return 0 }
        try terminal.requireForeground(.terminalInput)
        guard transfer.remaining > 0 else { return 0 }
        guard hasEnough(for: transfer.remaining) else {
            guard waitsForNothing else { throw .wouldBlock }
            return 0
        }
        return try readTyped(&transfer)
    }

    private func readTyped(_ transfer: inout Transfer) throws(Errno) -> Int {
        let buffer = try KernelBuffer(min(transfer.remaining, pageSize))
        guard let count = terminal.readLine(into: buffer.bytes), count > 0 else { return 0 }
        return try transfer.give(buffer.bytes.baseAddress!, count)
    }

    private var modes: TerminalModes { terminal.discipline.modes }
    private var hasLines: Bool { modes.local.contains(.lines) }
    private var time: Nanoseconds { Nanoseconds(modes[.time]) * 100 * .millisecond }

    /// Whether a read of `count` bytes has what it waits for: VMIN of termios(3).
    private func hasEnough(for count: Int) -> Bool {
        let available = terminal.discipline.readableCount
        guard available > 0, !hasLines, !isNonBlocking else { return available > 0 }
        return available >= min(count, Int(modes[.minimum]))
    }

    /// VMIN and VTIME are zero.
    private var waitsForNothing: Bool { !hasLines && modes[.minimum] == 0 && modes[.time] == 0 }

    /// VTIME: without VMIN for the first byte, else from byte to byte.
    override func readDeadline(since start: Nanoseconds) -> Nanoseconds {
        guard !hasLines, modes[.time] != 0 else { return .never }
        if modes[.minimum] == 0 { return start &+ time }
        return terminal.discipline.readableCount > 0 ? terminal.lastTyped &+ time : .never
    }

    override func readLate(_ transfer: inout Transfer) throws(Errno) -> Int {
        try readTyped(&transfer)
    }

    // MARK: Writing

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard !terminal.isAbandoned else { throw .inputOutputError }
        if modes.local.contains(.stopsBackground) {
            try terminal.requireForeground(.terminalOutput)
        }
        guard transfer.remaining > 0 else { return 0 }
        guard terminal.isWritable else { throw .wouldBlock }
        let buffer = try KernelBuffer(min(transfer.remaining, pageSize))
        var probe = transfer
        let taken = try probe.take(buffer.bytes.baseAddress!, buffer.bytes.count)
        let count = terminal.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<taken]))
        transfer.skip(count)
        return count
    }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        guard !terminal.isAbandoned else { throw .inputOutputError }
        if ControlRequest.changesTerminal(request) {
            try terminal.requireForeground(.terminalOutput)
        }
        return try terminal.answer(
            request,
            argument,
            isMaster: false,
            isReadable: flags.isReadable
        )
    }
}
