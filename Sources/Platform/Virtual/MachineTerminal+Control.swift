import LaunchRecord
import LinuxABI
import Platform
import Terminal

/// What `unirun` answers for a machine that it serves: requests about the terminal, ioctl_tty(2).
extension MachineTerminal {
    private static let notPermitted: Int64 = -1
    private static let notTerminal: Int64 = -25
    private static let noSeeking: Int64 = -29

    /// Answers a `ControlMessage` in its place.
    static func answerControl(_ message: UnsafeMutableRawBufferPointer) {
        let payload = UnsafeMutableRawBufferPointer(
            rebasing: message[ControlMessage.payloadOffset...]
        )
        let argument = message.load(fromByteOffset: 8, as: UInt64.self)
        let answer =
            switch ControlMessage.Operation(rawValue: message.load(as: UInt32.self)) {
            case .inputOutputControl: control(UInt32(truncatingIfNeeded: argument), payload)
            case .seek: noSeeking
            // Nobody could continue what stops, and nobody keeps sites.
            default: notPermitted
            }
        message.storeBytes(of: answer, toByteOffset: 16, as: Int64.self)
    }

    private static func control(_ request: UInt32, _ payload: UnsafeMutableRawBufferPointer)
        -> Int64
    {
        switch ControlRequest.terminalShape(request) {
        case .writes(let size):
            tell(request, UnsafeMutableRawBufferPointer(rebasing: payload[..<size]))
        case .reads(let size): set(request, UnsafeRawBufferPointer(rebasing: payload[..<size]))
        case .number: order(request, payload.load(as: Int32.self))
        case nil: notTerminal
        }
    }

    private static func tell(_ request: UInt32, _ structure: UnsafeMutableRawBufferPointer) -> Int64
    {
        if request == ControlRequest.getWindowSize {
            structure.storeBytes(of: windowSize, as: UInt64.self)
            return 0
        }
        return discipline.tell(request, into: structure) ? 0 : notTerminal
    }

    private static func set(_ request: UInt32, _ structure: UnsafeRawBufferPointer) -> Int64 {
        switch request {
        case ControlRequest.setWindowSize:
            setWindowSize(structure.loadUnaligned(as: UInt64.self))
            return 0
        case ControlRequest.setTerminal, ControlRequest.setTerminal2: break
        default: drain(limit: patience)
        }
        change {
            let speed = discipline.modes.outputSpeed
            discipline.setModes(request, from: structure)
            if discipline.modes.outputSpeed != speed {
                line?.setSpeed(discipline.modes.outputSpeed)
            }
        }
        return 0
    }

    /// The other side may never take what is sent, and the kernel does nothing else meanwhile.
    private static var patience: UInt64 { 1_000_000_000 }

    private static func order(_ request: UInt32, _ number: Int32) -> Int64 {
        switch (request, number) {
        case (ControlRequest.sendBreak, 0):
            drain(limit: patience)
            line?.setBreak(true)
            let length: UInt64 = 250_000_000
            _ = MachineTime.wait(limit: length) { false }
            line?.setBreak(false)
        case (ControlRequest.sendBreak, _): drain(limit: patience)
        default:
            var isKnown = false
            change { isKnown = discipline.order(request, number) }
            guard isKnown else { return invalidArgument }
        }
        return 0
    }
}
