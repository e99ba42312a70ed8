import LaunchRecord
import LinuxABI
import Platform

extension Signals {
    /// Stops the program: `unirun` stops, as a job of its shell, until it is continued.
    ///
    /// Nothing of the instance runs meanwhile, for the only process is what stops.
    static func stopInstance(_ process: Process) {
        guard exchangeStopMessage() else { return }
        send(.continue, to: process)
    }

    /// Asks and waits for the answer; false when there is nobody to ask.
    private static func exchangeStopMessage() -> Bool {
        var message = InlineArray<16, UInt64>(repeating: 0)
        message[0] = UInt64(ControlMessage.Operation.stop.rawValue)
        let control = Int32(PLATFORM_STREAM_CONTROL.rawValue)
        let length = UInt64(ControlMessage.encodedSize)
        return withUnsafeMutableBytes(of: &message) { bytes in
            var segment = platform_segment(base: bytes.baseAddress, length: length)
            guard machine.pointee.stream_write(control, &segment, 1) == Int64(length) else {
                return false
            }
            var received: UInt64 = 0
            while received < length {
                segment = platform_segment(
                    base: bytes.baseAddress! + Int(received), length: length - received)
                let count = machine.pointee.stream_read(control, &segment, 1)
                if count == -Int64(Errno.interrupted.rawValue) { continue }
                guard count > 0 else { return false }
                received += UInt64(count)
            }
            // The result follows operation, descriptor and argument.
            return bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self) >= 0
        }
    }
}
