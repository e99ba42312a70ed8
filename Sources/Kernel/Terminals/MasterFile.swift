import LinuxABI
import Terminal

/// A pseudo-terminal's master as an open file: what a user types is written, what is shown is read.
final class MasterFile: OpenFile {
    let node: PseudoterminalNode
    private var terminal: Pseudoterminal { node.terminal }

    init(_ node: PseudoterminalNode, _ flags: OpenFlags, _ dentry: Dentry) {
        self.node = node
        super.init(flags: flags, traits: .writesAll, dentry: dentry)
    }

    deinit {
        stopTelling()
        Pseudoterminals.close(node)
    }

    override var tellsNews: Bool { true }

    override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(terminal.masterQueue) }

    override func readiness() -> PollEvents {
        var events: PollEvents = []
        if terminal.discipline.hasOutput { events.formUnion(.allReadable) }
        if terminal.packets?.hasNews == true {
            events.formUnion(.allReadable)
            events.insert(.priority)
        }
        if terminal.discipline.wantsInput { events.formUnion(.allWritable) }
        if terminal.isDeserted { events.insert(.hangUp) }
        return events
    }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard transfer.remaining > 0 else { return 0 }
        if let news = terminal.packets?.take() {
            guard news != 0 || terminal.discipline.hasOutput else { throw nothingToRead }
            var byte = news
            var done = try transfer.give(&byte, 1)
            if news == 0 { done += try readShown(&transfer) }
            return done
        }
        guard terminal.discipline.hasOutput else { throw nothingToRead }
        return try readShown(&transfer)
    }

    /// Whoever has the terminal open may write; when nobody has it any more nothing will come.
    private var nothingToRead: Errno { terminal.isDeserted ? .inputOutputError : .wouldBlock }

    private func readShown(_ transfer: inout Transfer) throws(Errno) -> Int {
        let buffer = try KernelBuffer(min(transfer.remaining, pageSize))
        let count = terminal.show(into: buffer.bytes)
        return count == 0 ? 0 : try transfer.give(buffer.bytes.baseAddress!, count)
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard transfer.remaining > 0 else { return 0 }
        guard terminal.discipline.wantsInput else { throw .wouldBlock }
        let buffer = try KernelBuffer(min(transfer.remaining, 512))
        var probe = transfer
        let taken = try probe.take(buffer.bytes.baseAddress!, buffer.bytes.count)
        let count = terminal.type(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<taken]))
        transfer.skip(count)
        return count
    }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        switch request {
        case ControlRequest.getNumber: try UserPointer<UInt32>(argument).store(terminal.number)
        case ControlRequest.setLock:
            terminal.isLocked = try UserPointer<Int32>(argument).load() != 0
        case ControlRequest.getLock:
            try UserPointer<Int32>(argument).store(terminal.isLocked ? 1 : 0)
        case ControlRequest.setPacketMode:
            let isOn = try UserPointer<Int32>(argument).load() != 0
            if isOn != (terminal.packets != nil) { terminal.packets = isOn ? PacketMode() : nil }
        case ControlRequest.getPacketMode:
            try UserPointer<Int32>(argument).store(terminal.packets == nil ? 0 : 1)
        case ControlRequest.raiseSignal:
            guard let signal = Signal(number: Int(bitPattern: argument)),
                signal == .interrupt
                    || signal == .quit || signal == .terminalStop
            else { throw .invalidArgument }
            terminal.raise(signal)
        case ControlRequest.openPeer:
            return try openPeer(OpenFlags(rawValue: UInt32(truncatingIfNeeded: argument)))
        case ControlRequest.readableBytes:
            try UserPointer<Int32>(argument).store(Int32(terminal.discipline.outputCount))
        default:
            return try terminal.answer(request, argument, isMaster: true, isReadable: true)
        }
        return 0
    }

    /// As TIOCGPTPEER: opens the terminal without its name.
    private func openPeer(_ flags: OpenFlags) throws(Errno) -> Int {
        let dentry = try Pseudoterminals.name(of: node)
        let file = try terminal.open(dentry, flags)
        let descriptor = try Process.current.descriptors.insert(
            file,
            closesOnExec: flags.contains(.closeOnExec)
        )
        return Int(descriptor.rawValue)
    }
}
