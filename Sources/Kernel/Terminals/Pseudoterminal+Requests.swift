import LinuxABI
import Terminal

/// Requests of ioctl_tty(2) that both ends answer.
extension Pseudoterminal {
    func answer(_ request: UInt32, _ argument: UInt, isMaster: Bool, isReadable: Bool)
        throws(Errno) -> Int
    {
        let known = try control(request, argument, isMaster: isMaster, isReadable: isReadable)
        if let known { return known }
        switch request {
        case ControlRequest.setExclusive: isExclusive = true
        case ControlRequest.clearExclusive: isExclusive = false
        case ControlRequest.isExclusive:
            try UserPointer<Int32>(argument).store(isExclusive ? 1 : 0)
        case ControlRequest.getDiscipline: try UserPointer<Int32>(argument).store(0)
        case ControlRequest.setDiscipline:
            // There is N_TTY alone.
            guard try UserPointer<Int32>(argument).load() == 0 else { throw .invalidArgument }
        case ControlRequest.simulateInput:
            try simulateInput(try UserPointer<UInt8>(argument).load())
        case ControlRequest.sendLongBreak: break
        default:
            guard let shape = ControlRequest.terminalShape(request) else { throw .notTerminal }
            try answer(request, shape, argument)
        }
        return 0
    }

    /// TIOCSTI: as typed by the user.
    private func simulateInput(_ byte: UInt8) throws(Errno) {
        guard Process.current.credentials.effectiveUser == 0 else { throw .notPermitted }
        var byte = byte
        withUnsafeBytes(of: &byte) { _ = type($0) }
    }

    private func answer(_ request: UInt32, _ shape: ControlRequest.Shape, _ argument: UInt)
        throws(Errno)
    {
        var words = InlineArray<6, UInt64>(repeating: 0)
        try withUnsafeMutableBytes(of: &words) { (bytes) throws(Errno) in
            switch shape {
            case .writes(let size):
                let structure = UnsafeMutableRawBufferPointer(rebasing: bytes[..<size])
                if request == ControlRequest.getWindowSize {
                    structure.storeBytes(of: windowSize, as: UInt64.self)
                } else if !discipline.tell(request, into: structure) {
                    throw .notTerminal
                }
                try UserMemory.write(UnsafeRawBufferPointer(structure), at: argument)
            case .reads(let size):
                let structure = UnsafeMutableRawBufferPointer(rebasing: bytes[..<size])
                try UserMemory.read(structure, at: argument)
                set(request, UnsafeRawBufferPointer(structure))
            case .number: try order(request, Int32(truncatingIfNeeded: argument))
            }
        }
    }

    private func set(_ request: UInt32, _ structure: UnsafeRawBufferPointer) {
        if request == ControlRequest.setWindowSize {
            return setWindowSize(structure.loadUnaligned(as: UInt64.self))
        }
        change { $0.setModes(request, from: structure) }
    }

    /// A break means nothing here, and what was written has reached the master.
    private func order(_ request: UInt32, _ number: Int32) throws(Errno) {
        guard request != ControlRequest.sendBreak else { return }
        guard change({ $0.order(request, number) }) else { throw .invalidArgument }
        guard request == ControlRequest.flush else { return }
        if number != 1 { packets?.note(PacketMode.flushedInput) }
        if number != 0 { packets?.note(PacketMode.flushedOutput) }
    }
}
